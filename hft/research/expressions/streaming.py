"""An expression on live ticks, and as an alpha of the protocol (contract 5.2).

Same kernels and state as the batch evaluator, one row at a time: the same bits. It owns the state
of its one expression and forgets it on `reset`.
"""

import math
from typing import Any

import numpy as np

from hft.research.expressions.evaluate import Evaluation
from hft.research.expressions.expression import Expression, parse
from hft.research.expressions.graph import build


class Streaming:
    """An expression fed one tick at a time."""

    def __init__(self, expression: Expression | str) -> None:
        self.expression = parse(expression) if isinstance(expression, str) else expression
        self._graph = build([self.expression], self.expression.fields)
        self.reset()

    def reset(self) -> None:
        """Forget every row."""
        self._evaluation = Evaluation(self._graph, block=1)
        self._row = np.empty((max(1, len(self.expression.fields)), 1))
        self._answer = np.full((1, 1), np.nan)

    def update(self, **tick: Any) -> float:
        """Take the fields of one row and return the value; a field not given is missing (NaN)."""
        for place, name in enumerate(self.expression.fields):
            value = tick.get(name)
            self._row[place, 0] = math.nan if value is None else value
        # The kernel is compiled for read-only columns: another type would compile it again.
        self._row.setflags(write=False)
        self._evaluation.feed(self._row, self._answer)
        self._row.setflags(write=True)
        return self.value

    @property
    def value(self) -> float:
        """The value at the last row."""
        return float(self._answer[0, 0])
