"""Faults that are planted one at a time, to prove that the simulation would find them.

Each replaces a piece of production code (or of what the simulated worker copies from Faust) by the
version that is wrong, for as long as its context lasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from stream_rec.kernels.item_rows import NO_OFFSET
from stream_rec.model import partitioned, users
from stream_rec.model.freezing import FrozenRows
from stream_rec.model.items import Items
from stream_rec.model.rows import WEIGHTS
from stream_rec.model.users import Users
from stream_rec.model.weights import Weights
from stream_rec.stream import commit, ownership, recovery
from stream_rec.stream.changelog import (
    CLAIM_KEY,
    ITEMS,
    PROFILES,
    TABLES,
    Position,
    Watermark,
    era_of,
    make_epoch,
)
from stream_rec.stream.commit import CommitCycle
from stream_rec.stream.fence import ValidPrefix, check_foreign
from stream_rec.stream.frozen_profiles import FrozenProfiles
from stream_rec.stream.processor import Processor
from stream_rec.stream.removals import Listed
from tests.simulation.commit_orders import Fault, in_order, send_watermark_behind
from tests.simulation.effects import SimulatedEffects
from tests.simulation.producer import Producer, Sent
from tests.simulation.worker import Worker


async def _leave_listed(effects: Any, partition: int) -> Listed:
    return Listed()


@contextmanager
def _no_epoch_check() -> Iterator[None]:
    def accept(self: ValidPrefix, records: Any) -> dict[bytes, bytes | None]:
        rows = {}
        for record in records:
            self.position = Position(record.offset, record.epoch)
            if record.key != CLAIM_KEY:
                rows[record.key] = record.value
        return rows

    with (
        patch.object(ValidPrefix, "accept", accept),
        patch.object(ownership, "check_foreign", lambda records, epoch: set()),
    ):
        yield


def _swallow(self: Producer, sent: Sent) -> None:
    sent.is_done = True


@contextmanager
def _lists_not_awaited() -> Iterator[None]:
    fail = Producer._fail

    def forget_lists(self: Producer, sent: Sent) -> None:
        _swallow(self, sent) if sent.where[0] not in TABLES else fail(self, sent)

    with patch.object(Producer, "_fail", forget_lists):
        yield


@contextmanager
def _no_guard_on_items() -> Iterator[None]:
    load = Items.load

    def load_unguarded(self: Items, partition: int, encoded: Any) -> None:
        load(self, partition, encoded)
        self.own[partition].durable[:] = NO_OFFSET

    with patch.object(Items, "load", load_unguarded):
        yield


@contextmanager
def _no_guard_on_histories() -> Iterator[None]:
    decode = users.decode_profile

    def decode_unguarded(profiles: Any, ids: Any, user: int, key: bytes, value: bytes) -> None:
        decode(profiles, ids, user, key, value)
        profiles.durable[user] = NO_OFFSET

    with patch.object(users, "decode_profile", decode_unguarded):
        yield


def _resume_from_committed(self: Worker) -> None:
    for partition, offset in self.fetcher.committed.items():
        self.processor.open(partition, offset or 0)
    self.fetcher.seek({p: offset or 0 for p, offset in self.fetcher.committed.items()})
    self.fetcher.drop_fetched()
    self._flows = True


def _resume_without_seek(self: Worker) -> None:
    starts = self.assignment.start_offsets()
    committed = self.fetcher.committed
    self.fetcher.seek({p: at for p, at in starts.items() if committed.get(p)})
    self.fetcher.drop_fetched()
    self._flows = True


async def _trust_disk(effects: Any, table: str, partition: int, position: Position) -> Any:
    log_end = await effects.log_end(table, partition)
    return ValidPrefix(position), log_end


async def _do_not_look(effects: Any, owned: Any, ends: Any) -> None:
    pass


@contextmanager
def _nothing_written_again() -> Iterator[None]:
    async def write_nothing(*_: Any) -> bool:
        return False

    with (
        patch.object(ownership, "_write_again", write_nothing),
        patch.object(recovery, "_write_stale_again", write_nothing),
    ):
        yield


async def _fold_repeated(self: Processor, partition: int, batch: Any) -> int | None:
    async with self._turn:
        if partition in self._next_offsets:
            await self._process(partition, batch.records)
            self._next_offsets[partition] = batch.last + 1
    return None


async def _choose_same_era(
    effects: Any, partition: int, generation: int, highest: int, watermark: Watermark
) -> int:
    return make_epoch(era_of(highest), generation)


async def _pass_without_looking_first(effects: Any, table: str, owned: Any, end: int) -> set[bytes]:
    expected, owned.next_offsets[table] = owned.next_offsets[table], end
    stale_keys: set[bytes] = set()
    async for records in effects.read_log(table, owned.partition, expected, end):
        stale_keys = (stale_keys - {record.key for record in records}) | check_foreign(
            records, owned.epoch
        )
    return stale_keys


@contextmanager
def _commit_past_failure() -> Iterator[None]:
    with (
        patch.object(CommitCycle, "_begin", lambda self, partitions: None),
        patch.object(ownership, "_pass_strangers", _pass_without_looking_first),
    ):
        yield


@contextmanager
def _forgotten_kept() -> Iterator[None]:
    freeze = Users.freeze

    def freeze_what_is_left(self: Users, partition: int) -> Any:
        return [(key, row) for key, row in freeze(self, partition) if row is not None]

    with patch.object(Users, "freeze", freeze_what_is_left):
        yield


def _freeze_items_first(
    partition: int, items: Items, users: Users, weights: Weights, folded: Any, rows_max: int
) -> Iterator[FrozenRows]:
    for rows in items.freeze_in_parts(partition, rows_max):
        yield FrozenRows(rows, [])
    yield FrozenRows([(WEIGHTS, weights.encode(partition, folded[partition]))], [])
    yield FrozenRows([], users.freeze(partition))


@contextmanager
def _lists_of_forgotten_kept() -> Iterator[None]:
    publish = SimulatedEffects.publish

    async def publish_no_tombstone(
        self: SimulatedEffects, topic: str, key: Any, value: Any, headers: Any
    ) -> None:
        if value is not None:
            await publish(self, topic, key, value, headers)

    with patch.object(SimulatedEffects, "publish", publish_no_tombstone):
        yield


def _read_store_only(self: FrozenProfiles, partition: int, keys: list[bytes]) -> Any:
    return self._read_store(partition, keys)


FAULTS: Mapping[str, Fault] = {
    "RocksDB is written before the changelog is acknowledged": in_order(
        "stores", ITEMS, PROFILES, "watermark", "commit"
    ),
    "profiles before items": in_order(PROFILES, ITEMS, "watermark", "stores", "commit"),
    "watermark before rows": in_order("watermark", ITEMS, PROFILES, "stores", "commit"),
    "commit before durable": in_order("commit", ITEMS, PROFILES, "watermark", "stores"),
    "no epoch check": _no_epoch_check,
    "Faust's own rule of acknowledgement instead of the watermark": partial(
        patch.object,
        Worker,
        "offsets_to_commit",
        lambda self: {p: at for p, at in self.processor.next_offsets.items() if at},
    ),
    "a delivery error is swallowed": partial(patch.object, Producer, "_fail", _swallow),
    "offset guard missing on item rows": _no_guard_on_items,
    "offset guard missing on histories": _no_guard_on_histories,
    "committed offset trusted instead of the watermark": partial(
        patch.object, Worker, "resume", _resume_from_committed
    ),
    "stale disk trusted": partial(patch.object, recovery, "roll_forward", _trust_disk),
    "seek skipped when nothing was committed": partial(
        patch.object, Worker, "resume", _resume_without_seek
    ),
    "lists not waited for": _lists_not_awaited,
    "repeated records folded again": partial(patch.object, Processor, "process", _fold_repeated),
    "what a zombie overwrote is not written again": _nothing_written_again,
    "group that counts anew stays in its era": partial(
        patch.object, recovery, "_choose_epoch", _choose_same_era
    ),
    "frozen profiles are read from the store": partial(
        patch.object, FrozenProfiles, "read", _read_store_only
    ),
    "watermark sent right behind the profiles": partial(
        patch.object, CommitCycle, "_commit", send_watermark_behind
    ),
    "an idle owner does not look for a zombie's records": partial(
        patch.object, commit, "look_for_strangers", _do_not_look
    ),
    "profiles of forgotten users stay": _forgotten_kept,
    "lists of forgotten users stay": _lists_of_forgotten_kept,
    "profiles of forgotten users go before the watermark": in_order(
        ITEMS, PROFILES, "watermark", "stores", "commit"
    ),
    "what is listed to go is left": partial(patch.object, recovery, "find_listed", _leave_listed),
    "a commit goes on past one that has failed": _commit_past_failure,
    "item rows frozen before the profiles": partial(
        patch.object, partitioned, "freeze_in_parts", _freeze_items_first
    ),
}
"""By what is wrong."""
