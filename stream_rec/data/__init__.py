"""The bundled sample: 20,000 film ratings of MovieTweetings with the films' titles.

Small enough to ship, long enough that a recommender visibly learns. Source and licence
(MIT, Simon Dooms): ``movietweetings/README.md`` and ``movietweetings/LICENSE`` beside this file.
"""

from __future__ import annotations

import csv
import gzip
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(str(files(__name__))) / "movietweetings"

SAMPLE_EVENTS = _FOLDER / "events.csv.gz"
SAMPLE_ITEMS = _FOLDER / "items.csv.gz"
SAMPLE_LICENSE = _FOLDER / "LICENSE"
N_SAMPLE_EVENTS = 20_000


class Title(NamedTuple):
    """What a person wants to read in place of an item id."""

    name: str
    year: int
    genres: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.year})"


def load_titles() -> dict[str, Title]:
    """Read the titles of the sample's films.

    Returns
    -------
    dict of str to Title
        By item id; every item of ``SAMPLE_EVENTS`` is in it.

    Examples
    --------
    >>> titles = load_titles()
    >>> str(titles["1454468"]), titles["1454468"].genres
    ('Gravity (2013)', ('Drama', 'Sci-Fi'))
    """
    with gzip.open(SAMPLE_ITEMS, "rt", encoding="utf-8", newline="") as lines:
        return {
            row["item"]: Title(
                row["title"], int(row["year"]), tuple(filter(None, row["genres"].split("|")))
            )
            for row in csv.DictReader(lines)
        }
