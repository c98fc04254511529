"""Choose the few users that are shown: those whose moment tells the most."""

from __future__ import annotations

from stream_rec.cli.demo.statistics import Moment

HISTORY_LENGTH_GOOD = 4
REASONED_ITEMS_MAX = 3
HIT_WORTH = 4
REASONED_ITEM_WORTH = 2
HISTORY_WORTH = 3


class Spotlight:
    """Collect moments and hand out the best ones from time to time.

    Parameters
    ----------
    n_users : int
        Moments kept, of different users.
    """

    def __init__(self, n_users: int) -> None:
        self._n_users = n_users
        self._best: dict[str, tuple[int, Moment]] = {}

    def offer(self, moment: Moment) -> None:
        """Consider a moment; of one user the latest of the best counts."""
        score = interest(moment)
        kept = self._best.get(moment.user)
        if kept is not None and kept[0] > score:
            return
        self._best[moment.user] = (score, moment)
        if len(self._best) > self._n_users:
            del self._best[min(self._best, key=lambda user: self._best[user][0])]

    def take(self) -> list[Moment]:
        """Return the chosen moments, the best first, and start to collect anew."""
        chosen = sorted(self._best.values(), key=lambda scored: scored[0], reverse=True)
        self._best = {}
        return [moment for _, moment in chosen]


def interest(moment: Moment) -> int:
    """Say how much a moment tells: a hit, a list with reasons, a user with some history.

    Returns
    -------
    int
        0 to 13. Three items with reasons outweigh a hit: that is what a person learns most from.
    """
    reasoned = sum(
        any(reason.because is not None for reason in listed.reasons) for listed in moment.items[:5]
    )
    return (
        (HIT_WORTH if moment.place is not None else 0)
        + min(reasoned, REASONED_ITEMS_MAX) * REASONED_ITEM_WORTH
        + (HISTORY_WORTH if len(moment.ratings) >= HISTORY_LENGTH_GOOD else 0)
    )
