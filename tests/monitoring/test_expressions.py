"""Alerts and dashboard ask for what workers and services really tell."""

from __future__ import annotations

import re

import pytest

from tests.monitoring.expressions import (
    Expression,
    Names,
    all_expressions,
    dashboards,
    names_in,
    names_scraped,
)


@pytest.mark.parametrize("expression", all_expressions(), ids=lambda each: each.where)
def test_every_name_is_in_a_real_scrape(expression: Expression, known: Names) -> None:
    used = names_in(expression.text)
    assert used.metrics, expression.text
    assert used.metrics <= known.metrics, f"{expression.where}: docs/metrics.md lists what there is"
    assert used.labels <= known.labels, expression.where


def test_legends_name_labels_that_there_are(known: Names) -> None:
    legends = [
        target["legendFormat"]
        for dashboard in dashboards().values()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    assert set(re.findall(r"\{\{(\w+)\}\}", " ".join(legends))) <= known.labels


def test_worker_and_service_tell_of_their_memory(worker_page: str, service_page: str) -> None:
    for page in (worker_page, service_page):
        assert "process_resident_memory_bytes" in names_scraped(page).metrics


def test_names_are_found_wherever_they_stand() -> None:
    text = (
        'sum by (code, le) (rate(a_total{path=~"x{y}|b_total", status!="5"}[5m:30s])) / on (job)'
        " (time() - c_seconds offset 5m or d:e) > 1e3 and absent(f_total)"
    )
    assert names_in(text) == (
        {"a_total", "c_seconds", "d:e", "f_total"},
        {"code", "le", "path", "status", "job"},
    )


def test_a_scrape_is_told_apart_by_kind() -> None:
    page = "\n".join(
        [
            "# TYPE a_total counter",
            'a_total{code="x"} 1',
            "# TYPE b_seconds histogram",
            'b_seconds_bucket{le="+Inf"} 1',
            "b_seconds_count 1",
            "b_seconds_sum 1",
            "# TYPE c gauge",
            "",
        ]
    )
    assert names_scraped(page) == (
        {"a_total", "b_seconds_bucket", "b_seconds_count", "b_seconds_sum", "c"},
        {"code", "le"},
    )
