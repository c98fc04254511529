"""A recorded log as columns, checked, in time order, ids as numbers: what every model is fed from.

Events pass the same checks as the pipeline's (`EventDecoder`), so a log means here what it means
there. Users and items are numbered in the order in which they first occur. An event is *scored* if
it speaks for its item and the user has had no event with that item before (design: every event, the
full catalogue, no warm-up).
"""

from __future__ import annotations

from array import array
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stream_rec.config import EventSettings
from stream_rec.errors import InvalidEventError
from stream_rec.evaluation.cleaning import (
    NO_EVENT_ID,
    Cleaning,
    find_far_times,
    flooding_users,
    has_known_id,
    has_poor_ids,
    is_repeated,
)
from stream_rec.model.batch import weights_of_types
from stream_rec.model.events import FORGET, EventDecoder, rated_types
from stream_rec.model.ids import hash_id


class LoggedEvent(Protocol):
    """What is needed of a row of a log (`stream_rec.logs.LogRow` fits)."""

    @property
    def user(self) -> str: ...  # noqa: D102
    @property
    def item(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102
    @property
    def ts_ms(self) -> int | None: ...  # noqa: D102
    @property
    def event_id(self) -> str | None: ...  # noqa: D102


class LogColumns(NamedTuple):
    """E events in time order, ties as in the file.

    Attributes
    ----------
    user, item : int32[E]
        Numbers in order of first occurrence.
    time_s : float64[E]
    weight : int32[E]
        Of the event's type, in units of 1/WEIGHT_UNIT; negative for rejections.
    value : float64[E]
        NaN where there is none.
    event_id : uint64[E]
        Hash, 0 where there is none.
    is_scored : bool[E]
    users, items : list of str
        Their ids.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time_s: NDArray[np.float64]
    weight: NDArray[np.int32]
    value: NDArray[np.float64]
    event_id: NDArray[np.uint64]
    is_scored: NDArray[np.bool_]
    users: list[str]
    items: list[str]

    def first(self, n_events: int) -> LogColumns:
        """Return the first events of the log; ids that occur later stay known by number only."""
        columns = (column[:n_events] for column in self[:-2])
        return LogColumns._make((*columns, self.users, self.items))


class ColumnsBuilder:
    """Checks the events of a log one by one and puts them into columns.

    Parameters
    ----------
    settings : EventSettings

    Attributes
    ----------
    cleaning : Cleaning
    """

    def __init__(self, settings: EventSettings) -> None:
        self.cleaning = Cleaning()
        self._check = EventDecoder(settings).from_object
        self._weights = weights_of_types(settings.types)
        self._duplicate_window = settings.duplicate_window
        self._rated_types = rated_types(settings)
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._types: dict[str, int] = {}
        self._user, self._item, self._type = array("i"), array("i"), array("i")
        self._weight, self._time_s, self._value = array("i"), array("d"), array("d")
        self._event_id = array("Q")
        self._before_s: float | None = None

    def __len__(self) -> int:
        return len(self._user)

    def add(self, row: LoggedEvent) -> bool:
        """Check one event and take it in; return whether it is used."""
        fields = {"user": row.user, "item": row.item, "type": row.type, "value": row.value}
        if row.ts_ms is not None:
            fields["ts"] = row.ts_ms / 1000.0
        if row.event_id is not None:
            fields["event_id"] = row.event_id
        try:
            event = self._check(fields, self._before_s or 0.0)
        except InvalidEventError as error:
            refused = self.cleaning.refused
            refused[error.code] = refused.get(error.code, 0) + 1
            self.cleaning.first_refusal.setdefault(error.code, error.reason)
            self.cleaning.first_refused_type.setdefault(error.code, row.type)
            return False
        if event is None or event.ts is None:
            self.cleaning.n_ignored += 1
            return False
        if event.type == FORGET:
            self.cleaning.n_forgets += 1
            return False
        self._note_time(event.ts, is_known=row.ts_ms is not None)
        self._user.append(self._users.setdefault(event.user, len(self._users)))
        self._item.append(self._items.setdefault(event.item, len(self._items)))
        self._type.append(self._types.setdefault(event.type, len(self._types)))
        self._weight.append(self._weights[event.type])
        self._time_s.append(event.ts)
        rated = event.type in self._rated_types
        self._value.append(event.value if rated and event.value is not None else np.nan)
        self._event_id.append(NO_EVENT_ID if event.event_id is None else hash_id(event.event_id))
        return True

    def _note_time(self, time_s: float, *, is_known: bool) -> None:
        if not is_known:
            self.cleaning.n_without_time += 1
        elif self._before_s is None:
            self._before_s = time_s
            self.cleaning.has_times = True
            self._time_s = array("d", [time_s] * len(self))  # those so far had none
        else:
            self.cleaning.n_out_of_order += time_s < self._before_s
            self._before_s = time_s

    def build(self, *, drop_repeated: bool = False, drop_bots: bool = False) -> LogColumns:
        """Return the columns of all events taken in, in time order.

        Parameters
        ----------
        drop_repeated, drop_bots : bool
            Leave out events exactly like an earlier one, and users that had a flood of events.
        """
        in_order = np.argsort(np.array(self._time_s), kind="stable")
        used = in_order[self._keep(in_order, drop_repeated, drop_bots)]
        user, users = _renumbered(np.array(self._user)[used], list(self._users))
        item, items = _renumbered(np.array(self._item)[used], list(self._items))
        weight, time_s = np.array(self._weight)[used], np.array(self._time_s)[used]
        self.cleaning.far_times = find_far_times(time_s)
        return LogColumns(
            user=user,
            item=item,
            time_s=time_s,
            weight=weight,
            value=np.array(self._value)[used],
            event_id=np.array(self._event_id, np.uint64)[used],
            is_scored=is_first_of_pair(user, item) & (weight > 0),
            users=users,
            items=items,
        )

    def _keep(
        self, order: NDArray[np.int64], drop_repeated: bool, drop_bots: bool
    ) -> NDArray[np.bool_]:
        """Tell which events, taken in this order, are used; note what was found."""
        user, time_s = np.array(self._user)[order], np.array(self._time_s)[order]
        value = np.nan_to_num(np.array(self._value)[order], nan=-np.inf)
        others = (np.array(column)[order] for column in (self._item, self._type))
        repeated = is_repeated(user, time_s, value, *others)
        bots = flooding_users(user, time_s)
        of_bots = np.isin(user, bots)
        keep = ~(repeated & drop_repeated | of_bots & drop_bots)
        known = self._known_ids(order, keep)
        found = self.cleaning
        found.n_known_ids = int(known.sum())
        found.n_repeated, found.drops_repeated = int((repeated & ~known).sum()), drop_repeated
        found.n_bots, found.n_bot_events = len(bots), int(of_bots.sum())
        found.drops_bots = drop_bots
        return keep & ~known

    def _known_ids(self, order: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which of the events that are kept the engine would drop for their ids."""
        used = order[keep]
        user, event_id = np.array(self._user)[used], np.array(self._event_id, np.uint64)[used]
        self.cleaning.has_poor_ids = has_poor_ids(event_id)
        known = np.zeros(len(order), np.bool_)
        known[keep] = has_known_id(user, event_id, self._duplicate_window)
        return known


def is_first_of_pair(user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which events are the first of their user with their item, whatever their type.

    Examples
    --------
    >>> is_first_of_pair(np.array([0, 0, 1, 0]), np.array([5, 6, 5, 5])).tolist()
    [True, True, True, False]
    """
    pair = (user.astype(np.int64) << 32) | item
    first = np.zeros(len(pair), np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    return first


def _renumbered(codes: NDArray[np.int32], ids: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Number ids anew, in order of first occurrence."""
    present, first = np.unique(codes, return_index=True)
    in_order = present[np.argsort(first)]
    number = np.zeros(len(ids), np.int32)
    number[in_order] = np.arange(len(in_order))
    return number[codes], [ids[code] for code in in_order.tolist()]
