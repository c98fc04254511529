"""Put figures and reasons into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stream_rec.cli.demo.messages import ListedItem

BECAUSE = "because you rated "
REASON_MIN = 24
SPARKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Titles:
    """Titles by item id, with and without the year; an unknown item is called by its id."""

    full_by_item: Mapping[str, str]
    short_by_item: Mapping[str, str]

    def full(self, item: str) -> str:
        """Name an item where there is room: ``Alien (1979)``."""
        return self.full_by_item.get(item, item)

    def short(self, item: str) -> str:
        """Name an item in passing: ``Alien``."""
        return self.short_by_item.get(item, item)


def reason_of(
    listed: ListedItem, ratings: Mapping[str, float | None], titles: Titles, width: int = 80
) -> str:
    """Say why an item is in a user's list.

    Parameters
    ----------
    listed : ListedItem
        An item with its reasons.
    ratings : mapping of str to float or None
        What the user has rated.
    titles : Titles
        Names of items.
    width : int
        Room in characters; a long title is cut so that the rating behind it stays.
    """
    for reason in listed.reasons:
        if reason.because is not None:
            rating = rating_text(ratings.get(reason.because))
            room = max(width, REASON_MIN) - len(BECAUSE) - len(rating) - 1
            return f"{BECAUSE}{shorten(titles.short(reason.because), room)} {rating}".rstrip()
    return _source_words(listed.reasons[0].source) if listed.reasons else ""


def shorten(text: str, width: int) -> str:
    """Cut a text that is too long, and show that it was cut.

    Examples
    --------
    >>> shorten("Monsters University", 10)
    'Monsters…'
    """
    return text if len(text) <= width else text[: width - 1].rstrip(" :-") + "…"


def rating_text(value: float | None) -> str:
    """Write a rating without needless decimals; nothing for none."""
    return "" if value is None else f"{value:g}"


def latency_text(latency_ms: float | None) -> str:
    """Write a latency with its unit."""
    if latency_ms is None:
        return "–"
    return f"{latency_ms:,.0f} ms" if latency_ms < 10_000 else f"{latency_ms / 1000:,.0f} s"


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the last values as a line of bars, the highest filling its place.

    Examples
    --------
    >>> sparkline([0, 1, 2, 4], 3)
    '▃▅█'
    """
    shown = list(values)[-width:]
    highest = max(shown, default=0.0)
    if highest <= 0:
        return SPARKS[0] * len(shown)
    top = len(SPARKS) - 1
    return "".join(SPARKS[round(max(value, 0.0) / highest * top)] for value in shown)


def _source_words(source: str) -> str:
    if source.startswith("popular"):
        return "popular now"
    if source.startswith("new"):
        return "new here"
    return source.replace("_", " ")
