"""Find the next set bit of a 64-bit word held in an int64; the step of the level bitmap."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hft.core.jit import JIT_DISABLED, kernel

_MASK = (1 << 64) - 1


@intrinsic
def _trailing_zeros(typingctx: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), codegen


@intrinsic
def _leading_zeros(typingctx: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), codegen


if JIT_DISABLED:

    def lowest(word: int) -> int:
        word = int(word) & _MASK
        return (word & -word).bit_length() - 1 if word else 64

    def highest(word: int) -> int:
        return (int(word) & _MASK).bit_length() - 1

    def above(word: int, bit: int) -> int:
        shift = int(bit) + 1
        return lowest((int(word) & _MASK) >> shift << shift)

    def below(word: int, bit: int) -> int:
        return highest((int(word) & _MASK) & ((1 << int(bit)) - 1))

    def mask(bit: int) -> int:
        return (1 << int(bit)) - (1 << 64 if bit == 63 else 0)
else:

    @kernel
    def lowest(word):  # type: ignore[no-untyped-def]
        """Index of the lowest set bit, 64 when there is none."""
        return _trailing_zeros(word)

    @kernel
    def highest(word):  # type: ignore[no-untyped-def]
        """Index of the highest set bit, -1 when there is none."""
        return 63 - _leading_zeros(word)

    @kernel
    def above(word, bit):  # type: ignore[no-untyped-def]
        """The lowest set bit above `bit` (-1..63), 64 when there is none."""
        if bit >= 63:
            return 64
        return _trailing_zeros(word & (-1 << (bit + 1)))

    @kernel
    def below(word, bit):  # type: ignore[no-untyped-def]
        """The highest set bit below `bit` (0..64), -1 when there is none."""
        if bit >= 64:
            return 63 - _leading_zeros(word)
        return 63 - _leading_zeros(word & ((1 << bit) - 1))

    @kernel
    def mask(bit):  # type: ignore[no-untyped-def]
        """The word with only `bit` set."""
        return 1 << bit
