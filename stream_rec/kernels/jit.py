"""How kernels are compiled: without the GIL, and kept on disk for the next start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as nb
import numpy as np

from stream_rec.kernels import cached_beside_imports

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a kernel that Python may call."""
    return _compiled(function)


def inner_kernel(function: Function) -> Function:
    """Compile a kernel that only kernels call.

    Without the entry points for Python and C, which take apart and check a hundred arrays each, a
    fifth of the compile time is saved. So Python must never call one: the process would end.
    """
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _compiled(function, **options)


def _compiled(function: Function, **options: Any) -> Function:
    with cached_beside_imports(function.__code__.co_filename):
        return cast(Function, nb.njit(cache=True, nogil=True, **options)(function))


@inner_kernel
def widen(number: np.int32) -> int:
    """Return an integer as 64 bits: a kernel called with both widths would be compiled twice."""
    return int(np.int64(number))


@inner_kernel
def zero() -> int:
    """Return 0 that is no literal: for those a kernel would be compiled once more."""
    return int(np.int64(0))
