"""What two accounts of the same orders differ by: fills, slippage, times. Pure.

Of a simulated and a true side; a ratio of the simulated over the true one, by sessions, with the
interval of 95 % that the scatter of sessions gives. None where there is nothing to divide by.
"""

from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import DataError

NORMAL_95 = 1.959963984540054
MS = 1e6  # nanoseconds
SAME = ("symbol", "side", "price", "lots", "sent_ns")


def queue_figures(truth: pl.DataFrame, model: pl.DataFrame) -> dict[str, Any]:
    """Orders that both sides sent alike: did they end alike, and when? Raises: DataError."""
    found = fill_figures(truth, model)
    joint = truth.unique(SAME, keep="none").join(model.unique(SAME, keep="none"), on=list(SAME))
    own, other = joint["filled_lots"] > 0, joint["filled_lots_right"] > 0
    both = joint.filter(own & other)
    apart = (both["filled_ns_right"] - both["filled_ns"]).abs().to_numpy() / MS
    count = len(joint)
    return found | {
        "orders_alike": count,
        "ended_alike": _share((own == other).sum(), count),
        "filled_by_the_model_alone": _share((other & ~own).sum(), count),
        "filled_in_truth_alone": _share((own & ~other).sum(), count),
        "first_fill_apart_ms_p50": _quantile(apart, 0.5),
        "first_fill_apart_ms_p95": _quantile(apart, 0.95),
    }


def fill_figures(truth: pl.DataFrame, model: pl.DataFrame) -> dict[str, Any]:
    """Fills and slippage on the sessions that both have. Raises: DataError without one."""
    by = ["symbol", "day"]
    days = _by_day(truth, by).join(_by_day(model, by), on=by).sort(by)
    if days.is_empty():
        raise DataError("the two sides have no session of one instrument in common")
    kept = [side.join(days.select(by), on=by) for side in (truth, model)]
    shares = [_share(side["filled_lots"].sum(), side["lots"].sum()) for side in kept]
    slips = [_slippage(side) for side in kept]
    return {
        "sessions": len(days),
        "orders": [len(side) for side in kept],
        "fills_ratio": ratio(days["filled"], days["filled_right"]),
        "lots_ratio": ratio(days["lots"], days["lots_right"]),
        "fill_share": shares,
        "slippage_bps": slips,
    }


def latency_figures(truth: pl.DataFrame, model: pl.DataFrame) -> dict[str, Any]:
    """Milliseconds from sent to acknowledged, [true, simulated]. Raises: DataError without any."""
    times = [
        side.filter(pl.col("acked_ns").is_not_null())
        .select((pl.col("acked_ns") - pl.col("sent_ns")) / MS)
        .to_series()
        .to_numpy()
        for side in (truth, model)
    ]
    if not all(map(len, times)):
        raise DataError("no order of one side was acknowledged, so that there is no latency")
    names = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        "orders": [len(one) for one in times],
        **{f"ack_ms_{name}": [_quantile(one, q) for one in times] for name, q in names.items()},
    }


def ratio(truth: Any, model: Any) -> dict[str, Any]:
    """Sum of the model over that of the truth, and its interval over sessions."""
    x, y = (np.asarray(one, np.float64) for one in (truth, model))
    if not x.sum() > 0:
        return {"value": None, "low": None, "high": None}
    value, n = float(y.sum() / x.sum()), len(x)
    if n < 2:
        return {"value": value, "low": None, "high": None}
    spread = float((y - value * x).std(ddof=1) / (x.mean() * np.sqrt(n)))
    return {
        "value": value,
        "low": value - NORMAL_95 * spread,
        "high": value + NORMAL_95 * spread,
    }


def _by_day(side: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    filled = pl.col("filled_lots")
    return side.group_by(by).agg(filled=(filled > 0).sum(), lots=filled.sum())


def _slippage(side: pl.DataFrame) -> float | None:
    """Mean distance of fills from the mid, bps, above 0 where it cost."""
    fills = side.filter((pl.col("filled_lots") > 0) & (pl.col("mid") > 0))
    if fills.is_empty():
        return None
    sign = pl.when(pl.col("side") == "BUY").then(1.0).otherwise(-1.0)
    paid = sign * (pl.col("filled_price") - pl.col("mid")) / pl.col("mid") * 1e4
    weight = pl.col("filled_lots")
    return float(fills.select((paid * weight).sum() / weight.sum()).item())


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None


def _quantile(values: np.ndarray, q: float) -> float | None:
    return float(np.quantile(values, q)) if len(values) else None
