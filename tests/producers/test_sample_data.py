"""The bundled sample is what its README and the demo say it is."""

from __future__ import annotations

import csv
import doctest
import gzip
from collections import Counter

from stream_rec import data


def sample_rows() -> list[dict[str, str]]:
    with gzip.open(data.SAMPLE_EVENTS, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_sample_has_the_promised_size_and_header() -> None:
    rows = sample_rows()
    assert len(rows) == data.N_SAMPLE_EVENTS
    assert list(rows[0]) == ["user", "item", "type", "value", "ts"]


def test_sample_is_ordered_by_time() -> None:
    times = [int(row["ts"]) for row in sample_rows()]
    assert times == sorted(times)


def test_every_item_of_the_sample_has_a_readable_title() -> None:
    titles = data.load_titles()
    items = {row["item"] for row in sample_rows()}
    assert items == set(titles)
    assert all(title.name and 1880 < title.year < 2020 for title in titles.values())


def test_most_ratings_come_from_users_seen_before() -> None:
    n_events_by_user = Counter(row["user"] for row in sample_rows())
    n_returning = data.N_SAMPLE_EVENTS - len(n_events_by_user)
    assert n_returning > 0.7 * data.N_SAMPLE_EVENTS


def test_licence_and_attribution_travel_with_the_sample() -> None:
    text = data.SAMPLE_LICENSE.read_text(encoding="utf-8")
    assert "MIT License" in text
    assert "Simon Dooms" in text


def test_documented_example_runs() -> None:
    outcome = doctest.testmod(data)
    assert outcome.attempted > 0
    assert outcome.failed == 0
