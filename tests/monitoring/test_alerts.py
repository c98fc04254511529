"""The alerts are valid, fire when they should, fit the settings, and are in the run book."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_rec.config import load_settings
from stream_rec.stream.freshness import TOLERANCE_S
from tests.monitoring.conftest import Promtool
from tests.monitoring.expressions import FOLDER, ROOT, alert_rules
from tests.requirements import do_without

RULES = {rule["alert"]: rule for rule in alert_rules()}
SETTINGS = load_settings(ROOT / "config" / "docker.toml")
RUN_BOOK = (ROOT / "docs" / "operations.md").read_text().partition("\n## Run book\n")[2]


def limit(alert: str) -> float:
    """Return the number that an alert's expression is compared with first."""
    found = re.search(r"> ([\d.]+)(?=$| and)", RULES[alert]["expr"])
    assert found, RULES[alert]["expr"]
    return float(found[1])


def unit_tests() -> list[dict[str, Any]]:
    tests = yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]
    return [each for test in tests for each in test["alert_rule_test"]]


def test_prometheus_accepts_the_configuration(promtool: Promtool, tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "monitoring")
    (folder / "metrics-key").write_text("key")  # docker-compose.yml puts it there
    said = promtool("check", "config", folder / "prometheus.yml")
    assert f"{len(RULES)} rules found" in said


def test_alerts_fire_when_they_should_and_only_then(promtool: Promtool) -> None:
    assert "SUCCESS" in promtool("test", "rules", FOLDER / "alerts_test.yml")


@pytest.mark.parametrize("alert", RULES)
def test_every_alert_is_tried_both_ways(alert: str) -> None:
    expected = [bool(each["exp_alerts"]) for each in unit_tests() if each["alertname"] == alert]
    assert set(expected) == {True, False}


@pytest.mark.parametrize("alert", RULES)
def test_every_alert_says_how_bad_it_is_and_what_to_do(alert: str) -> None:
    rule = RULES[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{alert.lower()}"


def test_the_run_book_has_every_alert_and_no_other() -> None:
    headings = re.findall(r"^### (\w+)$", RUN_BOOK.partition("\n## ")[0], re.MULTILINE)
    assert headings == list(RULES)


@pytest.mark.parametrize("alert", RULES)
def test_every_entry_of_the_run_book_says_what_to_type(alert: str) -> None:
    entry = RUN_BOOK.partition(f"### {alert}\n")[2].partition("\n##")[0]
    assert [word for word in ("**Means**", "**Look**", "**Do**") if word not in entry] == []
    assert "`" in entry


def test_limits_fit_the_settings() -> None:
    worker = SETTINGS.worker
    assert limit("StreamRecItemViewStale") == worker.commit_interval_s + TOLERANCE_S
    assert worker.commit_interval_s < limit("StreamRecCommitStalled") < worker.stall_timeout_s
    assert limit("StreamRecClockSkew") < SETTINGS.kafka.clock_skew_s_max
    assert limit("StreamRecKafkaSilent") > SETTINGS.serve.stale_after_s


def test_memory_is_measured_against_the_limit_on_kubernetes() -> None:
    manifests = (ROOT / "deploy" / "k8s" / "worker.yaml").read_text()
    stateful_set = next(yaml.safe_load_all(manifests))
    (container,) = stateful_set["spec"]["template"]["spec"]["containers"]
    n_gib = container["resources"]["limits"]["memory"].removesuffix("Gi")
    assert f"> 0.9 * {n_gib} * 1024 ^ 3" in RULES["StreamRecMemoryNearLimit"]["expr"]


@pytest.mark.parametrize(
    ("required", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)]
)
def test_without_promtool_tests_skip_and_fail_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("STREAM_REC_REQUIRE_PROMTOOL", required)
    with pytest.raises(outcome, match="no promtool here"):
        do_without("promtool", "no promtool here")
