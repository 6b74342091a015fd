"""Tables as kernels see them: an address and a length, nothing else.

A numba array is seven words, counts references and lets an index count from the end; a table has no
owner, costs nothing to pass and takes indices from 0 on only. Under NUMBA_BOUNDSCHECK an index
outside raises IndexError. The memory belongs to whoever made the table and must outlive it.
"""

import hashlib
import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import models, register_model

LENGTH_MAX = 1 << 48  # any real length is below: what LLVM may assume of one
_I64 = ir.IntType(64)


def short_name(kind: str, layout: str) -> str:
    """A type's name by the hash of its layout: numba writes it into every symbol it emits."""
    return f"hft.{kind}.{hashlib.sha256(layout.encode()).hexdigest()[:12]}"


class TableType(types.Type):  # type: ignore[misc]
    """The numba type of a table of `dtype` items (records or plain numbers)."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=short_name("Table", str(dtype)))


@register_model(TableType)
class TableModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("at", types.int64), ("length", types.int64)])


def make_table(context: Any, builder: Any, kind: TableType, at: Any, length: Any) -> Any:
    """The LLVM value of a table at an int64 address."""
    value = cgutils.create_struct_proxy(kind)(context, builder)
    value.at = at
    value.length = length
    return value._getvalue()


def table_address(context: Any, builder: Any, kind: TableType, value: Any) -> Any:
    """The int64 address of a table's first item."""
    return cgutils.create_struct_proxy(kind)(context, builder, value=value).at


def constant_word(builder: Any, address: Any, *, is_length: bool = False) -> Any:
    """Load an int64 that never changes while a kernel runs, so that the load may move freely."""
    loaded = builder.load(address)
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    if is_length:
        ends = [ir.Constant(_I64, 0), ir.Constant(_I64, LENGTH_MAX)]
        loaded.set_metadata("range", builder.module.add_metadata(ends))
    return loaded


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        table, index = args
        if isinstance(table, TableType) and isinstance(index, types.Integer):
            return signature(table.dtype, table, types.intp)
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        table, index, _value = args
        if isinstance(table, TableType) and isinstance(index, types.Integer):
            return signature(types.none, table, types.intp, table.dtype)
        return None


@infer_global(len)
class _Len(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.intp, *args) if isinstance(args[0], TableType) else None


def _item(context: Any, builder: Any, kind: TableType, value: Any, index: Any) -> Any:
    """The pointer to one item; checked only where numba is told to check bounds."""
    table = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    if context.enable_boundscheck:
        outside = builder.icmp_unsigned(">=", index, table.length)
        with cgutils.if_unlikely(builder, outside):
            context.call_conv.return_user_exc(builder, IndexError, ("no such row of a table",))
    data = builder.inttoptr(table.at, context.get_data_type(kind.dtype).as_pointer())
    return builder.gep(data, [index], inbounds=True)


@lower_builtin(operator.getitem, TableType, types.intp)
def _lower_get(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    at = _item(context, builder, sig.args[0], args[0], args[1])
    return context.unpack_value(builder, sig.args[0].dtype, at)


@lower_builtin(operator.setitem, TableType, types.intp, types.Any)
def _lower_set(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    at = _item(context, builder, sig.args[0], args[0], args[1])
    context.pack_value(builder, sig.args[0].dtype, args[2], at)
    return context.get_dummy_value()


@lower_builtin(len, TableType)
def _lower_len(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0]).length
