"""docs/evaluation.md and the command say the same about baselines and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from stream_rec.evaluation.peers import PEERS
from tests.evaluation.logs import made_up_rows

TEXT = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_every_baseline_is_documented_and_no_other() -> None:
    section = TEXT.split("## Baselines")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(PEERS)


def test_documented_json_has_the_keys_that_come(run_evaluate, tmp_path: Path) -> None:
    block = TEXT.split("in place of the table:")[1].split("\n\n")[1]
    documented = msgspec.json.decode(block)
    path = tmp_path / "log.csv"
    lines = [f"{row.user},{row.item},{row.type},{row.ts_ms}" for row in made_up_rows(100)]
    path.write_text("\n".join(["user,item,type,ts", *lines]))
    came = json.loads(run_evaluate(str(path), "--baselines", "item_knn", "--json", "-").stdout)
    assert list(documented) == list(came)
    assert list(documented["metrics"]) == list(came["metrics"])
    assert list(documented["baselines"]["item_knn"]) == list(came["baselines"]["item_knn"])
    assert list(documented["best_baseline"]) == list(came["best_baseline"])


def test_every_option_in_the_text_exists(run_evaluate) -> None:
    shown = run_evaluate("--help").stdout
    for option in sorted(set(re.findall(r"--[a-z][a-z-]+", TEXT))):
        assert option in shown
