"""The front door for use in process: the engine that runs under Kafka, without Kafka.

Names follow river: `learn_one` takes one event, `recommend` and `predict_one` answer at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.events import FORGET, Event, EventDecoder
from stream_rec.model.message import source_names
from stream_rec.model.runs import EventRun

_PARTITION = 0


class Reason(NamedTuple):
    """Why an item is in a list: the strongest source, and the item of the history behind it."""

    source: str
    because: str | None


class Recommendation(NamedTuple):
    """One entry of a list, the best first."""

    item: str
    score: float
    reason: Reason


class Recommender:
    """Learns from events as they come and recommends at any time.

    Parameters
    ----------
    model : ModelSettings, optional
    events : EventSettings, optional

    Examples
    --------
    >>> recommender = Recommender()
    >>> for user in ("ann", "bob", "cem"):
    ...     recommender.learn_one({"user": user, "item": "alien", "type": "like", "ts": 1})
    ...     recommender.learn_one({"user": user, "item": "brazil", "type": "like", "ts": 2})
    >>> recommender.learn_one({"user": "dora", "item": "alien", "type": "like", "ts": 3})
    >>> [entry.item for entry in recommender.recommend("dora", k=1)]
    ['brazil']
    """

    def __init__(
        self, model: ModelSettings | None = None, events: EventSettings | None = None
    ) -> None:
        settings = model or ModelSettings()
        event_settings = events or EventSettings()
        self._check = EventDecoder(event_settings)
        self._engine = Engine(settings, event_settings, source_topic="in-process", n_partitions=1)
        self._engine.open_partition(_PARTITION)
        self._sources = source_names(self._engine.half_lives_s)
        self._offset = 0
        self._now_s = 0.0

    def learn_one(self, event: Event | Mapping[str, Any]) -> None:
        """Learn one event.

        Parameters
        ----------
        event : Event or mapping
            Without `ts` it counts as happening at the time of the latest event so far.

        Raises
        ------
        InvalidEventError
            The event cannot be used; nothing has been learned.
        """
        checked = self._check.from_object(event, self._now_s)
        if checked is None or checked.ts is None:
            return
        limit = self._engine.item_limit
        if limit.let_in(_PARTITION, 1) == 0:
            limit.check_known(_PARTITION, checked.item)
        self._engine.fold([EventRun(_PARTITION, [checked], [self._offset])], publish=False)
        self._offset += 1
        self._now_s = max(self._now_s, checked.ts)

    def forget(self, user: str | int) -> None:
        """Forget all that is known of a user; what others learned from them stays.

        Parameters
        ----------
        user : str or int

        Examples
        --------
        >>> recommender = Recommender()
        >>> recommender.learn_one({"user": "ann", "item": "alien", "type": "like", "ts": 1})
        >>> recommender.learn_one({"user": "bob", "item": "brazil", "type": "like", "ts": 2})
        >>> [entry.item for entry in recommender.recommend("ann", k=1)]
        ['brazil']
        >>> recommender.forget("ann")
        >>> sorted(entry.item for entry in recommender.recommend("ann", k=2))
        ['alien', 'brazil']
        """
        self.learn_one({"user": user, "type": FORGET})

    def recommend(
        self, user: str | int, k: int = 10, at: float | None = None
    ) -> list[Recommendation]:
        """Return the best `k` items for a user, known or not.

        Parameters
        ----------
        user : str or int
        k : int
            From 1 to 100.
        at : float, optional
            Event time in seconds for which to recommend; the latest event's if not given.

        Raises
        ------
        ValueError
        """
        now_s = self._now_s if at is None else at
        listed = self._engine.recommend(_PARTITION, str(user), k, now_s)
        texts = self._engine.items.ids.texts
        return [
            Recommendation(
                texts[item],
                score,
                Reason(self._sources[reason], texts[cause] if cause >= 0 else None),
            )
            for item, score, reason, cause in zip(
                *(column.tolist() for column in listed), strict=True
            )
        ]

    def predict_one(self, user: str | int, item: str | int) -> float | None:
        """Return the rating expected of a user for an item, known or not.

        Parameters
        ----------
        user, item : str or int

        Returns
        -------
        float or None
            In raw units, not limited to the scale; None before any rating was learned.

        Examples
        --------
        >>> recommender = Recommender()
        >>> recommender.predict_one("ann", "alien") is None
        True
        >>> for user in range(50):
        ...     recommender.learn_one({"user": user, "item": "alien", "type": "rating", "value": 9})
        ...     recommender.learn_one({"user": user, "item": "cats", "type": "rating", "value": 3})
        >>> [round(recommender.predict_one("ann", item)) for item in ("alien", "cats", "brazil")]
        [9, 3, 6]
        """
        return self._engine.expect_rating(_PARTITION, str(user), str(item))
