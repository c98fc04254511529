"""docs/dependencies.md, pyproject.toml, the lock files and the imports name the same packages."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from tests.source_tree import ROOT, imports, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGE = (ROOT / "docs" / "dependencies.md").read_text()
OWN = {"stream_rec", "producers", "tests", "benchmarks"}

PACKAGE_OF_MODULE = {
    "aiokafka": "faust-streaming",
    "axe_playwright_python": "axe-playwright-python",
    "backports": "backports-zstd",
    "confluent_kafka": "confluent-kafka",
    "faust": "faust-streaming",
    "fastapi_offline": "fastapi-offline",
    "hdrh": "hdrhistogram",
    "kafka": "kafka-python",
    "kubernetes_validate": "kubernetes-validate",
    "mode": "faust-streaming",
    "prometheus_client": "prometheus-client",
    "pydantic": "pydantic-settings",
    "pydantic_settings": "pydantic-settings",
    "yaml": "pyyaml",
}
"""The declared package that brings a module, where their names differ."""

SINCE_3_14 = {"compression"}
"""Modules of the standard library that the oldest supported Python does not have."""


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[^a-z0-9-]", each)[0] for each in requirements]


def documented(heading: str) -> list[str]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| ([a-z0-9][a-z0-9-]*) \| (?!for \|)", section, re.MULTILINE)


def pinned(file: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / file).read_text(), re.MULTILINE))


RUNTIME = names(PROJECT["dependencies"])
EXTRAS = {name: names(listed) for name, listed in PROJECT["optional-dependencies"].items()}
OPTIONAL = [each for name, listed in EXTRAS.items() if name != "dev" for each in listed]


@pytest.mark.parametrize(
    ("heading", "declared"),
    [
        ("What runs", RUNTIME),
        ("Optional", OPTIONAL),
        ("What develops", EXTRAS["dev"]),
    ],
)
def test_every_dependency_has_its_reason(heading: str, declared: list[str]) -> None:
    assert documented(heading) == declared


def test_every_dependency_is_pinned() -> None:
    assert set(RUNTIME) <= pinned("requirements.lock")
    assert {*RUNTIME, *EXTRAS["dev"]} <= pinned("requirements-dev.lock")


def test_both_lock_files_pin_the_same_versions() -> None:
    pins = [
        set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / file).read_text(), re.MULTILINE))
        for file in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] < pins[1]


def test_lock_files_hold_no_addresses() -> None:
    for file in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / file).read_text()
        assert re.findall(r"^-|://|^\s*file:|@ ", text, re.MULTILINE) == []


@pytest.mark.parametrize("folder", ["stream_rec", "producers", "tests"])
def test_imported_packages_are_declared(folder: str) -> None:
    declared = {*RUNTIME, *(EXTRAS["dev"] if folder == "tests" else OPTIONAL)}
    wrong = [
        f"{source.path}:{each.line}: {each.module}: declare its package in pyproject.toml"
        for source in sources(folder)
        for each in imports(source)
        for root in [each.module.split(".")[0]]
        if root not in {*sys.stdlib_module_names, *OWN, *SINCE_3_14}
        if PACKAGE_OF_MODULE.get(root, root) not in declared
    ]
    assert not wrong, "\n".join(wrong)
