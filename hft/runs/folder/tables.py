"""Kernel rows as the tables of a run folder: times, prices beside ticks, money in currency.

Pure functions from record arrays to Arrow tables; the columns here are the columns of the Parquet
files and of the frames of a `Run`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from hft.core.codes import (
    IntentType,
    Liquidity,
    OrderType,
    Reason,
    ResponseKind,
    Side,
    StepKind,
    Tif,
)
from hft.core.dtypes import FILL
from hft.runs.folder.names import RunNames
from hft.storage.arrow import arrow, strings

TIME = pa.timestamp("ns", "UTC")
_FILL = ResponseKind.FILL.value
EVENT_KINDS = (StepKind.ARRIVAL.value, StepKind.FILL.value, StepKind.RESPONSE.value)
FAR = 1 << 59
NO_NUMBER = -(1 << 63)  # what was asked in place of lots was none that fits, such as NaN

# What the numbers of a refusing check mean: (unit, how to turn them into it).
MONEY, LOTS, HALF_TICKS, TICKS, NANOSECONDS, COUNT = range(6)
MARGIN_KIND: dict[int, int] = {
    Reason.TTL_EXPIRED: NANOSECONDS,
    Reason.STARTUP_HOLDOFF: NANOSECONDS,
    Reason.GLOBAL_EXPOSURE_LIMIT: MONEY,
    Reason.STRATEGY_EXPOSURE_LIMIT: MONEY,
    Reason.LEAF_NOTIONAL_LIMIT: MONEY,
    Reason.EXPOSURE_OVERFLOW: MONEY,
    Reason.NET_QTY_LIMIT: LOTS,
    Reason.FASTGATE_BAD_PRICE_NEG: TICKS,
    Reason.FASTGATE_BAD_PRICE_MAX: TICKS,
    Reason.FASTGATE_BAD_QTY_NEG: LOTS,
    Reason.FASTGATE_BAD_QTY_MAX: LOTS,
    Reason.ORDER_SIZE: LOTS,
    Reason.PRICE_ZERO_OR_NEG: TICKS,
    Reason.PRICE_EXCEEDS_CAP: TICKS,
    Reason.PRICE_OUTSIDE_BAND: HALF_TICKS,
    Reason.REFERENCE_STALE: NANOSECONDS,
    Reason.POSITION_LIMIT: LOTS,
    Reason.NOTIONAL_LIMIT: MONEY,
    Reason.MAX_NOTIONAL_EXCEEDED: MONEY,
    Reason.DAILY_LOSS: MONEY,
    Reason.SELF_TRADE: TICKS,
}
UNITS = ("", "lots", "ticks", "ticks", "ms", "")  # of the kinds above; money has the currency's


def chosen(rows: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The rows of a mask; `take` copies a record in a quarter of the time that a mask needs."""
    return rows if mask.all() else rows.take(np.flatnonzero(mask))


def times(ns: np.ndarray) -> pa.Array:
    """int64 nanoseconds as UTC times; 0 and less mean none."""
    values = np.ascontiguousarray(ns, np.int64)
    return column(values, values <= 0).cast(TIME)


def words(codes: np.ndarray, names: Sequence[str]) -> pa.Array:
    """A word per code, kept as codes until it is written; a code outside the list is null.

    A word that is there twice is one code: of others the file would have bytes from anywhere.
    """
    index = np.asarray(codes, np.int64)
    mask = (index < 0) | (index >= len(names))
    once = list(dict.fromkeys(names))
    place = np.array([*map(once.index, names), 0], np.int16)
    kept = column(place[np.where(mask, -1, index)], mask)
    return pa.DictionaryArray.from_arrays(kept, strings(once))


def column(values: np.ndarray, absent: np.ndarray) -> pa.Array:
    """Numbers as a column, null where `absent`; cheaper where none is."""
    return arrow(values, absent if absent.any() else None)


def enum_words(codes: np.ndarray, enum: Any) -> pa.Array:
    """The member names of an IntEnum with gaps."""
    members = sorted(int(member) for member in enum)
    names = [enum(value).name for value in members]
    at = np.searchsorted(members, codes)
    found = np.array(members)[np.minimum(at, len(members) - 1)] == codes
    return words(np.where(found, at, -1), names)


def margin_units(reason: np.ndarray, measured: np.ndarray, names: RunNames) -> np.ndarray:
    """What a check measured (or allowed) in the unit people read: currency, lots, ticks, ms."""
    out = np.asarray(measured, np.float64).copy()
    for code in np.unique(reason):
        kind = MARGIN_KIND.get(int(code), COUNT)
        out[reason == code] /= _scale(kind, names)
    return out


def in_unit(kind: int, value: int, names: RunNames) -> float:
    """One number of a margin of this kind in the unit people read."""
    return float(value) / _scale(kind, names)


def _scale(kind: int, names: RunNames) -> float:
    scale = {MONEY: float(10**names.digits), HALF_TICKS: 2.0, NANOSECONDS: 1e6}
    return scale.get(kind, 1.0)


def margin_unit_names(reason: np.ndarray, names: RunNames) -> pa.Array:
    """The unit of each row's margin."""
    codes, which = np.unique(reason, return_inverse=True)
    kinds = np.array([MARGIN_KIND.get(int(code), COUNT) for code in codes], np.int64)
    return words(kinds[which] if len(codes) else kinds, [names.currency, *UNITS[1:]])


def _who(rows: np.ndarray, names: RunNames) -> dict[str, pa.Array]:
    return {
        "strategy": words(rows["strategy_idx"], names.strategies),
        "symbol": words(rows["instrument_idx"], names.symbols),
    }


def _priced(
    rows: np.ndarray, names: RunNames, none: np.ndarray | None = None
) -> dict[str, pa.Array]:
    """Price and tick of each row; null in rows that have `none`, and where it is a stand-in.

    An order at the touch of an empty side was asked at the mark of no price: the journal has it.
    """
    ticks = np.ascontiguousarray(rows["price"])
    absent = (ticks >= FAR) | (ticks <= -FAR)
    if none is not None:
        absent |= none
    return {
        "price": column(names.price(ticks, rows["instrument_idx"]), absent),
        "price_tick": column(ticks, absent),
    }


def fills_table(rows: np.ndarray, names: RunNames) -> pa.Table:
    """FILL rows; `ts` is when the fill reached us, `exch_ts` when the venue made it."""
    mid = names.price(rows["mid2"], rows["instrument_idx"]) / 2.0
    return pa.table(
        {
            "ts": times(rows["local_ts_ns"]),
            "exch_ts": times(rows["exch_ts_ns"]),
            **_who(rows, names),
            "side": words(rows["side"], [side.name for side in Side]),
            **_priced(rows, names),
            "lots": arrow(rows["qty"]),
            "fee": arrow(names.amount(rows["fee_money"])),
            "realized": arrow(names.amount(rows["realized_money"])),
            "liquidity": words(rows["liquidity"], [one.name for one in Liquidity]),
            "mid": column(mid, rows["mid2"] <= 0),
            "position_lots": arrow(rows["position_qty"]),
            "order_id": arrow(rows["order_id"]),
            "fill_id": arrow(rows["fill_id"]),
            "cmd_id": arrow(rows["cmd_id"]),
        }
    )


def equity_table(rows: np.ndarray, names: RunNames) -> pa.Table:
    """EQUITY rows; `net` = realized + unrealized - fees."""
    at = rows["instrument_idx"]
    net = rows["realized_money"] + rows["unrealized_money"] - rows["fees_money"]
    quoted = rows["mid2"] > 0
    return pa.table(
        {
            "ts": times(rows["ts_ns"]),
            **_who(rows, names),
            "position_lots": arrow(rows["qty"]),
            "realized": arrow(names.amount(rows["realized_money"])),
            "unrealized": arrow(names.amount(rows["unrealized_money"])),
            "fees": arrow(names.amount(rows["fees_money"])),
            "net": arrow(names.amount(net)),
            "mid": column(names.price(rows["mid2"], at) / 2.0, ~quoted),
            "bid": column(names.price(rows["bid_tick"], at), ~quoted),
            "ask": column(names.price(rows["ask_tick"], at), ~quoted),
            "bid_tick": column(rows["bid_tick"], ~quoted),
            "ask_tick": column(rows["ask_tick"], ~quoted),
        }
    )


def decisions_table(steps: np.ndarray, names: RunNames) -> pa.Table:
    """The DECISION steps; measured, limit and margin are in `unit`, negative is over the limit.

    What an intent does not say is null: a cancel names an order and nothing else, an amend has that
    order's side, a market order has the price of the touch it was checked at, if there was one, and
    a FORCE_FLAT of 0 lots closes what there is: the order that was sent has its side and lots.
    """
    rows = chosen(steps, steps["kind"] == StepKind.DECISION.value)
    reason, intent = rows["code"], rows["intent_type"]
    cancel = intent == IntentType.CANCEL.value
    named = cancel | (intent == IntentType.AMEND.value)
    all_of_it = (intent == IntentType.FORCE_FLAT.value) & (rows["qty"] == 0)
    immediate = (rows["tif"] == Tif.IOC.value) | (rows["tif"] == Tif.FOK.value)
    market = (rows["order_type"] == OrderType.MARKET.value) | immediate
    refused = reason != Reason.OK.value
    measured = margin_units(reason, rows["measured"], names)
    limit = margin_units(reason, rows["limit"], names)
    # Beyond this stand bounds and what was never known: a refusal, but no figure.
    known = refused & (np.maximum(np.abs(rows["measured"]), np.abs(rows["limit"])) < FAR)
    return pa.table(
        {
            "seq": arrow(rows["seq"]),
            "ts": times(rows["ts_ns"]),
            **_who(rows, names),
            "intent_id": arrow(rows["order_id"]),
            "intent": words(intent, [one.name for one in IntentType]),
            "target_id": column(rows["target_id"], ~named),
            "order_type": words(rows["order_type"], [one.name for one in OrderType]),
            "tif": words(rows["tif"], [one.name for one in Tif]),
            "side": words(
                np.where(named | all_of_it, -1, rows["side"]), [side.name for side in Side]
            ),
            **_priced(rows, names, cancel | (market & (rows["price"] == 0))),
            "lots": column(rows["qty"], cancel | all_of_it | (rows["qty"] == NO_NUMBER)),
            "reason": enum_words(reason, Reason),
            "reason_code": arrow(reason.astype(np.int16)),
            "measured": column(measured, ~known),
            "limit": column(limit, ~known),
            # Past a least value, such as 0 lots, as well as past a most.
            "margin": column(np.minimum(limit - measured, measured - limit), ~known),
            "unit": margin_unit_names(reason, names),
        }
    )


def events_table(steps: np.ndarray, names: RunNames) -> pa.Table:
    """What happened to orders after the gateway: arrivals, fills at the venue, answers to us."""
    arrival, answer = StepKind.ARRIVAL.value, StepKind.RESPONSE.value
    rows = chosen(steps, np.isin(steps["kind"], EVENT_KINDS))
    kind, code = rows["kind"], rows["code"]
    intents, answers = list(IntentType), list(ResponseKind)
    event_names = [f"ARRIVED_{one.name}" for one in intents] + ["VENUE_FILL"]
    event_names += [one.name for one in answers]
    event = np.where(kind == arrival, code, len(intents))
    event = np.where(kind == answer, len(intents) + 1 + code, event)
    is_fill = (kind == answer) & (code == _FILL) & (rows["ignored"] == 0)
    # A cancel asks for nothing more; an answer that refuses says nothing of price and lots.
    none = (kind != StepKind.FILL.value) & ~is_fill & (rows["price"] == 0)
    return pa.table(
        {
            "seq": arrow(rows["seq"]),
            "ts": times(rows["ts_ns"]),
            **_who(rows, names),
            "order_id": arrow(rows["order_id"]),
            "event": words(event, event_names),
            "side": words(rows["side"], [side.name for side in Side]),
            **_priced(rows, names, none),
            "lots": column(rows["qty"], none & (rows["qty"] == 0)),
            "liquidity": words(rows["liquidity"], [one.name for one in Liquidity]),
            "fee": column(names.amount(rows["fee_money"]), ~is_fill),
        }
    )


def fills_from_steps(steps: np.ndarray, names: RunNames) -> pa.Table:
    """The fills of a journal, for a run whose table has no end: no realised profit, no mid."""
    rows = steps[(steps["kind"] == StepKind.RESPONSE.value) & (steps["code"] == _FILL)]
    rows = rows[rows["qty"] > 0]
    fills = np.zeros(len(rows), FILL)
    fills["local_ts_ns"] = rows["ts_ns"]
    whose = ("strategy_idx", "instrument_idx", "order_id", "fill_id")
    for name in (*whose, "side", "price", "qty", "fee_money", "liquidity"):
        fills[name] = rows[name]
    return fills_table(fills, names)


def tracked(names: RunNames) -> np.dtype:
    """A SERIES row with as many values as the strategies track at most."""
    width = max([len(names.track(s)) for s in range(len(names.strategies))], default=0)
    values = ("values", np.float64, (width,))
    return np.dtype([("ts_ns", np.int64), ("strategy_idx", np.int64), values])


def series_table(rows: np.ndarray, names: RunNames) -> pa.Table:
    """SERIES rows with columns v0, v1, ...; their names are in `instruments.json`."""
    values = rows["values"]
    width = tracked(names)["values"].shape[0]
    columns = {f"v{k}": arrow(values[:, k]) for k in range(width)}
    who = words(rows["strategy_idx"], names.strategies)
    return pa.table({"ts": times(rows["ts_ns"]), "strategy": who, **columns})


def logs_table(rows: np.ndarray, strategy: str, texts: dict[int, str]) -> pa.Table:
    """LOG rows of one strategy with the text of each code."""
    codes = rows["code"].tolist()
    return pa.table(
        {
            "ts": times(rows["ts_ns"]),
            "strategy": strings([strategy] * len(rows)),
            "code": arrow(rows["code"]),
            "text": strings([texts.get(code, "") for code in codes]),
            "value": arrow(rows["value"]),
        }
    )
