"""What all users' model learns from one event: ranker, drift, implicit factors, ratings.

The fold says in which order. Everything is learned by the view, and by the partition's own sums
where these are others (`separate`), unless they held the event when they were recovered.
"""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.adaptive_window import add_value, mean_of
from stream_rec.kernels.features import history_bucket
from stream_rec.kernels.item_rows import touch
from stream_rec.kernels.jit import inner_kernel, widen
from stream_rec.kernels.ranker import compute_gradients
from stream_rec.kernels.ranker_steps import bias_step, forget_sums, step_weights
from stream_rec.model.factors import add_evidence, meet_user, solve_item
from stream_rec.model.learned import Partition
from stream_rec.model.ranking import Model
from stream_rec.model.ratings import rate

LARGE_FALL = 2 / 3
"""Share of the hit rate that is left, at most, where its fall is taken for a change of the log. One
user after the other, of whom each is easier or harder to foresee, leaves more."""
KEPT_SUMS_MIN = 0.25
"""What the ranker keeps at least of its sums of squares: steps get at most twice as long."""


@inner_kernel
def learn_ranking(
    model: Model,
    partition: Partition,
    separate: bool,
    n_candidates: int,
    target: int,
    user: int,
    offset: int,
    seed: np.uint64,
) -> None:
    """Take one step of the ranker towards the item taken, which is candidate `target`."""
    workspace, own, rows = model.workspace, partition.rows, model.items.rows
    bucket = history_bucket(model.profiles.n_distinct[user])
    ranker, rate = model.learned.ranker, model.recipe.learning_rate
    compute_gradients(ranker, workspace, n_candidates, target, seed)
    if partition.learned_durable[0] < offset:
        step_weights(ranker, partition.learned.ranker, workspace, bucket, rate, separate)
    for x in range(workspace.n_stepped[0]):
        item = workspace.stepped[x]
        if own.durable[item] >= offset:
            continue
        gradient = workspace.step[x]
        rows.bias_squares[item] += gradient * gradient
        step = bias_step(rows.bias[item], rows.bias_squares[item], gradient, rate)
        rows.bias[item] += step
        if separate:
            own.bias_squares[item] += gradient * gradient
            own.bias[item] += step
        touch(own, widen(item), offset)


@inner_kernel
def notice_hit(model: Model, partition: Partition, separate: bool, rank: int, offset: int) -> None:
    """Note whether the item taken was in the list; where hits became much fewer, learn faster.

    Of its sums the ranker then keeps the share that is left of the hit rate.
    """
    if partition.learned_durable[0] >= offset:
        return
    is_hit = 0 <= rank < model.recipe.list_length
    hits = partition.learned.hits
    change = add_value(hits, is_hit)
    now = mean_of(hits) if change < 0.0 else 0.0
    if change < 0.0 and now < LARGE_FALL * (now - change):
        kept = max(now / (now - change), KEPT_SUMS_MIN)
        forget_sums(model.learned.ranker, partition.learned.ranker, kept, separate)


@inner_kernel
def learn_factors(
    model: Model,
    partition: Partition,
    separate: bool,
    item: int,
    weight: int,
    offset: int,
) -> None:
    """Let the item's implicit factor learn from the user factor, solved before the event."""
    view, crowd, workspace = model.items, model.learned.crowd, model.workspace
    if partition.learned_durable[0] < offset:
        meet_user(crowd, partition.learned.crowd, separate, workspace.user_factor)
    if partition.rows.durable[item] < offset:
        add_evidence(partition.rows.evidence[item], workspace.user_factor, weight)
        if separate:
            add_evidence(view.rows.evidence[item], workspace.user_factor, weight)
        solve_item(view, crowd, item, model.item_hash[item], workspace)


@inner_kernel
def learn_rating(
    model: Model,
    partition: Partition,
    separate: bool,
    user: int,
    item: int,
    value: float,
    offset: int,
) -> float:
    """Let biases and factors of user and item learn a rating; return what was expected."""
    return rate(
        model.learned.ratings_seen,
        partition.learned.ratings_seen,
        partition.learned_durable[0] < offset,
        model.profiles.rating[user],
        model.items.rows.rating[item],
        partition.rows.rating[item],
        partition.rows.durable[item] < offset,
        model.user_hash[user],
        model.item_hash[item],
        value,
        separate,
    )
