"""``bench engine`` measures what it says: the steps add up, peers rank the whole catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from stream_rec.bench.peers.brute_force import LIST_LENGTH, BruteForce
from stream_rec.cli.bench.recorded import recorded_traffic
from stream_rec.cli.main import cli
from stream_rec.config import EventSettings
from stream_rec.errors import InputError

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


def test_events_of_a_log_come_in_the_order_of_time(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    end_s = 4_000_000_000  # in 2096: nothing there is refused as from the future
    lines = [
        f"u{x % 7},i{x % 30},{'click' if x % 3 else 'made_up'},{end_s - x}" for x in range(300)
    ]
    lines[1] = "u1,i1,click,"  # without a time: that of the line before, the latest
    log.write_text("user,item,type,ts\n" + "\n".join(lines))
    traffic = recorded_traffic(str(log), EventSettings(), n_events_max=1_000)
    decoded = [json.loads(event.value) for event in traffic.events]
    assert len(decoded) == 200  # a worker refuses every third, whose type is unheard of
    times = [event["ts"] for event in decoded]
    assert times == sorted(times)
    assert (decoded[-1]["item"], times[-1]) == ("i1", traffic.at_ms)
    assert traffic.n_items == len({event["item"] for event in decoded}) == 20
    items: dict[int, str] = {}
    for (_, item), event in zip(traffic.pairs, decoded, strict=True):
        assert items.setdefault(item, event["item"]) == event["item"]


@pytest.mark.timeout(600)
def test_log_is_timed_where_one_is_given(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    lines = [f"u{x % 7},i{x % 20},click,{x}" for x in range(200)]
    log.write_text("user,item,type,ts\n" + "\n".join(lines))
    arguments = ["bench", "engine", "--log", str(log), "--peer-seconds=0.1", "--json", "-"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["items"] == 20
    assert "100 events after as many to warm up" in result.stderr
    result = CliRunner().invoke(cli, [*arguments, "--items=5"])
    assert result.exit_code == 2
    assert "expected --items and --users without --log, came both" in result.stderr


@pytest.mark.parametrize(
    ("line", "because"),
    [("u1,i1,made_up,5", "made_up"), (",i1,click,5", "got nothing")],
    ids=["refused by a worker", "unreadable"],
)
def test_log_with_too_few_events_says_what_is_wrong(
    tmp_path: Path, line: str, because: str
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["user,item,type,ts", "u1,i1,click,5", *[line] * 200]))
    with pytest.raises(InputError, match=rf"100 events or more in .*, came 1; .*{because}"):
        recorded_traffic(str(log), EventSettings(), n_events_max=1_000)


def test_brute_force_gives_the_best_items_of_all() -> None:
    ranking = BruteForce(n_items=200, n_factors=4, n_half_lives=2, n_links=1, n_history=1)
    ranking._links[:] = 0  # then the score is what follows
    scores = ranking._popularity.sum(axis=0) + ranking._factors @ ranking._user
    assert ranking.rank().tolist() == np.argsort(-scores)[:LIST_LENGTH].tolist()
