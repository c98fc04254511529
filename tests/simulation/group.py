"""The simulated consumer group: members, generations, assignment, committed offsets.

Rebalances are eager, as Faust's are: when a member joins, leaves or is silent for the session
timeout, the others learn of it at their next heartbeat, give up all partitions and join again. Once
all have, or the rebalance timeout has passed, a new generation begins. Offsets are taken from
members of the present generation only, also while it is ending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulation.clock import VirtualLoop

SESSION_TIMEOUT_S = 0.30
HEARTBEAT_INTERVAL_S = 0.08
REBALANCE_TIMEOUT_S = 0.60
FIRST_GENERATION = 1


class Committed(NamedTuple):
    """A commit that the group has taken, and by whom."""

    member: str
    generation: int
    offsets: dict[int, int]
    at_s: float
    log_ends: dict[int, int]


class Joined(NamedTuple):
    """A member's part of a generation."""

    generation: int
    partitions: list[int]


@dataclass
class Member:
    """Of the group, alive as long as it sends heartbeats."""

    seen_at_s: float
    joining: asyncio.Future[Joined] | None = None


@dataclass
class Group:
    """A consumer group and its coordinator.

    ``offsets`` may be set from outside, by an operator; ``offsets_of_members`` are what members
    committed last.

    Parameters
    ----------
    loop : VirtualLoop
    n_partitions : int
    log_ends : Callable[[], dict[int, int]]
        Ends of the profiles changelogs now, kept with each commit for the checkers.
    """

    loop: VirtualLoop
    n_partitions: int
    log_ends: Callable[[], dict[int, int]]
    generation: int = FIRST_GENERATION - 1
    offsets: dict[int, int] = field(default_factory=dict)
    offsets_of_members: dict[int, int] = field(default_factory=dict)
    history: list[Committed] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    assignment: dict[str, list[int]] = field(default_factory=dict)
    _rebalancing_since_s: float | None = None

    def join(self, name: str) -> asyncio.Future[Joined]:
        """Ask for a part of the next generation."""
        self.look()
        member = self.members.setdefault(name, Member(self.loop.now_s))
        member.seen_at_s = self.loop.now_s
        joining = member.joining = self.loop.create_future()
        self._begin_rebalance()
        self._try_to_form()
        return joining

    def heartbeat(self, name: str, generation: int) -> bool:
        """Say whether a member may go on as it is."""
        self.look()
        member = self.members.get(name)
        if member is None:
            return False
        member.seen_at_s = self.loop.now_s
        return generation == self.generation and self._rebalancing_since_s is None

    def leave(self, name: str) -> None:
        """Take a member out."""
        if self.members.pop(name, None) is not None:
            self._begin_rebalance()
            self._try_to_form()

    def commit(self, name: str, generation: int, offsets: Mapping[int, int]) -> bool:
        """Take offsets from a member of the present generation; say whether they were taken."""
        self.look()
        if name not in self.members or generation != self.generation:
            return False
        self.offsets |= offsets
        self.offsets_of_members |= offsets
        self.history.append(
            Committed(name, generation, dict(offsets), self.loop.now_s, self.log_ends())
        )
        return True

    def forget(self) -> bool:
        """Expire a group without members: generations begin anew and nothing is committed."""
        self.look()
        if self.members:
            return False
        self.generation = FIRST_GENERATION - 1
        self.offsets.clear()
        self.assignment.clear()
        self._rebalancing_since_s = None
        return True

    def look(self) -> None:
        """Take out members that have been silent too long."""
        now_s = self.loop.now_s
        silent = [
            name
            for name, member in self.members.items()
            if member.joining is None and now_s - member.seen_at_s > SESSION_TIMEOUT_S
        ]
        for name in silent:
            self.leave(name)
        since_s = self._rebalancing_since_s
        if since_s is not None and now_s - since_s >= REBALANCE_TIMEOUT_S:
            late = [name for name, member in self.members.items() if member.joining is None]
            for name in late:
                del self.members[name]
            self._try_to_form()

    def _begin_rebalance(self) -> None:
        if self._rebalancing_since_s is None:
            self._rebalancing_since_s = self.loop.now_s
            self.loop.call_later(REBALANCE_TIMEOUT_S, self.look)

    def _try_to_form(self) -> None:
        """Begin the next generation if everybody is waiting for it."""
        if any(member.joining is None for member in self.members.values()):
            return
        self._rebalancing_since_s = None
        if not self.members:
            self.assignment = {}
            return
        self.generation += 1
        names = sorted(self.members)
        partitions = range(self.n_partitions)
        self.assignment = {
            name: [p for p in partitions if p % len(names) == place]
            for place, name in enumerate(names)
        }
        for name, member in self.members.items():
            joining, member.joining = member.joining, None
            member.seen_at_s = self.loop.now_s
            if joining is not None and not joining.done():
                joining.set_result(Joined(self.generation, self.assignment[name]))
