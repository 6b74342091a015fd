"""One table of names: which column answers when an alpha asks for a field.

A column of the very name always comes first; then the other names of the same quantity, in the
order of the table; then what can be computed from other fields of the row. Units are never mixed:
percentages (`book_imbalance_5`) and ticks (`micro_tick`) stand under their own names.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ValidationError

# quantity -> the names it goes by, best first; the first is the one that is written.
ALIASES: dict[str, tuple[str, ...]] = {
    "current_mid": ("current_mid", "mid", "mid_price", "price", "close", "px", "last"),
    "bid_px": ("bid_px", "best_bid", "bid_price", "bid"),
    "ask_px": ("ask_px", "best_ask", "ask_price", "ask"),
    "bid_qty": ("bid_qty", "bid_depth", "bid_size", "bqty", "bid_lots", "bsz"),
    "ask_qty": ("ask_qty", "ask_depth", "ask_size", "aqty", "ask_lots", "asz"),
    "trade_vol": (
        *("trade_vol", "volume", "vol", "qty", "trade_qty", "traded_lots", "lots", "traded_volume"),
    ),
    "signed_volume": ("signed_volume", "svol", "signed_lots", "signed_vol", "signed_qty"),
    "ofi": ("ofi", "order_flow", "order_flow_imbalance"),
    "queue_imbalance": ("queue_imbalance", "qi_mean", "imbalance", "qi"),
    "spread": ("spread", "spr_mean", "quoted_spread", "spread_mean"),
    "microprice": ("microprice", "micro_price", "weighted_mid"),
    "mid_mean": ("mid_mean", "mid_avg", "vwap"),
    "trades": ("trades", "ntrades", "trade_count", "n_trades", "count"),
    "notional": ("notional", "turnover_value", "dollar_volume", "quote_volume"),
    "open": ("open", "open_price"),
    "high": ("high", "hi", "high_price"),
    "low": ("low", "lo", "low_price"),
    "volatility": ("volatility", "rv", "realised_vol", "realized_vol"),
}
_GROUP = {name: group for group, names in ALIASES.items() for name in reversed(names)}
# What a price column may be called, best first; after these the middle of both best prices.
PRICE = ("mid", "mid_price", "px", "price", "close", "current_mid", "mid_tick")
# Fields every alpha may ask for: they come from the clock of the data, not from a column.
CLOCK_FIELDS = ("ts_ns", "session")

Columns = Mapping[str, Any]
Get = Callable[[str], np.ndarray]


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """NaN where the denominator is 0: undefined, never 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom != 0, top / bottom, np.nan)


# quantity -> ways to compute it: the fields needed, and the formula.
DERIVED: dict[str, tuple[tuple[tuple[str, ...], Callable[..., np.ndarray]], ...]] = {
    "current_mid": ((("bid_px", "ask_px"), lambda bid, ask: (bid + ask) / 2),),
    "spread": ((("bid_px", "ask_px"), lambda bid, ask: ask - bid),),
    "queue_imbalance": ((("bid_qty", "ask_qty"), lambda b, a: _ratio(b - a, b + a)),),
    "microprice": (
        (
            ("bid_px", "ask_px", "bid_qty", "ask_qty"),
            lambda bid, ask, b, a: _ratio(bid * a + ask * b, b + a),
        ),
        (
            ("current_mid", "spread", "bid_qty", "ask_qty"),
            lambda mid, spread, b, a: mid + spread / 2 * _ratio(b - a, b + a),
        ),
    ),
    "signed_volume": ((("buy_volume", "sell_volume"), lambda buys, sells: buys - sells),),
}


def column_of(field: str, columns: Iterable[str]) -> str | None:
    """The column that holds a field by its name or another name of it; case does not matter."""
    there = list(columns)
    if field in there:
        return field
    lower: dict[str, str] = {}
    for name in there:
        lower.setdefault(name.lower(), name)
    group = _GROUP.get(field.lower())
    names = (field.lower(), *(ALIASES[group] if group else ()))
    return next((lower[name] for name in names if name in lower), None)


def quantity_of(field: str) -> str:
    """The name that a field's quantity is written by: `queue_imbalance` for `qi`; else its own."""
    return _GROUP.get(field.lower(), field)


def of_the_market(field: str) -> bool:
    """Is it a quantity that a market publishes with the row, and not one somebody made of it?"""
    return quantity_of(field) in ALIASES


def provides(field: str, columns: Iterable[str]) -> bool:
    """Can a row with these columns answer for the field?"""
    there = tuple(columns)
    if field in CLOCK_FIELDS or column_of(field, there) is not None:
        return True
    ways = DERIVED.get(quantity_of(field), ())
    return any(all(provides(need, there) for need in needs) for needs, _ in ways)


def resolve(field: str, columns: Iterable[str], get: Get, source: str) -> np.ndarray:
    """The field's values, from its column or computed. Raises: ValidationError with near names."""
    there = tuple(columns)
    column = column_of(field, there)
    if column is not None:
        return get(column)
    for needs, formula in DERIVED.get(quantity_of(field), ()):
        if all(provides(need, there) for need in needs):
            return formula(*(resolve(need, there, get, source) for need in needs))
    raise unknown(field, there, source)


def unknown(field: str, columns: Iterable[str], source: str) -> ValidationError:
    """The error for a field that the data does not have."""
    there = sorted(set(columns))
    known = {*there, *(group for group in ALIASES if provides(group, there)), *CLOCK_FIELDS}
    near = difflib.get_close_matches(field.lower(), sorted(known), 3, 0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return ValidationError(
        f"{source}: has no field {field!r}; {hint}it has {', '.join(there) or 'no column'}"
    )


def price_of(columns: Iterable[str], get: Get, source: str) -> np.ndarray:
    """The price that profit is counted in. Raises: ValidationError when no column can be it."""
    there = tuple(columns)
    lower = {name.lower(): name for name in reversed(there)}
    for name in PRICE:
        if name in lower:
            return get(lower[name])
    if provides("bid_px", there) and provides("ask_px", there):
        return (resolve("bid_px", there, get, source) + resolve("ask_px", there, get, source)) / 2
    raise ValidationError(
        f"{source}: has no price; name a column one of {', '.join(PRICE)}, or give both best prices"
    )


def text_price(frame: pl.DataFrame, source: str) -> None:
    """Refuse a price column that is text: one word in it makes the whole column text.

    Raises: ValidationError naming the first row that is no number.
    """
    lower = {name.lower(): name for name in reversed(frame.columns)}
    there = [lower[name] for name in PRICE if name in lower]
    if not there or any(frame[name].dtype != pl.String for name in there):
        return
    named = there[0]
    column = frame[named]
    wrong = column.is_not_null() & column.cast(pl.Float64, strict=False).is_null()
    if (row := wrong.arg_max()) is not None and wrong[row]:
        raise ValidationError(
            f"{source}: row {row + 1}: {named}: {column[row]!r} is no number; mend the row, or "
            "leave the value empty"
        )
    raise ValidationError(f"{source}: {named}: the prices are text; write them as numbers")
