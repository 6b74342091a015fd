"""What a person is told of the compiler: that the engine takes a minute the first time, and of a
strategy that cannot be compiled one sentence with its line instead of a page of types.
"""

import re
import sys
from types import ModuleType

from numba.core.errors import NumbaError, UnsupportedBytecodeError

from hft.core.errors import StrategyError
from hft.core.jit import JIT_DISABLED, is_cached

# The compiler's own words for a body that it cannot take; not all of them have one root.
NOT_COMPILED = (NumbaError, UnsupportedBytecodeError)

# A kernel that is compiled when the engine is, and one that each ingest runs.
ENGINE, READERS = "replay.compiled._advance_at", "feeds.checks.look"

_PLACE = re.compile(
    r"^During: (?:typing of|resolving|lowering) .*? at (?P<file>.+) \((?P<line>\d+)\)"
)
_LINE = re.compile(r'^File "(?P<file>[^"]+)", line (?P<line>\d+):')
_STEP = ("Failed in", "During:", "File ")
_SHAPE = "a strategy is `def name(view, order, p, s)`, a pull loop `def name(sim, p, s)`"


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


def strategy_error(names: list[str], files: list[str], error: Exception) -> StrategyError:
    """The cause that the compiler found and the line of the strategy's file it stands on.

    `files` are where the strategies come from; other lines are of our own code and say nothing.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    cause = next((line for line in lines if line and not line.startswith(_STEP)), "unknown cause")
    if "positional argument" in str(error):
        cause = f"its arguments are not those it is called with; {_SHAPE}"
    place = _place(lines, files)
    return StrategyError(
        f"{place}strategy {', '.join(map(repr, names))} cannot be compiled: {cause}; "
        "strategy.check(tapes) runs it in plain Python"
    )


def _place(lines: list[str], files: list[str]) -> str:
    """`file, line N: ` of the first line that lies in a strategy's file."""
    for line in lines:
        found = _PLACE.match(line) or _LINE.match(line)
        if found is None:
            continue
        name = found["file"].rsplit("/", 1)[-1]
        for file in files:
            if file and file.rsplit("/", 1)[-1] == name:
                return f"{file}, line {found['line']}: "
    return ""
