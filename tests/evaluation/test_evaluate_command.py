"""Laws of ``stream-rec evaluate``: what it reads, shows, writes and refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.evaluation.logs import made_up_rows


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    lines = [f"{row.user},{row.item},{row.type},{row.ts_ms}" for row in made_up_rows(300)]
    path.write_text("\n".join(["user,item,type,ts", *lines, "", "u1,,click,5", "u1,i1,purr,5"]))
    return path


def test_json_has_exactly_the_documented_keys(run_evaluate, log: Path) -> None:
    result = run_evaluate(str(log), "--json", "-")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert list(figures) == [
        "log",
        "protocol",
        "k",
        "events",
        "scored",
        "metrics",
        "us_per_event",
        "baselines",
        "best_baseline",
        "ratio",
    ]
    assert set(figures["metrics"]) == {"hr", "ndcg", "mrr", "coverage"}
    assert (figures["log"], figures["protocol"], figures["k"]) == (str(log), "prequential", 10)
    assert figures["events"] == 300
    assert 0 < figures["scored"] < 300
    assert 0 < figures["metrics"]["mrr"] < figures["metrics"]["hr"] < 1
    assert figures["us_per_event"] > 0
    assert (figures["best_baseline"], figures["ratio"]) == (None, None)


def test_rated_log_gives_rating_errors_of_what_predicts_ratings(
    run_evaluate, tmp_path: Path
) -> None:
    log = tmp_path / "rated.csv"
    lines = [
        f"{row.user},{row.item},{1 + x % 5},{row.ts_ms}" for x, row in enumerate(made_up_rows(200))
    ]
    log.write_text("\n".join(["user,item,rating,timestamp", *lines]))
    arguments = str(log), "--baselines", "biased_mf,transitions"
    figures = json.loads(run_evaluate(*arguments, "--json", "-").stdout)
    models = figures["metrics"], figures["baselines"]["biased_mf"]
    assert all(1 < model["mae"] < model["rmse"] < 3 for model in models)
    assert "rmse" not in figures["baselines"]["transitions"]
    assert run_evaluate(*arguments).stdout.count("RMSE") == 2
    for unlike in (["--delay", "60"], ["--protocol", "split"]):
        figures = json.loads(run_evaluate(*arguments, *unlike, "--json", "-").stdout)
        assert "rmse" not in figures["metrics"] | figures["baselines"]["biased_mf"]


def test_table_shows_every_k_and_what_was_cleaned(run_evaluate, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    result = run_evaluate(str(log), "--k", "5,1", "--json", str(path), "--all-lists")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "HR@5 NDCG@5 MRR@5" in words.replace("┃ ", "")
    assert "stream_rec by k" in words
    assert "of 300 lists" in words
    assert "1 rows that cannot be read, left out" in words
    assert "1 events refused (unknown_type), left out" in words
    assert json.loads(path.read_text())["k"] == 5


def test_what_was_made_of_values_is_told(run_evaluate, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for header, value, words in (
        ("quantity", "20", "every event is taken as a purchase"),
        ("rating", "", "40 events without a rating, taken as views"),
    ):
        lines = [f"{row.user},{row.item},{value},{row.ts_ms}" for row in made_up_rows(40)]
        path.write_text("\n".join([f"user,item,{header},ts", *lines]))
        result = run_evaluate(str(path))
        assert result.exit_code == 0, result.output
        told = " ".join(result.stdout.split())
        assert "40 events" in told
        assert words in told
        assert "refused" not in told


def test_names_that_are_not_utf8_are_written_readably(run_evaluate, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"l\xf6g.csv")
    lines = [f"{row.user},{row.item},x" for row in made_up_rows(40)]
    path.write_bytes(b"user,item,gr\xfcn\n" + "\n".join(lines).encode())
    result = run_evaluate(str(path), "--report", str(tmp_path / "r.html"))
    assert result.exit_code == 0, result.output
    assert "gr\N{REPLACEMENT CHARACTER}n" in (tmp_path / "r.html").read_text()
    figures = json.loads(run_evaluate(str(path), "--json", "-").stdout)
    assert figures["log"].endswith("l\N{REPLACEMENT CHARACTER}g.csv")
    assert "such" in run_evaluate(f"{path}x").stderr


def test_session_protocol_scores_engine_and_baselines_alike(run_evaluate, log: Path) -> None:
    result = run_evaluate(
        str(log), "--protocol", "session", "--k", "20", "--baselines", "stan", "--json", "-"
    )
    figures = json.loads(result.stdout)
    assert (figures["protocol"], figures["k"]) == ("session", 20)
    assert 0 < figures["scored"] < 300
    assert figures["baselines"]["stan"]["hr"] > 0
    late = run_evaluate(str(log), "--protocol", "session", "--delay", "5")
    assert late.exit_code == 2
    assert "--delay with the prequential protocol only" in late.stderr


def test_limit_takes_the_first_events(run_evaluate, log: Path) -> None:
    result = run_evaluate(str(log), "--limit", "120", "--json", "-")
    assert json.loads(result.stdout)["events"] == 120


def test_settings_reach_the_engine(run_evaluate, log: Path) -> None:
    figures = [
        json.loads(run_evaluate(str(log), "--json", "-", *extra).stdout)["metrics"]
        for extra in ([], ["--set", "model.candidates_max=40", "--set", "model.seed=5"])
    ]
    assert figures[0] != figures[1]


def test_baselines_are_scored_on_the_same_events(run_evaluate, log: Path) -> None:
    result = run_evaluate(str(log), "--json", "-", "--baselines", "popularity, item_knn")
    figures = json.loads(result.stdout)
    baselines = figures["baselines"]
    assert {"item_knn", "popularity_15min", "popularity_ever", "popularity_best"} < set(baselines)
    best = max(baselines.values(), key=lambda baseline: baseline["hr"])
    assert figures["best_baseline"]["hr"] == best["hr"]
    assert baselines[figures["best_baseline"]["name"]]["hr"] == best["hr"]
    assert figures["ratio"] == pytest.approx(figures["metrics"]["hr"] / best["hr"])
    assert baselines["popularity_best"]["tuned"]
    assert not baselines["item_knn"]["tuned"]
    assert baselines["popularity_ever"]["parameters"] == {"half_life_s": None}
    low, high = baselines["item_knn"]["hr_interval"]
    assert low < baselines["item_knn"]["hr"] < high
    shown = run_evaluate(str(log), "--baselines", "all")
    assert "◀ best" in shown.stdout
    assert "× the best baseline" in shown.stdout


def test_unknown_baseline_is_refused_with_the_known_ones(run_evaluate, log: Path) -> None:
    result = run_evaluate(str(log), "--baselines", "item_knn,magic")
    assert result.exit_code == 2
    assert "came 'magic'" in result.stderr
    assert "vmis_knn" in result.stderr


def test_baseline_that_cannot_run_is_told_with_the_reason(
    run_evaluate, log: Path, tmp_path: Path
) -> None:
    figures, report = tmp_path / "figures.json", tmp_path / "report.html"
    result = run_evaluate(
        *(str(log), "--baselines", "biased_mf", "--details"),
        *("--json", str(figures), "--report", str(report)),
    )
    told = "Left out: biased_mf (the log has no ratings)."
    assert told in result.stdout
    assert told in report.read_text()
    left_out = json.loads(figures.read_text())["details"]["left_out"]
    assert left_out == {"biased_mf": "the log has no ratings"}


def test_details_are_one_more_key(run_evaluate, log: Path) -> None:
    arguments = [str(log), "--json", "-", "--baselines", "transitions", "--details"]
    details = json.loads(run_evaluate(*arguments).stdout)["details"]
    assert set(details["by_k"]) == set(details["hr_intervals"]) == {"stream_rec", "transitions"}
    assert set(details["by_k"]["stream_rec"]) == {"1", "10", "20"}
    low, high = details["ratio_interval"]
    assert low < high
    assert details["lists"]["n_lists"] > 0
    assert {group["kind"] for group in details["groups"]} == {"user history", "item age", "time"}


def test_one_user_has_figures_and_no_intervals(run_evaluate, tmp_path: Path) -> None:
    path, report = tmp_path / "log.csv", tmp_path / "report.html"
    path.write_text("user,item,ts\n" + "".join(f"u,i{x},{60 * x}\n" for x in range(60)))
    arguments = [str(path), "--baselines", "popularity"]
    figures = json.loads(run_evaluate(*arguments, "--json", "-", "--details").stdout)
    assert {each["hr_interval"] for each in figures["baselines"].values()} == {None}
    assert set(figures["details"]["hr_intervals"]["stream_rec"].values()) == {None}
    assert figures["details"]["ratio_interval"] is None
    shown = run_evaluate(*arguments, "--report", str(report))
    assert shown.exit_code == 0, shown.output
    assert "nan" not in shown.stdout + report.read_text()


@pytest.mark.parametrize("ks", ["0", "1,101", "ten", ""])
def test_lengths_out_of_range_are_refused(run_evaluate, log: Path, ks: str) -> None:
    result = run_evaluate(str(log), "--k", ks)
    assert result.exit_code == 2
    assert "expected numbers from 1 to 100" in result.stderr


def test_output_folder_must_exist_before_the_run(run_evaluate, log: Path, tmp_path: Path) -> None:
    result = run_evaluate(str(log), "--json", str(tmp_path / "nowhere" / "figures.json"))
    assert result.exit_code == 2
    assert "expected an existing folder" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--report", "-", "expected the name of a file, came '-'"),
        ("--delay", "nan", "expected a finite number, came nan"),
        ("--delay", "inf", "expected a finite number, came inf"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(
    run_evaluate, log: Path, option: str, value: str, complaint: str
) -> None:
    result = run_evaluate(str(log), option, value)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_log_without_a_usable_event_is_one_clear_error(run_evaluate, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,type,ts\na,x,purr,1\n")
    result = run_evaluate(str(path))
    assert result.exit_code == 1
    assert "came none that can be used" in result.stderr
    assert "'purr'" in result.stderr


def test_log_without_times_says_so_and_how_to_name_them(run_evaluate, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f"{row.user},{row.item},{row.ts_ms}" for row in made_up_rows(40)]
    path.write_text("\n".join(["user,item,when", *lines]))
    told = " ".join(run_evaluate(str(path)).stdout.split())
    assert "no time was found" in told
    assert "without times, read as csv with columns user, item, when" in told
    assert "1970" not in told.split("HR@10")[0]
    told = run_evaluate(str(path), "--ts-column", "when").stdout
    assert "2023-11-14" in told
    assert "no time" not in told


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        ("u,i,VIEW,,5", ["--map-type", "VIEW=view"]),
        ("u,i,rating,60,5", ["--set", "events.types.rating.scale=[0, 100]"]),
    ],
)
def test_refused_events_come_with_options_that_help(
    run_evaluate, tmp_path: Path, row: str, advice: list[str]
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"user,item,type,value,ts\n{row}\n")
    refused = run_evaluate(str(path))
    assert refused.exit_code == 1
    shown = " ".join(advice).replace("[0, 100]", "[LOWEST, HIGHEST]")
    assert shown in refused.stderr.replace("'events", "events")
    assert run_evaluate(str(path), *advice).exit_code == 0


def test_help_names_the_command_and_has_examples(run_evaluate) -> None:
    result = run_evaluate("--help")
    assert result.exit_code == 0
    assert "Usage: stream-rec evaluate " in result.stdout
    assert "Examples" in result.stdout


def test_without_ranks_without_a_feature_and_refuses_what_is_none(run_evaluate, log: Path) -> None:
    result = run_evaluate(str(log), "--without", "near_root, age", "--json", "-")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["protocol"] == "prequential, without near_root, age"
    refused = run_evaluate(str(log), "--without", "charm")
    assert refused.exit_code == 2
    assert "came 'charm'" in " ".join(refused.output.replace("│", " ").split())
