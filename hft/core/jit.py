"""Compilation in one place: the `kernel` decorator and the casts between addresses and rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

from hft.core import kernel_cache
from hft.core.kernel_cache import KernelCache, is_ours
from hft.core.linking import linked
from hft.core.table import TableType, constant_word, make_table, table_address

JIT_DISABLED = bool(numba.config.DISABLE_JIT)


def kernel(
    *signature: Any,
    inline: bool = False,
    cache: bool = True,
    checked: bool = False,
    beside: bool = False,
) -> Any:
    """Compile a function of the deterministic core; the only caller of `numba.njit` in hft.

    Plain use is `@kernel`; `@kernel(signature)` compiles eagerly for first-class use, and
    `inline=True` merges a kernel into each of its callers; see `out_of_line` for the opposite.
    `checked` makes an index out of range raise; for code that is not ours. While a `beside` kernel
    runs that Python called, other threads of Python run, too.
    """
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": False}
    # Said either way: a kernel that does not say inherits it from the kernel that calls it first.
    options["forceinline"] = inline
    if checked:
        options["boundscheck"] = True
    if beside:
        options["nogil"] = True

    def decorate(function: Callable[..., Any]) -> Any:
        made = numba.njit(**options)(function)
        if JIT_DISABLED:
            return made
        if cache and is_ours(function):
            made._cache = KernelCache(function)
        if signature:
            for one in signature:
                made.compile(one)
            made.disable_compile()
            return made
        return linked(made)

    if len(signature) == 1 and callable(signature[0]) and not isinstance(signature[0], types.Type):
        function = signature[0]
        signature = ()
        return decorate(function)
    return decorate


if JIT_DISABLED:

    def out_of_line() -> None:
        """Nothing, in plain Python."""

    def seldom() -> None:
        """Nothing, in plain Python."""
else:

    @intrinsic
    def out_of_line(typingctx: Any) -> Any:
        """First statement of a kernel that must stay a call: its body is rare, or large.

        LLVM would merge it into a hot loop, whose registers then go to code that hardly ever runs.
        """

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            builder.function.attributes.add("noinline")
            return context.get_dummy_value()

        return types.none(), codegen

    @intrinsic
    def seldom(typingctx: Any) -> Any:
        """First statement of a kernel that hardly ever runs: `out_of_line`, and out of the way.

        Code that leads to it is laid out behind what does not, so that the way that is usually
        taken is short, straight, and stays in the cache of instructions.
        """

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            builder.function.attributes.add("noinline")
            builder.function.attributes.add("cold")
            return context.get_dummy_value()

        return types.none(), codegen


def passed(function: Any) -> Any:
    """A kernel as a value that kernels hand on: `passed(f)()` is `f`, known when they compile.

    Naming `f` itself as an argument would put its address into the code, which is then not cached.
    """
    if JIT_DISABLED:
        return lambda: function
    kind = types.Dispatcher(function)

    @intrinsic
    def value(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return context.get_constant_null(kind)

        return kind(), codegen

    return value


def compile_anew(compiled: Any) -> None:
    """Replace the code of a function that has frozen what has changed; from now on uncached."""
    if not JIT_DISABLED:
        compiled._cache = NullCache()  # on disk is code of what the other files said then
        compiled.recompile()


@contextmanager
def users_compile() -> Iterator[None]:
    """What a user declares inside the block is compiled anew in each process, `cache=True` or not.

    The compiler's cache on disk sees no edit in a helper of another file. Installed packages, which
    nobody edits, keep it.
    """
    usual = Dispatcher.enable_caching

    def installed_only(self: Any) -> None:
        parts = Path(self.py_func.__code__.co_filename).parts
        if self.py_func.__module__.startswith("hft.") or "site-packages" in parts:
            usual(self)

    Dispatcher.enable_caching = installed_only  # type: ignore[method-assign]
    try:
        yield
    finally:
        Dispatcher.enable_caching = usual  # type: ignore[method-assign]


def is_cached(name: str) -> bool:
    """Is there compiled code of `package.module.function`, of these very sources and flags?"""
    return JIT_DISABLED or kernel_cache.is_cached(name)


def record_at(dtype: np.dtype) -> Any:
    """A function from an int64 address to the record of `dtype` that lives there, at no cost.

    The caller keeps the memory alive. With JIT off it returns the same record through ctypes.
    """
    if JIT_DISABLED:
        return lambda address: array_at(address, 1, dtype)[0]
    record = numba.from_dtype(dtype)

    @intrinsic
    def cast(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(record))

        return record(types.int64), codegen

    return cast


def row_on_stack(dtype: np.dtype) -> Any:
    """A function without arguments: a record that lives as long as the kernel that asked for it.

    Its fields become registers where it is handed to nothing but kernels merged in by `inline`. It
    holds anything at first, and a kernel must not return it.
    """
    if JIT_DISABLED:
        return lambda: np.zeros(1, dtype)[0]
    record = numba.from_dtype(dtype)

    @intrinsic
    def row(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            bytes_of = ir.ArrayType(ir.IntType(8), dtype.itemsize)
            at = cgutils.alloca_once(builder, bytes_of)
            at.align = dtype.alignment
            return builder.bitcast(at, context.get_value_type(record))

        return record(), codegen

    return row


def array_at(address: int, length: int, dtype: np.dtype) -> np.ndarray:
    """The array of `length` items of `dtype` at an address (plain Python; no copy)."""
    import ctypes

    size = int(length) * np.dtype(dtype).itemsize
    buffer = (ctypes.c_char * size).from_address(int(address))
    return np.frombuffer(memoryview(buffer), dtype=dtype)


def table_view(dtype: np.dtype) -> Any:
    """A function (address, length) -> the table of `dtype` items there, compiled or plain."""
    if JIT_DISABLED:
        return lambda address, length: array_at(address, length, dtype)
    kind = TableType(numba.from_dtype(np.dtype(dtype)))

    @intrinsic
    def view(typingctx: Any, address: Any, length: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return make_table(context, builder, kind, args[0], args[1])

        return kind(types.int64, types.int64), codegen

    return view


if JIT_DISABLED:

    def address_of(array: np.ndarray) -> int:
        """Where an array begins."""
        return int(array.ctypes.data)
else:

    @intrinsic
    def address_of(typingctx: Any, table: Any) -> Any:
        """Where a table begins."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return table_address(context, builder, signature.args[0], args[0])

        return types.int64(table), codegen


def table_in(row: np.dtype, name: str, dtype: np.dtype) -> Any:
    """A function from a row of addresses to the table at its fields `name` and `name`_n.

    The row is set once, before any kernel sees it: its loads may be moved and shared.
    """
    record = numba.from_dtype(row)
    kind = TableType(numba.from_dtype(np.dtype(dtype)))
    offsets = {field: record.offset(field) for field in (name, f"{name}_n")}

    @intrinsic
    def view(typingctx: Any, handle: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            start = builder.bitcast(args[0], ir.IntType(8).as_pointer())
            word = ir.IntType(64).as_pointer()

            def load(field: str, is_length: bool) -> Any:
                offset = ir.Constant(ir.IntType(64), offsets[field])
                at = builder.bitcast(builder.gep(start, [offset]), word)
                return constant_word(builder, at, is_length=is_length)

            at, length = load(name, False), load(f"{name}_n", True)
            return make_table(context, builder, kind, at, length)

        return kind(record), codegen

    return view


if JIT_DISABLED:

    def prefetch(address: int) -> None:
        """Nothing: a hint has no meaning in plain Python."""
else:

    @intrinsic
    def prefetch(typingctx: Any, address: Any) -> Any:
        """Ask for the cache line at an address before it is needed; changes nothing else."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            word = ir.IntType(32)
            shape = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
            hint = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], shape)
            at = builder.inttoptr(args[0], cgutils.voidptr_t)
            builder.call(hint, [at, word(0), word(3), word(1)])
            return context.get_dummy_value()

        return types.none(types.int64), codegen
