"""What a person wants to read in place of an item id, and the search for it."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import NamedTuple

from stream_rec.errors import ConfigError


class Title(NamedTuple):
    """A name; year and genres are empty where the file has none."""

    name: str
    year: str
    genres: str


class Titles:
    """Titles by item.

    Parameters
    ----------
    path : Path or None
        CSV with the columns item, title and perhaps year and genres; compressed or not.

    Raises
    ------
    ConfigError
        The file cannot be read, or has other columns.
    """

    def __init__(self, path: Path | None) -> None:
        self._titles: dict[str, Title] = {} if path is None else _read(path)
        self._search = [(item, title.name.lower()) for item, title in self._titles.items()]

    def get(self, item: str) -> Title | None:
        """Return an item's title."""
        return self._titles.get(item)

    def find(self, words: str, n: int) -> list[str]:
        """Return items whose title has all the words, those that begin with them first."""
        wanted = words.lower().split()
        text = " ".join(wanted)
        found = [
            (not name.startswith(text), len(name), item)
            for item, name in self._search
            if all(word in name for word in wanted)
        ]
        return [item for _, _, item in sorted(found)[:n]]


def _read(path: Path) -> dict[str, Title]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as lines:
            return {
                row["item"]: Title(row["title"], row.get("year") or "", row.get("genres") or "")
                for row in csv.DictReader(lines)
            }
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"serve.titles_file: expected a CSV file with the columns item and title, came {path}: "
            f"{error}"
        ) from error
