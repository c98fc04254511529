"""Laws of the options that every command takes."""

import json
from pathlib import Path

import pytest

from stream_rec.cli.options import CommonOptions


def value_of(result, key):
    return json.loads(result.output)[key]["value"]


def test_options_count_before_and_after_the_command(stream_rec):
    result = stream_rec("--set", "app_id=a", "config", "show", "--json", "--set", "model.seed=7")
    assert value_of(result, "app_id") == "a"
    assert value_of(result, "model.seed") == 7


def test_later_override_wins(stream_rec):
    result = stream_rec("--set", "app_id=a", "config", "show", "--json", "--set", "app_id=b")
    assert value_of(result, "app_id") == "b"


def test_config_file_may_come_from_the_environment(stream_rec, tmp_path, monkeypatch):
    (tmp_path / "my.toml").write_text("app_id = 'films'\n")
    monkeypatch.setenv("STREAM_REC_CONFIG", str(tmp_path / "my.toml"))
    result = stream_rec("config", "show", "--json")
    assert json.loads(result.output)["app_id"] == {
        "value": "films",
        "origin": str(tmp_path / "my.toml"),
    }


@pytest.mark.parametrize("debug", [True, False])
def test_arguments_give_another_process_the_same_options(stream_rec, debug):
    options = CommonOptions(Path("config/docker.toml"), {"app_id": "a=b", "model.seed": "3"}, debug)
    arguments = ["--config", "config/docker.toml", "--set", "app_id=a=b", "--set", "model.seed=3"]
    assert options.as_arguments() == arguments + (["--debug"] if debug else [])


def test_more_overrides_leave_the_options_as_they_were():
    options = CommonOptions(overrides={"model.seed": "3"})
    assert options.with_overrides({"app_id": "x"}).load_settings().app_id == "x"
    assert options.overrides == {"model.seed": "3"}
