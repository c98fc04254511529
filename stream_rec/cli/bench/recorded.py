"""Events of a recorded log for a bench, as a producer would send them."""

from __future__ import annotations

from itertools import islice

from producers.replay import encode_event
from stream_rec.bench.events import Encoded, Traffic
from stream_rec.config import EventSettings
from stream_rec.errors import InputError, InvalidEventError
from stream_rec.logs import LogRow, open_log
from stream_rec.model.events import EventDecoder

EVENTS_MIN = 100
"""In a log, to be worth timing."""


def recorded_traffic(path: str, settings: EventSettings, n_events_max: int) -> Traffic:
    """Return the first events of a log in the order of their times, without unusable ones.

    An event without a time has that of the event before it in the file.

    Parameters
    ----------
    path : str
    settings : EventSettings
        What a worker takes for an event.
    n_events_max : int
        Rows read at most.

    Raises
    ------
    InputError
        The log cannot be read, or has too few events that a worker would take.
    """
    decoder, refused = EventDecoder(settings), list[Exception]()
    rows: list[LogRow] = []
    last_ms = 0
    with open_log(path) as log:
        for row in islice(log.rows(refused.append), n_events_max):
            last_ms = last_ms if row.ts_ms is None else row.ts_ms
            rows.append(row._replace(ts_ms=last_ms))
    rows.sort(key=lambda row: row.ts_ms or 0)
    at_ms = max((row.ts_ms or 0 for row in rows), default=0)
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    events, pairs = [], []
    for row in rows:
        event = Encoded(row.user.encode(), encode_event(row))
        try:
            is_taken = decoder.from_record(event.value, event.key, at_ms) is not None
        except InvalidEventError as error:
            refused.append(error)
            continue
        if is_taken:
            events.append(event)
            user = users.setdefault(row.user, len(users))
            item = items.setdefault(row.item, len(items))
            pairs.append((user, item))
    if len(events) < EVENTS_MIN:
        because = f"; the first refused: {refused[0]}" if refused else ""
        raise InputError(
            f"expected {EVENTS_MIN} events or more in {path}, came {len(events)}{because}"
        )
    return Traffic(events, pairs, len(items), at_ms)
