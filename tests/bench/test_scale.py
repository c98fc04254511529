"""``bench scale``: every figure is there for every size, and memory is counted for what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_rec.bench.events import Population
from stream_rec.bench.scale import _Catalogue
from stream_rec.cli.main import cli
from stream_rec.settings import ModelSettings, Settings


@pytest.mark.timeout(600)  # it may have to compile the kernels
def test_every_size_has_its_figures_and_the_curves_are_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "growth.svg"
    arguments = ["--size=200", "--size=50", "--events=100", f"--picture={picture}", "--json", "-"]
    result = CliRunner().invoke(cli, ["bench", "scale", *arguments])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    for name in ("us_per_event", "bytes_per_item", "bytes_per_user", "resident_mib"):
        assert list(figures[name]) == ["50", "200"]
        assert min(figures[name].values()) > 0
    assert figures["events_per_s"] == {}
    assert picture.read_text().startswith("<?xml")


def test_filled_catalogue_holds_every_item_and_most_users_on_disk(tmp_path: Path) -> None:
    settings = Settings(model=ModelSettings(users_in_memory_max=10))
    catalogue = _Catalogue(settings, tmp_path)
    catalogue.fill(300)
    assert len(catalogue._engine.items.ids) == 300
    before = catalogue.item_bytes()
    catalogue.spend_s(Population(300, 300), 200)
    assert catalogue._profiles.n_reads > 100
    assert catalogue.item_bytes() >= before
    catalogue.close()
