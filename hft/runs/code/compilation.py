"""What a person is told of the compiler: that the engine takes a minute the first time, and of a
strategy that cannot be compiled one sentence with its line instead of a page of types.
"""

import re
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from numba.core.errors import NumbaError, UnsupportedBytecodeError

from hft.core.errors import StrategyError
from hft.core.jit import JIT_DISABLED, is_cached
from hft.core.source import at_line
from hft.runs.code.location import file_of

if TYPE_CHECKING:
    from hft.strategies.base import Strategy

# The compiler's own words for a body that it cannot take; not all of them have one root.
NOT_COMPILED = (NumbaError, UnsupportedBytecodeError)

# A kernel that is compiled when the engine is, and one that each ingest runs.
ENGINE, READERS = "replay.compiled._advance_at", "feeds.checks.look"

_PLACE = re.compile(
    r"^During: (?:typing of|resolving|lowering) .*? at (?P<file>.+) \((?P<line>\d+)\)"
)
_LINE = re.compile(r'^File "(?P<file>[^"]+)", line (?P<line>\d+):')
_STEP = ("Failed in", "During:", "File ")
_NO_CAUSE = ("- Resolution failure", "None")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LITERAL = re.compile(r"Literal\[\w+\]\(([^()]*)\)")
_WHY = re.compile(r"TypingError: (.+)")
_CURE = (
    "plain Python takes it: --plain or hft.replay(..., plain=True) for this run, or for good a "
    "class with on_wake(self, view, order)"
)
# What plain Python does not take either: our own words with other arguments, a function or nothing
# where a number was meant, a field that is not there.
_IN_VAIN = re.compile(r"hft\.|BoundFunction|Record\(|\bnone\b|^KeyError")
_WORD = re.compile(r"the compiler knows no _order_(\w+)\(hft\.Order(?:, )?(.*?)\)")


def first_compile() -> str:
    """What is said before a replay that compiles the engine; empty where that has been done."""
    if is_cached(ENGINE):
        return ""
    return "kernels: compiling the engine, which takes a minute or two, once on this machine"


def first_decode() -> str:
    """What is said before an ingest that compiles the readers; empty where that has been done."""
    if is_cached(READERS):
        return ""
    return "kernels: compiling the readers, which takes half a minute, once on this machine"


def load_compiler() -> None:
    """Let the compiler load its own types now, without all of scipy.linalg.

    It imports that only to see whether there is BLAS. hft needs scipy, so the answer is known; code
    that multiplies matrices loads it when it is compiled.
    """
    asked = "scipy.linalg.cython_blas"
    if JIT_DISABLED or "numba.np.arraymath" in sys.modules or asked in sys.modules:
        return
    from numba.core.registry import cpu_target

    sys.modules[asked] = ModuleType(asked)
    try:
        cpu_target.target_context.refresh()
    finally:
        del sys.modules[asked]


def strategy_error(strategies: Mapping[str, "Strategy"], error: Exception) -> StrategyError:
    """What is wrong with a strategy that cannot be compiled, with its file, line and text.

    A name that is not there is said in our words; else the cause is the compiler's own, and the
    way out is to run what it does not know as plain Python.
    """
    from hft.runs.code.unknown import unknowns

    lines = [line.strip() for line in str(error).splitlines()]
    files = {name: file_of(one) for name, one in strategies.items()}
    file, line = _place(lines, list(files.values()))
    for name, one in strategies.items():
        for found in unknowns(one):
            if not line or (files[name] == file and found.line <= line <= found.last):
                place = at_line(files[name], found.line)
                return StrategyError(f"{place}strategy {name!r} cannot be compiled: {found.says}")
    names = ", ".join(map(repr, strategies))
    cause = _cause(lines, error)
    cure = "" if _IN_VAIN.search(cause) else f"; {_CURE}"
    if own := _WORD.match(cause):
        sides = "; a side is hft.BUY or hft.SELL" if own[1] in ("quote", "new") else ""
        cause = f"order.{own[1]} takes numbers, found ({own[2]}){sides}"
    return StrategyError(f"{at_line(file, line)}strategy {names} cannot be compiled: {cause}{cure}")


def _cause(lines: list[str], error: Exception) -> str:
    """The compiler's own words, without the addresses and pages of types."""
    if not isinstance(error, NOT_COMPILED):
        return f"{type(error).__name__}: {error}"
    told = [line for line in lines if line and not line.startswith((*_STEP, *_NO_CAUSE))]
    cause = next(iter(told), "unknown cause")
    if "found for signature" not in cause:
        return _ADDRESS.sub("", cause).removesuffix(". Raised from None").rstrip(".")
    call = next((line.removeprefix(">>>").strip() for line in told if line.startswith(">>>")), "")
    why = next((found[1] for line in told if (found := _WHY.match(line))), "")
    asked = _LITERAL.sub(r"\1", call)
    return f"the compiler knows no {asked}" + (f" ({why})" if why else "")


def _place(lines: list[str], files: list[str]) -> tuple[str, int]:
    """File and number of the first line that lies in a strategy's file; ("", 0) for none."""
    for line in lines:
        found = _PLACE.match(line) or _LINE.match(line)
        if found is None:
            continue
        name = found["file"].rsplit("/", 1)[-1]
        for file in files:
            if file and file.rsplit("/", 1)[-1] == name:
                return file, int(found["line"])
    return "", 0
