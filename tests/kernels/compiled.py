"""Call from Python what only kernels call: without this, such a call ends the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as nb


def callable_from_python(inner_kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a compiled function that passes its arguments on."""

    @nb.njit
    def call(*arguments: Any) -> Any:
        return inner_kernel(*arguments)

    return call
