"""How the source reads: headers, sizes, words; and what must not be in the repository at all.

A failing test names the file and the line, and what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.source_tree import Function, Source, dotted, functions, sources, text_files

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60

LONG_FILES: dict[str, str] = {}
"""Files over the limit, each with its reason."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Functions over the limit, as ``path::name``, each with its reason."""

SLEEPS = ("time.sleep", "asyncio.sleep", "sleep")
SLEEPERS = {
    "tests/kafka/local_broker.py": "polls a process that announces nothing, with a deadline",
    "tests/kafka/container_broker.py": "as local_broker.py",
    "tests/kafka/chaos.py": "asks Kafka for offsets until they have moved, with a deadline",
    "tests/kafka/faults.py": "a worker is frozen, a broker away, for a time",
}
"""Tests may not sleep to wait; these may, each with its reason."""

ABBREVIATIONS = {
    "arr": "array",
    "buf": "buffer",
    "cfg": "settings",
    "cnt": "n_…",
    "conf": "settings",
    "evt": "event",
    "idx": "index",
    "msg": "message",
    "num": "n_…",
    "params": "parameters",
    "pos": "position",
    "prev": "previous",
    "recs": "recommendations",
    "req": "request",
    "res": "result",
    "resp": "response",
    "ret": "result",
    "tmp": "scratch",
    "usr": "user",
    "val": "value",
}
FOREIGN_NAMES = {
    "min_compaction_lag_ms": "Kafka's min.compaction.lag.ms",
    "tmp_path": "pytest's fixture",
    "tmp_path_factory": "pytest's fixture",
}
"""Names that others chose."""

VAGUE_MODULES = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
UNITS_LAST = re.compile(r"^(max|min)_(\w+_)?(ms|s|us|bytes|mib|records|events)$")

# Backwards or in pieces, so that this file does not hold what it looks for.
FORBIDDEN_TEXTS = {
    "name packages, never a registry's host": [
        backwards[::-1]
        for backwards in (
            "gro.ipyp",
            "gro.detsohnohtyp",
            "gro.sjmpn.yrtsiger",
            "oi.setarc",
            "gro.nevam.1oper",
            "gro.ehcapa.nevam.oper",
            "gro.gnalog.yxorp",
            "gro.naibed.bed",
        )
    ],
    "use a path below the repository, the user's cache or a temporary folder": [
        "/wor" + "k/",
        "/far" + "m",
        "/roo" + "t/",
        "/hom" + "e/",
        "/tm" + "p/",
    ],
    "finish it, or file an issue": ["TO" + "DO", "FIX" + "ME", "XX" + "X"],
}


def body_lines(function: Function) -> int:
    """Return the lines of a function without its signature and docstring."""
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def defined_names(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and name of every function, class, argument and variable that a file defines."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def test_modules_say_what_they_are() -> None:
    wrong = [
        f"{source.path}: open it with a docstring: what it is, the idea, what it guarantees"
        for source in sources()
        if source.tree.body and ast.get_docstring(source.tree) is None
    ]
    assert not wrong, "\n".join(wrong)


def test_files_are_short() -> None:
    long = {s.path: n for s in sources() if (n := len(s.text.splitlines())) > FILE_LINES_MAX}
    wrong = [
        f"{path}: {n} lines (at most {FILE_LINES_MAX}); split it by what changes together, or give "
        "its reason in LONG_FILES"
        for path, n in long.items()
        if path not in LONG_FILES
    ]
    wrong += [
        f"{path} is short now: take it out of LONG_FILES" for path in set(LONG_FILES) - set(long)
    ]
    assert not wrong, "\n".join(wrong)


def test_functions_are_short() -> None:
    long = {
        f"{source.path}::{function.name}": n
        for source in sources()
        for function in functions(source)
        if (n := body_lines(function)) > FUNCTION_LINES_MAX
    }
    wrong = [
        f"{name}: {n} lines (at most {FUNCTION_LINES_MAX}); name its steps as functions, or give "
        "its reason in LONG_FUNCTIONS"
        for name, n in long.items()
        if name not in LONG_FUNCTIONS
    ]
    gone = set(LONG_FUNCTIONS) - set(long)
    wrong += [f"{name} is short now: take it out of LONG_FUNCTIONS" for name in gone]
    assert not wrong, "\n".join(wrong)


def test_names_are_words() -> None:
    wrong = [
        f"{source.path}:{line}: {name}; write {ABBREVIATIONS[word]} for {word}"
        for source in sources()
        for line, name in defined_names(source)
        if name not in FOREIGN_NAMES
        for word in name.lower().split("_")
        if word in ABBREVIATIONS
    ]
    assert not wrong, "\n".join(wrong)


def test_limits_are_named_unit_and_limit_last() -> None:
    wrong = []
    for source in sources():
        for line, name in defined_names(source):
            found = UNITS_LAST.match(name.lower())
            if found and name not in FOREIGN_NAMES:
                limit, rest, unit = found.groups()
                better = f"{rest or ''}{unit}_{limit}"
                wrong.append(f"{source.path}:{line}: {name}; write {better}")
    assert not wrong, "\n".join(wrong)


def test_modules_are_named_after_what_they_hold() -> None:
    wrong = [
        f"{source.path}: name it after what it holds"
        for source in sources()
        if source.path.rsplit("/", 1)[-1].removesuffix(".py") in VAGUE_MODULES
    ]
    assert not wrong, "\n".join(wrong)


def test_tests_wait_for_events_not_for_time() -> None:
    wrong = [
        f"{source.path}:{node.lineno}: wait for what should happen, with a deadline"
        for source in sources("tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and dotted(node.func) in SLEEPS
        if source.path not in SLEEPERS and not _is_yield_to_loop(node)
    ]
    assert not wrong, "\n".join(wrong)


def _is_yield_to_loop(call: ast.Call) -> bool:
    """Whether it is ``asyncio.sleep(0)``, which waits for no time."""
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def test_repository_names_no_registry_and_no_machine_and_leaves_nothing_undone() -> None:
    wrong = [
        f"{path}:{text.count(chr(10), 0, text.index(needle)) + 1}: {needle}; {instead}"
        for path, text in text_files()
        for instead, needles in FORBIDDEN_TEXTS.items()
        for needle in needles
        if needle in text
    ]
    assert not wrong, "\n".join(wrong)
