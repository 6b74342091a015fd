"""Many expressions as one graph in which each sub-expression stands once, and its programs.

The expanding rank is the one operator that works on a whole stretch of rows between two programs:
nodes below it belong to an earlier phase. Within a phase a node's slot is free again after its last
reader, so memory is the widest cut of the graph, not its size. It holds no data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hft.research.expressions.expression import Expression
from hft.research.expressions.nodes import Const, Field, Node, Op, walk
from hft.research.expressions.program import (
    ANSWER,
    CODES,
    CONST,
    FIELD,
    STORE,
    WHOLE,
    WIDTH,
    state_size,
)


@dataclass(frozen=True)
class Phase:
    """One program, and the rows of the whole-column table that are ranked in place after it."""

    program: np.ndarray  # int64[operation, WIDTH]
    slots: int
    ranks: range
    answers: np.ndarray  # which expressions are answered in this phase


@dataclass(frozen=True)
class Graph:
    """Everything to evaluate a list of expressions, in the order they were given."""

    fields: tuple[str, ...]
    consts: np.ndarray
    phases: tuple[Phase, ...]
    floats: int  # of state
    ints: int
    whole: int  # columns kept in full: one for each different argument of an expanding rank
    answers: int
    nodes: int  # different sub-expressions
    shared: int  # readers saved: nodes if nothing were shared, minus `nodes`

    @property
    def slots(self) -> int:
        """Blocks alive at once."""
        return max(phase.slots for phase in self.phases)


class _Builder:
    """Nodes by canonical text, each with its phase; then one program a phase."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.column = {name: place for place, name in enumerate(fields)}
        self.nodes: dict[str, Node] = {}  # children before parents
        self.phase_of: dict[str, int] = {}
        self.consts: list[float] = []
        self.ranked: dict[str, int] = {}  # text of a rank node -> its whole column
        self.floats = self.ints = 0

    def add(self, node: Node) -> None:
        if node.text in self.nodes:
            return
        phase = 0
        if isinstance(node, Op):
            for arg in node.args:
                self.add(arg)
            phase = max(self.phase_of[arg.text] for arg in node.args) + (node.name == "rank")
        self.nodes[node.text], self.phase_of[node.text] = node, phase

    def rank_rows(self) -> list[range]:
        """Whole columns, numbered so that those of one phase stand together."""
        last = max(self.phase_of.values(), default=0)
        found = []
        for phase in range(1, last + 1):
            first = len(self.ranked)
            for text, node in self.nodes.items():
                if isinstance(node, Op) and node.name == "rank" and self.phase_of[text] == phase:
                    self.ranked[text] = len(self.ranked)
            found.append(range(first, len(self.ranked)))
        return [*found, range(0)]

    def steps(self, phase: int, roots: Sequence[tuple[int, str]]) -> list[tuple[int, str, int]]:
        """What a phase does, in order: (code, node, row of the table); each node just in time."""
        done: set[str] = set()
        steps: list[tuple[int, str, int]] = []

        def need(text: str) -> None:
            if text in done:
                return
            done.add(text)
            node = self.nodes[text]
            if text in self.ranked:
                steps.append((WHOLE, text, self.ranked[text]))
            elif isinstance(node, Const):
                steps.append((CONST, text, len(self.consts)))
                self.consts.append(node.value)
            elif isinstance(node, Field):
                steps.append((FIELD, text, self.column[node.name]))
            else:
                for arg in node.args:
                    need(arg.text)
                steps.append((CODES[node.name], text, 0))

        for text, row in self.ranked.items():
            node = self.nodes[text]
            if self.phase_of[text] == phase + 1 and isinstance(node, Op):
                need(node.args[0].text)
                steps.append((STORE, node.args[0].text, row))
        for place, text in roots:
            need(text)
            steps.append((ANSWER, text, place))
        return steps

    def program(self, steps: Sequence[tuple[int, str, int]], ranks: range) -> Phase:
        """Slots and state for the steps of one phase."""
        last = {text: at for at, step in enumerate(steps) for text in self.reads(step)}
        free: list[int] = []
        slot: dict[str, int] = {}
        count = 0
        table = np.zeros((len(steps), WIDTH), np.int64)
        for at, (code, text, row) in enumerate(steps):
            reads = self.reads((code, text, row))
            if code in (STORE, ANSWER):
                table[at, :5] = code, slot[text], slot[text], slot[text], row
            else:
                slot[text] = free.pop() if free else count
                count = max(count, slot[text] + 1)
                table[at] = self.operation(code, text, row, slot)
            for name in sorted(set(reads)):
                if last[name] == at:
                    free.append(slot[name])
        answers = [row for code, _, row in steps if code == ANSWER]
        return Phase(table, max(count, 1), ranks, np.array(answers, np.int64))

    def operation(self, code: int, text: str, row: int, slot: dict[str, int]) -> list[int]:
        node = self.nodes[text]
        if code in (WHOLE, CONST, FIELD) or not isinstance(node, Op):
            return [code, slot[text], 0, 0, row, 0, 0]
        x, y = slot[node.args[0].text], slot[node.args[-1].text]
        found = [code, slot[text], x, y, node.window, self.floats, self.ints]
        floats, ints = state_size(node.name, node.window)
        self.floats, self.ints = self.floats + floats, self.ints + ints
        return found

    def reads(self, step: tuple[int, str, int]) -> tuple[str, ...]:
        code, text, _ = step
        node = self.nodes[text]
        if code in (STORE, ANSWER):
            return (text,)
        if code in (WHOLE, CONST, FIELD) or not isinstance(node, Op):
            return ()
        return tuple(arg.text for arg in node.args)


def build(expressions: Sequence[Expression], fields: Sequence[str]) -> Graph:
    """The graph of some expressions over columns named `fields`."""
    builder = _Builder(fields)
    for expression in expressions:
        builder.add(expression.node)
    rows = builder.rank_rows()
    roots: dict[int, list[tuple[int, str]]] = {}
    for place, expression in enumerate(expressions):
        text = expression.canonical
        roots.setdefault(builder.phase_of[text], []).append((place, text))
    phases = []
    for phase, ranks in enumerate(rows):
        steps = builder.steps(phase, roots.get(phase, ()))
        phases.append(builder.program(steps, ranks))
    return Graph(
        fields=tuple(fields),
        consts=np.array([*builder.consts, 0.0]),
        phases=tuple(phases),
        floats=builder.floats,
        ints=builder.ints,
        whole=len(builder.ranked),
        answers=len(expressions),
        nodes=len(builder.nodes),
        shared=sum(sum(1 for _ in walk(one.node)) for one in expressions) - len(builder.nodes),
    )
