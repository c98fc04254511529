"""The world's tastes are known, skewed as asked for, and change at the rate asked for."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from producers.actions import ACTIONS, OTHER_RATINGS, PREFERRED_RATINGS, draw_actions
from producers.world import World, WorldSettings
from stream_rec.errors import ConfigError

N_EVENTS = 20_000
STILL = {"drift_rate": 0.0, "turnover_rate": 0.0, "burst_rate": 0.0}


def make_world(**settings: float) -> World:
    return World(WorldSettings(**settings), np.random.default_rng(5))  # type: ignore[arg-type]


def test_users_prefer_their_cluster_by_loyalty() -> None:
    world = make_world(loyalty=0.7, n_clusters=10, **STILL)
    share = world.draw(N_EVENTS).preferred.mean()
    assert share == pytest.approx(0.7 + 0.3 / 10, abs=0.02)


def test_preferred_is_what_the_world_says_users_prefer() -> None:
    world = make_world(**STILL)
    block = world.draw(2000)
    for user, item, preferred in zip(
        block.users.tolist(), block.items.tolist(), block.preferred.tolist(), strict=True
    ):
        assert world.prefers(user, item) == preferred


def test_popularity_follows_zipf_within_a_cluster() -> None:
    world = make_world(n_clusters=1, n_items=100, item_zipf=1.0, **STILL)
    counts = [count for _, count in Counter(world.draw(N_EVENTS).items.tolist()).most_common()]
    assert counts[0] / counts[1] == pytest.approx(2.0, rel=0.1)
    assert counts[0] / counts[9] == pytest.approx(10.0, rel=0.2)


def test_without_drift_nobody_changes() -> None:
    world = make_world(**STILL)
    items = set(world.living_items.tolist())
    before = [world.prefers(user, 0) for user in range(1000)]
    world.draw(N_EVENTS)
    assert [world.prefers(user, 0) for user in range(1000)] == before
    assert set(world.living_items.tolist()) == items


def test_items_die_and_appear_at_the_turnover_rate() -> None:
    world = make_world(n_items=10_000, drift_rate=0.0, turnover_rate=0.05, burst_rate=0.0)
    before = set(world.living_items.tolist())
    world.draw(N_EVENTS)
    after = set(world.living_items.tolist())
    assert len(after) == len(before)
    assert len(after - before) == pytest.approx(0.05 * N_EVENTS, rel=0.15)
    assert min(after - before) > max(before)


def test_users_change_their_cluster_at_the_drift_rate() -> None:
    world = make_world(n_users=100_000, n_clusters=100, drift_rate=0.05, turnover_rate=0.0)
    own_item = [next(i for i in range(500) if world.prefers(user, i)) for user in range(100)]
    world.draw(2_000_000)
    changed = sum(not world.prefers(user, item) for user, item in enumerate(own_item))
    assert changed == pytest.approx(100 * (1 - np.exp(-1)), abs=20)


def test_burst_is_fast_and_about_one_item() -> None:
    calm = make_world(burst_rate=0.0).draw(N_EVENTS)
    burst = make_world(burst_rate=1.0).draw(N_EVENTS)
    assert burst.gaps_s.mean() == pytest.approx(calm.gaps_s.mean() / 10, rel=0.1)
    top_share = Counter(burst.items.tolist()).most_common(1)[0][1] / N_EVENTS
    assert top_share > 0.3
    assert Counter(calm.items.tolist()).most_common(1)[0][1] / N_EVENTS < 0.2


def test_preferred_items_are_rated_better_and_never_skipped() -> None:
    random = np.random.default_rng(1)
    preferred = np.arange(N_EVENTS) % 2 == 0
    actions, ratings = draw_actions(random, preferred)
    names = np.array(ACTIONS)[actions]
    assert set(names[preferred]) == set(ACTIONS) - {"skip"}
    assert set(names[~preferred]) == {"view", "click", "rating", "skip"}
    assert (ratings[preferred].min(), ratings[preferred].max()) == PREFERRED_RATINGS
    assert (ratings[~preferred].min(), ratings[~preferred].max()) == OTHER_RATINGS


@pytest.mark.parametrize(
    "wrong", [{"n_users": 0}, {"n_clusters": 0}, {"n_items": 3}, {"events_per_s": 0.0}]
)
def test_impossible_worlds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        WorldSettings(**wrong)  # type: ignore[arg-type]
