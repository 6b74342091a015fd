"""The analytics that bars allow, as columns: each bar counts as one trade of known signed volume.

What bars do not know (runs of trades, the price before each trade) is not made up: those columns
are absent. Sessions do not run into each other, but volume buckets know the session before.
"""

import numpy as np
import polars as pl

from hft.microstructure import buckets, flow
from hft.microstructure.trades import FLAG, Trades, as_of
from hft.research.data import aliases
from hft.research.data.dataset import ResearchData

NAMES = (
    *("flow_imbalance", "flow_imbalance_300s", "vpin", "vpin_bulk", "kyle_lambda"),
    *("kyle_lambda_t", "kyle_lambda_r2", "kyle_lambda_buckets", "amihud", "quoted_spread_bps"),
)


def with_analytics(data: ResearchData) -> pl.DataFrame:
    """The rows with the analytics their fields allow; undefined values are null."""
    made = {name: np.full(len(data), np.nan) for name in NAMES}
    for symbol, rows in data.groups():
        one = data.of(symbol) if data.panel else data
        for name, values in _of_one(one).items():
            made[name][rows] = values
    there = [
        pl.Series(name, values, nan_to_null=True)
        for name, values in made.items()
        if name not in data.frame.columns and np.isfinite(values).any()
    ]
    return data.frame.with_columns(there)


def _of_one(data: ResearchData) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    has = {name: aliases.provides(name, data.columns) for name in aliases.ALIASES}
    if has["spread"]:
        with np.errstate(invalid="ignore", divide="ignore"):
            out["quoted_spread_bps"] = data.field("spread") / data.price * 1e4
    if not has["trade_vol"]:
        return out
    volume = np.nan_to_num(data.field("trade_vol"))
    signed = np.nan_to_num(data.field("signed_volume")) if has["signed_volume"] else None
    trades = _as_trades(data, volume, signed)
    rows_a_session = np.median(np.unique(data.session, return_counts=True)[1])
    if rows_a_session >= buckets.BUCKETS:  # fewer would only cut each bar into equal pieces
        out |= _buckets(data, trades, signed is not None)
    if signed is not None:
        at, session = data.ts_ns, data.session
        out["flow_imbalance"] = flow.flow_imbalance(trades, at, session)
        out["flow_imbalance_300s"] = flow.flow_imbalance(trades, at, session, flow.ROLL_NS)
        slope, t, r2 = flow.rolling_slope(signed, _moved(data))
        out |= {"kyle_lambda": slope, "kyle_lambda_t": t, "kyle_lambda_r2": r2}
    return out


def _as_trades(data: ResearchData, volume: np.ndarray, signed: np.ndarray | None) -> Trades:
    """One trade a bar; its side is a share between -1 and 1."""
    share = np.zeros(len(data)) if signed is None else signed
    with np.errstate(invalid="ignore", divide="ignore"):
        side = np.where(volume > 0, np.clip(share / volume, -1.0, 1.0), 0.0)
    rule = np.full(len(data), FLAG)
    return Trades(data.ts_ns, data.price, volume, side, rule, data.session)


def _buckets(data: ResearchData, trades: Trades, known_sides: bool) -> dict[str, np.ndarray]:
    found = buckets.buckets(trades)
    made = {"vpin_bulk": buckets.vpin_bulk(found), "amihud": buckets.amihud(found)}
    if known_sides:
        made |= {"vpin": buckets.vpin(found), "kyle_lambda_buckets": buckets.kyle(found)}
    return {name: as_of(found.ts_ns, values, data.ts_ns) for name, values in made.items()}


def _moved(data: ResearchData) -> np.ndarray:
    """The change of the price since the row before of the same session."""
    change = np.diff(data.price, prepend=np.nan)
    return np.where(np.diff(data.session, prepend=-1) != 0, np.nan, change)
