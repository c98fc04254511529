"""Events, lists and snapshots made by hand."""

import pytest

from stream_rec.cli.demo.messages import Event, ListedItem, Reason, RefreshedList
from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.statistics import Moment
from stream_rec.cli.demo.words import Titles


def listed(*items: str) -> tuple[ListedItem, ...]:
    return tuple(ListedItem(item, (Reason("popular"),)) for item in items)


def event(offset: int, user: str, item: str, partition: int = 0, value: float = 8.0) -> Event:
    return Event(partition, offset, 1000 * offset, user, item, value)


def answer(offset: int, user: str, *items: str, partition: int = 0, latency_ms: float = 5.0):
    received_ms = 1000 * offset + latency_ms
    return RefreshedList(partition, offset, received_ms, user, listed(*items))


@pytest.fixture
def titles() -> Titles:
    names = {
        "1": "Alien",
        "2": "Heat",
        "3": "The Assassination of Jesse James by the Coward Robert",
    }
    return Titles({item: f"{name} (1979)" for item, name in names.items()}, names)


@pytest.fixture
def moment() -> Moment:
    items = (
        ListedItem("3", (Reason("taken_together", "1"),)),
        ListedItem("2", (Reason("popular_2h"),)),
        ListedItem("unknown", (Reason("new"),)),
    )
    return Moment("42", "1", 9.0, 2, {"1": 9.0}, items, 7.0)


@pytest.fixture
def snapshot(moment) -> Snapshot:
    return Snapshot(
        phase=Phase.REPLAY,
        elapsed_s=23.4,
        n_expected=20_000,
        n_events=12_345,
        n_lists=12_340,
        lists_per_s=803.2,
        latency_p50_ms=6.4,
        latency_p99_ms=21.0,
        n_scored=7_593,
        hit_rate=0.251,
        popularity_hit_rate=0.148,
        rate_history=tuple(range(700, 800)),
        n_partitions=4,
        worker_pid=4711,
        moments=(moment,) * 5,
    )
