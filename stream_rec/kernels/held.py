"""Arrays that kernels are handed as one pointer.

A kernel that Python calls with a tuple of arrays takes each of them apart: for the 150 of the whole
model that is as long as half a ranking, for one event as for many. And a kernel that hands them on
to another is compiled with a thousand arguments. What is held is taken apart once, for as long as
the arrays are the same, and lies in memory as kernels see it; they read from it what they need.

Source: numba's documentation, "Low-level extension API".
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar, cast

import numpy as np
from numba import typeof
from numba.core import types
from numba.core.cgutils import gep_inbounds
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
    unbox,
)

from stream_rec.kernels.jit import kernel

Value = TypeVar("Value", bound=NamedTuple)


def hold(value: Value) -> Value:
    """Return what stands for a tuple of arrays where a kernel is called; it keeps them alive.

    In kernels it has the attributes of the tuple, which is all that may be done with it.
    """
    return cast(Value, _Held(value))


class Holder(Generic[Value]):
    """Holds a tuple of arrays that seldom are others."""

    def __init__(self) -> None:
        self._value: Value | None = None
        self._held: Value | None = None

    def of(self, value: Value) -> Value:
        """Return a tuple held: what was returned before if its parts are the very same."""
        if self._held is None or not _same(value, self._value):
            self._value, self._held = value, hold(value)
        return self._held


def _same(value: NamedTuple, other: NamedTuple | None) -> bool:
    return other is not None and all(a is b for a, b in zip(value, other, strict=True))


class _Held:
    """A tuple of arrays, and the memory in which it lies taken apart."""

    def __init__(self, value: NamedTuple) -> None:
        self._value = value
        self._numba_type_, size = _type_and_size(typeof(value))  # type: ignore[no-untyped-call]
        self._memory = np.empty(size, np.uint8)
        self.address = self._memory.ctypes.data
        _write(value, self.address)


def _type_and_size(value: Any) -> tuple[_HeldType, int]:
    context = cast(Any, _write).targetctx
    return _HeldType(value), context.get_abi_sizeof(context.get_data_type(value))


class _HeldType(types.Type):
    """The type in kernels: a pointer to a value of another type."""

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__(name=f"held({value})")


@register_model(_HeldType)
class _Pointer(models.PrimitiveModel):
    def __init__(self, manager: Any, held: _HeldType) -> None:
        pointer = manager.lookup(held.value).get_data_type().as_pointer()
        super().__init__(manager, held, pointer)  # type: ignore[no-untyped-call]


@unbox(_HeldType)  # type: ignore[no-untyped-call]
def _pointer_of(held: _HeldType, instance: Any, unboxing: Any) -> NativeValue:
    address = unboxing.pyapi.object_getattr_string(instance, "address")
    untyped = unboxing.pyapi.long_as_voidptr(address)
    unboxing.pyapi.decref(address)
    pointer = unboxing.builder.bitcast(untyped, unboxing.context.get_value_type(held))
    return NativeValue(pointer)  # type: ignore[no-untyped-call]


@infer_getattr
class _Attributes(AttributeTemplate):
    key = _HeldType

    def generic_resolve(self, held: Any, name: str) -> Any:  # type: ignore[override]
        fields = held.value.fields
        return held.value[fields.index(name)] if name in fields else None


@lower_getattr_generic(_HeldType)  # type: ignore[no-untyped-call]
def _read(context: Any, builder: Any, held: _HeldType, pointer: Any, name: str) -> Any:
    place = held.value.fields.index(name)
    part = gep_inbounds(builder, pointer, 0, place)  # type: ignore[no-untyped-call]
    return context.unpack_value(builder, held.value[place], part)


@intrinsic
def _store(typing: Any, value: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        stored, at = arguments
        pointer = builder.inttoptr(at, context.get_data_type(value).as_pointer())
        context.pack_value(builder, value, stored, pointer)
        return context.get_dummy_value()

    return types.none(value, types.intp), generate


@kernel
def _write(value: Any, address: int) -> None:
    """Write a tuple of arrays to memory, taken apart."""
    _store(value, address)  # type: ignore[call-arg]
