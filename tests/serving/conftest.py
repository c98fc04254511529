"""A service in this process over an embedded broker, with an engine in place of the workers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from stream_rec.config import Settings, load_settings
from stream_rec.serving.app import create_app
from stream_rec.serving.keys import Keys
from stream_rec.serving.service import Service
from stream_rec.stream.embedded import EmbeddedBroker
from tests.model.logs import made_up_events
from tests.serving.teacher import Teacher

WAIT_S = 60.0
LOG = made_up_events(900, n_users=15, n_items=120)


class Served:
    """A service in this process, its application, and a client that asks it directly."""

    def __init__(self, service: Service, teacher: Teacher, keys: Keys) -> None:
        self.service = service
        self.teacher = teacher
        transport = httpx.ASGITransport(create_app(service, keys))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
def broker() -> Iterator[str]:
    names = load_settings().topics.names
    with EmbeddedBroker(dict.fromkeys(names, 1)) as broker:
        yield broker.address


@pytest.fixture
def settings(broker: str, tmp_path: Path) -> Settings:
    return load_settings(
        None,
        {
            "kafka.broker": broker,
            "kafka.embedded": True,
            "topics.partitions": 1,
            "serve.state_dir": str(tmp_path),
            "serve.wait_ms_max": 5_000,
            "serve.ready_lag_max": 0,
            "serve.request_bytes_max": 20_000,
            "serve.batch_events_max": 50,
        },
    )


@contextlib.asynccontextmanager
async def serving(settings: Settings, keys: Keys | None = None) -> AsyncIterator[Served]:
    teacher = Teacher(settings)
    teacher.teach(LOG)
    service = Service(settings)
    await service.start()
    served = Served(service, teacher, keys or Keys([]))
    try:
        async with asyncio.timeout(WAIT_S):
            await service.wait_until_ready()
        assert service.catalogue.n_items == len(teacher.engine.items.ids)
        yield served
    finally:
        await served.client.aclose()
        await service.stop()


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Served]:
    async with serving(settings) as served:
        yield served


NEAR_TIE = 0.005
"""Who follows solves the implicit factors anew, so scores differ a little."""


def scores_by_engine(served: Served, user: str) -> dict[str, float]:
    """Return the list of the engine that learned the log: items with scores, best first."""
    engine = served.teacher.engine
    listed = engine.recommend(0, user, 100, LOG[-1].ts or 0.0)
    texts = [engine.items.ids.texts[item] for item in listed.items]
    return dict(zip(texts, listed.scores.tolist(), strict=True))
