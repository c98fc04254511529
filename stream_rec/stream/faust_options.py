"""What Faust is told: its own options, from ours."""

from __future__ import annotations

from typing import Any

from stream_rec.config import Settings
from stream_rec.kafka_clients import faust_broker_options
from stream_rec.stream.tables import RowTableManager

REBALANCE_TIMEOUT_S = 60.0
MESSAGES_QUEUED_MAX = 16
NEVER_S = 1e8
"""For aiokafka, which takes a member that does not fetch for so long out of its group: it fetches
no events here, and whether they are handled, the watchdog sees."""


def faust_options(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments of ``faust.App``.

    Parameters
    ----------
    settings : Settings
    """
    worker = settings.worker
    return faust_broker_options(settings.kafka) | {
        "TableManager": RowTableManager,
        "datadir": worker.state_dir,
        "broker_max_poll_interval": NEVER_S,
        "broker_rebalance_timeout": REBALANCE_TIMEOUT_S,
        "consumer_auto_offset_reset": "earliest",
        "stream_buffer_maxsize": MESSAGES_QUEUED_MAX,
        "stream_recovery_delay": 0.0,
        "stream_wait_empty": False,
        "table_standby_replicas": 0,
        "topic_disable_leader": True,
        "web_enabled": worker.web_enabled,
        "web_bind": worker.web_host,
        "web_host": worker.web_host,
        "web_port": worker.web_port,
    }
