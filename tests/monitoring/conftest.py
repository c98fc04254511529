"""Pages as Prometheus reads them, of a worker process and of a service; and promtool."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from stream_rec.config import load_settings
from stream_rec.serving.app import create_app
from stream_rec.serving.keys import Keys
from stream_rec.serving.service import Service
from stream_rec.stream.embedded import EmbeddedBroker
from tests.embedded.test_pipeline import Pipeline, free_port, read_page
from tests.monitoring.expressions import Names, names_scraped
from tests.requirements import do_without
from tests.stream.topics import make_events, wait_for_messages

N_PARTITIONS = 3
BY_PROMETHEUS = Names({"up", "ALERTS"}, {"job", "instance", "alertstate"})
"""Series and labels that Prometheus adds itself."""

Promtool = Callable[..., str]


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Runs promtool and returns what it says; an error fails the test."""
    program = shutil.which("promtool")
    if program is None:
        do_without("promtool", "no promtool here; on Debian: apt-get install prometheus")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def worker_page() -> str:
    """``/metrics`` of a worker process that has processed events and refused some."""
    topics = load_settings().topics
    with EmbeddedBroker(dict.fromkeys(topics.names, N_PARTITIONS)) as broker:
        port = free_port()
        pipeline = Pipeline(broker, **{"worker.web_enabled": True, "worker.web_port": port})
        pipeline.send(make_events(100, bad_every=10))
        with pipeline.worker:
            pipeline.worker.wait_until_ready()
            wait_for_messages(broker.address, topics.dlq, 10)
            return read_page(f"http://127.0.0.1:{port}/metrics").decode()


@pytest.fixture(scope="session")
def service_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """``/metrics`` of an HTTP service that has answered a request."""

    async def scrape(broker: str) -> str:
        settings = load_settings(
            None,
            {
                "kafka.broker": broker,
                "kafka.embedded": True,
                "topics.partitions": 1,
                "serve.state_dir": str(tmp_path_factory.mktemp("serve")),
            },
        )
        service = Service(settings)
        await service.start()
        transport = httpx.ASGITransport(create_app(service, Keys([])))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.get("/readyz")
            page = (await client.get("/metrics")).text
        await service.stop()
        return page

    with EmbeddedBroker(dict.fromkeys(load_settings().topics.names, 1)) as broker:
        return asyncio.run(scrape(broker.address))


@pytest.fixture(scope="session")
def known(worker_page: str, service_page: str) -> Names:
    """All names that an expression may use."""
    scraped = [BY_PROMETHEUS, *map(names_scraped, (worker_page, service_page))]
    return Names(
        set().union(*(names.metrics for names in scraped)),
        set().union(*(names.labels for names in scraped)),
    )
