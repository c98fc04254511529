"""Plain popularity against counting from scratch."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream_rec.cli.demo.popularity import Popularity

ITEMS = st.text("abcdef", min_size=1, max_size=1)


@given(st.lists(ITEMS), st.sets(ITEMS), st.integers(0, 6))
def test_top_has_the_highest_counts_of_what_is_not_excluded(events, without, n):
    popularity = Popularity()
    for item in events:
        popularity.add(item)
    counts = Counter(item for item in events if item not in without)
    top = popularity.top(n, without)
    assert len(set(top)) == len(top) == min(n, len(counts))
    assert [counts[item] for item in top] == sorted(counts.values(), reverse=True)[:n]
    assert popularity.n_items == len(set(events))
