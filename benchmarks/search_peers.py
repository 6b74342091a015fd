"""The language in pandas and in polars, as a careful user of each would write it, one by one.

Each peer computes the same values as ours (checked before anything is timed), with the
fastest idiom of that library we know; what it has no way to say in reasonable time is None.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hft.research.expressions.nodes import Const, Field, Node, Op


def in_pandas(node: Node, frame: Any) -> Any:
    """A tree as a pandas Series."""
    import pandas as pd

    if isinstance(node, Const):
        return pd.Series(node.value, index=frame.index)
    if isinstance(node, Field):
        return frame[node.name]
    x = in_pandas(node.args[0], frame)
    y = in_pandas(node.args[-1], frame)
    return _PANDAS[node.name](x, y, node.window)


def _pandas_div(x: Any, y: Any, _: int) -> Any:
    small = y.abs() <= 1e-12
    return (x / y.mask(small, 1.0)).mask(small, 0.0)


def _pandas_corr(x: Any, y: Any, w: int) -> Any:
    found = x.rolling(w, min_periods=1).corr(y)
    return found.replace([np.inf, -np.inf], np.nan).fillna(0.0).clip(-1.0, 1.0)


def _pandas_decay(x: Any, _: Any, w: int) -> Any:
    """Weighted sums of shifted columns: several times faster than rolling().apply()."""
    values, total = x.to_numpy(), np.zeros(len(x))
    weight = np.full(len(x), w * (w + 1) / 2)
    for lag in range(min(w, len(x))):
        total[lag:] += (w - lag) * values[: len(x) - lag]
    for n in range(1, min(w, len(x) + 1)):  # windows that have not filled yet
        part = np.arange(1, n + 1)
        total[n - 1], weight[n - 1] = (part * values[:n]).sum(), part.sum()
    return type(x)(total / weight, index=x.index)


def _pandas_zscore(x: Any, _: Any, __: int) -> Any:
    past = x.expanding()
    sd = past.std(ddof=0)
    return ((x - past.mean()) / sd).where(sd > 1e-12, 0.0)


def _guarded(sd: Any) -> Any:
    return sd.where(sd > 1e-12, 0.0)


_PANDAS: Mapping[str, Any] = {
    "abs": lambda x, y, w: x.abs(),
    "add": lambda x, y, w: x + y,
    "sub": lambda x, y, w: x - y,
    "mul": lambda x, y, w: x * y,
    "div": _pandas_div,
    "neg": lambda x, y, w: -x,
    "sign": lambda x, y, w: np.sign(x),
    "log1p": lambda x, y, w: np.sign(x) * np.log1p(x.abs()),
    "rank": lambda x, y, w: x.expanding().rank(pct=True),
    "zscore": _pandas_zscore,
    "ts_rank": lambda x, y, w: x.rolling(w, min_periods=1).rank(pct=True),
    "ts_sum": lambda x, y, w: x.rolling(w, min_periods=1).sum(),
    "ts_mean": lambda x, y, w: x.rolling(w, min_periods=1).mean(),
    "ts_std": lambda x, y, w: _guarded(x.rolling(w, min_periods=1).std(ddof=0)),
    "ts_delta": lambda x, y, w: (x - x.shift(w)).fillna(0.0),
    "ts_corr": _pandas_corr,
    "decay_linear": _pandas_decay,
}


def in_polars(node: Node) -> Any | None:
    """A tree as a polars expression; None where it holds an expanding rank."""
    import polars as pl

    if isinstance(node, Const):
        return pl.lit(node.value)
    if isinstance(node, Field):
        return pl.col(node.name)
    if isinstance(node, Op) and node.name == "rank":
        return None
    args = [in_polars(arg) for arg in node.args]
    if any(arg is None for arg in args):
        return None
    return _POLARS[node.name](args[0], args[-1], node.window)


def _polars_div(x: Any, y: Any, _: int) -> Any:
    import polars as pl

    return pl.when(y.abs() <= 1e-12).then(0.0).otherwise(x / y)


def _polars_zscore(x: Any, _: Any, __: int) -> Any:
    import polars as pl

    n = x.cum_count()
    mean = x.cum_sum() / n
    sd = ((x * x).cum_sum() / n - mean * mean).clip(lower_bound=0.0).sqrt()
    return pl.when(sd <= 1e-12).then(0.0).otherwise((x - mean) / sd)


def _polars_decay(x: Any, _: Any, w: int) -> Any:
    return x.rolling_mean(w, weights=[float(k) for k in range(1, w + 1)], min_samples=1)


def _polars_corr(x: Any, y: Any, w: int) -> Any:
    import polars as pl

    return pl.rolling_corr(x, y, window_size=w, min_samples=1).fill_nan(0.0).fill_null(0.0)


_POLARS: Mapping[str, Any] = {
    "abs": lambda x, y, w: x.abs(),
    "add": lambda x, y, w: x + y,
    "sub": lambda x, y, w: x - y,
    "mul": lambda x, y, w: x * y,
    "div": _polars_div,
    "neg": lambda x, y, w: -x,
    "sign": lambda x, y, w: x.sign(),
    "log1p": lambda x, y, w: x.sign() * x.abs().log1p(),
    "zscore": _polars_zscore,
    "ts_rank": lambda x, y, w: x.rolling_rank(w, min_samples=1) / w,
    "ts_sum": lambda x, y, w: x.rolling_sum(w, min_samples=1),
    "ts_mean": lambda x, y, w: x.rolling_mean(w, min_samples=1),
    "ts_std": lambda x, y, w: x.rolling_std(w, min_samples=1, ddof=0),
    "ts_delta": lambda x, y, w: (x - x.shift(w)).fill_null(0.0),
    "ts_corr": _polars_corr,
    "decay_linear": _polars_decay,
}
