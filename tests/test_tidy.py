"""The architecture, read off the source: who may import whom, and what the pure core may not touch.

    kernels ← model ← evaluation    model ← stream ← serving    cli imports all, nothing imports cli

A failing test names the file and the line, and what to write instead.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.source_tree import Source, dotted, imports, sources

MODEL_USERS = {"model", "errors", "settings", "config"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings_section": set(),
    "settings_serve": {"settings_section"},
    "settings": {"settings_section", "settings_serve"},
    "config_sources": {"errors", "settings", "settings_section"},
    "config": {"config_sources", "errors", "settings", "settings_serve"},
    "kafka_clients": {"errors", "settings"},
    "log_output": {"settings"},
    "kernels": set(),
    "model": {"kernels", "errors", "settings", "config"},
    "garbage": set(),
    "compiling": {"garbage", "model"},
    "recommender": MODEL_USERS,
    "evaluation": MODEL_USERS | {"kernels", "recommender"},
    "data": {"errors"},
    "logs": {"errors"},
    "stream": MODEL_USERS | {"compiling", "garbage", "kafka_clients", "log_output"},
    "bench": MODEL_USERS | {"compiling", "kafka_clients", "serving", "stream"},
    "client": set(),
    "serving": MODEL_USERS | {"compiling", "garbage", "kafka_clients", "stream"},
    "producers": {"config", "data", "errors", "kafka_clients", "logs", "settings"},
    "__init__": {"errors", "model", "recommender", "settings"},
    "__main__": {"cli"},
}
"""What each part of the package may import besides itself; ``cli`` may import all."""

PURE_PARTS = ("kernels", "model", "evaluation")
EFFECTFUL = {"stream_rec/kernels/__init__.py": "tells numba where to keep what it compiled"}
"""Files of the pure parts that may have effects, each with its reason."""

KERNEL_IMPORTS = {"__future__", "collections.abc", "math", "numba", "numpy", "typing"}

EFFECT_MODULES = {
    "a `now` or event time argument": ("time",),
    "a random state derived from (partition, offset)": ("random", "secrets", "uuid"),
    "a value returned to the caller, who logs or prints it": ("logging", "warnings", "sys"),
    "bytes or arrays given by the caller": ("os", "io", "pathlib", "shutil", "tempfile", "tomllib"),
    "a plain function that the caller schedules": (
        "asyncio",
        "concurrent",
        "multiprocessing",
        "queue",
        "threading",
        "uvloop",
    ),
    "a port that stream_rec/stream implements": (
        "aiokafka",
        "confluent_kafka",
        "faust",
        "kafka",
        "mode",
        "rocksdict",
    ),
    "a value that an adapter fetched": (
        "aiohttp",
        "http",
        "requests",
        "socket",
        "subprocess",
        "urllib",
    ),
}
EFFECT_CALLS = {
    "datetime.now": "a `now` or event time argument",
    "datetime.utcnow": "a `now` or event time argument",
    "datetime.today": "a `now` or event time argument",
    "date.today": "a `now` or event time argument",
    "open": "bytes or arrays given by the caller",
    "print": "a value returned to the caller, who logs or prints it",
    "input": "an argument",
    "load_settings": "a typed section of the settings as argument",
}
SEEDED_RANDOM = ("default_rng", "Generator", "PCG64", "SeedSequence")


def pure_sources() -> list[Source]:
    return [
        source
        for source in sources("stream_rec")
        if source.part in PURE_PARTS and source.path not in EFFECTFUL
    ]


def package_parts(source: Source) -> Iterator[tuple[int, str]]:
    """Yield line and name of every other part of the package that a file imports."""
    for each in imports(source):
        names = each.module.split(".")
        part = names[1] if names[0] == "stream_rec" and len(names) > 1 else names[0]
        if names[0] in ("stream_rec", "producers") and part != source.part:
            yield each.line, part


def test_every_part_has_its_place() -> None:
    parts = {source.part for source in sources("stream_rec", "producers")} - {"cli"}
    missing = sorted(parts - set(MAY_IMPORT))
    assert not missing, f"say in MAY_IMPORT of {__file__} what these may import: {missing}"


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_imports_go_one_way(part: str) -> None:
    wrong = [
        f"{source.path}:{line}: {part} must not import {imported}; move what both need below both, "
        "or let the caller pass it in"
        for source in sources("stream_rec", "producers")
        if source.part == part
        for line, imported in package_parts(source)
        if imported not in MAY_IMPORT[part]
    ]
    assert not wrong, "\n".join(wrong)


def test_kernels_import_arrays_and_nothing_else() -> None:
    wrong = [
        f"{source.path}:{each.line}: {each.module} in a kernel; take arrays as arguments"
        for source in pure_sources()
        if source.part == "kernels"
        for each in imports(source)
        if each.module.split(".")[0] not in KERNEL_IMPORTS | {"stream_rec"}
        and each.module not in KERNEL_IMPORTS
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_parts_import_no_effects() -> None:
    instead = {module: text for text, modules in EFFECT_MODULES.items() for module in modules}
    wrong = [
        f"{source.path}:{each.line}: {each.module}; use {instead[root]} instead"
        for source in pure_sources()
        for each in imports(source)
        for root in [each.module.split(".")[0]]
        if root in instead
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_parts_call_no_effects() -> None:
    wrong = [
        f"{source.path}:{node.lineno}: {dotted(node.func)}(); use {instead} instead"
        for source in pure_sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        for call, instead in EFFECT_CALLS.items()
        if dotted(node.func) == call or dotted(node.func).endswith(f".{call}")
    ]
    assert not wrong, "\n".join(wrong)


def test_random_numbers_have_a_seed() -> None:
    wrong = [
        f"{source.path}:{node.lineno}: np.random.{node.attr}; use np.random.default_rng(seed)"
        for source in pure_sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and dotted(node.value) in ("np.random", "numpy.random")
        if node.attr not in SEEDED_RANDOM
    ]
    wrong += [
        f"{source.path}:{node.lineno}: default_rng() without a seed; derive one from the settings"
        for source in pure_sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).endswith("default_rng")
        and not node.args
    ]
    assert not wrong, "\n".join(wrong)


def test_compiled_functions_release_the_lock_and_are_cached() -> None:
    wrong = []
    for source in sources("stream_rec"):
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                name = dotted(call.func if call else decorator)
                given = {keyword.arg for keyword in call.keywords} if call else set()
                if name.endswith("jit") and not {"nogil", "cache"} <= given:
                    wrong.append(
                        f"{source.path}:{node.lineno}: write @nb.njit(nogil=True, cache=True)"
                    )
    assert not wrong, "\n".join(wrong)
