"""State as one pointer: a NamedTuple of arrays that kernels reach through a table of addresses.

Passing a NamedTuple of a hundred arrays by value costs a microsecond a call. An arena is the same
state behind one int64: `Arena(state).address` goes through the Python seam, and `opener(state)`
gives kernels a value on which `state.field` is the array, as a table (`core.table`). Nested
NamedTuples nest. With JIT off the NamedTuple itself is used. The arrays must outlive the arena; it
holds them.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model

from hft.core.jit import JIT_DISABLED
from hft.core.table import TableType, constant_word, make_table, short_name


class ArenaType(types.Type):  # type: ignore[misc]
    """The numba type of an opened arena: field name -> (table offset, array or nested type)."""

    def __init__(self, name: str, fields: tuple[tuple[str, int, Any], ...]) -> None:
        self.fields = fields
        self.by_name = {field: (offset, kind) for field, offset, kind in fields}
        layout = ",".join(f"{field}@{offset}:{kind}" for field, offset, kind in fields)
        super().__init__(name=short_name(f"Arena.{name}", layout))


@register_model(ArenaType)
class ArenaModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("at", types.int64)])


@infer_getattr
class ArenaAttributes(AttributeTemplate):  # type: ignore[misc]
    key = ArenaType

    def generic_resolve(self, typ: Any, attr: str) -> Any:
        found = typ.by_name.get(attr)
        return None if found is None else found[1]


@lower_getattr_generic(ArenaType)
def _lower_field(context: Any, builder: Any, typ: Any, value: Any, attr: str) -> Any:
    """Load address and length from the arena and make a table of them."""
    offset, kind = typ.by_name[attr]
    if isinstance(kind, ArenaType):
        return value
    i64 = ir.IntType(64)
    table = builder.inttoptr(builder.extract_value(value, 0), i64.as_pointer())

    def entry(index: int) -> Any:
        return builder.gep(table, [ir.Constant(i64, index)])

    at = constant_word(builder, entry(2 * offset))
    length = constant_word(builder, entry(2 * offset + 1), is_length=True)
    return make_table(context, builder, kind, at, length)


def _type_of(state: Any, start: int) -> tuple[ArenaType, int]:
    fields: list[tuple[str, int, Any]] = []
    offset = start
    for name, value in zip(state._fields, state, strict=True):
        if isinstance(value, np.ndarray):
            if value.ndim != 1 or not value.flags.c_contiguous:
                raise TypeError(f"arena field {name} is not a contiguous 1-D array")
            fields.append((name, offset, TableType(numba.from_dtype(value.dtype))))
            offset += 1
        else:
            kind, end = _type_of(value, offset)
            fields.append((name, offset, kind))
            offset = end
    return ArenaType(type(state).__name__, tuple(fields)), offset


def _arrays(state: Any) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    for value in state:
        found.extend([value] if isinstance(value, np.ndarray) else _arrays(value))
    return found


class Arena:
    """A NamedTuple of arrays (nested ones too) with its table of addresses."""

    def __init__(self, state: Any) -> None:
        self.state = state
        self.arrays = _arrays(state)
        self.table = np.zeros(2 * len(self.arrays), np.int64)
        for k, array in enumerate(self.arrays):
            self.table[2 * k] = array.ctypes.data
            self.table[2 * k + 1] = len(array)
        self.address = int(self.table.ctypes.data)

    @property
    def handle(self) -> Any:
        """What a seam function takes: the address, or with JIT off the state itself."""
        return self.state if JIT_DISABLED else self.address


def opener(state: Any) -> Callable[[int], Any]:
    """A function for kernels: the table's address (or state, JIT off) -> the state to read."""
    if JIT_DISABLED:
        return lambda handle: handle
    kind, _ = _type_of(state, 0)

    @intrinsic
    def open_at(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = cgutils.create_struct_proxy(kind)(context, builder)
            value.at = args[0]
            return value._getvalue()

        return kind(types.int64), codegen

    return open_at


def arena_type(state: Any) -> Any:
    """The numba type of the opened state, for explicit signatures."""
    return _type_of(state, 0)[0]
