"""Runs of several partitions in one call give what one call for each gives, to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.ids import hash_id
from stream_rec.model.rows import HEADER_TYPE, WEIGHTS
from stream_rec.model.runs import Run, RunResult
from tests.kernels.strategies import long_lists
from tests.model.logs import FakeRecord

N_PARTITIONS = 3
N_USERS = 6
MODEL = ModelSettings(
    history_length=4,
    items_per_partition_max=12,
    links_per_item_max=4,
    seen_items_max=40,
    user_burst_max=4,
    users_in_memory_max=3,
)


class Taken(NamedTuple):
    """A user takes an item; see `KINDS`."""

    user: int
    item: int
    kind: str


KINDS = ("click", "click", "click", "rating", "dislike", "forget", "repeated", "bad")
taken = st.builds(Taken, st.integers(0, N_USERS - 1), st.integers(0, 30), st.sampled_from(KINDS))
run_lists = long_lists(
    st.tuples(st.integers(0, N_PARTITIONS - 1), st.lists(taken, min_size=1, max_size=6)), 12
)


def record_of(partition: int, offset: int, event: Taken) -> FakeRecord:
    user = f"u{partition}-{event.user}"
    kind = "click" if event.kind in ("repeated", "bad") else event.kind
    fields = [f'"user":"{user}","type":"{kind}","ts":{1_700_000_000 + 7 * offset}']
    if kind != "forget":
        fields.append(f'"item":"i{event.item}"')
    if kind == "rating":
        fields.append('"value":7')
    if event.kind == "repeated":
        fields.append('"event_id":"same"')
    value = "{" + ",".join(fields) + ("" if event.kind == "bad" else "}")
    return FakeRecord(offset, user.encode(), value.encode(), 1_700_000_000_000)


def runs_of(drawn: Sequence[tuple[int, Sequence[Taken]]]) -> list[Run]:
    """Return the runs with the offsets that they have in their partitions."""
    next_offset = [0] * N_PARTITIONS
    runs = []
    for partition, events in drawn:
        first = next_offset[partition]
        records = [record_of(partition, first + x, event) for x, event in enumerate(events)]
        next_offset[partition] += len(events)
        runs.append(Run(partition, records))
    return runs


class Store:
    """An engine whose profiles are in a store, so that idle ones leave memory."""

    def __init__(self, model: ModelSettings = MODEL) -> None:
        self.rows: dict[tuple[int, bytes], bytes | None] = {}
        self.item_rows: dict[tuple[int, bytes], bytes] = {}
        self.engine = Engine(
            model,
            EventSettings(),
            source_topic="events",
            n_partitions=N_PARTITIONS,
            read_profiles=lambda p, keys: [self.rows.get((p, key)) for key in keys],
        )
        for partition in range(N_PARTITIONS):
            self.engine.open_partition(partition)

    def process(self, calls: Sequence[Sequence[Run]]) -> list[RunResult]:
        """Return the results of all runs; after each call, profiles may leave memory."""
        results = []
        for runs in calls:
            results += self.engine.process(runs, 7)
            self.freeze()
        return results

    def freeze(self) -> None:
        """Store what changed: profiles, items with their links, weights without their offset."""
        for partition in range(N_PARTITIONS):
            frozen = self.engine.freeze(partition)
            self.rows |= {(partition, key): row for key, row in frozen.profiles}
            for key, row in frozen.items:
                up_to_when = HEADER_TYPE.itemsize if key == WEIGHTS else 0
                self.item_rows[partition, key] = row[up_to_when:]


def split(runs: Sequence[Run], cuts: Sequence[int]) -> list[Sequence[Run]]:
    bounds = sorted({0, len(runs), *(cut for cut in cuts if cut < len(runs))})
    return [runs[first:end] for first, end in pairwise(bounds)]


@settings(deadline=None)
@given(run_lists, st.lists(st.integers(1, 11), max_size=4))
def test_any_split_into_calls_gives_the_same(
    drawn: list[tuple[int, list[Taken]]], cuts: list[int]
) -> None:
    runs = runs_of(drawn)
    apart, together = Store(), Store()
    expected = apart.process([[run] for run in runs])
    came = together.process(split(runs, cuts))
    assert came == expected
    assert together.rows == apart.rows
    assert together.item_rows == apart.item_rows
    for one, other in zip(views_of(together.engine), views_of(apart.engine), strict=True):
        assert np.array_equal(one, other)


def views_of(engine: Engine) -> list[np.ndarray]:
    """Return the learned part of the view, which lists are made with."""
    learned = engine.weights.view
    return [*learned.ranker, *learned.crowd, learned.ratings_seen]


def test_users_of_one_call_do_not_evict_each_other() -> None:
    store = Store()
    everybody = runs_of(
        [(p, [Taken(u, u, "click") for u in range(N_USERS)]) for p in range(N_PARTITIONS)]
    )
    store.process([everybody])
    again = [
        (p, [hash_id(f"u{p}-{u}") for u in range(N_USERS)]) for p in reversed(range(N_PARTITIONS))
    ]
    slots = store.engine.users.slots(again).tolist()
    hashes = [user_hash for _, run in again for user_hash in run]
    assert store.engine.users.hashes[slots].tolist() == hashes
    assert len(set(slots)) == len(hashes)
