"""Nothing is lost or counted twice, whatever strikes: schedules by seed, and those once found."""

from __future__ import annotations

import pytest

from tests.simulation.__main__ import explain
from tests.simulation.check import run_and_check
from tests.simulation.run import run_schedule
from tests.simulation.schedule import draw_schedule

N_SEEDS = 300
SEEDS_PER_TEST = 25
COMPILE_TIMEOUT_S = 600


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    run_and_check(draw_schedule(0))


@pytest.mark.timeout(COMPILE_TIMEOUT_S)
@pytest.mark.parametrize("first", range(0, N_SEEDS, SEEDS_PER_TEST))
def test_outcome_of_any_schedule_is_that_of_an_uninterrupted_fold(first: int) -> None:
    for seed in range(first, first + SEEDS_PER_TEST):
        wrong = run_and_check(draw_schedule(seed))
        assert not wrong, f"seed {seed}: {wrong[0]}; shrunk:\n{explain(seed)}"


def test_schedule_always_runs_in_the_same_way() -> None:
    traces = []
    for _ in range(2):
        world = run_schedule(draw_schedule(6)).world
        logs = sorted(world.broker.changelogs.items())
        traces.append(
            (world.n_effects, world.loop.now_s, [(where, log.ever) for where, log in logs])
        )
    assert traces[0] == traces[1]
