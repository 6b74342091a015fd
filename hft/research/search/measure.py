"""The figures of a list of expressions on one market: evaluate, trade and sum up, block by block.

The signal of an expression is its expanding zscore, so that one threshold fits every unit; a root
that is a zscore already, or the negative of one, is taken as it is. What an expression gets does
not depend on the others in the list, on the size of blocks, or on the memory allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hft.research.expressions.evaluate import BLOCK, CACHE_MB, Evaluation, graphs, rank_whole
from hft.research.expressions.expression import Expression, standardised
from hft.research.expressions.graph import Graph
from hft.research.expressions.program import ANSWER, CODE, WINDOW
from hft.research.search.folds import Fold, purged
from hft.research.search.market import Market
from hft.research.search.score import Scored, pool_correlation, score
from hft.research.search.trade import (
    HELD,
    LANES,
    PATH,
    POSITION,
    TRADED,
    Trades,
    correlate,
    new_trades,
    trade,
)


@dataclass(frozen=True)
class Measured:
    """One expression's figures, and what tells behaviours apart: the path of its positions."""

    scored: Scored
    path: int  # equal for equal positions, and for exactly opposite ones; 0 where it never trades


def measure(
    expressions: Sequence[Expression],
    market: Market,
    *,
    threshold: float = 0.3,
    cache_mb: float = CACHE_MB,
    block: int = BLOCK,
) -> list[Measured]:
    """The figures of each expression, in order."""
    signals = [standardised(expression) for expression in expressions]
    found: list[Measured] = []
    for first, stop, graph in graphs(signals, market.fields, market.rows, block, cache_mb):
        found += _graph(graph, stop - first, market, threshold, block)
    return found


@dataclass(frozen=True)
class Part:
    """A stretch of a program that ends with the answers of one group of four, if it has any."""

    program: np.ndarray
    group: int  # -1 without answers


@dataclass(frozen=True)
class Lanes:
    """A graph cut behind every fourth answer: four signals are traded while they are in the cache.

    Answers of a group stand in rows 0 to 3; `row` says where an expression stands among all.
    """

    graph: Graph
    row: np.ndarray
    parts: tuple[tuple[Part, ...], ...]  # by phase
    groups: int

    @classmethod
    def of(cls, graph: Graph) -> "Lanes":
        row, groups = np.zeros(graph.answers, np.int64), 0
        phases = []
        for phase in graph.phases:
            program, parts, first = phase.program.copy(), [], 0
            answers = np.flatnonzero(program[:, CODE] == ANSWER)
            for k in range(0, len(answers), LANES):
                mine = answers[k : k + LANES]
                row[program[mine, WINDOW]] = groups * LANES + np.arange(len(mine))
                program[mine, WINDOW] = np.arange(len(mine))
                parts.append(Part(program[first : mine[-1] + 1], groups))
                first, groups = int(mine[-1]) + 1, groups + 1
            phases.append((*parts, Part(program[first:], -1)))
        return cls(graph, row, tuple(phases), groups)


def _graph(
    graph: Graph, count: int, market: Market, threshold: float, block: int
) -> list[Measured]:
    lanes = Lanes.of(graph)
    trades = new_trades(lanes.groups, len(market.days))
    moments = np.zeros((lanes.groups * LANES, 2 + len(market.pool)))
    folds = purged(len(market.days), market.horizon_ns)
    holding = np.zeros((lanes.groups, len(market.days), LANES))
    for lo, hi in pairwise(market.starts.tolist()):
        trades.state[:, POSITION] = 0.0
        before = trades.sums[:, :, HELD].copy()
        _segment(lanes, trades, moments, market, threshold, block, lo, hi)
        _hold(holding, trades.sums[:, :, HELD] - before, folds, market, lo, hi)
    found = []
    for row in lanes.row.tolist():
        group, lane = divmod(row, LANES)
        correlation = pool_correlation(moments[row], market.pool_sums, market.rows)
        state, sums = trades.state[group, :, lane], trades.sums[group, :, :, lane]
        traded = float(state[TRADED])
        earned = holding[group, :, lane]
        scored = score(sums, earned, market.rows, traded, correlation, folds, market.proxy)
        found.append(Measured(scored, abs(int(state[PATH]))))
    return found


def _hold(
    holding: np.ndarray,
    held: np.ndarray,
    folds: tuple[Fold, ...],
    market: Market,
    lo: int,
    hi: int,
) -> None:
    """Add what a name's mean position of each block earns when it is held all through the block.

    `held` [group, session, lane] are the units held over in the name's rows. Mutates: holding.
    """
    session = market.session[lo:hi]
    rows = np.bincount(session, minlength=len(market.days))
    gains = np.bincount(session, market.earned[lo:hi], len(market.days))
    for fold in folds:
        block = slice(fold.first, fold.stop)
        mean = held[:, block].sum(axis=1) / max(int(rows[block].sum()), 1)
        holding[:, block] += mean[:, None] * gains[None, block, None]


def _segment(
    lanes: Lanes,
    trades: Trades,
    moments: np.ndarray,
    market: Market,
    threshold: float,
    block: int,
    lo: int,
    hi: int,
) -> None:
    """One name from its first row to its last; phases in turn, each block by block."""
    table = market.table[:, lo:hi]
    evaluation = Evaluation(lanes.graph, block)
    whole = np.empty((lanes.graph.whole, hi - lo))
    signals = np.zeros((LANES, block))
    for phase, parts in enumerate(lanes.parts):
        for start in range(lo, hi, block):
            stop = min(hi, start + block)
            for part in parts:
                evaluation.steps(part.program, table, whole, signals, start - lo, stop - lo)
                if part.group >= 0:
                    trade(trades, market.steps, signals, part.group, start, stop, threshold)
                    if len(market.pool):
                        correlate(moments, market.pool, signals, part.group, start, stop)
        rank_whole(lanes.graph, phase, whole)
