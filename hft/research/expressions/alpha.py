"""An expression as an alpha: the protocol of `hft.research.alphas.protocol` over the one evaluator.

The signal is the expression in units of its own spread so far (its expanding zscore), as the search
trades it, so that a threshold means the same for every expression. It owns its stream's state.
"""

import math
from typing import Any, ClassVar

import numpy as np
import polars as pl

from hft.research.alphas.manifest import AlphaManifest
from hft.research.expressions.evaluate import evaluate
from hft.research.expressions.expression import Expression, parse, standardised
from hft.research.expressions.streaming import Streaming


class ExpressionAlpha:
    """Subclass it with `expression` and `manifest`, or call `expression_alpha`."""

    expression: ClassVar[Expression]
    manifest: ClassVar[AlphaManifest]
    standardise: ClassVar[bool] = True

    def __init__(self) -> None:
        self._stream = Streaming(self.signal_expression())

    @classmethod
    def signal_expression(cls) -> Expression:
        """What is traded."""
        return standardised(cls.expression) if cls.standardise else cls.expression

    def update(self, **tick: Any) -> float:
        """The signal after one more row; NaN where a field is missing."""
        return self._stream.update(**tick)

    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        """The signal of each row of a frame: the same bits as row by row."""
        names = self.expression.fields
        columns = {name: frame[name].cast(pl.Float64).to_numpy() for name in names}
        if not names:
            columns = {"": np.zeros(frame.height)}
        return evaluate([self.signal_expression()], columns)[0]

    def reset(self) -> None:
        """Forget everything."""
        self._stream.reset()

    def get_signal(self) -> float:
        """The signal after the last row; 0 before the first."""
        value = self._stream.value
        return 0.0 if math.isnan(value) else value


def expression_alpha(text: str, alpha_id: str, **manifest: Any) -> type[ExpressionAlpha]:
    """A class of alphas for one expression; `manifest` are the manifest's other fields.

    Raises: ExpressionError where the text does not parse.
    """
    parsed = parse(text)
    fields = {"hypothesis": "", "formula": parsed.pretty(), "complexity": "O(1)", **manifest}
    fields["complexity"] = "O(N)" if "rank(" in parsed.canonical else fields["complexity"]
    made = AlphaManifest(alpha_id=alpha_id, data_fields=parsed.fields, **fields)
    return type("ExpressionOf", (ExpressionAlpha,), {"expression": parsed, "manifest": made})
