"""Schedules that once failed, each shrunk, with what was wrong; none may fail again."""

from __future__ import annotations

import pytest

from tests.simulation.check import run_and_check
from tests.simulation.schedule import Freeze, Happening, Schedule

FOUND = {
    # Seed 207. A zombie's commit was fenced while its last commit, of giving up, waited for its
    # turn. That one then found nothing amiss, and moved the store past records never applied to it.
    "a commit went on past one that had failed": Schedule(
        seed=207,
        n_workers=2,
        n_partitions=1,
        n_events=29,
        events_for_s=0.8,
        commit_events_max=3,
        actions=(Freeze(at=51, after=True, duration_s=0.7), Happening("remove", at_s=0.64)),
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_schedule_that_once_failed_passes(what: str) -> None:
    assert run_and_check(FOUND[what]) == []
