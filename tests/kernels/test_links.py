"""Link rows against dictionaries of counts, and what holds above their capacity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.links import (
    COUNT_MAX,
    FIRST_BLOCK,
    LinkRows,
    add_link,
    block_places,
    empty_link_rows,
    find_link,
    load_links,
    places_of,
    release,
    reserve,
)
from tests.kernels.link_oracle import check_pool, free_blocks, links_of
from tests.kernels.strategies import long_lists

N_ITEMS = 4
N_NEIGHBOURS = 40
limits = st.sampled_from([1, 3, 8, 9, 16, 20, 32])
weights = st.integers(0, 50)
additions = long_lists(
    st.tuples(
        st.integers(0, N_ITEMS - 1), st.integers(0, N_NEIGHBOURS - 1), weights, weights, weights
    ),
    200,
)
Addition = tuple[int, int, int, int, int]


def filled(added: list[Addition], limit: int) -> LinkRows:
    rows = empty_link_rows(N_ITEMS, 4 * N_ITEMS * block_places(limit), limit)
    for seed, (item, neighbour, near, wide, after) in enumerate(added):
        add_link(rows, item, neighbour, near, wide, after, limit, seed)
    return rows


def counted(added: list[Addition]) -> list[dict[int, tuple[int, int, int]]]:
    counts: list[dict[int, tuple[int, int, int]]] = [{} for _ in range(N_ITEMS)]
    for item, neighbour, *more in added:
        present = counts[item].get(neighbour, (0, 0, 0))
        counts[item][neighbour] = tuple(a + b for a, b in zip(present, more, strict=True))
    return counts


@given(additions)
def test_counts_are_exact_below_capacity(added: list[Addition]) -> None:
    rows = filled(added, N_NEIGHBOURS)
    assert [links_of(rows, item) for item in range(N_ITEMS)] == counted(added)
    check_pool(rows, N_NEIGHBOURS)


@given(additions, limits)
def test_rows_keep_their_bound_and_share_no_place(added: list[Addition], limit: int) -> None:
    rows = filled(added, limit)
    check_pool(rows, limit)
    for item, exact in enumerate(counted(added)):
        assert rows.length[item] == min(limit, len(exact))
        for neighbour, kept in links_of(rows, item).items():
            assert all(a <= b for a, b in zip(kept, exact[neighbour], strict=True))


@given(additions, limits)
def test_last_link_added_is_always_there(added: list[Addition], limit: int) -> None:
    if added:
        item, neighbour = added[-1][:2]
        rows = filled(added, limit)
        place = find_link(rows, item, neighbour)
        assert rows.neighbour[place] == neighbour
        assert rows.start[item] <= place < rows.start[item] + rows.length[item]


@given(additions)
def test_absent_link_is_not_found_even_where_its_block_was_used_before(
    added: list[Addition],
) -> None:
    rows = filled(added, 8)
    for item in range(N_ITEMS):
        for neighbour in set(range(N_NEIGHBOURS)) - set(links_of(rows, item)):
            assert find_link(rows, item, neighbour) == -1


@pytest.mark.parametrize("limit", [8, 20, 64])
def test_strong_links_are_kept_exactly_above_capacity(limit: int) -> None:
    """A quarter of a row is links that keep coming back, while many weak ones pass through."""
    random = np.random.default_rng(limit)
    strong = range(1000, 1000 + limit // 4)
    rows = empty_link_rows(1, 4 * block_places(limit), limit)
    for neighbour in strong:
        for seed in range(20):
            add_link(rows, 0, neighbour, 0, 16, 0, limit, seed)
    for seed in range(40 * limit):
        add_link(rows, 0, int(random.integers(10 * limit)), 0, 16, 0, limit, seed)
        if seed % 10 == 0:
            add_link(rows, 0, strong[seed // 10 % len(strong)], 0, 16, 0, limit, seed)
    assert {links_of(rows, 0)[neighbour][1] for neighbour in strong} == {20 * 16 + 16 * 16}


def test_evicted_link_is_a_weak_one_of_the_weaker_half() -> None:
    """With six probes into 16 places the weakest third goes nearly always, the front half never."""
    n_evictions, evicted = 200, []
    for seed in range(n_evictions):
        rows = empty_link_rows(1, 64, 32)
        for neighbour in range(32):
            add_link(rows, 0, neighbour, 0, 32 - neighbour, 0, 32, 0)
        add_link(rows, 0, 99, 0, 1, 0, 32, seed)
        evicted += set(range(32)) - set(links_of(rows, 0))
    assert len(evicted) == n_evictions
    assert min(evicted) >= 16
    assert np.mean(np.array(evicted) >= 27) > 0.8


def test_links_that_grow_move_to_the_front() -> None:
    """The strongest of a long row are where a scan of a part of it finds them."""
    random = np.random.default_rng(0)
    rows = empty_link_rows(1, 1024, 256)
    for seed in range(20_000):
        neighbour = int(min(random.geometric(0.02), 256)) - 1
        add_link(rows, 0, neighbour, 1, 1, 1, 256, seed)
    wide = rows.wide[rows.start[0] : rows.start[0] + rows.length[0]]
    assert wide[:64].sum() > 0.9 * np.sort(wide)[::-1][:64].sum()


@given(additions, limits)
def test_same_seeds_give_the_same_rows(added: list[Addition], limit: int) -> None:
    one, other = filled(added, limit), filled(added, limit)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_evictions_depend_on_the_seed_not_on_slots() -> None:
    kept = []
    for item in range(2):
        rows = empty_link_rows(2, 64, 8)
        for x in range(50):
            add_link(rows, item, x, 1, 1, 1, 8, x)
        kept.append(links_of(rows, item))
    assert kept[0] == kept[1]


def test_freed_blocks_are_used_again() -> None:
    rows = empty_link_rows(3, 256, 32)
    reserve(rows, 0, 32)
    first = rows.start[0]
    release(rows, 0)
    assert free_blocks(rows) == [(first, 32)]
    reserve(rows, 1, 20)
    assert (rows.start[1], rows.capacity[1], free_blocks(rows)) == (first, 32, [])
    for x in range(9):
        add_link(rows, 2, x, 1, 1, 1, 32, 0)
    assert free_blocks(rows) == [(32, FIRST_BLOCK)]
    check_pool(rows, 32)


def test_counts_stop_at_their_maximum() -> None:
    rows = empty_link_rows(1, 8, 8)
    for _ in range(3):
        add_link(rows, 0, 0, COUNT_MAX - 1, COUNT_MAX - 1, COUNT_MAX - 1, 8, 0)
    assert links_of(rows, 0) == {0: (COUNT_MAX,) * 3}


@given(additions, limits, limits)
def test_loaded_rows_are_the_saved_ones_cut_to_their_head(
    added: list[Addition], limit: int, limit_now: int
) -> None:
    saved = filled(added, limit)
    items = np.arange(N_ITEMS)
    places = places_of(saved, items)
    columns = [column[places] for column in (saved.neighbour, saved.near, saved.wide, saved.after)]
    loaded = empty_link_rows(N_ITEMS, 4 * N_ITEMS * block_places(limit_now), limit_now)
    slots = np.array([2, 0, 3, 1], np.int32)
    load_links(loaded, slots, saved.length.astype(np.int64), *columns, limit_now)
    check_pool(loaded, limit_now)
    for item, slot in zip(items, slots, strict=True):
        head = list(links_of(saved, item).items())[:limit_now]
        assert list(links_of(loaded, slot).items()) == head
