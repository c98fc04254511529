"""How much memory a model takes: all objects that can be reached from it, each once."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
"""Shared by all of a process, so no part of a model."""


def memory_bytes(model: object, *, without: Iterable[object] = ()) -> int:
    """Return the bytes of a model's arrays, dictionaries, texts and the like.

    Parameters
    ----------
    model : object
    without : iterable of object
        These, and what can only be reached through them, do not count: what the evaluation itself
        has put there.
    """
    known: set[int] = set()
    stack = [each for each in without if each is not None]
    _take_all(stack, known)
    return _take_all([model], known)


def _take_all(stack: list[Any], known: set[int]) -> int:
    """Return the bytes of objects and what they refer to that are not known yet."""
    total = 0
    while stack:
        each = stack.pop()
        if id(each) in known or isinstance(each, CODE) or _is_compiled(each):
            continue
        known.add(id(each))
        total += sys.getsizeof(each)
        if isinstance(each, np.ndarray):
            # Arrays are not seen by the garbage collector; a view's memory is its base's.
            if each.base is not None:
                stack.append(each.base)
            if each.dtype == object:
                stack.extend(each.ravel().tolist())
        else:
            stack.extend(gc.get_referents(each))
    return total


def _is_compiled(each: object) -> bool:
    return type(each).__module__.partition(".")[0] in ("numba", "llvmlite")
