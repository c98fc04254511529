"""Arrays that kernels are handed as one pointer.

A kernel that Python calls with a tuple of arrays takes each of them apart: for the 150 of the whole
model that is as long as half a ranking, for one event as for many. What is held is taken apart
once, for as long as the arrays are the same; whoever holds it keeps them alive.

Source: numba's structref, a structure on numba's own heap.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from numba.core import types
from numba.experimental import structref

from stream_rec.kernels.jit import allocating_kernel

Value = TypeVar("Value", bound=NamedTuple)


@structref.register
class _HeldType(types.StructRef):
    """The type of `Held` in kernels."""


class Held(structref.StructRefProxy, Generic[Value]):
    """A tuple of arrays, taken apart; an `allocating_kernel` reads it as `held.value`."""

    value: Value


structref.define_proxy(Held, _HeldType, ["value"])  # type: ignore[no-untyped-call]


@allocating_kernel
def hold(value: Any) -> Any:
    """Take a tuple of arrays apart."""
    return Held(value)  # type: ignore[no-untyped-call]


class Holder(Generic[Value]):
    """Holds a tuple of arrays that seldom are others."""

    def __init__(self) -> None:
        self._value: Value | None = None
        self._held: Held[Value] | None = None

    def of(self, value: Value) -> Held[Value]:
        """Return a tuple held: what was returned before if its parts are the very same."""
        if self._held is None or not _same(value, self._value):
            self._value, self._held = value, hold(value)
        return self._held


def _same(value: NamedTuple, other: NamedTuple | None) -> bool:
    return other is not None and all(a is b for a, b in zip(value, other, strict=True))
