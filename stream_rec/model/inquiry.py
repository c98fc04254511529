"""Questions to an engine that teach it nothing: about items, trends, and how one would be served.

The same kernels as the hot path answer. A history that nobody stored is put into one scratch
profile, which every question overwrites.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.held import Holder
from stream_rec.kernels.profiles import SEEN_BLOCK, SEEN_COLUMNS, empty_profile_rows
from stream_rec.kernels.seen_items import add_seen
from stream_rec.kernels.sources import accumulate_sources
from stream_rec.kernels.visitor_profile import begin_profile
from stream_rec.kernels.workspace import AFTER_INVERSE, NEAR_ROOT
from stream_rec.model.engine import Engine
from stream_rec.model.growing import with_rows
from stream_rec.model.ids import hash_id
from stream_rec.model.lists import Listed, check_length, empty_listed, list_for_user, order_given
from stream_rec.model.profile_codec import blocks_needed, decode_profile
from stream_rec.model.ranking import Model
from stream_rec.model.rows import PROFILE, row_key

SCRATCH = 0
Relation = Literal["similar", "next"]


class Taken(NamedTuple):
    """One entry of a user's history."""

    item: str
    time_s: float
    offset: int


class ProfileSummary(NamedTuple):
    """What is known of a user, as of the row that was read.

    Attributes
    ----------
    history : list of Taken
        Newest first.
    n_distinct : int
        Distinct items ever taken.
    last_s : float
        Time of the latest event.
    """

    history: list[Taken]
    n_distinct: int
    last_s: float


class Scored(NamedTuple):
    """Items with what was asked for, the highest first: slots int32[n], values float64[n]."""

    items: NDArray[np.int32]
    values: NDArray[np.float64]


class Inquiry:
    """Asks one engine.

    Parameters
    ----------
    engine : Engine
    model : ModelSettings
    events : EventSettings
        Both as the engine has them.
    """

    def __init__(self, engine: Engine, model: ModelSettings, events: EventSettings) -> None:
        self._engine = engine
        self._model = model
        self._shape = (model.history_length, events.duplicate_window, model.n_factors)
        self._profile = empty_profile_rows(1, *self._shape, model.seen_items_max // SEEN_BLOCK + 2)
        self._held: Holder[Model] = Holder()
        self.given_max = len(engine.reading().workspace.candidate)

    def latest_s(self) -> float:
        """Return the time of the latest event that the view knows, 0 if there is none.

        It is the present of all questions without a user: recorded logs lie in the past.
        """
        last_s = self._engine.items.view.rows.last_s[: len(self._engine.items.ids)]
        latest = float(last_s.max(initial=-np.inf))
        return latest if np.isfinite(latest) else 0.0

    def list_for_history(
        self, items: Sequence[str], n: int, now_s: float, exclude: Sequence[str] = ()
    ) -> Listed:
        """Rank for somebody of whom only recent items are known; nothing is stored.

        Parameters
        ----------
        items : sequence of str
            Oldest first; those that nobody has taken yet say nothing.
        n : int
            From 1 to 100.
        now_s : float
        exclude : sequence of str
            Left out beside the history.
        """
        self._set_history(items, now_s)
        return self._list(n, now_s, exclude)

    def list_for_profile(
        self, user: str, row: bytes, n: int, now_s: float, exclude: Sequence[str] = ()
    ) -> Listed:
        """Rank for the user with this profile row, as it was frozen."""
        self._set_profile(user, row)
        return self._list(n, now_s, exclude)

    def order_for_history(self, items: Sequence[str], given: Sequence[str], now_s: float) -> Listed:
        """Order given items for somebody of whom only recent items are known.

        Parameters
        ----------
        items : sequence of str
            Oldest first.
        given : sequence of str
            At most `given_max`; those that nobody has taken yet are left out.
        now_s : float
        """
        self._set_history(items, now_s)
        return self._order(given, now_s)

    def order_for_profile(
        self, user: str, row: bytes, given: Sequence[str], now_s: float
    ) -> Listed:
        """Order given items for the user with this profile row."""
        self._set_profile(user, row)
        return self._order(given, now_s)

    def related(self, item: str, relation: Relation) -> Scored | None:
        """Return the items linked to one, the strongest first; None if the item is not known.

        similar    cosine of being taken near each other, near / √(count · count)
        next       near-term share: how often it followed per take of this item, by 1/distance,
                   an eighth of that where it followed in a later session
        """
        slot = self._engine.items.ids.find(item)
        reading = self._engine.reading()
        if slot is None or not np.isfinite(reading.items.rows.first_s[slot]):
            return None
        workspace = reading.workspace
        limits = np.array([self._model.links_per_item_max], np.int32)
        history = np.array([slot], np.int32)
        n = accumulate_sources(reading.items, workspace, history, 1, 1, limits)
        items = workspace.touched[:n].copy()
        if relation == "similar":
            damping = reading.items.damping[items].astype(np.float64)
            values = workspace.source[items, NEAR_ROOT] * damping * damping
        else:
            values = workspace.source[items, AFTER_INVERSE].astype(np.float64)
        return self._ordered(items, values)

    def trending(self, which: int, now_s: float) -> Scored:
        """Return the most popular items at a half-life, with their decayed count.

        Parameters
        ----------
        which : int
            Place in `model.half_lives_s`.
        now_s : float
        """
        top = self._engine.items.view.top
        items = top.items[which]
        items = items[items >= 0]
        age = top.keys[items, which] - now_s / self._model.half_lives_s[which]
        return self._ordered(items.copy(), np.exp2(age))

    def summary(self, user: str, row: bytes) -> ProfileSummary:
        """Read a profile row."""
        self._set_profile(user, row)
        profile, texts = self._profile, self._engine.items.ids.texts
        n = int(profile.n_history[SCRATCH])
        columns = (profile.history_item, profile.history_s, profile.history_offset)
        entries = zip(*(column[SCRATCH, :n].tolist() for column in columns), strict=True)
        history = [Taken(texts[item], time_s, offset) for item, time_s, offset in entries]
        return ProfileSummary(
            history, int(profile.n_distinct[SCRATCH]), float(profile.last_s[SCRATCH])
        )

    def _set_history(self, items: Sequence[str], now_s: float) -> None:
        slots = self._engine.items.ids.known(items)
        distinct = np.array(list(dict.fromkeys(slots.tolist())), np.int32)
        self._reserve_blocks(len(distinct) // SEEN_BLOCK + 2)
        seen_max = self._model.seen_items_max
        begin_profile(self._profile, SCRATCH, slots, distinct, now_s, seen_max)

    def _set_profile(self, user: str, row: bytes) -> None:
        self._reserve_blocks(blocks_needed(row))
        key = row_key(PROFILE, hash_id(user))
        decode_profile(self._profile, self._engine.items.ids, SCRATCH, key, row)

    def _list(self, n: int, now_s: float, exclude: Sequence[str]) -> Listed:
        check_length(n)
        reading = self._engine.reading()
        excluded = self._exclude(exclude)
        listed = empty_listed(n)
        n_listed = list_for_user(
            self._held.of(reading._replace(profiles=self._profile)),
            SCRATCH,
            self._not_before_last_event(now_s),
            reading.recipe._replace(list_length=n, n_left_out=len(excluded)),
            *listed,
        )
        return self._kept(listed, n_listed, excluded)

    def _order(self, given: Sequence[str], now_s: float) -> Listed:
        if len(given) > self.given_max:
            raise ValueError(f"expected at most {self.given_max} items, came {len(given)}")
        known = np.unique(self._engine.items.ids.known(given))
        reading = self._engine.reading()
        seen = known[np.isfinite(reading.items.rows.first_s[known])]
        listed = empty_listed(len(seen))
        n_listed = order_given(
            self._held.of(reading._replace(profiles=self._profile)),
            SCRATCH,
            self._not_before_last_event(now_s),
            seen,
            *listed,
        )
        return self._kept(listed, n_listed, set())

    def _not_before_last_event(self, now_s: float) -> float:
        return max(now_s, float(self._profile.last_s[SCRATCH]))

    def _exclude(self, items: Sequence[str]) -> set[int]:
        """Note items as the last ones seen in the scratch profile; return their slots."""
        if not items:
            return set()
        slots = set(self._engine.items.ids.known(items).tolist())
        n_seen = int(self._profile.n_seen[SCRATCH])
        self._reserve_blocks((n_seen + len(slots)) // SEEN_BLOCK + 2)
        for slot in slots:
            add_seen(self._profile, SCRATCH, slot, n_seen + len(slots) + 1)
        return slots

    def _kept(self, listed: Listed, n_listed: int, excluded: set[int]) -> Listed:
        """Cut a list to its length, without excluded items that filled it up and nameless ones."""
        is_named = self._engine.items.ids.is_named
        items = listed.items[:n_listed].tolist()
        keep = [x for x, item in enumerate(items) if item not in excluded and is_named[item]]
        return Listed._make(column[keep] for column in listed)

    def _ordered(self, items: NDArray[np.int32], values: NDArray[np.float64]) -> Scored:
        ids = self._engine.items.ids
        kept = ids.is_named[items] & (values > 0.0)
        items, values = items[kept], values[kept]
        order = np.lexsort((ids.hashes[items], -values))
        return Scored(items[order], values[order])

    def _reserve_blocks(self, n_blocks: int) -> None:
        """Make room for seen items."""
        if len(self._profile.seen_next) < n_blocks:
            empty = empty_profile_rows(1, *self._shape, 1)
            self._profile = with_rows(self._profile, SEEN_COLUMNS, n_blocks, empty)
