"""The PromQL of alerts and dashboard, taken apart as far as its names go.

    sum by (code) (rate(stream_rec_worker_refused_total{job="worker"}[5m])) > 1
    names     stream_rec_worker_refused_total
    labels    code, job

Functions are followed by a bracket; labels stand in braces or in the brackets of a grouping. All
other words but the operators are names of metrics, so a misspelt one is found whatever it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "monitoring"
DASHBOARDS = FOLDER / "grafana" / "dashboards"

OPERATORS = {"and", "or", "unless", "bool", "offset"}
TEXT = re.compile(r'"(?:\\.|[^"\\])*"')
MATCHERS = re.compile(r"\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
DURATION = re.compile(r"\[[^\]]*\]")
WORD = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
LABEL = re.compile(r"\b[a-zA-Z_]\w*\b")

SAMPLES_OF_KIND = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


class Expression(NamedTuple):
    """One expression, and where it stands."""

    where: str
    text: str


class Names(NamedTuple):
    """Names of metrics, and of labels."""

    metrics: set[str]
    labels: set[str]


def alert_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboards() -> dict[str, Any]:
    """Return all dashboards by the name of their file."""
    return {path.name: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def dashboard_expressions() -> Iterator[Expression]:
    for file, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield Expression(f"{file}: {panel['title']}", target["expr"])


def all_expressions() -> list[Expression]:
    alerts = [Expression(f"alerts.yml: {rule['alert']}", rule["expr"]) for rule in alert_rules()]
    return [*alerts, *dashboard_expressions()]


def names_in(expression: str) -> Names:
    """Return the names of metrics and labels in an expression."""
    rest = TEXT.sub("", expression)
    labels = set()
    for pattern in (MATCHERS, GROUPING):
        labels.update(label for part in pattern.findall(rest) for label in LABEL.findall(part))
        rest = pattern.sub("", rest)
    return Names(set(WORD.findall(DURATION.sub("", rest))) - OPERATORS, labels)


def names_scraped(page: str) -> Names:
    """Return what Prometheus would store of a page, metrics without a sample yet included."""
    found = Names(set(), set())
    for family in text_string_to_metric_families(page):
        suffixes = SAMPLES_OF_KIND.get(family.type, ("",))
        found.metrics.update(family.name + suffix for suffix in suffixes)
        found.labels.update(label for sample in family.samples for label in sample.labels)
    return found
