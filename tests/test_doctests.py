"""Every example in a docstring of the pure modules runs and prints what it says."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from tests.source_tree import sources

PURE = {"kernels", "model", "evaluation", "logs", "recommender", "settings"}
MODULES = sorted(
    source.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for source in sources("stream_rec")
    if source.part in PURE and ">>> " in source.text
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name: str) -> None:
    module = import_module(name)
    written = sum(part.startswith(">>> ") for part in _stripped_lines(name))
    examples = [each for found in doctest.DocTestFinder().find(module) for each in found.examples]
    assert len(examples) == written, "an example is where doctest does not look"
    assert doctest.testmod(module).failed == 0


def _stripped_lines(name: str) -> list[str]:
    file = import_module(name).__file__
    assert file is not None
    with open(file, encoding="utf-8") as lines:
        return [line.strip() for line in lines]
