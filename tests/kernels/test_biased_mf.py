"""Biased matrix factorisation against river's `BiasedMF`: same ratings, order and settings."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from river import optim, reco

from stream_rec.kernels.biased_mf import learn_rating, predict_rating

DATA = Path(
    os.environ.get("STREAM_REC_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
INITIAL_SEED = 71
INITIAL_DEVIATION = 0.1


class Settings(NamedTuple):
    learning_rate_bias: float
    learning_rate_factors: float
    reg_bias: float
    reg_factors: float
    gradient_max: float


SETTINGS = {
    "plain": Settings(0.025, 0.025, 0.0, 0.0, 1e12),
    "regularised": Settings(0.01, 0.02, 0.05, 0.1, 1e12),
    "clipped": Settings(0.025, 0.025, 0.01, 0.01, 0.5),
}

Rating = tuple[str, str, float]


def synthetic_ratings(n_ratings: int) -> list[Rating]:
    rng = np.random.default_rng(11)
    taste, appeal = rng.normal(0, 1, (30, 2)), rng.normal(0, 1, (50, 2))
    pairs = rng.integers(0, [30, 50], (n_ratings, 2))
    return [
        (f"u{user}", f"i{item}", float(np.clip(round(3 + taste[user] @ appeal[item]), 1, 5)))
        for user, item in pairs
    ]


def recorded_ratings() -> list[Rating]:
    path = DATA / "ml100k" / "events.csv.gz"
    if not path.is_file():
        pytest.skip(f"needs the recorded log {path} (set STREAM_REC_DATA to the folder of logs)")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [(row["user"], row["item"], float(row["value"])) for row in csv.DictReader(lines)]


def river_model(settings: Settings, n_factors: int) -> reco.BiasedMF:
    return reco.BiasedMF(
        n_factors=n_factors,
        bias_optimizer=optim.SGD(settings.learning_rate_bias),
        latent_optimizer=optim.SGD(settings.learning_rate_factors),
        l2_bias=settings.reg_bias,
        l2_latent=settings.reg_factors,
        clip_gradient=settings.gradient_max,
        latent_initializer=optim.initializers.Normal(0.0, INITIAL_DEVIATION, INITIAL_SEED),
    )


class KernelModel:
    """Rows by id; new ids draw their factors from river's initialiser, the user before the item."""

    def __init__(self, settings: Settings, n_factors: int, dtype: type = np.float64) -> None:
        self.settings = settings
        self.n_factors = n_factors
        self.dtype = dtype
        self.draw = optim.initializers.Normal(0.0, INITIAL_DEVIATION, INITIAL_SEED)
        self.ratings_seen = np.zeros(2)
        self.users: dict[str, np.ndarray] = {}
        self.items: dict[str, np.ndarray] = {}

    def rows(self, user: str, item: str) -> tuple[np.ndarray, np.ndarray]:
        for table, key in ((self.users, user), (self.items, item)):
            if key not in table:
                table[key] = np.zeros(self.n_factors + 1, self.dtype)
                table[key][1:] = self.draw(shape=self.n_factors)
        return self.users[user], self.items[item]

    def predict_one(self, user: str, item: str) -> float:
        return predict_rating(self.ratings_seen, *self.rows(user, item))

    def learn_one(self, user: str, item: str, rating: float) -> None:
        learn_rating(self.ratings_seen, *self.rows(user, item), rating, *self.settings)


def assert_equals_river(ratings: list[Rating], settings: Settings, n_factors: int) -> None:
    river, kernel = river_model(settings, n_factors), KernelModel(settings, n_factors)
    predictions = np.empty((len(ratings), 2))
    for index, (user, item, rating) in enumerate(ratings):
        predictions[index] = river.predict_one(user, item), kernel.predict_one(user, item)
        river.learn_one(user, item, rating)
        kernel.learn_one(user, item, rating)

    np.testing.assert_allclose(predictions[:, 1], predictions[:, 0], rtol=0, atol=1e-6)
    for table, biases, latents in (
        (kernel.users, river.u_biases, river.u_latents),
        (kernel.items, river.i_biases, river.i_latents),
    ):
        assert table.keys() == latents.keys()
        for key, row in table.items():
            np.testing.assert_allclose(row, [biases[key], *latents[key]], rtol=0, atol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_equals_river_on_synthetic_ratings(settings: Settings) -> None:
    assert_equals_river(synthetic_ratings(3000), settings, n_factors=5)


def test_equals_river_on_movielens() -> None:
    assert_equals_river(recorded_ratings(), SETTINGS["regularised"], n_factors=10)


def test_clipping_bounds_the_step() -> None:
    user_row, item_row = np.zeros(3), np.zeros(3)
    user_row[1:], item_row[1:] = 0.1, 0.2
    learn_rating(np.array([1.0, 0.0]), user_row, item_row, 1000.0, 0.1, 0.1, 0.0, 0.0, 2.0)
    np.testing.assert_allclose(user_row, [0.2, 0.1 + 0.1 * 2 * 0.2, 0.1 + 0.1 * 2 * 0.2])
    np.testing.assert_allclose(item_row, [0.2, 0.2 + 0.1 * 2 * 0.1, 0.2 + 0.1 * 2 * 0.1])


def test_learned_rating_error_falls_below_that_of_the_mean() -> None:
    ratings = synthetic_ratings(6000)
    model = KernelModel(SETTINGS["plain"], n_factors=5)
    errors = []
    for user, item, rating in ratings:
        errors.append(model.predict_one(user, item) - rating)
        model.learn_one(user, item, rating)
    deviation = np.std([rating for _, _, rating in ratings])
    assert np.sqrt(np.mean(np.square(errors[-2000:]))) < 0.7 * deviation
