"""Laws of the report: one page that needs nothing beside it, with everything that was found."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.evaluation.logs import made_up_rows

VOID = {"meta", "br", "line", "circle", "rect"}
SECTIONS = {
    "All models",
    "Running HR@10",
    "HR@10 of the latest events",
    "HR@10 by window",
    "HR@10 by history of the user",
    "HR@10 by age of the item",
    "Item age over time, HR@10",
    "Learned weights",
    "Calibration",
    "Running RMSE",
    "Cleaning of the log",
}


class Reader(HTMLParser):
    """Collects tags, and fails where they do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID or not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)
        if tag == "meta":
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def rated_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs") / "a<b.csv"
    lines = [
        f"{row.user},{row.item},{1 + x % 5},{row.ts_ms}" for x, row in enumerate(made_up_rows(800))
    ]
    path.write_text("\n".join(["user,item,rating,timestamp", *lines, lines[-1]]))
    return path


def test_report_is_one_page_with_every_picture_and_model(
    run_evaluate, rated_log: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    arguments = ("--baselines", "popularity,item_knn,biased_mf", "--report", str(report))
    result = run_evaluate(str(rated_log), *arguments)
    assert result.exit_code == 0, result.output
    text = report.read_text(encoding="utf-8")
    reader = read(text)

    assert not re.search(r"https?:|url\(|@import", text)
    assert not [tag for tag, _ in reader.tags if tag in ("script", "link", "img", "iframe")]
    assert not [values for _, values in reader.tags if {"src", "href"} & set(values)]
    assert set(re.findall(r"<h2>(.*?)</h2>", text)) == SECTIONS
    assert len([tag for tag, _ in reader.tags if tag == "svg"]) == len(SECTIONS) - 2
    assert "prefers-color-scheme:dark" in text
    assert "width=device-width" in text
    for name in ("stream_rec", "item_knn", "popularity_7d", "popularity_best", "biased_mf"):
        assert f"<td>{name}" in text
    assert 1 <= text.count("◀ best") <= 2
    assert "a&lt;b.csv" in text
    assert "1 events exactly like an earlier one, kept" in text
    assert "<dt>model.list_length</dt>" in text
    assert "nan" not in re.sub(r"<dl>.*", "", text).lower()


def test_winner_is_the_model_with_the_highest_hit_rate(
    run_evaluate, rated_log: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    run_evaluate(str(rated_log), "--baselines", "item_knn", "--report", str(report))
    rows = re.findall(r"<tr class=.*?</tr>", report.read_text(encoding="utf-8"))
    rates = [float(re.findall(r"<td>([.\d]+)</td>", row)[0]) for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert ["◀ best" in row for row in rows] == [True, False]


@pytest.mark.parametrize("protocol", ["session", "split"])
def test_other_protocols_have_a_report_too(
    run_evaluate, rated_log: Path, tmp_path: Path, protocol: str
) -> None:
    report = tmp_path / "report.html"
    result = run_evaluate(str(rated_log), "--protocol", protocol, "--report", str(report))
    assert result.exit_code == 0, result.output
    assert f"Protocol {protocol}" in report.read_text(encoding="utf-8")


def test_log_with_nothing_to_score_has_a_report(run_evaluate, tmp_path: Path) -> None:
    log, report = tmp_path / "log.csv", tmp_path / "report.html"
    log.write_text("user,item,type,ts\na,x,dislike,1\nb,x,dislike,2\n")
    result = run_evaluate(str(log), "--baselines", "item_knn", "--report", str(report))
    assert result.exit_code == 0, result.output
    read(report.read_text(encoding="utf-8"))
