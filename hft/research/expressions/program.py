"""The compiled evaluator: one loop over blocks of rows and, within a block, over operations.

A program is a table of whole numbers, one row an operation; values pass through slots of one block
each, which stay in the processor's cache. The kernel is keyed by the sources of all kernels it
calls: it closes over their hash, which is part of the compiler's cache key.
"""

import hashlib
from pathlib import Path
from typing import Any

from hft.core.jit import kernel
from hft.research.expressions import elementwise, moments, ranks, windows
from hft.research.expressions.nodes import OPERATORS

# Columns of a program.
CODE, OUT, A, B, WINDOW, FLOATS, INTS = range(7)
WIDTH = 7
# What moves values, its row in the column WINDOW; the operators follow in the table's order.
FIELD, CONST, WHOLE, STORE, ANSWER = range(5)
CODES = {name: 5 + place for place, name in enumerate(sorted(OPERATORS))}
ABS, ADD, DECAY, DIV, LOG1P, MUL, NEG = (
    CODES[name] for name in ("abs", "add", "decay_linear", "div", "log1p", "mul", "neg")
)
SIGN, SUB, CORR, DELTA, MEAN = (
    CODES[name] for name in ("sign", "sub", "ts_corr", "ts_delta", "ts_mean")
)
TS_RANK, STD, SUM, ZSCORE = (CODES[name] for name in ("ts_rank", "ts_std", "ts_sum", "zscore"))
_STATE = {
    **dict.fromkeys(("ts_sum", "ts_mean", "decay_linear", "ts_delta"), windows.state_size),
    **dict.fromkeys(("ts_std", "ts_corr", "zscore"), moments.state_size),
    "ts_rank": ranks.state_size,
}


def state_size(name: str, window: int) -> tuple[int, int]:
    """Floats and ints of state one operator needs; none for those that see one row."""
    return _STATE[name](name, window) if name in _STATE else (0, 0)


def sources_key() -> int:
    """A number that changes with any edit of a kernel of this folder."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem in ("elementwise", "windows", "moments", "ranks", "program"):
            digest.update(path.read_bytes())
    return int(digest.hexdigest()[:12], 16)


def _compiled(key: int) -> Any:
    """The evaluator; `key` is read so that it belongs to the closure, and so to the cache key."""

    @kernel
    def run(program, columns, whole, answers, base, consts, sf, si, slots, lo, hi):  # type: ignore[no-untyped-def]
        """Run a program on the rows [lo, hi), block by block; column 0 of answers is row `base`."""
        block = slots.shape[1] if key else hi - lo
        per_block = program.shape[0]
        for turn in range(per_block * ((hi - lo + block - 1) // block)):
            step = turn % per_block
            start = lo + block * (turn // per_block)
            stop = min(hi, start + block)
            n = stop - start
            op = program[step]
            code, w = op[CODE], op[WINDOW]
            x, y, out = slots[op[A], :n], slots[op[B], :n], slots[op[OUT], :n]
            f, i = sf[op[FLOATS] :], si[op[INTS] :]
            if code == STORE:
                whole[w, start:stop] = x
            elif code == ANSWER:
                answers[w, start - base : stop - base] = x
            elif code == FIELD:
                elementwise.copy(columns[w, start:stop], out)
            elif code == CONST:
                elementwise.fill(consts[w], out)
            elif code == WHOLE:
                out[:] = whole[w, start:stop]
            elif code == ADD:
                elementwise.add(x, y, out)
            elif code == SUB:
                elementwise.subtract(x, y, out)
            elif code == MUL:
                elementwise.multiply(x, y, out)
            elif code == DIV:
                elementwise.divide(x, y, out)
            elif code == MEAN or code == SUM:
                windows.window_sum(f, i, x, out, w, code == MEAN)
            elif code == STD:
                moments.window_sd(f, i, x, out, w)
            elif code == ZSCORE:
                moments.zscore(f, i, x, out)
            elif code == DELTA:
                windows.delta(f, i, x, out, w)
            elif code == DECAY:
                windows.decay_linear(f, i, x, out, w)
            elif code == CORR:
                moments.window_corr(f, i, x, y, out, w)
            elif code == TS_RANK:
                ranks.window_rank(f, i, x, out, w)
            elif code == ABS:
                elementwise.absolute(x, out)
            elif code == SIGN:
                elementwise.sign(x, out)
            elif code == NEG:
                elementwise.negate(x, out)
            elif code == LOG1P:
                elementwise.log1p(x, out)

    return run


run = _compiled(sources_key())
