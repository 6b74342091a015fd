"""Values of expressions on columns: in one go, in blocks of any size, or row by row.

All three run the same kernels over the same state, so they give the same bits. An `Evaluation`
owns its state; columns are read and never written. What does not fit the memory allowed is done in
several graphs, which changes no value.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hft.core.errors import DataError
from hft.research.expressions.expression import Expression
from hft.research.expressions.graph import Graph, build
from hft.research.expressions.program import run

BLOCK = 4096  # rows of one slot: 32 KB, so that what is being worked on stays in the cache
CACHE_MB = 2048


class Evaluation:
    """The state of one graph between blocks."""

    def __init__(self, graph: Graph, block: int = BLOCK) -> None:
        from hft.research.expressions.ranks import SortedRuns

        self.graph, self.block = graph, block
        self.floats, self.ints = np.zeros(graph.floats + 1), np.zeros(graph.ints + 1, np.int64)
        self.slots = np.empty((graph.slots, block))
        self.runs = [SortedRuns() for _ in range(graph.whole)]
        self.rows = 0

    def feed(self, columns: np.ndarray, answers: np.ndarray) -> None:
        """Evaluate the next rows: `columns` [field, row] into `answers` [expression, row]."""
        rows = columns.shape[1]
        whole = np.empty((self.graph.whole, rows))
        for phase in range(len(self.graph.phases)):
            self.phase(phase, columns, whole, answers, 0, 0, rows)
            for place in self.graph.phases[phase].ranks:
                self.runs[place].rank(whole[place].copy(), whole[place])
        self.rows += rows

    def phase(
        self,
        phase: int,
        columns: np.ndarray,
        whole: np.ndarray,
        answers: np.ndarray,
        base: int,
        lo: int,
        hi: int,
    ) -> None:
        """Run one phase on the rows [lo, hi); column 0 of `answers` is row `base`."""
        program = self.graph.phases[phase].program
        run(
            program,
            columns,
            whole,
            answers,
            base,
            self.graph.consts,
            self.floats,
            self.ints,
            self.slots,
            lo,
            hi,
        )

    def steps(
        self,
        program: np.ndarray,
        columns: np.ndarray,
        whole: np.ndarray,
        answers: np.ndarray,
        lo: int,
        hi: int,
    ) -> None:
        """Run a stretch of a phase's program on one block; column 0 of `answers` is row `lo`."""
        run(
            program,
            columns,
            whole,
            answers,
            lo,
            self.graph.consts,
            self.floats,
            self.ints,
            self.slots,
            lo,
            hi,
        )


def table_of(columns: Mapping[str, np.ndarray], fields: Sequence[str]) -> np.ndarray:
    """Columns by name as one read-only float64 table [field, row].

    Raises: DataError for a column that is missing, of another length, or not of numbers.
    """
    lengths = {len(columns[name]) for name in fields if name in columns}
    if len(lengths) > 1:
        shown = ", ".join(f"{name} {len(columns[name])}" for name in fields)
        raise DataError(f"columns of different lengths: {shown}; cut them to the same rows")
    rows = lengths.pop() if lengths else max((len(c) for c in columns.values()), default=0)
    table = np.empty((len(fields), rows))
    for place, name in enumerate(fields):
        if name not in columns:
            known = ", ".join(sorted(columns)[:12])
            raise DataError(f"column {name!r} is not in the data; it has {known}")
        try:
            table[place] = columns[name]
        except (TypeError, ValueError):
            raise DataError(f"column {name!r} does not hold one number a row") from None
    table.setflags(write=False)
    return table


def evaluate(
    expressions: Sequence[Expression],
    columns: Mapping[str, np.ndarray],
    *,
    block: int = BLOCK,
    cache_mb: float = CACHE_MB,
) -> np.ndarray:
    """The values of all expressions, float64 [expression, row]; NaN where an input is missing."""
    fields = sorted({name for expression in expressions for name in expression.fields})
    table = table_of(columns, fields)
    answers = np.empty((len(expressions), table.shape[1]))
    for first, stop, graph in graphs(expressions, fields, table.shape[1], block, cache_mb):
        whole_run(Evaluation(graph, block), table, answers[first:stop])
    return answers


def whole_run(evaluation: Evaluation, table: np.ndarray, answers: np.ndarray) -> None:
    """Evaluate all rows at once from the start; an expanding rank sorts its column once."""
    rows = table.shape[1]
    whole = np.empty((evaluation.graph.whole, rows))
    for phase in range(len(evaluation.graph.phases)):
        evaluation.phase(phase, table, whole, answers, 0, 0, rows)
        rank_whole(evaluation.graph, phase, whole)


def rank_whole(graph: Graph, phase: int, whole: np.ndarray) -> None:
    """Rank in place the columns that a phase has stored in full."""
    from hft.research.expressions.ranks import rank_column

    for place in graph.phases[phase].ranks:
        rank_column(whole[place].copy(), whole[place])


def graphs(
    expressions: Sequence[Expression],
    fields: Sequence[str],
    rows: int,
    block: int,
    cache_mb: float,
) -> list[tuple[int, int, Graph]]:
    """Consecutive expressions cut into graphs of which each needs at most `cache_mb`.

    A single expression is never cut: it gets what it needs.
    """
    graph = build(expressions, fields)
    if memory_mb(graph, rows, block) <= cache_mb or len(expressions) < 2:
        return [(0, len(expressions), graph)]
    half = len(expressions) // 2
    left = graphs(expressions[:half], fields, rows, block, cache_mb)
    right = graphs(expressions[half:], fields, rows, block, cache_mb)
    return [*left, *((first + half, stop + half, graph) for first, stop, graph in right)]


def memory_mb(graph: Graph, rows: int, block: int) -> float:
    """What a graph holds at once: slots, state, whole columns and the sorting of one of them."""
    words = graph.slots * block + graph.floats + graph.ints + graph.whole * rows
    return 8e-6 * (words + (4 * rows if graph.whole else 0))
