"""The least that FastAPI does: an endpoint that returns a constant, under the service's server."""

from __future__ import annotations

import socket
from multiprocessing.connection import Connection

import uvicorn
from fastapi import FastAPI

PATH = "/constant"


def run(pipe: Connection) -> None:
    """Serve it on a free port of this machine, which the pipe is told, until SIGTERM."""
    app = FastAPI()

    @app.get(PATH)
    async def constant() -> dict[str, str]:
        return {"status": "ok"}

    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="uvloop",
        http="httptools",
        ws="none",
        server_header=False,
        date_header=False,
    )
    pipe.send(listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])
