"""The dashboards are what Grafana reads, ask valid questions, and nothing lies over another."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.monitoring.conftest import Promtool
from tests.monitoring.expressions import dashboard_expressions, dashboards

SCHEMA = json.loads((Path(__file__).parent / "dashboard.schema.json").read_text())
GRID_WIDTH = 24


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "w"), ("y", "h"))
    )


@pytest.fixture(params=dashboards().values(), ids=dashboards())
def dashboard(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_dashboard_follows_the_schema(dashboard: Any) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(dashboard)


def test_panels_and_their_queries_can_be_told_apart(dashboard: Any) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references), panel["title"]


def test_panels_lie_side_by_side(dashboard: Any) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] + place["w"] <= GRID_WIDTH for place in places)
    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []


def test_prometheus_understands_every_query(promtool: Promtool, tmp_path: Path) -> None:
    expressions = [each.text for each in dashboard_expressions()]
    rules = [
        {"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "1m")}
        for number, text in enumerate(expressions)
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", path)
