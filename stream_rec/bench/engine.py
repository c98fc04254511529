"""What an event costs the engine, by step, beside what others take for the same in the same run.

Three engines get the same batches in turn, so that noise meets them alike: one everything (decode →
fold → rank → encode), one the decoded events with ranking, one without. The steps are differences:

    fold   = the third                     rank   = the second − the third
    decode = decoding alone                encode = the first − the second − decoding
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from stream_rec.bench.engine_cost import AT_MS, BenchRecord, batches_of, new_engine
from stream_rec.bench.events import Traffic
from stream_rec.bench.peers.brute_force import BruteForce, brute_force_us, read_bandwidth
from stream_rec.bench.peers.river_ranker import river_us_per_event
from stream_rec.bench.result import Report, Result
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event, EventDecoder
from stream_rec.model.runs import EventRun, Run
from stream_rec.settings import Settings

US_PER_S = 1e6
STEPS = ("decode", "fold", "rank", "encode")


class EnginePlan(NamedTuple):
    """What to measure: the second half of the events, after the first; peers for `peer_s` each."""

    traffic: Traffic
    peer_s: float


class EngineFigures(NamedTuple):
    """Processor time in µs: of the engine's steps per event, and of peers per event or ranking."""

    n_items: int
    decode_us: float
    fold_us: float
    rank_us: float
    encode_us: float
    river_us: float
    brute_force_us: float
    bandwidth_bound_us: float

    @property
    def us_per_event(self) -> float:
        """Of all steps."""
        return self.decode_us + self.fold_us + self.rank_us + self.encode_us


class _Clock:
    """Adds up processor time by name, once it is switched on."""

    def __init__(self) -> None:
        self.is_on = False
        self.spent_s: dict[str, float] = {}

    def time(self, name: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        started_s = time.process_time()
        result = function(*arguments, **options)
        if self.is_on:
            spent_s = time.process_time() - started_s
            self.spent_s[name] = self.spent_s.get(name, 0.0) + spent_s
        return result


def measure_engine(settings: Settings, plan: EnginePlan, report: Report) -> EngineFigures:
    """Measure the engine and its peers.

    Parameters
    ----------
    settings : Settings
    plan : EnginePlan
    report : Report
        Told what is being done.
    """
    from stream_rec.model.warm_up import warm_up

    report("compiling (only after a change)")
    warm_up(settings.model, settings.events)
    n_items, model = plan.traffic.n_items, settings.model
    n_events = len(plan.traffic.events) // 2
    report(f"the engine: {n_events:,} events after as many to warm up")
    steps = _steps_us(settings, plan.traffic)
    report("river's BiasedMF: learn, rank all items")
    river_us = river_us_per_event(plan.traffic.pairs, n_items, model.n_factors, plan.peer_s)
    report("a ranking of all items with numpy")
    ranking = BruteForce(
        n_items,
        model.n_factors,
        len(model.half_lives_s),
        min(model.links_per_item_max, n_items),
        model.history_length,
    )
    return EngineFigures(
        n_items,
        *steps,
        river_us=river_us,
        brute_force_us=brute_force_us(ranking, plan.peer_s),
        bandwidth_bound_us=ranking.bytes_read / read_bandwidth() * US_PER_S,
    )


def _steps_us(settings: Settings, traffic: Traffic) -> tuple[float, float, float, float]:
    """Return decode, fold, rank and encode, in µs an event."""
    whole, ranking, folding = (new_engine(settings, 1) for _ in range(3))
    decoder = EventDecoder(settings.events)
    n_warm_up = len(traffic.events) // 2
    batch_records = min(settings.worker.batch_records_max, n_warm_up)
    clock, n_done, n_timed = _Clock(), 0, 0
    for partition, records in batches_of(traffic.events, 1, batch_records, traffic.at_ms):
        clock.is_on = n_done >= n_warm_up
        decoded = clock.time("decode", _decode, decoder, records)
        offsets = [record.offset for record in records]
        clock.time("whole", whole.process, [Run(partition, records)], AT_MS)
        clock.time("rank", _fold, ranking, partition, decoded, offsets, True)
        clock.time("fold", _fold, folding, partition, decoded, offsets, False)
        n_done += len(records)
        n_timed += len(records) if clock.is_on else 0
    per_event = {name: s * US_PER_S / n_timed for name, s in clock.spent_s.items()}
    return (
        per_event["decode"],
        per_event["fold"],
        per_event["rank"] - per_event["fold"],
        per_event["whole"] - per_event["rank"] - per_event["decode"],
    )


def _decode(decoder: EventDecoder, records: list[BenchRecord]) -> list[Event]:
    events = [decoder.from_record(each.value, each.key, each.timestamp) for each in records]
    return [event for event in events if event is not None]


def _fold(
    engine: Engine, partition: int, events: list[Event], offsets: list[int], publish: bool
) -> None:
    engine.fold([EventRun(partition, events, offsets)], publish=publish)


def result_of(figures: EngineFigures) -> Result:
    """Return the table and the figures of a run."""
    total_us = figures.us_per_event
    rows = [
        ("decode", figures.decode_us),
        ("fold", figures.fold_us),
        ("rank", figures.rank_us),
        ("encode", figures.encode_us),
        ("the engine, all steps", total_us),
        ("river BiasedMF: learn, rank all", figures.river_us),
        ("numpy: rank all", figures.brute_force_us),
        ("reading what that reads, at memory speed", figures.bandwidth_bound_us),
    ]
    return Result(
        title=f"Processor time an event, {figures.n_items:,} items",
        columns=("", "µs", "of the engine's"),
        rows=[(name, f"{us:,.1f}", f"{us / total_us:,.2f} ×") for name, us in rows],
        figures={
            "us_per_event": round(total_us, 2),
            "items": figures.n_items,
            "ratio_river": round(figures.river_us / total_us, 1),
            **{f"{name}_us": round(getattr(figures, f"{name}_us"), 2) for name in STEPS},
            "river_us": round(figures.river_us, 1),
            "brute_force_us": round(figures.brute_force_us, 1),
            "bandwidth_bound_us": round(figures.bandwidth_bound_us, 1),
        },
    )
