"""What users of the simulated world do with items: more and better with those they prefer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from producers.world import Integers

ACTIONS = ("view", "click", "cart", "purchase", "rating", "skip")
PREFERRED_SHARES = (0.55, 0.20, 0.05, 0.08, 0.12, 0.00)
OTHER_SHARES = (0.60, 0.20, 0.00, 0.00, 0.12, 0.08)
"""How often each of ``ACTIONS`` is taken with items of the preferred cluster, and with others."""

PREFERRED_RATINGS = (7, 10)
OTHER_RATINGS = (1, 5)
"""Lowest and highest rating, on a scale from 0 to 10."""


class Draft(NamedTuple):
    """An event before it is written; ``rating`` counts where the action is a rating."""

    user: str
    item: str
    action: str
    rating: int
    ts_ms: int

    def as_event(self, event_id: str) -> dict[str, Any]:
        """Return the event as the object that its message holds."""
        event: dict[str, Any] = {"user": self.user, "item": self.item, "type": self.action}
        if self.action == "rating":
            event["value"] = self.rating
        return event | {"ts": self.ts_ms, "event_id": event_id}

    def encode(self, event_id: str) -> bytes:
        """Return the message; the ids here need no escapes, which makes this worth its own code."""
        value = f',"value":{self.rating}' if self.action == "rating" else ""
        return (
            f'{{"user":"{self.user}","item":"{self.item}","type":"{self.action}"{value},'
            f'"ts":{self.ts_ms},"event_id":"{event_id}"}}'
        ).encode()


def draw_actions(
    random: np.random.Generator, preferred: npt.NDArray[np.bool_]
) -> tuple[Integers, Integers]:
    """Draw what is done with items, and the rating should it be one.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of chance.
    preferred : bool, shape (n,)
        Whether the user prefers the item.

    Returns
    -------
    actions, ratings : int64, shape (n,)
        Positions in ``ACTIONS``, and ratings.
    """
    chance = random.random(len(preferred))
    actions = np.where(
        preferred,
        np.searchsorted(np.cumsum(PREFERRED_SHARES), chance, side="right"),
        np.searchsorted(np.cumsum(OTHER_SHARES), chance, side="right"),
    )
    lowest, highest = np.where(preferred[:, None], PREFERRED_RATINGS, OTHER_RATINGS).T
    ratings = random.integers(lowest, highest, endpoint=True)
    return np.minimum(actions, len(ACTIONS) - 1), ratings
