"""Several processes that follow each other's partitions hold the same view, whatever the order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.toplist import TopLists
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.ids import hash_id
from stream_rec.model.items import FIRST_ITEMS
from stream_rec.model.runs import Run
from tests.model.logs import made_up_events, records_of
from tests.model.test_engine_partitions import arrays_of, fold_in_partitions, link_counts

N_PARTITIONS = 4
MODEL = ModelSettings(n_factors=4, history_length=6)
EVENTS = made_up_events(240, rated_share=0.2, n_users=12, n_items=24)
Rows = list[tuple[bytes, bytes | None]]


def new_engine(read_only: bool = False, model: ModelSettings = MODEL) -> Engine:
    return Engine(
        model,
        EventSettings(),
        source_topic="events",
        n_partitions=1 if read_only else N_PARTITIONS,
        read_only=read_only,
    )


class Cluster:
    """Workers in one process, and the changelogs through which they know of each other."""

    def __init__(self, n_workers: int) -> None:
        self.logs: dict[int, Rows] = {p: [] for p in range(N_PARTITIONS)}
        self.owner = {p: p % n_workers for p in range(N_PARTITIONS)}
        self.next_offset = dict.fromkeys(range(N_PARTITIONS), 0)
        self.workers = [new_engine() for _ in range(n_workers)]
        self.read_to: list[dict[int, int]] = [{} for _ in range(n_workers)]
        self.profiles: dict[int, dict[bytes, bytes]] = {p: {} for p in range(N_PARTITIONS)}
        for number, worker in enumerate(self.workers):
            worker.users._read = self._read_profiles
            for partition in range(N_PARTITIONS):
                if self.owner[partition] == number:
                    worker.open_partition(partition)
                else:
                    self._follow(number, partition)

    def fold(self, event: Event) -> None:
        partition = hash_id(event.user) % N_PARTITIONS
        records = records_of([event], self.next_offset[partition])
        self.next_offset[partition] += 1
        self.workers[self.owner[partition]].process([Run(partition, records)], 7)

    def commit(self, partition: int) -> None:
        frozen = self.workers[self.owner[partition]].freeze(partition)
        self.logs[partition] += frozen.items
        self.profiles[partition] |= dict(frozen.profiles)

    def read(self, number: int, partition: int, n_rows: int) -> None:
        """Let a worker apply the next rows of a partition that it follows."""
        if partition in self.read_to[number]:
            at = self.read_to[number][partition]
            rows = self.logs[partition][at : at + n_rows]
            self.read_to[number][partition] = at + len(rows)
            self.workers[number].apply_foreign(partition, rows)

    def move(self, partition: int, number: int) -> None:
        """Hand a partition over, as a rebalance does after a commit."""
        before = self.owner[partition]
        if number == before:
            return
        self.commit(partition)
        self.workers[before].follow_partition(partition)
        self.read_to[before][partition] = len(self.logs[partition])
        del self.read_to[number][partition]
        rows = dict(self.logs[partition])
        self.workers[number].open_partition(
            partition, list(rows.items()), self.next_offset[partition] - 1
        )
        self.owner[partition] = number

    def settle(self) -> None:
        """Commit everything and let everybody read it."""
        for partition in range(N_PARTITIONS):
            self.commit(partition)
            for number in range(len(self.workers)):
                self.read(number, partition, len(self.logs[partition]))

    def _follow(self, number: int, partition: int) -> None:
        self.workers[number].follow_partition(partition)
        self.read_to[number][partition] = 0

    def _read_profiles(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return [self.profiles[partition].get(key) for key in keys]


def by_text(engine: Engine, column: str) -> dict[str, object]:
    values = getattr(engine.items.view.rows, column)
    return {
        text: values[slot].tolist()
        for slot, text in enumerate(engine.items.ids.texts)
        if np.isfinite(engine.items.view.rows.first_s[slot])
    }


def assert_same_view(one: Engine, other: Engine, bound: float = 1e-9) -> None:
    assert by_text(one, "taken") == by_text(other, "taken")
    assert link_counts(one) == link_counts(other)
    for column in ("first_s", "last_s"):
        assert by_text(one, column) == by_text(other, column)
    for column in ("popularity", "bias", "bias_squares", "evidence", "rating"):
        expected = by_text(other, column)
        for text, value in by_text(one, column).items():
            assert value == pytest.approx(expected[text], abs=bound), (column, text)


def assert_view_is_the_sum(engine: Engine) -> None:
    """Compare the live view with what it is defined as, and replace it by that."""
    view = engine.items.view
    rows, top = view.rows, view.top
    live = {name: getattr(rows, name).copy() for name in rows._fields if name != "links"}
    live_links, live_learned = link_counts(engine), arrays_of(engine.weights.view)
    live_keys = keys_in_order(top)
    live_totals, live_seen = view.total.copy(), view.n_seen.copy()
    factors = view.factor.astype(np.float64)
    assert view.item_gram == pytest.approx(factors.T @ factors, abs=1e-6)
    engine.sum_up()
    view = engine.items.view
    for name in ("taken", "first_s", "last_s"):
        assert np.array_equal(getattr(view.rows, name), live[name]), name
    assert link_counts(engine) == live_links
    for name in ("popularity", "bias", "bias_squares", "evidence", "rating"):
        assert getattr(view.rows, name) == pytest.approx(live[name], abs=1e-4), name
    for summed, one in zip(arrays_of(engine.weights.view), live_learned, strict=True):
        assert summed == pytest.approx(one, abs=1e-3)
    assert view.total == pytest.approx(live_totals, abs=1e-6)
    assert view.n_seen[0] == live_seen[0]
    for keys, one in zip(keys_in_order(view.top), live_keys, strict=True):
        assert keys == pytest.approx(one, abs=1e-6)


def keys_in_order(top: TopLists) -> list[list[float]]:
    """Return the keys of each list but the last, which is by the time first seen here."""
    return [
        top.keys[items[items >= 0], which].tolist() for which, items in enumerate(top.items[:-1])
    ]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("fold"), st.integers(1, 12)),
        st.tuples(st.just("commit"), st.integers(0, N_PARTITIONS - 1)),
        st.tuples(
            st.just("read"),
            st.integers(0, 2),
            st.integers(0, N_PARTITIONS - 1),
            st.integers(1, 40),
        ),
        st.tuples(st.just("move"), st.integers(0, N_PARTITIONS - 1), st.integers(0, 2)),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(steps)
def test_view_is_the_sum_after_any_interleaving(actions: list[tuple]) -> None:
    cluster = Cluster(3)
    events = iter(EVENTS)
    for action, *arguments in actions:
        if action == "fold":
            for event, _ in zip(events, range(arguments[0]), strict=False):
                cluster.fold(event)
        else:
            getattr(cluster, action)(*arguments)
    for worker in cluster.workers:
        assert_view_is_the_sum(worker)
    cluster.settle()
    for worker in cluster.workers[1:]:
        assert_same_view(worker, cluster.workers[0], 1e-4)


@pytest.mark.parametrize("n_workers", [2, 4])
def test_workers_together_count_what_one_does(n_workers: int) -> None:
    cluster = Cluster(n_workers)
    for number, event in enumerate(EVENTS):
        cluster.fold(event)
        if number % 30 == 29:
            cluster.settle()
    cluster.settle()
    alone = fold_in_partitions(EVENTS, N_PARTITIONS)
    for worker in cluster.workers:
        assert by_text(worker, "taken") == by_text(alone, "taken")
        assert by_text(worker, "first_s") == by_text(alone, "first_s")
        assert np.array_equal(worker.weights.view.ratings_seen, alone.weights.view.ratings_seen)


def test_sparse_linear_models_are_solved_when_all_rows_are_summed() -> None:
    records = records_of(made_up_events(2_000, n_users=60, n_items=80))
    owner = Engine(MODEL, EventSettings(), source_topic="events", n_partitions=1)
    owner.open_partition(0)
    owner.process([Run(0, records)], 7)
    follower = new_engine(read_only=True)
    follower.follow_partition(0)
    follower.stage_foreign(0, owner.freeze(0).items)
    while follower.refresh_view(16):
        pass
    weight = follower.items.view.slim.weight.copy()
    assert weight.any()
    follower.sum_up()
    assert np.array_equal(weight, follower.items.view.slim.weight)


def test_more_items_come_than_there_was_room_for() -> None:
    items = [f"i{x}" for x in range(FIRST_ITEMS + 500)]
    events = [Event(user="ann", item=item, type="click", ts=1.7e9) for item in items]
    owner = Engine(MODEL, EventSettings(), source_topic="events", n_partitions=1)
    owner.open_partition(0)
    owner.process([Run(0, records_of(events))], 7)
    follower = new_engine(read_only=True)
    follower.follow_partition(0)
    follower.apply_foreign(0, owner.freeze(0).items)
    assert follower.refresh_view() == 0
    assert follower.items.view.n_seen[0] == len(items)
