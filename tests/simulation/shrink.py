"""Makes a failing schedule small: fewer actions, events, workers, partitions, as long as it fails.

A smaller schedule has to fail in the same checker, else one bug might lead to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.simulation.schedule import Schedule

RUNS_MAX = 400

Check = Callable[[Schedule], list[str]]
"""Returns everything that is wrong with a schedule."""


def shrink(schedule: Schedule, check: Check) -> Schedule:
    """Return the smallest schedule found that fails like the given one."""
    kinds = _kinds(check(schedule))
    n_runs = 0
    smaller = True
    while smaller:
        smaller = False
        for candidate in _simpler(schedule):
            n_runs += 1
            if n_runs > RUNS_MAX:
                return schedule
            if kinds & _kinds(check(candidate)):
                schedule, smaller = candidate, True
                break
    return schedule


def _kinds(wrong: list[str]) -> set[str]:
    return {one.split(":")[0] for one in wrong}


def _simpler(schedule: Schedule) -> Iterator[Schedule]:
    """Yield simpler schedules, the boldest cuts first."""
    actions = schedule.actions
    for place in range(len(actions)):
        yield schedule._replace(actions=actions[:place] + actions[place + 1 :])
    for n_events in (schedule.n_events // 2, schedule.n_events - 3, schedule.n_events - 1):
        if n_events > 0:
            yield schedule._replace(n_events=n_events)
    if schedule.n_workers > 1:
        yield schedule._replace(n_workers=schedule.n_workers - 1)
    if schedule.n_partitions > 1:
        yield schedule._replace(n_partitions=schedule.n_partitions - 1)
    if schedule.events_for_s:
        yield schedule._replace(events_for_s=0.0)
