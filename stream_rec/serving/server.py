"""Run one HTTP service: start, serve until told to stop, end."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from stream_rec.compiling import shared_compiling
from stream_rec.config import ServeSettings, Settings
from stream_rec.errors import ConfigError
from stream_rec.garbage import keep_for_good
from stream_rec.model.warm_up import warm_up_questions
from stream_rec.serving.app import create_app
from stream_rec.serving.keys import Keys, read_keys_file
from stream_rec.serving.one_write import OneWriteProtocol
from stream_rec.serving.service import Service

BACKLOG = 1024
KEEP_ALIVE_S = 75

logger = logging.getLogger("stream_rec.serve")


class _Server(uvicorn.Server):
    """Ends the streams first: open ones would hold the end up."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.end_streams()
        super().handle_exit(sig, frame)


def load_keys(serve: ServeSettings) -> Keys:
    """Read the keys, and refuse to be open to everybody.

    Raises
    ------
    ConfigError
        It would listen on other addresses than this machine's own, and there is no key.
    """
    entries = list(serve.keys)
    if serve.keys_file is not None:
        entries += read_keys_file(serve.keys_file)
    keys = Keys(entries)
    if not serve.is_local and not len(keys):
        raise ConfigError(
            f"serve.host = {serve.host!r} can be reached from other machines, so expected keys in "
            "serve.keys or serve.keys_file, came none; make one with `stream-rec keys new NAME`, "
            'or keep serve.host = "127.0.0.1"'
        )
    return keys


def run_service(settings: Settings, announce: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT, or until an error.

    Parameters
    ----------
    settings : Settings
    announce : callable
        Called with the address when it listens.

    Returns
    -------
    int
        Exit status: 0 after a signal, 1 after an error.
    """
    keys = load_keys(settings.serve)
    with shared_compiling():
        warm_up_questions(settings.model, settings.events)
    if sys.platform != "win32":
        import uvloop

        return uvloop.run(_serve(settings, keys, announce))
    return asyncio.run(_serve(settings, keys, announce))


async def _serve(settings: Settings, keys: Keys, announce: Callable[[str], None]) -> int:
    serve = settings.serve
    listener = _listen(serve)
    service = Service(settings)
    await service.start()
    try:
        password = serve.ssl_keyfile_password
        config = uvicorn.Config(
            create_app(service, keys),
            log_config=None,
            access_log=False,
            lifespan="off",
            http=OneWriteProtocol,
            ws="none",
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(serve.shutdown_timeout_s) or 1,
            ssl_certfile=serve.ssl_certfile,
            ssl_keyfile=serve.ssl_keyfile,
            ssl_keyfile_password=None if password is None else password.get_secret_value(),
        )
        server = _Server(config, service)
        service.on_failure(lambda: setattr(server, "should_exit", True))
        scheme = "https" if serve.ssl_certfile else "http"
        keep_for_good()
        telling = asyncio.create_task(_tell_when_ready(service))
        announce(f"{scheme}://{_shown(serve.host)}:{listener.getsockname()[1]}/")
        await server.serve(sockets=[listener])
        telling.cancel()
    finally:
        await service.stop()
    return 0 if service.failure is None else 1


async def _tell_when_ready(service: Service) -> None:
    started_s = time.monotonic()
    await service.wait_until_ready()
    elapsed_s = time.monotonic() - started_s
    logger.info("caught up after %.1f s: %d items", elapsed_s, service.catalogue.n_items)


def _listen(serve: ServeSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in serve.host else socket.AF_INET
    try:
        return socket.create_server((serve.host, serve.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"serve.host = {serve.host!r}, serve.port = {serve.port}: cannot listen there: "
            f"{error.strerror}; choose another with --set serve.port=…"
        ) from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
