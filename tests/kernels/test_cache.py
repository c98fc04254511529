"""Laws of the cache folders: a kernel never outlives a file that it was compiled from."""

from __future__ import annotations

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import pytest
from numba.core.caching import FunctionCache

from stream_rec import kernels
from stream_rec.evaluation.peers import neighbour_peer, popularity
from stream_rec.kernels import links


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the package's sources whose cache folders are asked for instead."""
    source = Path(kernels.__file__).parents[1]
    copy = tmp_path / source.name
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "data"))
    monkeypatch.setattr(kernels, "_PACKAGE", copy)
    return copy


def folder_after(package: Path, edited: str, asked: str) -> tuple[Path, Path]:
    """Return the cache folder of a file before and after another file was edited."""
    before = kernels.cache_folder(package / asked)
    with (package / edited).open("a", encoding="utf-8") as file:
        file.write("\n# edited\n")
    kernels._imported.cache_clear()
    return before, kernels.cache_folder(package / asked)


@pytest.mark.parametrize(
    ("edited", "asked"),
    [
        ("evaluation/peers/stan.py", "evaluation/peers/stan.py"),
        ("evaluation/peers/neighbours.py", "evaluation/peers/neighbour_peer.py"),
        ("evaluation/user_events.py", "evaluation/peers/neighbour_peer.py"),  # by way of others
    ],
)
def test_an_edit_of_what_is_imported_starts_a_new_folder(
    package: Path, edited: str, asked: str
) -> None:
    before, after = folder_after(package, edited, asked)
    assert before != after


@pytest.mark.parametrize("edited", ["evaluation/peers/isgd.py", "evaluation/result.py"])
def test_an_edit_of_another_file_keeps_the_folder(package: Path, edited: str) -> None:
    before, after = folder_after(package, edited, "evaluation/peers/popularity.py")
    assert before == after


def test_every_source_of_the_base_is_in_its_hash(package: Path) -> None:
    before = kernels._source_hash()
    with (package / "model" / "fold.py").open("a", encoding="utf-8") as file:
        file.write("\n# edited\n")
    assert kernels._source_hash() != before


def test_kernels_are_kept_where_their_file_says() -> None:
    def kept_in(kernel: object) -> Path:
        return Path(kernel._cache.cache_path).parent  # type: ignore[attr-defined]

    assert kept_in(links.add_link) == kernels.CACHE
    for module in (neighbour_peer, popularity):
        assert kept_in(module.fold) == kernels.cache_folder(Path(module.__file__))
        assert kept_in(module.fold).parent == kernels.CACHE
    assert str(kernels.CACHE) == numba.config.CACHE_DIR


def test_of_two_that_keep_a_kernel_at_once_one_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    n_inside, most_inside = 0, 0

    def save(self: FunctionCache, sig: object, data: object) -> None:
        nonlocal n_inside, most_inside
        n_inside += 1
        for _ in range(1_000):
            most_inside = max(most_inside, n_inside)
            os.sched_yield()
        n_inside -= 1

    monkeypatch.setattr(FunctionCache, "save_overload", save)
    both = threading.Barrier(2)

    def keep(_: int) -> None:
        both.wait()
        links.add_link._cache.save_overload(None, None)  # type: ignore[attr-defined]

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(keep, range(2)))
    assert most_inside == 1
