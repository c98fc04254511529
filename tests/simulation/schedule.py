"""A schedule: how large the world is, what its users do, and what strikes it when.

A schedule is drawn from a seed. It is plain data whose ``repr`` is Python, so a shrunk one can be
pasted into a test. Strikes are at the n-th effect of the whole run, before it or after it; what
else happens, happens at a moment of virtual time.
"""

from __future__ import annotations

import random
from typing import Literal, NamedTuple

DISK_KEPT = "kept"
DISK_UNSYNCED = "unsynced"
DISK_OLD = "old"
DISK_LOST = "lost"
DiskFate = Literal["kept", "unsynced", "old", "lost"]


class Crash(NamedTuple):
    """The process that has effect ``at`` dies; its machine comes back with its disk, or without."""

    at: int
    after: bool
    disk: DiskFate = "kept"
    down_s: float = 0.1


class Freeze(NamedTuple):
    """The process that has effect ``at`` is stopped, and goes on later as if nothing had been."""

    at: int
    after: bool
    duration_s: float


class Misfortune(NamedTuple):
    """The ``n``-th record produced is late, lost, or stored without being acknowledged.

    ``is_last`` where its sender dies as soon as the record has left.
    """

    n: int
    kind: Literal["late", "failed", "ambiguous"]
    delay_s: float = 0.0
    is_last: bool = False


class LostCommit(NamedTuple):
    """The ``n``-th commit of offsets has no answer; taken all the same, or not."""

    n: int
    is_taken: bool


class Happening(NamedTuple):
    """Something that happens to the whole world at a time.

    kind      amount
    compact   changelogs are compacted up to this share of what is old enough
    redeliver each worker is handed again the last that many records of each partition
    add       a worker is added
    remove    a worker is stopped in good order
    reset     committed offsets are set: 0 the beginning, 1 the end, else deleted
    forget    all workers die, the group expires and counts its generations anew
    """

    kind: Literal["compact", "redeliver", "add", "remove", "reset", "forget"]
    at_s: float
    amount: float = 0.0


Action = Crash | Freeze | Misfortune | LostCommit | Happening


class Schedule(NamedTuple):
    """Everything that a run depends on."""

    seed: int
    n_workers: int
    n_partitions: int
    n_events: int
    events_for_s: float
    commit_events_max: int
    actions: tuple[Action, ...] = ()

    def describe(self) -> str:
        """Return it as Python, an action a line."""
        head = ", ".join(
            f"{name}={value!r}" for name, value in self._asdict().items() if name != "actions"
        )
        actions = "".join(f"\n        {action!r}," for action in self.actions)
        return f"Schedule(\n    {head},\n    actions=({actions}\n    ),\n)"


N_EFFECTS_EXPECTED = 10
"""Effects per event, roughly: strikes are spread over as many."""


SOON_AFTER_SHARE = 0.4
SOON_EFFECTS = 40
"""Trouble comes in bursts: this share of it within so many effects after some other."""

COMPACTABLE_AFTER_S = 3.0
"""Compactions come up to so much later than all else, or nothing would be old enough for them."""


def draw_schedule(seed: int) -> Schedule:
    """Draw a schedule."""
    rng = random.Random(f"schedule {seed}")
    n_workers = rng.choice([1, 2, 2, 2, 3])
    n_partitions = rng.choice([1, 2, 2, 3])
    n_events = rng.randint(6, 36)
    horizon = n_events * N_EFFECTS_EXPECTED
    events_for_s = rng.choice([0.0, 0.3, 0.3, 0.8, 0.8, 3.0])
    n_actions = rng.choice([0, 1, 2, 3, 3, 4, 5, 6, 7])
    actions: list[Action] = []
    for _ in range(n_actions):
        actions.append(_draw_action(rng, _draw_place(rng, horizon, actions), events_for_s))
    return Schedule(
        seed,
        n_workers,
        n_partitions,
        n_events,
        events_for_s,
        rng.choice([3, 6, 20]),
        tuple(actions),
    )


def _draw_place(rng: random.Random, horizon: int, actions: list[Action]) -> int:
    """Draw the number of an effect: any, or one soon after an earlier strike."""
    struck = [action.at for action in actions if isinstance(action, Crash | Freeze)]
    if struck and rng.random() < SOON_AFTER_SHARE:
        return rng.choice(struck) + rng.randrange(1, SOON_EFFECTS)
    return rng.randrange(horizon)


def _draw_action(rng: random.Random, place: int, events_for_s: float) -> Action:
    kind = rng.choices(
        ["crash", "freeze", "misfortune", "lost commit", "happening"], [8, 8, 5, 1, 6]
    )[0]
    if kind == "crash":
        disk: DiskFate = rng.choice([DISK_KEPT, DISK_KEPT, DISK_UNSYNCED, DISK_OLD, DISK_LOST])
        return Crash(place, rng.random() < 0.5, disk, rng.choice([0.02, 0.1, 0.5]))
    if kind == "freeze":
        duration_s = rng.choice([0.05, 0.5, 0.6, 0.7, 1.2])
        return Freeze(place, rng.random() < 0.5, duration_s)
    if kind == "misfortune":
        fate: Literal["late", "failed", "ambiguous"] = rng.choice(["late", "failed", "ambiguous"])
        return Misfortune(place // 4, fate, rng.choice([0.05, 0.3, 1.0, 2.0]), rng.random() < 0.5)
    if kind == "lost commit":
        return LostCommit(place // 10, rng.random() < 0.5)
    return _draw_happening(rng, events_for_s)


def _draw_happening(rng: random.Random, events_for_s: float) -> Happening:
    what: Literal["compact", "redeliver", "add", "remove", "reset", "forget"] = rng.choices(
        ["compact", "redeliver", "add", "remove", "reset", "forget"], [5, 2, 2, 2, 2, 1]
    )[0]
    latest_s = 1.0 + events_for_s + (COMPACTABLE_AFTER_S if what == "compact" else 0.0)
    at_s = round(rng.uniform(0.0, latest_s), 3)
    amount = {
        "compact": rng.choice([0.3, 0.7, 1.0, 1.0]),
        "redeliver": float(rng.randint(1, 6)),
        "reset": float(rng.randint(0, 2)),
    }.get(what, 0.0)
    return Happening(what, at_s, amount)
