"""Item views with made-up contents, and a workspace that fits them."""

from __future__ import annotations

from functools import cache

import numpy as np

from stream_rec.kernels.candidates import candidate_places
from stream_rec.kernels.features import n_features, n_written
from stream_rec.kernels.item_rows import WEIGHT_UNIT, count_item, empty_item_rows, see_item
from stream_rec.kernels.links import add_link
from stream_rec.kernels.view import ItemView, empty_view, list_new_item, refresh_popularity
from stream_rec.kernels.workspace import Workspace, empty_workspace

N_ITEMS = 30
N_FACTORS = 3
HALF_LIVES_S = np.array([3_600.0, 86_400.0])
LINKS_MAX = 16
START_S = 1.7e9


@cache
def known_view(seed: int) -> ItemView:
    """Return a view to read only, made up once."""
    return made_up_view(seed)


def made_up_view(seed: int, n_events: int = 120, n_links: int = 300) -> ItemView:
    """Return a view after random events and links; the last items are never seen."""
    random = np.random.default_rng(seed)
    rows = empty_item_rows(N_ITEMS, len(HALF_LIVES_S), 0, 4_096, LINKS_MAX)
    view = empty_view(rows, N_FACTORS)
    for time_s in START_S + np.sort(random.uniform(0, 2e5, n_events)):
        item = int(min(random.geometric(0.12), N_ITEMS - 5)) - 1
        weight = int(random.integers(1, 3)) * WEIGHT_UNIT
        is_new = rows.taken[item] == 0
        see_item(rows, item, time_s)
        count_item(rows, item, time_s, weight, HALF_LIVES_S)
        if is_new:
            list_new_item(view, item)
        refresh_popularity(view, item, time_s, weight, HALF_LIVES_S)
    for x in range(n_links):
        item, neighbour = random.integers(0, N_ITEMS, 2)
        near, after = random.integers(0, 40, 2)
        add_link(rows.links, item, neighbour, near, near + 16, after * 4, LINKS_MAX, x)
    view.factor[:] = random.normal(0, 1, view.factor.shape)
    rows.bias[:] = random.normal(0, 1.5, N_ITEMS)
    view.slim.neighbour[:] = random.integers(0, N_ITEMS, view.slim.neighbour.shape)
    view.slim.weight[:] = random.random(view.slim.weight.shape) / 10.0
    order = id_order(seed)
    view.beside[order[1:], 0], view.beside[order[:-1], 1] = order[:-1], order[1:]
    return view


def id_order(seed: int) -> np.ndarray:
    """Return the items of a made-up view in the order that their ids are said to have."""
    return np.random.default_rng([seed, 1]).permutation(N_ITEMS)


def beside_slowly(view: ItemView, seed: int, last: int) -> list[list[int]]:
    """Return the listed items before and behind one in the order of ids, the nearest first."""
    order = id_order(seed)
    place = np.flatnonzero(order == last)[0]
    is_listed = np.isfinite(view.top.keys[:, -1])
    sides = order[:place][::-1], order[place + 1 :]
    return [[item for item in side.tolist() if is_listed[item]] for side in sides]


def workspace_for(
    view: ItemView, n_touched: int = 2_000, n_linked: int = 30, *, exclude_seen: bool = False
) -> Workspace:
    return empty_workspace(
        N_ITEMS,
        n_touched,
        candidate_places(N_ITEMS, 10, 30),
        n_features(len(HALF_LIVES_S)),
        n_written(len(HALF_LIVES_S), exclude_seen=exclude_seen),
        N_FACTORS,
        n_linked,
    )


def history_of(seed: int, n: int) -> np.ndarray:
    """Return distinct item slots as a history, newest first."""
    return np.random.default_rng(seed).permutation(N_ITEMS)[:n].astype(np.int32)
