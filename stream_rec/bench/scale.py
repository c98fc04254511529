"""What an event costs, and what items and users take, as the numbers of both grow.

A catalogue is filled first: every item and every user has one event, and as many events again are
drawn by Zipf's law. Then further draws are timed, from their bytes to the encoded list, processor
time only. Profiles are in RocksDB as in a worker, so users who are not in memory are read when they
come; every `FREEZE_EVERY` events, untimed, what changed is written there.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from stream_rec.bench.engine_cost import AT_MS, batches_of
from stream_rec.bench.events import FIRST_TIME_S, Population, draw_events, encode_events
from stream_rec.bench.result import Report, Result
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.runs import EventRun, Run
from stream_rec.settings import Settings
from stream_rec.stream.changelog import PROFILES
from stream_rec.stream.frozen_profiles import FrozenProfiles
from stream_rec.stream.stores import Stores

US_PER_S = 1e6
BYTES_PER_MIB = 1 << 20
FREEZE_EVERY = 20_000
PARTITION = 0


class ScalePlan(NamedTuple):
    """Which sizes to measure, with how many timed events each."""

    sizes: Sequence[int]
    n_events: int


class ScaleFigures(NamedTuple):
    """At `n` items and as many users.

    Attributes
    ----------
    n : int
    us_per_event : float
        Processor time, decode to encoded list.
    bytes_per_item : float
        Of memory: rows and links in use, on average over the catalogue.
    bytes_per_user : float
        Of disk: RocksDB's files of the profiles.
    resident_mib : float
        Of the whole process, the pools' room to grow included.
    """

    n: int
    us_per_event: float
    bytes_per_item: float
    bytes_per_user: float
    resident_mib: float


def measure_scale(settings: Settings, plan: ScalePlan, report: Report) -> list[ScaleFigures]:
    """Measure every size, the smallest first.

    Parameters
    ----------
    settings : Settings
    plan : ScalePlan
    report : Report
        Told what is being done.

    Raises
    ------
    StateError
        RocksDB cannot write to the temporary folder.
    """
    from stream_rec.model.warm_up import warm_up

    report("compiling (only after a change)")
    warm_up(settings.model, settings.events)
    return [_measure(settings, n, plan.n_events, report) for n in sorted(plan.sizes)]


def _measure(settings: Settings, n: int, n_events: int, report: Report) -> ScaleFigures:
    with tempfile.TemporaryDirectory(prefix="stream-rec-bench-") as folder:
        catalogue = _Catalogue(settings, Path(folder))
        try:
            report(f"filling a catalogue of {n:,} items and {n:,} users")
            catalogue.fill(n)
            report(f"{n_events:,} events")
            us_per_event = catalogue.spend_s(Population(n, n, seed=1), n_events) / n_events
            bytes_per_item = catalogue.item_bytes() / n
            resident_mib = psutil.Process(os.getpid()).memory_info().rss / BYTES_PER_MIB
        finally:
            catalogue.close()
        n_bytes = sum(path.stat().st_size for path in Path(folder).rglob("*.sst"))
        return ScaleFigures(n, us_per_event * US_PER_S, bytes_per_item, n_bytes / n, resident_mib)


class _Catalogue:
    """An engine of one partition whose profiles are in RocksDB."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._batch_records = settings.worker.batch_records_max
        self._stores = Stores(folder, settings.worker)
        self._stores.open(PROFILES, PARTITION)
        self._profiles = FrozenProfiles(self._stores_read)
        self._engine = Engine(
            settings.model,
            settings.events,
            source_topic=settings.topics.events,
            n_partitions=1,
            read_profiles=self._profiles.read,
        )
        self._engine.open_partition(PARTITION)
        self._offset = self._n_unfrozen = 0

    def fill(self, n: int) -> None:
        """Give every item and every user one event, then as many by Zipf's law."""
        random = np.random.default_rng(0)
        users, items = draw_events(Population(n, n), n)
        users = np.concatenate([random.permutation(n), users])
        items = np.concatenate([random.permutation(n), items])
        for first in range(0, 2 * n, self._batch_records):
            run = slice(first, first + self._batch_records)
            events = [
                Event(user=f"u{user}", item=f"i{item}", type="click", ts=FIRST_TIME_S - 1.0)
                for user, item in zip(users[run].tolist(), items[run].tolist(), strict=True)
            ]
            offsets = range(self._offset, self._offset + len(events))
            self._engine.fold([EventRun(PARTITION, events, offsets)], publish=False)
            self._count(len(events))
        self._freeze()

    def spend_s(self, population: Population, n_events: int) -> float:
        """Process events, after a tenth as many to warm up; return the processor time in s."""
        n_warm_up = n_events // 10
        spent_s = 0.0
        events = encode_events(population, n_warm_up + n_events)
        for _, records in batches_of(events, 1, self._batch_records):
            ours = [record._replace(offset=record.offset + self._offset) for record in records]
            started_s = time.process_time()
            self._engine.process([Run(PARTITION, ours)], AT_MS)
            if records[0].offset >= n_warm_up:
                spent_s += time.process_time() - started_s
        self._count(len(events))
        self._freeze()
        return spent_s

    def item_bytes(self) -> float:
        """Return the bytes that items take in memory: columns and links in use."""
        view = self._engine.items.view
        workspace = self._engine.reading().workspace
        columns = [*view.rows, *view.top, *view.slim, *view, *workspace]
        n_slots, n_items = self._engine.items.size, len(self._engine.items.ids)
        by_item = sum(
            column.nbytes / n_slots
            for column in columns
            if isinstance(column, np.ndarray) and len(column) == n_slots
        )
        links = view.rows.links
        link = sum(a.itemsize for a in (links.neighbour, links.near, links.wide, links.after))
        row = sum(a.itemsize for a in (links.start, links.length, links.capacity))
        return n_items * (by_item + row) + int(links.used[0]) * link

    def close(self) -> None:
        """Close the store; its files are complete then."""
        self._stores.close_except()

    def _count(self, n_events: int) -> None:
        self._offset += n_events
        self._n_unfrozen += n_events
        if self._n_unfrozen >= FREEZE_EVERY:
            self._freeze()

    def _freeze(self) -> None:
        """Write what changed to the store, so that profiles may leave memory."""
        frozen = self._engine.freeze(PARTITION)
        self._profiles.begin(PARTITION)
        self._profiles.keep(PARTITION, frozen.profiles)
        self._stores.write(PROFILES, PARTITION, frozen.profiles, logged=False)
        self._n_unfrozen = 0

    def _stores_read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return self._stores.read(PROFILES, partition, keys)


def result_of(figures: Sequence[ScaleFigures], events_per_s: Mapping[int, float]) -> Result:
    """Return the table and the figures of a run; `events_per_s` is by number of workers."""
    first = figures[0]
    return Result(
        title="Cost and memory by the number of items, and of as many users",
        columns=("items, users", "µs an event", "×", "bytes an item", "a user on disk", "MiB"),
        rows=[
            (
                f"{one.n:,}",
                f"{one.us_per_event:.1f}",
                f"{one.us_per_event / first.us_per_event:.2f}",
                f"{one.bytes_per_item:,.0f}",
                f"{one.bytes_per_user:,.0f}",
                f"{one.resident_mib:,.0f}",
            )
            for one in figures
        ]
        + [
            (f"{n_workers} workers: {rate:,.0f} events/s", "", "", "", "", "")
            for n_workers, rate in events_per_s.items()
        ],
        figures={
            "us_per_event": {str(one.n): round(one.us_per_event, 1) for one in figures},
            "bytes_per_item": {str(one.n): round(one.bytes_per_item) for one in figures},
            "bytes_per_user": {str(one.n): round(one.bytes_per_user) for one in figures},
            "resident_mib": {str(one.n): round(one.resident_mib) for one in figures},
            "events_per_s": {str(n): round(rate) for n, rate in events_per_s.items()},
        },
    )
