"""The figures of a run, computed once when its folder is sealed; each value with its unit.

What the record level did not keep is absent, never zero.
"""

from pathlib import Path
from typing import Any

import polars as pl

from hft.reports import markout, performance
from hft.reports.costs import Contract, with_values
from hft.reports.daily import daily, days_of
from hft.reports.open_hours import calendars, outside
from hft.runs.folder.names import RunNames

Figures = dict[str, dict[str, Any]]


def contracts(names: RunNames) -> dict[str, Contract]:
    """What one lot of each symbol is worth."""
    return {
        symbol: Contract(float(one.lot * one.multiplier), one.kind == "inverse", float(one.tick))
        for symbol, one in zip(names.symbols, names.instruments, strict=True)
    }


def summarize(folder: Path, names: RunNames, totals: dict[str, Any]) -> dict[str, Any]:
    """`metrics.json`: what the engine counted and what the tables of `folder` say."""
    found: Figures = {}
    for name, unit in COUNTS.items():
        if name in totals:
            _put(found, name, int(totals[name]), unit)
    _taken(found, totals.get("markets", []))
    samples = _scan(folder, "equity")
    equity = None if samples is None else performance.distinct(samples).collect()
    _profit(found, equity, names, totals)
    _days(found, folder, equity, names)
    _decisions(found, folder, int(totals.get("lost_intents", 0)))
    _fills(found, folder, names)
    _hours(found, folder, names)
    _shares(found)
    return {"totals": totals, "metrics": found}


COUNTS = {
    "events": "rows",
    "steps": "steps",
    "wakes": "wake-ups",
    "decisions": "intents",
    "refused": "intents",
    "lost_intents": "intents",
    "orders": "orders",
    "fills": "fills",
}


FILL_COLUMNS = (
    *("exch_ts", "symbol", "side", "liquidity", "order_id"),
    *("price", "mid", "lots", "fee"),
)


def _taken(found: Figures, markets: list[dict[str, Any]]) -> None:
    """What we took of the book beside what the market's own takers took, where it is most."""
    shares = [row["taken_lots"] / row["printed_lots"] for row in markets if row["printed_lots"]]
    if markets:
        _put(found, "taken_lots", sum(row["taken_lots"] for row in markets), "lots")
    if shares:
        _put(found, "taken_share", max(shares), "of the lots of all prints")


def _put(found: Figures, name: str, value: Any, unit: str) -> None:
    if value is not None:
        found[name] = {"value": value, "unit": unit}


def _profit(
    found: Figures, equity: pl.DataFrame | None, names: RunNames, totals: dict[str, Any]
) -> None:
    """Net P&L and its parts: from the engine's positions, else from the last equity samples."""
    currency, scale = names.currency, float(10**names.digits)
    positions = totals.get("positions")
    if positions is not None:
        kinds = ("realized_money", "unrealized_money", "fees_money")
        parts = [sum(int(row[kind]) for row in positions) for kind in kinds]
        realized, unrealized, fees = parts
        values = [value / scale for value in (sum(parts[:2]) - fees, sum(parts[:2]), fees)]
        values += [realized / scale, unrealized / scale]
    elif equity is not None:
        last = equity.group_by("strategy", "symbol").agg(pl.all().sort_by("ts").last())
        sums = {name: float(last[name].sum()) for name in ("realized", "unrealized", "fees", "net")}
        values = [sums["net"], sums["realized"] + sums["unrealized"], sums["fees"]]
        values += [sums["realized"], sums["unrealized"]]
    else:
        return
    for name, value in zip(("net", "gross", "fees", "realized", "unrealized"), values, strict=True):
        _put(found, name, value, currency)
    if equity is not None:
        total = performance.total_equity(equity)
        fall = performance.drawdown(total)
        _put(found, "max_drawdown", fall.depth if fall else None, currency)
        _put(found, "sharpe", performance.sharpe(total), "per day, from 1-minute changes")


def _days(found: Figures, folder: Path, equity: pl.DataFrame | None, names: RunNames) -> None:
    """How many days there are, whose, and the best and the worst of several."""
    fills = _scan(folder, "fills")
    if equity is None or fills is None:
        return
    days, whose = daily(equity, fills.select("ts", "fee").collect(), names.instruments)
    if days.height == 0:
        return
    _put(found, "days", days.height, days_of(whose))
    if days.height > 1:
        net = [float(value) for value in days["net"]]
        _put(found, "best_day", max(net), names.currency)
        _put(found, "worst_day", min(net), names.currency)


def _decisions(found: Figures, folder: Path, lost: int) -> None:
    """Counts of the decisions, and of the `lost` intents that were refused before them."""
    decisions = _scan(folder, "decisions")
    if decisions is None:
        return
    approved = pl.col("reason_code") == 0
    opening = pl.col("intent").is_in(["NEW", "FORCE_FLAT"])
    row = decisions.select(
        decisions=pl.len(), refused=(~approved).sum(), orders=(approved & opening).sum()
    ).collect(engine="streaming")
    _put(found, "decisions", row["decisions"][0] + lost, "intents")
    _put(found, "refused", row["refused"][0] + lost, "intents")
    _put(found, "orders", row["orders"][0], "orders")


def _fills(found: Figures, folder: Path, names: RunNames) -> None:
    scanned, equity = _scan(folder, "fills"), _scan(folder, "equity")
    if scanned is None or equity is None:
        return
    currency = names.currency
    fills = with_values(scanned.select(FILL_COLUMNS).collect(), contracts(names))
    _put(found, "fills", fills.height, "fills")
    _put(found, "orders_filled", fills["order_id"].n_unique(), "orders")
    if fills.height == 0:
        return
    lots = int(fills["lots"].sum())
    maker = int(fills.filter(pl.col("liquidity") == "MAKER")["lots"].sum())
    buys = fills.filter(pl.col("side") == "BUY").height
    _put(found, "buys", buys, "fills")
    _put(found, "sells", fills.height - buys, "fills")
    _put(found, "maker_share", maker / lots, "of lots")
    _put(found, "turnover", float(fills["value"].sum()), currency)
    captured = float(fills["captured"].sum())
    _put(found, "spread_captured", captured, currency)
    if "gross" in found:
        _put(found, "inventory", found["gross"]["value"] - captured, currency)
    table = markout.markouts(fills, equity.select("ts", "symbol", "mid").collect())
    for horizon in markout.HORIZONS_NS:
        ticks, measured = markout.overall(table, horizon)
        name = f"markout_{horizon.replace(' ', '')}"
        _put(found, name, ticks, f"ticks a fill, {measured:,} of {fills.height:,} fills")


def _hours(found: Figures, folder: Path, names: RunNames) -> None:
    """Fills and orders outside the open hours; absent where no calendar is known."""
    fills, decisions = _scan(folder, "fills"), _scan(folder, "decisions")
    whose = calendars(names)
    if fills is None or not whose:
        return
    made = fills.select("symbol", ts="exch_ts").collect()
    name, of = "fills_outside_session", f"outside the sessions of {', '.join(whose)}"
    _put(found, name, outside(made, names), f"fills {of}")
    if decisions is not None:
        sent = (pl.col("reason_code") == 0) & pl.col("intent").is_in(["NEW", "FORCE_FLAT"])
        rows = decisions.filter(sent).select("symbol", "ts").collect()
        _put(found, "orders_outside_session", outside(rows, names), f"orders {of}")


def _shares(found: Figures) -> None:
    """Ratios of figures that are there."""
    for name, part, whole, unit in (
        ("refused_share", "refused", "decisions", "of intents"),
        ("fill_ratio", "orders_filled", "orders", "of orders"),
    ):
        if part in found and whole in found and found[whole]["value"] > 0:
            _put(found, name, found[part]["value"] / found[whole]["value"], unit)


def _scan(folder: Path, name: str) -> pl.LazyFrame | None:
    path = folder / f"{name}.parquet"
    return pl.scan_parquet(path) if path.is_file() else None
