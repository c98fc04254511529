"""All checkers, over a finished run."""

from __future__ import annotations

from stream_rec.stream.engine_port import EngineFactory
from tests.simulation.durability import (
    check_committed,
    check_compactions,
    check_rows,
    check_stores,
    check_watermarks,
)
from tests.simulation.outcome import (
    check_dead_letters,
    check_learned,
    check_limits,
    check_lists,
    check_liveness,
    check_views,
)
from tests.simulation.reference import fold
from tests.simulation.run import Finished, create_recommender, run_schedule
from tests.simulation.schedule import Schedule

ALWAYS = (check_committed, check_compactions, check_stores, check_limits)
"""Checkers of what must hold however far a run has come."""
AT_THE_END = (
    check_rows,
    check_watermarks,
    check_lists,
    check_dead_letters,
    check_views,
    check_learned,
)
"""Checkers of what must hold once everything is consumed."""


def check(finished: Finished, create_engine: EngineFactory = create_recommender) -> list[str]:
    """Return everything that is wrong with a run."""
    world = finished.world
    reference = fold(world.broker.events, create_engine)
    wrong = list(check_liveness(finished))
    for checker in ALWAYS if wrong else ALWAYS + AT_THE_END:
        wrong += [f"{checker.__name__}: {one}" for one in checker(world, reference)]
    return wrong


def run_and_check(
    schedule: Schedule, create_engine: EngineFactory = create_recommender
) -> list[str]:
    """Run a schedule; return everything that is wrong with it."""
    return check(run_schedule(schedule, create_engine), create_engine)
