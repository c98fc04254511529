"""How fast a worker is there: a new one; one without its disk, from the changelogs; and with it.

The changelogs are filled with rows as the engine writes them, replicated under other keys. The
restore is the worker's own recovery, partition after partition, from an empty folder: rows a second
until the stores hold everything. The restart is a worker process on these stores, from its start
to the moment when it serves all partitions.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from confluent_kafka import Producer

from stream_rec.bench.broker import Bench, open_broker
from stream_rec.bench.engine_cost import AT_MS, batches_of, new_engine
from stream_rec.bench.events import Population, encode_events
from stream_rec.bench.processes import Contestant
from stream_rec.bench.result import Report, Result
from stream_rec.bench.start import measure_start
from stream_rec.errors import DeliveryError, StreamRecError
from stream_rec.kafka_clients import confluent_producer_config
from stream_rec.model.ids import hash_id
from stream_rec.model.rows import HEADER_TYPE, ITEM, ITEM_ID, PROFILE, row_key
from stream_rec.model.runs import Run
from stream_rec.settings import Settings
from stream_rec.stream.changelog import ITEMS, PROFILES, TABLES, encode_epoch
from stream_rec.stream.clock_check import ClockCheck
from stream_rec.stream.kafka_effects import KafkaEffects
from stream_rec.stream.log_reader import LogReader
from stream_rec.stream.membership import Membership
from stream_rec.stream.publisher import Publisher
from stream_rec.stream.recovery import recover
from stream_rec.stream.stores import Stores
from stream_rec.stream.worker import run_worker

FILL_TIMEOUT_S = 300.0
N_TEMPLATE_EVENTS = 20_000


class RestorePlan(NamedTuple):
    """How much state: each item has two rows, one of them for its id; each user has one."""

    n_items: int
    n_users: int

    @property
    def n_rows(self) -> int:
        """Rows of both tables."""
        return 2 * self.n_items + self.n_users


class RestoreFigures(NamedTuple):
    """What came out.

    Attributes
    ----------
    start_s : float
        From the start of a worker without any state to its first list.
    n_rows, n_bytes : int
        Restored, keys and values.
    restore_s, restore_cpu_s : float
        From an empty disk to stores that hold everything; processor time of it, all threads.
    restart_s : float
        From the start of the process to serving all partitions.
    """

    start_s: float
    n_rows: int
    n_bytes: int
    restore_s: float
    restore_cpu_s: float
    restart_s: float

    @property
    def rows_per_s(self) -> float:
        """Rate of the restore."""
        return self.n_rows / self.restore_s


def measure_restore(settings: Settings, plan: RestorePlan, report: Report) -> RestoreFigures:
    """Start a worker; fill changelogs, restore them to an empty disk, restart a worker on that.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` is a real Kafka: the embedded broker keeps only the end of a topic.
    plan : RestorePlan
    report : Report
        Told what is being done.

    Raises
    ------
    StreamRecError
    """
    from stream_rec.model.warm_up import warm_up

    report("compiling (only after a change)")
    warm_up(settings.model, settings.events)
    report("starting a worker without state")
    start_s = measure_start(settings)
    with open_broker(settings) as bench:
        report(f"filling changelogs with {plan.n_rows:,} rows")
        n_bytes = _fill(bench.settings, plan)
        report("restoring")
        started_s, started_cpu_s = time.monotonic(), time.process_time()
        n_restored = asyncio.run(_restore(bench.settings))
        restore_s = time.monotonic() - started_s
        restore_cpu_s = time.process_time() - started_cpu_s
        if n_restored != plan.n_rows:
            raise StreamRecError(f"expected {plan.n_rows} rows restored, came {n_restored}")
        report("restarting")
        restart_s = _restart(bench)
        return RestoreFigures(start_s, n_restored, n_bytes, restore_s, restore_cpu_s, restart_s)


def _fill(settings: Settings, plan: RestorePlan) -> int:
    """Write all rows to the changelogs; return their bytes."""
    producer = Producer(
        confluent_producer_config(settings.kafka, linger_ms=50, delivery_timeout_ms=120_000)
    )
    topics, n_partitions = settings.topics, settings.topics.partitions
    names = {ITEMS: topics.items_changelog, PROFILES: topics.profiles_changelog}
    headers = encode_epoch(1)
    n_bytes = 0
    for number, (table, key, row) in enumerate(_rows(settings, plan)):
        partition = hash_id(key[1:].hex()) % n_partitions
        while True:
            try:
                producer.produce(names[table], row, key, partition, headers=headers)
                break
            except BufferError:
                producer.poll(FILL_TIMEOUT_S)
        n_bytes += len(key) + len(row)
        if number % 1_000 == 0:
            producer.poll(0)
    if n_left := producer.flush(FILL_TIMEOUT_S):
        raise DeliveryError(f"expected Kafka to take {plan.n_rows} rows, {n_left} are left")
    return n_bytes


def _rows(settings: Settings, plan: RestorePlan) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield (table, key, row): what an engine wrote, over and over, under other keys."""
    templates = _templates(settings)
    id_header = templates[ITEM_ID][0][: HEADER_TYPE.itemsize]
    for number in range(plan.n_items):
        text = f"item-{number}"
        id_hash = hash_id(text)
        yield ITEMS, row_key(ITEM, id_hash), templates[ITEM][number % len(templates[ITEM])]
        yield ITEMS, row_key(ITEM_ID, id_hash), id_header + text.encode()
    for number in range(plan.n_users):
        row = templates[PROFILE][number % len(templates[PROFILE])]
        yield PROFILES, row_key(PROFILE, hash_id(f"user-{number}")), row


def _templates(settings: Settings) -> Mapping[bytes, list[bytes]]:
    """Return rows by kind, as an engine leaves them after some thousand events."""
    population = Population(n_users=N_TEMPLATE_EVENTS // 10, n_items=N_TEMPLATE_EVENTS // 10)
    events = encode_events(population, N_TEMPLATE_EVENTS)
    engine = new_engine(settings, 1)
    for partition, records in batches_of(events, 1, settings.worker.batch_records_max):
        engine.process([Run(partition, records)], AT_MS)
    frozen = engine.freeze(0)
    rows: dict[bytes, list[bytes]] = {ITEM: [], ITEM_ID: [], PROFILE: []}
    for key, row in (*frozen.items, *frozen.profiles):
        if row is not None and key[:1] in rows:
            rows[key[:1]].append(row)
    return rows


async def _restore(settings: Settings) -> int:
    """Recover every partition as a worker does that has no disk; return the number of rows."""

    async def commit(offsets: Mapping[int, int]) -> bool:
        return True

    failures: list[BaseException] = []
    publisher = Publisher(confluent_producer_config(settings.kafka), failures.append)
    log_reader = LogReader(settings.kafka)
    stores = Stores(settings.worker.state_dir / settings.app_id, settings.worker)
    clock = ClockCheck(settings.kafka.clock_skew_s_max)
    member = Membership(math.inf, lambda: commit({}))
    effects = KafkaEffects(settings.topics, publisher, log_reader, stores, commit, clock, member)
    source = await effects.source()
    partitions = range(settings.topics.partitions)
    positions = {
        (table, partition): effects.open_store(table, partition)
        for partition in partitions
        for table in TABLES
    }
    await recover(effects, source, partitions, 1, positions)
    n_read = log_reader.progress.n_records_ever
    stores.close_except()
    await log_reader.close()
    return n_read


def _restart(bench: Bench) -> float:
    """Return the seconds that a worker takes from its start until it serves."""
    started_s = time.monotonic()
    with Contestant("worker", bench.folder, run_worker, bench.settings) as worker:
        worker.wait_until_ready()
        return time.monotonic() - started_s


def result_of(figures: RestoreFigures) -> Result:
    """Return the table and the figures of a run."""
    mib = figures.n_bytes / (1 << 20)
    return Result(
        title=f"{figures.n_rows:,} rows, {mib:,.0f} MiB of keys and values",
        columns=("", "seconds", "rows/s", "MiB/s", "µs of processor a row"),
        rows=[
            ("a new worker: from start to its first list", f"{figures.start_s:.2f}", "", "", ""),
            (
                "without a disk: restored from the changelogs",
                f"{figures.restore_s:.2f}",
                f"{figures.rows_per_s:,.0f}",
                f"{mib / figures.restore_s:.0f}",
                f"{figures.restore_cpu_s * 1e6 / figures.n_rows:.2f}",
            ),
            ("with its disk: from start to serving", f"{figures.restart_s:.2f}", "", "", ""),
        ],
        figures={
            "start_s": round(figures.start_s, 3),
            "rows": figures.n_rows,
            "rows_per_s": round(figures.rows_per_s),
            "restore_s": round(figures.restore_s, 3),
            "restore_cpu_us": round(figures.restore_cpu_s * 1e6 / figures.n_rows, 2),
            "restart_s": round(figures.restart_s, 3),
        },
    )
