"""How kernels are compiled: without the GIL, and kept on disk for the next start.

A kernel allocates nothing, so its arrays need no reference counts: numba's, atomic ones for each of
the hundred arrays in the tuples that go from kernel to kernel, take two fifths of the time of an
event. What numba allocates for, or wraps in an array of its own, must not be in a kernel then: new
arrays, their methods such as `max`, assignments to slices (`fill`, `copy_to` are for that), slices
that are returned. The few kernels that need these are `allocating_kernel`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as nb
import numpy as np
from numpy.typing import NDArray

from stream_rec.kernels import SharedCache

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a kernel that Python may call."""
    return _compiled(function)


def allocating_kernel(function: Function) -> Function:
    """Compile a kernel that makes arrays of its own; Python may call it, and other kernels."""
    return _compiled(function, _nrt=True)


def inner_kernel(function: Function) -> Function:
    """Compile a kernel that only kernels call.

    Without the entry point for Python, which takes apart and checks a hundred arrays, a fifth of
    the compile time is saved. So Python must never call one: the process would end.
    """
    return _compiled(function, no_cpython_wrapper=True)


def vector_kernel(function: Function) -> Function:
    """Compile a kernel whose sums may be taken in any order and with fused steps.

    Only so a sum over an array fills vector registers. The order is fixed when the kernel is
    compiled, so the same arguments give the same bits; infinities and NaN stay what they are.
    """
    return _compiled(function, fastmath={"reassoc", "contract", "nsz"})


def inline_kernel(function: Function) -> Function:
    """Compile a few lines that stand in inner loops: always a part of the kernel that calls them.

    A loop can fill vector registers only if it calls nothing.
    """
    return _compiled(function, forceinline=True, no_cpython_wrapper=True)


def spliced_kernel(function: Function) -> Function:
    """Compile a kernel as a part of those that call it, which are one or two; Python may, too.

    numba has LLVM optimise a kernel with all that it calls, so each level of calls takes as long
    as the one below it; what is spliced in before is no level.
    """
    return _compiled(function, inline="always")


def _compiled(function: Function, **options: Any) -> Function:
    """Compile with numpy's division, which does not check for 0: a check ends vectorisation.

    Without an entry point for C, which nobody uses, a twentieth of the compile time is saved.
    """
    usual: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "no_cfunc_wrapper": True,
        "_nrt": False,
    }
    compiled: Any = nb.njit(**usual | options)(function)
    compiled._cache = SharedCache(function)
    return cast(Function, compiled)


@inline_kernel
def place_of(number: int | np.signedinteger[Any]) -> np.uintp:
    """Return a number that is not negative as an index: unsigned, it is not tested for a sign."""
    return np.uintp(number)


@inline_kernel
def fill(array: NDArray[Any], value: Any) -> None:
    """Set all of a flat array to a value."""
    for x in range(len(array)):
        array[x] = value


@inline_kernel
def copy_to(target: NDArray[Any], source: NDArray[Any]) -> None:
    """Copy a flat array into another of its length."""
    for x in range(len(target)):
        target[x] = source[x]


@inner_kernel
def widen(number: np.int32) -> int:
    """Return an integer as 64 bits: a kernel called with both widths would be compiled twice."""
    return int(np.int64(number))


@inner_kernel
def zero() -> int:
    """Return 0 that is no literal: for those a kernel would be compiled once more."""
    return int(np.int64(0))
