"""``bench engine`` measures what it says: the steps add up, peers rank the whole catalogue."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from stream_rec.bench.peers.brute_force import LIST_LENGTH, BruteForce
from stream_rec.cli.main import cli

SMALL = ("--events=200", "--items=50", "--users=20", "--peer-seconds=0.1")


@pytest.mark.timeout(600)  # it may have to compile the kernels
def test_steps_add_up_and_every_figure_is_there() -> None:
    result = CliRunner().invoke(cli, ["bench", "engine", *SMALL, "--json", "-"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    steps = [figures[f"{step}_us"] for step in ("decode", "fold", "rank", "encode")]
    assert sum(steps) == pytest.approx(figures["us_per_event"], abs=0.05)
    assert figures["items"] == 50
    assert figures["ratio_river"] == pytest.approx(
        figures["river_us"] / figures["us_per_event"], rel=0.05, abs=0.06
    )
    assert min(figures["brute_force_us"], figures["bandwidth_bound_us"]) > 0


def test_brute_force_gives_the_best_items_of_all() -> None:
    ranking = BruteForce(n_items=200, n_factors=4, n_half_lives=2, n_links=1, n_history=1)
    ranking._links[:] = 0  # then the score is what follows
    scores = ranking._popularity.sum(axis=0) + ranking._factors @ ranking._user
    assert ranking.rank().tolist() == np.argsort(-scores)[:LIST_LENGTH].tolist()
