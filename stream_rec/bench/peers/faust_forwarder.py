"""The smallest Faust agent that forwards each event; it computes nothing.

Runs until it is terminated.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import faust
import uvloop

from stream_rec.bench.peers.route import Route
from stream_rec.kafka_clients import faust_broker_options


def run(route: Route) -> None:
    """Forward events until the process is terminated."""
    uvloop.run(_serve(route))


async def _serve(route: Route) -> None:
    app = faust.App(
        route.group_id,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        datadir=Path(tempfile.gettempdir()) / "stream_rec-bench",  # else the working folder
        **faust_broker_options(route.kafka),
    )
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}
    source = app.topic(route.source, **raw)
    target = app.topic(route.target, **raw)

    @app.agent(source)
    async def forward(events: Any) -> None:
        async for event in events.events():
            target.send_soon(key=event.key, value=event.value)

    await app.start()
    await asyncio.Event().wait()
