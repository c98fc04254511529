"""The log of a worker or a service: lines for people, or a JSON object a line for a collector.

No user and no item is named above the level debug. An object has ``timestamp`` (ISO 8601, UTC),
``level``, ``logger``, ``event`` (the message), and with an error ``exception``.
"""

from __future__ import annotations

import logging
import sys

import structlog

from stream_rec.settings import LogFormat

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY_LOGGERS = ("faust", "mode", "aiokafka", "rdkafka")


def set_up_logging(level: str, log_format: LogFormat) -> None:
    """Send what all libraries log to standard error.

    Parameters
    ----------
    level : str
        Name of the lowest level shown; libraries that say much show warnings only, but at debug.
    log_format : LogFormat
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_as_json() if log_format == "json" else logging.Formatter(TEXT_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def _as_json() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
