"""Schedules that once failed, each shrunk, with what was wrong; none may fail again."""

from __future__ import annotations

import pytest

from tests.simulation.check import run_and_check
from tests.simulation.schedule import Crash, Freeze, Happening, LostCommit, Misfortune, Schedule

FOUND = {
    # Seed 207. A zombie's commit was fenced while its last commit, of giving up, waited for its
    # turn. That one then found nothing amiss, and moved the store past records never applied to it.
    # Its first action was moved to where the same happens since commits stand aside more often.
    "a commit went on past one that had failed": Schedule(
        seed=207,
        n_workers=2,
        n_partitions=1,
        n_events=29,
        events_for_s=0.8,
        commit_events_max=3,
        actions=(Freeze(at=20, after=True, duration_s=0.7), Happening("remove", at_s=0.64)),
    ),
    # Seed 2846. A store was restored from a compacted changelog up to a place before which rows had
    # been removed because they come again later: it is no prefix of all that was ever written.
    "a store is restored from a compacted changelog, and dies halfway": Schedule(
        seed=2846,
        n_workers=1,
        n_partitions=2,
        n_events=17,
        events_for_s=3.0,
        commit_events_max=20,
        actions=(
            Crash(at=182, after=True, disk="lost"),
            Crash(at=208, after=True, disk="old", down_s=0.02),
            Freeze(at=116, after=False, duration_s=1.2),
            Happening("compact", at_s=2.455, amount=1.0),
            Freeze(at=73, after=False, duration_s=1.2),
        ),
    ),
    # Seed 3353. Whether the group counts anew was asked by a commit that had no answer.
    "the group is forgotten, and the first commit has no answer": Schedule(
        seed=3353,
        n_workers=1,
        n_partitions=2,
        n_events=1,
        events_for_s=0.0,
        commit_events_max=6,
        actions=(
            Freeze(at=4, after=True, duration_s=0.5),
            Happening("forget", at_s=0.993),
            LostCommit(n=0, is_taken=False),
            Crash(at=18, after=False),
        ),
    ),
    # Seed 4135. A user repeated an event and was forgotten; their profile went before the watermark
    # that vouches for it, so the repeated event, folded again, found nothing that knew the first.
    "a user repeats an event and is forgotten, and the removal is all that is durable": Schedule(
        seed=4135,
        n_workers=2,
        n_partitions=1,
        n_events=19,
        events_for_s=0.8,
        commit_events_max=3,
        actions=(
            Misfortune(n=17, kind="ambiguous", delay_s=0.05, is_last=False),
            Freeze(at=30, after=True, duration_s=0.5),
        ),
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_schedule_that_once_failed_passes(what: str) -> None:
    assert run_and_check(FOUND[what]) == []
