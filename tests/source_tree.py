"""The repository's own files, for the tests that look at source instead of running it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
CODE_FOLDERS = ("stream_rec", "producers", "tests", "benchmarks")
HIDDEN_BUT_OURS = {".ci", ".dockerignore", ".gitignore"}
NOT_OURS = {"__pycache__", "state", "dist", "build", "node_modules"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """One Python file: path from the repository's root, text and syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """What the file belongs to: ``kernels``, ``errors``, … or ``producers``."""
        names = Path(self.path).with_suffix("").parts
        return names[1] if names[0] == "stream_rec" else names[0]


class Import(NamedTuple):
    """One imported module, with the names taken from it."""

    line: int
    module: str
    names: tuple[str, ...]


@functools.cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return the Python files below some folders, all of `CODE_FOLDERS` by default."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text))
        for folder in folders or CODE_FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in [path.read_text(encoding="utf-8")]
    )


def imports(source: Source) -> Iterator[Import]:
    """Yield what a file imports; ``from stream_rec import x`` imports ``stream_rec.x``."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, ())
        elif isinstance(node, ast.ImportFrom) and node.module in ("stream_rec", "producers"):
            for alias in node.names:
                yield Import(node.lineno, f"{node.module}.{alias.name}", ())
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield Import(node.lineno, node.module, tuple(alias.name for alias in node.names))


def functions(source: Source) -> Iterator[Function]:
    """Yield every function and method of a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for an expression of that form, and an empty text for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""


def text_files() -> Iterator[tuple[str, str]]:
    """Yield path and text of every text file that belongs to the repository."""
    for path in _files(ROOT):
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a compressed log


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS
        if hidden or path.name in NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path
