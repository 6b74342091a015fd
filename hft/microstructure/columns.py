"""Frames of tapes with analytics: one row for each tick of a clock, as of its receive time.

Decides which columns there are and what each needs, so that only what is asked for is computed. A
measure that is undefined is null; `NEEDS` says when. The book's own columns are those of
`hft.tape.features`.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ConfigError
from hft.microstructure import buckets, clock, flow, spreads
from hft.microstructure.pin import DAYS_MIN, estimate
from hft.microstructure.trades import Mids, Trades, as_of, sides
from hft.tape import frames
from hft.tape.dataset import Tapes
from hft.tape.features import DEFAULT, features
from hft.tape.reader import Tape
from hft.tape.sessions import sessions_of

DEPTHS = (1, 3, 5, 10)
WEIGHTS = (0.4, 0.3, 0.2, 0.1)
# Columns of prices and books; what each is computed from.
_BOOK: dict[str, tuple[str, ...]] = {
    "mid": ("bid_tick", "ask_tick"),
    "bid_px": ("bid_tick",),
    "ask_px": ("ask_tick",),
    "microprice": ("micro_tick",),
    "quoted_spread": ("bid_tick", "ask_tick"),
    "quoted_spread_bps": ("bid_tick", "ask_tick"),
    **{f"book_imbalance_{depth}": (f"imbalance_{depth}",) for depth in DEPTHS},
    "book_pressure": tuple(f"imbalance_{depth}" for depth in DEPTHS),
}
_FLOW = ("flow_imbalance", "flow_imbalance_300s", "vpin_seconds", "toxicity")
_BUCKETS = ("vpin", "vpin_bulk", "kyle_lambda_buckets", "amihud")
_KYLE = ("kyle_lambda", "kyle_lambda_t", "kyle_lambda_r2", "kyle_lambda_root")
_PAID = (*spreads.NAMES, *(f"{name}_bps" for name in spreads.NAMES))
_PIN = ("pin", "pin_kind")
ANALYTICS = (*_BOOK, *_FLOW, *_BUCKETS, *_KYLE, *_PAID, *_PIN)
# When a measure is null.
NEEDS: dict[str, str] = {
    **dict.fromkeys(_BOOK, "a valid book"),
    "flow_imbalance": "a trade of known side in the session",
    "flow_imbalance_300s": "a trade of known side within 300 s",
    "vpin_seconds": "50 s since the session's first trade, and volume in the last 50 s",
    "toxicity": "100 trades in the session",
    "vpin": "50 full volume buckets (the first session begins them after 500 trades)",
    "vpin_bulk": "50 full volume buckets",
    "kyle_lambda_buckets": "10 full volume buckets of unequal flow",
    "amihud": "11 full volume buckets",
    **dict.fromkeys(_KYLE, "20 of the last 50 s with a mid at both ends, and flow that varies"),
    **dict.fromkeys(_PAID, "a trade of known side and mid within 300 s (realised: 5 s old)"),
    "pin": f"{DAYS_MIN} sessions before; until then the proxy |flow imbalance|",
    "pin_kind": "a value of pin",
}


def names_of(columns: Sequence[str] | str | None) -> tuple[str, ...]:
    """The columns that are meant; None: the book's default; "all": these and every analytic."""
    if columns is None:
        return DEFAULT
    if isinstance(columns, str):
        columns = [*DEFAULT, *ANALYTICS] if columns == "all" else columns.split(",")
    return tuple(dict.fromkeys(name.strip() for name in columns))


def frame_of(
    tapes: Tapes,
    columns: Sequence[str] | str | None = None,
    every: str = "1s",
    session: bool = False,
) -> pl.LazyFrame:
    """`ts symbol` and the columns, a row for each tick of the clock and instrument.

    `session` adds the tapes' days as YYYYMMDD. Raises: ConfigError for a name or clock.
    """
    names, chosen = names_of(columns), clock.parse(every)
    extra = [name for name in names if name in ANALYTICS]
    if not extra and chosen.kind in ("time", "book") and not session:
        return tapes.features(list(names), int(chosen.every))
    chains: dict[str, list[Sequence[Tape]]] = {}
    for chain in tapes.chains():
        chains.setdefault(tapes.key(chain[0]), []).append(chain)
    if not chains:
        raise ConfigError("tapes: there are none")
    parts = [_of_symbol(key, found, names, chosen) for key, found in chains.items()]
    kept = ["ts", *(["session"] if session else []), "symbol", *names]
    return tapes.within_session(pl.concat(parts).select(kept).lazy())


def _of_symbol(
    symbol: str, chains: Sequence[Sequence[Tape]], names: tuple[str, ...], chosen: clock.Clock
) -> pl.DataFrame:
    """One instrument over all its tapes, so that a session knows the ones before."""
    extra = [name for name in names if name in ANALYTICS]
    from_book = [name for name in names if name not in ANALYTICS]
    wanted = {need for name in extra for need in _BOOK.get(name, ())}
    walked = [*from_book, *sorted(wanted - set(from_book))] or ["bid_tick"]
    plain = not (set(extra) - set(_BOOK)) and chosen.kind in ("time", "book")
    parts, traded = [], []
    for chain in chains:
        trades = _none() if plain else trades_of(chain, symbol)
        times = chosen.times(trades, chain[0].instrument)
        frame = features(chain, symbol, walked, times).collect()
        days = session_of(chain, frame["ts"].dt.epoch("ns").to_numpy())
        parts.append(frame.with_columns(pl.Series("session", days)))
        traded.append(trades)
    frame = pl.concat(parts).sort("ts", maintain_order=True)
    made = _book_columns(frame, extra, chains[0][0].instrument.tick)
    if not plain:
        made |= _trade_columns(chains, symbol, _joined(traded), frame, extra)
    return frame.with_columns(
        values if isinstance(values, pl.Series) else pl.Series(name, values, nan_to_null=True)
        for name, values in made.items()
    )


def _joined(parts: Sequence[Trades]) -> Trades:
    """The trades of consecutive chains as one, in time order."""
    names = ("ts_ns", "price", "qty", "side", "rule", "session")
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    order = np.argsort(columns[0], kind="stable")
    return Trades(*(column[order] for column in columns))


def _none() -> Trades:
    empty, whole = np.zeros(0), np.zeros(0, np.int64)
    return Trades(whole, empty, empty, whole, whole, whole)


def trades_of(chain: Sequence[Tape], symbol: str) -> Trades:
    """The trades of consecutive tapes, sides settled: flag, quote rule, tick rule."""
    parts = [frames.trades(tape, symbol).collect() for tape in chain]
    whole = pl.concat(parts)
    ts = whole["ts"].dt.epoch("ns").to_numpy()
    price = whole["price"].to_numpy()
    qty = whole["lots"].to_numpy() * float(chain[0].instrument.lot)
    given = whole["side"]
    flag = ((given == "buy").cast(pl.Int64) - (given == "sell").cast(pl.Int64)).fill_null(0)
    mid_before = np.full(len(ts), np.nan)
    if bool((flag == 0).any()):
        mid_before = mids_of(chain, symbol).at(ts, before=True)
    side, rule = sides(price, mid_before, flag.to_numpy())
    return Trades(ts, price, qty, side, rule, session_of(chain, ts))


def mids_of(chain: Sequence[Tape], symbol: str) -> Mids:
    """The mid at each change of the touch, in price units."""
    touch = features(chain, symbol, ["mid_tick"], 0).collect().drop_nulls()
    ts = touch["ts"].dt.epoch("ns").to_numpy()
    mid = touch["mid_tick"].to_numpy() * float(chain[0].instrument.tick)
    return Mids(ts, mid, session_of(chain, ts))


def _day(tape: Tape) -> int:
    return int(tape.day.replace("-", ""))


def session_of(chain: Sequence[Tape], at: np.ndarray) -> np.ndarray:
    """The session of each time, YYYYMMDD: the calendar's, else the day of the tape it is on."""
    known = sessions_of(chain[0].instrument.calendar)
    if known is not None and known.covers(chain[0].span[0], chain[-1].span[1]):
        return known.day_of(at)
    starts = np.array([tape.span[0] for tape in chain], np.int64)
    days = np.array([_day(tape) for tape in chain], np.int64)
    return days[np.maximum(np.searchsorted(starts, at, side="right") - 1, 0)]


def _book_columns(frame: pl.DataFrame, names: Sequence[str], tick: Decimal) -> dict[str, Any]:
    """Prices and imbalances of the sampled book, null where it was not valid."""
    out: dict[str, Any] = {}

    numerator, denominator = tick.as_integer_ratio()

    def column(name: str) -> np.ndarray:
        return frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()

    def priced(name: str) -> np.ndarray:
        # One division: the double nearest to the decimal price.
        return column(name) * numerator / denominator

    for name in names:
        if name.startswith("book_imbalance"):
            out[name] = 100.0 * column(_BOOK[name][0])
        elif name == "book_pressure":
            parts = [column(need) for need in _BOOK[name]]
            out[name] = 100.0 * sum(w * part for w, part in zip(WEIGHTS, parts, strict=True))
        elif name == "microprice":
            out[name] = priced("micro_tick")
        elif name in ("bid_px", "ask_px"):
            out[name] = priced(f"{name[:3]}_tick")
        elif name in _BOOK:
            bid, ask = column("bid_tick"), column("ask_tick")
            mid = (bid + ask) * numerator / (2 * denominator)
            spread = (ask - bid) * numerator / denominator
            out[name] = {"mid": mid, "quoted_spread": spread}.get(name, spread / mid * 1e4)
    return out


def _trade_columns(
    chains: Sequence[Sequence[Tape]],
    symbol: str,
    trades: Trades,
    frame: pl.DataFrame,
    names: Sequence[str],
) -> dict[str, Any]:
    """What trades say at the samples; only what is asked for."""
    at, days = frame["ts"].dt.epoch("ns").to_numpy(), frame["session"].to_numpy()
    asked = set(names)
    out: dict[str, Any] = {}
    if asked & {*_FLOW, *_PIN}:
        out["flow_imbalance"] = flow.flow_imbalance(trades, at, days)
        out["flow_imbalance_300s"] = flow.flow_imbalance(trades, at, days, flow.ROLL_NS)
    if "vpin_seconds" in asked:
        out["vpin_seconds"] = flow.vpin_seconds(trades, at, days)
    if "toxicity" in asked:
        out["toxicity"] = flow.toxicity(trades, at, days)
    if asked & {*_BUCKETS}:
        out |= _bucket_columns(trades, at)
    if asked & {*_KYLE, *_PAID}:
        found = [mids_of(chain, symbol) for chain in chains]
        fields = ("ts_ns", "mid", "session")
        mids = Mids(*(np.concatenate([getattr(one, name) for one in found]) for name in fields))
        if asked & {*_PAID}:
            out |= spreads.rolling(trades, spreads.paid(trades, mids), at, days)
        if asked & {*_KYLE} and len(at):
            out |= dict(zip(_KYLE[:3], flow.kyle(trades, mids, at, days), strict=True))
            out["kyle_lambda_root"] = flow.kyle(trades, mids, at, days, root=True).slope
    if asked & {*_PIN}:
        out |= _pin_columns(trades, days, out["flow_imbalance"])
    return {name: out[name] for name in names if name in out}


def _bucket_columns(trades: Trades, at: np.ndarray) -> dict[str, np.ndarray]:
    found = buckets.buckets(trades)
    made = {
        "vpin": buckets.vpin(found),
        "vpin_bulk": buckets.vpin_bulk(found),
        "kyle_lambda_buckets": buckets.kyle(found),
        "amihud": buckets.amihud(found),
    }
    return {name: as_of(found.ts_ns, values, at) for name, values in made.items()}


def _pin_columns(trades: Trades, days: np.ndarray, imbalance: np.ndarray) -> dict[str, Any]:
    """PIN of the sessions before each session; the proxy where there are too few."""
    sessions = np.unique(trades.session)
    buys = np.array([np.sum((trades.session == one) & (trades.side > 0)) for one in sessions])
    sells = np.array([np.sum((trades.session == one) & (trades.side < 0)) for one in sessions])
    value = np.abs(imbalance)
    kind = np.where(np.isfinite(value), "proxy", "")
    for one in np.unique(days):
        before = sessions < one
        found = estimate(buys[before], sells[before])
        if found is not None:
            value[days == one], kind[days == one] = found.pin, "pin"
    words = pl.Series("pin_kind", kind.tolist(), pl.String)
    return {"pin": value, "pin_kind": words.set(words == "", None)}
