"""What was shown: lists as they were published, counted and kept as far as metrics need them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.metrics.coverage import coverage
from stream_rec.evaluation.metrics.gini import gini
from stream_rec.evaluation.metrics.intra_list_diversity import intra_list_diversity, item_users
from stream_rec.evaluation.metrics.novelty import novelty
from stream_rec.evaluation.metrics.personalisation import personalisation
from stream_rec.kernels.item_rows import NO_ITEM


class ShownLists:
    """Lists shown so far.

    Parameters
    ----------
    n_users, n_items : int

    Attributes
    ----------
    n_lists : int
    shown : int64[n_items]
        How often each item was in a list.
    last : int32[n_users, n]
        The latest list of each user, −1 where it is shorter; no column before the first list.
    """

    def __init__(self, n_users: int, n_items: int) -> None:
        self.n_lists = 0
        self.shown: NDArray[np.int64] = np.zeros(n_items, np.int64)
        self.last: NDArray[np.int32] = np.zeros((n_users, 0), np.int32)

    def add(
        self, user: NDArray[np.int32], item: NDArray[np.int32], n_listed: NDArray[np.int32]
    ) -> None:
        """Take in lists in the order they were shown.

        Parameters
        ----------
        user : int32[L]
        item : int32[L, n]
        n_listed : int32[L]
            How many of the n are there.
        """
        n = item.shape[1]
        if self.last.shape[1] < n:
            self.last = np.full((len(self.last), n), NO_ITEM, np.int32)
        listed = np.arange(n) < n_listed[:, None]
        self.shown += np.bincount(item[listed], minlength=len(self.shown))
        self.n_lists += len(user)
        # Of a user's lists in this batch the last one stays, as numpy assigns in order.
        self.last[user] = np.where(listed, item, NO_ITEM)


def list_metrics(lists: ShownLists, log: LogColumns) -> dict[str, float]:
    """Return the metrics of what was shown: of all lists, and of each user's latest.

    Parameters
    ----------
    lists : ShownLists
    log : LogColumns
    """
    n_items = len(log.items)
    n_events = np.bincount(log.item, minlength=n_items)
    latest = lists.last[(lists.last >= 0).any(axis=1)]
    users = item_users(log.user, log.item, n_items)
    return {
        "coverage": coverage(lists.shown),
        "gini": gini(lists.shown),
        "novelty": novelty(lists.shown, n_events),
        "intra_list_diversity": intra_list_diversity(latest, users),
        "personalisation": personalisation(latest, n_items),
    }
