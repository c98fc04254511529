"""Run one worker process: start, serve until told to stop, commit, leave."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import NoReturn

from stream_rec.config import Settings
from stream_rec.errors import StreamRecError
from stream_rec.garbage import keep_for_good
from stream_rec.log_output import set_up_logging
from stream_rec.stream.app import StreamApp, create_app
from stream_rec.stream.engine_port import EngineFactory
from stream_rec.stream.watchdog import beat_for_event_loop

EXIT_OK = 0
EXIT_FAILED = 1
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger("stream_rec.worker")


def run_worker(settings: Settings, create_engine: EngineFactory | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or until an error.

    Logs one line that begins with ``ready`` whenever its partitions are being served.

    Parameters
    ----------
    settings : Settings
        All settings.
    create_engine : EngineFactory, optional
        Another engine than the recommender's.

    Returns
    -------
    int
        Exit status: 0 after a signal, when everything processed is committed; 1 otherwise.
    """
    set_up_logging(settings.worker.log_level, settings.worker.log_format)
    run = asyncio.run
    if sys.platform != "win32":
        import uvloop

        run = uvloop.run
    return run(_serve(settings, create_engine))


async def _serve(settings: Settings, create_engine: EngineFactory | None) -> int:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, told_to_stop.set)
    app = create_app(settings, create_engine)
    beating = asyncio.create_task(beat_for_event_loop(settings.worker.stall_timeout_s))
    starting = asyncio.create_task(app.start())
    stopping = [
        asyncio.create_task(told_to_stop.wait()),
        asyncio.create_task(app.failed.wait()),
    ]
    await asyncio.wait([starting, *stopping], return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and starting.exception() is None:
        keep_for_good()
        await asyncio.wait(stopping, return_when=asyncio.FIRST_COMPLETED)
    await _stop(app, starting, settings.worker.shutdown_timeout_s)
    for task in (beating, *stopping):
        task.cancel()
    return EXIT_OK if app.failure is None else EXIT_FAILED


async def _stop(app: StreamApp, starting: asyncio.Task[None], timeout_s: float) -> None:
    """Stop within the time limit; beyond it, end the process: nothing durable is at risk."""
    if starting.done() and (error := starting.exception()) is not None:
        app.fail(error)
    starting.cancel()
    try:
        async with asyncio.timeout(timeout_s):
            await app.stop()
    except TimeoutError:
        logger.error("not stopped in %g s; ending the process", timeout_s)
        _end_process(EXIT_FAILED)
    except StreamRecError as error:
        app.fail(error)
    if app.assignment is None and app.failure is None:
        logger.info("stopped before it was serving")
        _end_process(EXIT_OK)  # the engine may be compiling in a thread, which nothing interrupts
    logger.info("stopped: %d events, %d lists", app.stats.n_events, app.stats.n_lists)


def _end_process(status: int) -> NoReturn:
    logging.shutdown()
    os._exit(status)
