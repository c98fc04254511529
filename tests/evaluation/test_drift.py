"""Laws of what is told of a course: drifts where the rate changes, calibration, moving means."""

from __future__ import annotations

import numpy as np
import pytest

from stream_rec.evaluation.calibration import calibration_classes, calibration_error
from stream_rec.evaluation.curves import N_POINTS, moving_curve, running_curve
from stream_rec.evaluation.drift import find_drifts

RANDOM = np.random.default_rng(2)


def hits(*rates: float) -> np.ndarray:
    random = np.random.default_rng(1)
    return np.concatenate([(random.random(3000) < rate).astype(float) for rate in rates])


def test_change_is_found_soon_after_it_happened_and_has_a_direction() -> None:
    up, down = find_drifts(hits(0.1, 0.4)), find_drifts(hits(0.4, 0.1))
    assert 3000 < up[0].event < 3400
    assert up[0].after > up[0].before
    assert down[0].after < down[0].before


def test_steady_rate_has_no_drift() -> None:
    assert find_drifts(hits(0.2, 0.2, 0.2)) == []
    assert find_drifts(np.zeros(0)) == []


def test_chances_that_come_true_are_calibrated_and_doubled_ones_are_not() -> None:
    chance = RANDOM.uniform(0.0, 0.5, 20_000)
    taken = RANDOM.random(20_000) < chance
    right, wrong = (calibration_classes(x, taken) for x in (chance, 2 * chance))
    assert sum(each.n for each in right) == 20_000
    assert calibration_error(right) < 0.01
    assert calibration_error(wrong) == pytest.approx(0.25, abs=0.02)
    assert calibration_classes(chance[:5], taken[:5]) == []


def test_curves_end_in_the_mean_and_have_few_points() -> None:
    gains = RANDOM.random(5000)
    running, moving = running_curve(gains), moving_curve(gains, 100)
    assert running.value[-1] == pytest.approx(gains.mean())
    assert moving.value[-1] == pytest.approx(gains[-100:].mean())
    assert len(running.event) <= N_POINTS
    assert running.event[-1] == 5000
