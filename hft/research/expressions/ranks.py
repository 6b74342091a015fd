"""Kernels of order: ts_rank in its window, and the expanding rank.

A rank is (values below + (equal values + 1) / 2) / values, itself included: two whole numbers, so
every way of counting gives the same bits. A whole column is counted by a bitmap over its sorted
places; a stream by a sorted list of short sorted runs. The sorted order of the column only finds
places quickly: a row counts the rows before it and nothing else.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from hft.core.jit import JIT_DISABLED, kernel

RUN = 512  # values of one sorted run of a stream


def state_size(name: str, window: int) -> tuple[int, int]:
    """Floats and ints of state `ts_rank` needs."""
    return 2 * window, 2


@kernel
def window_rank(sf, si, x, out, w):  # type: ignore[no-untyped-def]
    """Average rank of x among the present rows of its window, over their number."""
    n, at, seen = x.size, si[0], si[1]
    for t in range(n):
        v = x[t]
        if t >= w - 1:
            recent = x[t - w + 1 : t + 1]
        else:  # each value stands twice in the ring, so a window is one stretch of it
            sf[at], sf[at + w] = v, v
            rows = min(seen + t + 1, w)
            recent = sf[at + w - rows + 1 : at + w + 1]
            at = at + 1 if at + 1 < w else 0
        below, equal, missing = 0, 0, 0
        for j in range(recent.size):
            u = recent[j]
            below += u < v
            equal += u == v
            missing += u != u
        out[t] = (below + 0.5 * (equal + 1)) / (recent.size - missing) if v == v else np.nan
    for t in range(max(w - 1, n - w), n):
        sf[at], sf[at + w] = x[t], x[t]
        at = at + 1 if at + 1 < w else 0
    si[0], si[1] = at, min(seen + n, w)


if JIT_DISABLED:

    def _ones(word: int) -> int:
        return (int(word) & (1 << 64) - 1).bit_count()
else:

    @intrinsic
    def _ones(typingctx: Any, word: Any) -> Any:
        """Set bits of a 64-bit word."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.ctpop(args[0])

        return types.int64(types.int64), codegen


@kernel
def _places(x, order, first):  # type: ignore[no-untyped-def]
    """The first sorted place of each row's value; its complement where others share the value."""
    start, n = 0, order.size
    while start < n:
        stop = start + 1
        while stop < n and x[order[stop]] == x[order[start]]:
            stop += 1
        place = start if stop - start == 1 else ~start
        for k in range(start, stop):
            first[order[k]] = place
        start = stop


@kernel
def _rank_rows(x, first, bits, left, shared, levels, out):  # type: ignore[no-untyped-def]
    """Each row counts the bits of the rows before it, then sets its own.

    `left` is a complete binary tree over the words of `bits`, a node holding what is set under its
    left child. Every row walks the same number of levels, so no branch depends on the data.
    """
    present = 0
    for t in range(x.size):
        if x[t] != x[t]:
            out[t] = np.nan
            continue
        start, earlier = np.int64(first[t]), 0
        if start < 0:
            start = ~start
            earlier = shared[start]
            shared[start] = earlier + 1
        word = start >> 6
        below = _ones(bits[word] & ~(-1 << (start & 63)))
        for level in range(levels):
            path = word >> (levels - 1 - level)
            below += left[(1 << level) | (path >> 1)] * (path & 1)
        present += 1
        out[t] = (below + 0.5 * (earlier + 2)) / present
        place = start + earlier  # rows of one value take the places of its stretch in turn
        word = place >> 6
        bits[word] |= 1 << (place & 63)
        for level in range(levels):
            path = word >> (levels - 1 - level)
            left[(1 << level) | (path >> 1)] += 1 - (path & 1)


def rank_column(x: np.ndarray, out: np.ndarray) -> None:
    """The expanding rank of a whole column; the same bits as `SortedRuns` row by row."""
    order = np.argsort(x)
    order = order[: x.size - int(np.count_nonzero(x != x))]  # what is missing is sorted last
    first = np.zeros(x.size, np.int32)
    _places(x, order, first)
    words = (x.size >> 6) + 1
    levels = max(1, int(words - 1).bit_length())
    bits, left = np.zeros(words, np.int64), np.zeros(1 << levels, np.int32)
    _rank_rows(x, first, bits, left, np.zeros(x.size, np.int32), levels, out)


@kernel
def _find(tops, runs, v, after_equal):  # type: ignore[no-untyped-def]
    """The first run whose largest value is >= v (> v with `after_equal`); the last at most."""
    low, high = 0, runs - 1
    while low < high:
        middle = (low + high) >> 1
        if tops[middle] > v or (tops[middle] == v and not after_equal):
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def _within(run, size, v, after_equal):  # type: ignore[no-untyped-def]
    """Values of a sorted run below v (not above it with `after_equal`)."""
    low, high = 0, size
    while low < high:
        middle = (low + high) >> 1
        if run[middle] < v or (after_equal and run[middle] == v):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _insert(values, ids, sizes, tops, runs, v):  # type: ignore[no-untyped-def]
    """Put v behind its equals; a full run is split in two. Returns: the number of runs."""
    k = _find(tops, runs, v, True)
    if sizes[k] == RUN:
        half = RUN // 2
        for j in range(runs, k + 1, -1):
            ids[j], sizes[j], tops[j] = ids[j - 1], sizes[j - 1], tops[j - 1]
        old, new = ids[k], runs
        values[new, :half] = values[old, half:]
        ids[k + 1], sizes[k + 1], tops[k + 1] = new, half, tops[k]
        sizes[k], tops[k] = half, values[old, half - 1]
        runs += 1
        k = _find(tops, runs, v, True)
    run, size = values[ids[k]], sizes[k]
    place = _within(run, size, v, True)
    for j in range(size, place, -1):
        run[j] = run[j - 1]
    run[place] = v
    sizes[k] = size + 1
    tops[k] = run[size]
    return runs


@kernel
def _rank_stream(values, ids, sizes, tops, counts, x, out):  # type: ignore[no-untyped-def]
    """Ranks of new rows among all rows so far; the sorted runs take them in."""
    runs, present = counts[0], counts[1]
    for t in range(x.size):
        v = x[t]
        if v != v:
            out[t] = np.nan
            continue
        low, high = _find(tops, runs, v, False), _find(tops, runs, v, True)
        below, upto = 0, 0
        for k in range(low):
            below += sizes[k]
        upto = below
        for k in range(low, high):
            upto += sizes[k]
        below += _within(values[ids[low]], sizes[low], v, False)
        upto += _within(values[ids[high]], sizes[high], v, True)
        present += 1
        out[t] = (below + 0.5 * (upto - below + 2)) / present
        runs = _insert(values, ids, sizes, tops, runs, v)
    counts[0], counts[1] = runs, present


class SortedRuns:
    """All values so far, in sorted runs of at most `RUN`; the state of one expanding rank."""

    def __init__(self) -> None:
        self.values = np.zeros((2, RUN))
        self.ids, self.sizes = np.zeros(2, np.int64), np.zeros(2, np.int64)
        self.tops = np.zeros(2)
        self.counts = np.array([1, 0])

    def rank(self, x: np.ndarray, out: np.ndarray) -> None:
        """Write the ranks of the next rows."""
        need = int(self.counts[0]) + x.size // (RUN // 2) + 2
        if need > self.sizes.size:
            more = max(need, 2 * self.sizes.size) - self.sizes.size
            self.values = np.concatenate([self.values, np.zeros((more, RUN))])
            self.ids = np.concatenate([self.ids, np.zeros(more, np.int64)])
            self.sizes = np.concatenate([self.sizes, np.zeros(more, np.int64)])
            self.tops = np.concatenate([self.tops, np.zeros(more)])
        _rank_stream(self.values, self.ids, self.sizes, self.tops, self.counts, x, out)
