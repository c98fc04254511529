"""The simulated stream keeps what its labels, rates and seed promise."""

from __future__ import annotations

import doctest
import json
import math
from collections import Counter, deque
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers import simulation
from producers.malformed import CODES, SMALL_CODES
from producers.simulation import (
    DUPLICATE_WINDOW,
    LABELS,
    LATE_S_MAX,
    LATE_S_MIN,
    USABLE_LABELS,
    SimulatedRecord,
    SimulationSettings,
    simulate,
)
from producers.world import WorldSettings
from stream_rec.config import EventSettings
from stream_rec.errors import ConfigError, InvalidEventError
from stream_rec.model.events import EventDecoder

RATES = {"malformed_rate": 0.05, "duplicate_rate": 0.1, "late_rate": 0.07, "bot_rate": 0.03}
MIXED = SimulationSettings(n_events=20_000, seed=3, **RATES)
SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def mixed() -> list[SimulatedRecord]:
    return list(simulate(MIXED))


def refusal_code(record: SimulatedRecord) -> str:
    """Return the code that the worker's own decoder refuses a record with, empty if it does not."""
    try:
        EventDecoder(EventSettings()).from_record(record.value, record.key, record.ts_ms)
    except InvalidEventError as refusal:
        return refusal.code
    return ""


@given(SEEDS, st.integers(1, 1500), st.integers(1, 1500))
@settings(max_examples=20, deadline=None)
def test_same_seed_gives_the_same_bytes_and_a_shorter_run_is_a_prefix(
    seed: int, n_short: int, n_more: int
) -> None:
    short = list(simulate(SimulationSettings(n_events=n_short, seed=seed, **RATES)))
    long = list(simulate(SimulationSettings(n_events=n_short + n_more, seed=seed, **RATES)))
    assert len(short) == n_short
    assert len(long) == n_short + n_more
    assert long[:n_short] == short


def test_other_seed_gives_other_events() -> None:
    values = [
        [record.value for record in simulate(SimulationSettings(n_events=100, seed=seed))]
        for seed in range(10)
    ]
    assert all(a != b for a, b in pairwise(values))


def test_rates_are_kept_within_five_standard_deviations(mixed: list[SimulatedRecord]) -> None:
    counts = Counter(record.label for record in mixed)
    expected = dict(zip(LABELS, [*RATES.values(), 1 - sum(RATES.values())], strict=True))
    for label, rate in expected.items():
        deviation = math.sqrt(len(mixed) * rate * (1 - rate))
        assert abs(counts[label] - len(mixed) * rate) < 5 * deviation, label


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_worker_refuses_exactly_the_malformed_with_exactly_their_code(seed: int) -> None:
    for record in simulate(SimulationSettings(n_events=1000, seed=seed, **RATES)):
        assert refusal_code(record) == record.code
        assert (record.code != "") == (record.label == "malformed")


@pytest.mark.parametrize("code", CODES)
def test_every_way_to_be_malformed_is_refused_with_its_code(code: str) -> None:
    wanted = SimulationSettings(n_events=24, malformed_rate=1.0, malformed_codes=(code,))
    assert {refusal_code(record) for record in simulate(wanted)} == {code}


def test_all_codes_but_the_blob_come_by_default(mixed: list[SimulatedRecord]) -> None:
    assert {record.code for record in mixed} == {*SMALL_CODES, ""}


def test_duplicate_repeats_one_of_the_last_usable_records(mixed: list[SimulatedRecord]) -> None:
    recent: deque[SimulatedRecord] = deque(maxlen=DUPLICATE_WINDOW)
    for record in mixed:
        if record.label == "duplicate":
            assert (record.key, record.value, record.event_id) in [
                (earlier.key, earlier.value, earlier.event_id) for earlier in recent
            ]
        elif record.label in USABLE_LABELS:
            recent.append(record)


def test_event_ids_are_unique_other_than_duplicates(mixed: list[SimulatedRecord]) -> None:
    ids = [record.event_id for record in mixed if record.label != "duplicate"]
    assert len(set(ids)) == len(ids)


def test_duplicate_window_is_no_more_than_a_worker_remembers() -> None:
    assert EventSettings().duplicate_window >= DUPLICATE_WINDOW


def test_time_of_sending_never_runs_backwards(mixed: list[SimulatedRecord]) -> None:
    assert mixed[0].ts_ms >= MIXED.start_ms
    assert all(before.ts_ms <= after.ts_ms for before, after in pairwise(mixed))


def test_only_late_events_carry_an_earlier_time(mixed: list[SimulatedRecord]) -> None:
    for record in mixed:
        if record.label not in USABLE_LABELS:
            continue
        late_s = (record.ts_ms - json.loads(record.value or b"")["ts"]) / 1000
        if record.label == "late":
            assert LATE_S_MIN <= late_s <= LATE_S_MAX
        else:
            assert late_s == 0


def test_bots_and_only_bots_send_bot_events(mixed: list[SimulatedRecord]) -> None:
    for record in mixed:
        if record.label in USABLE_LABELS:
            assert (record.label == "bot") == (record.key or b"").startswith(b"bot")
    assert len({record.key for record in mixed if record.label == "bot"}) == MIXED.n_bots


def test_bots_send_hundreds_of_events_a_minute() -> None:
    busy = SimulationSettings(n_events=10_000, bot_rate=0.2, world=WorldSettings(burst_rate=0.0))
    records = list(simulate(busy))
    minutes = (records[-1].ts_ms - records[0].ts_ms) / 60_000
    counts = Counter(record.key for record in records if record.label == "bot")
    assert min(counts.values()) / minutes > 200


def test_events_of_a_second_are_as_many_as_asked_for() -> None:
    world = WorldSettings(burst_rate=0.0, events_per_s=200.0)
    records = list(simulate(SimulationSettings(n_events=10_000, world=world)))
    elapsed_s = (records[-1].ts_ms - records[0].ts_ms) / 1000
    assert 10_000 / elapsed_s == pytest.approx(200.0, rel=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        {"malformed_rate": 0.7, "bot_rate": 0.4},
        {"late_rate": -0.1},
        {"malformed_codes": ("nonsense",)},
        {"malformed_codes": ()},
        {"n_bots": 0},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        SimulationSettings(**wrong)  # type: ignore[arg-type]


def test_documented_example_runs() -> None:
    outcome = doctest.testmod(simulation)
    assert outcome.attempted > 0
    assert outcome.failed == 0
