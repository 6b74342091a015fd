"""Call a compiled function by its address, so that what a user adds is data to the engine.

An address is an int64 that a table can hold: the engine is compiled once, and a kernel that is not
asked costs nothing. With JIT off the address is a number in a list of plain functions. Addresses
belong to the process; whoever keeps one keeps its function alive.
"""

from collections.abc import Callable
from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic

from hft.core.jit import JIT_DISABLED

_PLAIN: list[Callable[..., Any]] = []


def pointer_to(function: Any, signature: Any) -> int:
    """The address of a kernel compiled for `signature`; above 0."""
    if JIT_DISABLED:
        _PLAIN.append(function)
        return len(_PLAIN)
    compiled = function.get_compile_result(signature)
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def caller_of(signature: Any) -> Any:
    """A function (address, tuple of arguments) for kernels; what the callee raises goes through."""
    if JIT_DISABLED:
        return lambda address, values: _PLAIN[int(address) - 1](*values)
    kinds = signature.args

    @intrinsic
    def call_at(typingctx: Any, address: Any, values: Any) -> Any:
        def codegen(context: Any, builder: Any, made: Any, args: Any) -> Any:
            convention = context.call_conv
            shape = convention.get_function_type(signature.return_type, kinds)
            function = builder.inttoptr(args[0], shape.as_pointer())
            inputs = [
                context.cast(builder, value, given, wanted)
                for value, given, wanted in zip(
                    cgutils.unpack_tuple(builder, args[1]), made.args[1], kinds, strict=True
                )
            ]
            status, result = convention.call_function(
                builder, function, signature.return_type, kinds, inputs
            )
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return result

        return signature.return_type(address, values), codegen

    return call_at
