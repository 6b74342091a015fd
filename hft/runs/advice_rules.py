"""The change that each reason of a refusal suggests, from what was measured when it refused.

A check that looks at one order alone is given what nearly all of them would have needed. One that
counts what has been let through (positions, notional, rates) would be full again after the first
orders that pass: its limit is multiplied. A limit that is not in the way is never touched, and none
is ever made tighter.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from hft.core.codes import Reason
from hft.gateway.limits import Limits, key_of
from hft.runs.folder.layout import LIMITS
from hft.runs.folder.reader import RunReader
from hft.storage.strict_yaml import load_yaml

Change = dict[str, Any]
NEARLY_ALL = 0.95
FIRST, THEN = 2, 4  # times the limit in the first round, and in the ones after
FEED_GAP = "storm_guard.feed_gap_s"
_POLICY = (
    Reason.POLICY_DEGRADE.name,
    Reason.STORMGUARD_STORM_NEW_BLOCKED.name,
    Reason.BOOK_INVALID.name,
)
_RATES = ("risk_limits.orders_per_second", "risk_limits.orders_per_minute")

# Reason -> the limits that may have refused. A `*` is each that the set names itself.
OF_ONE_ORDER: dict[str, tuple[str, ...]] = {
    Reason.PRICE_OUTSIDE_BAND.name: ("risk.price_band_ticks",),
    Reason.PRICE_EXCEEDS_CAP.name: ("risk.max_price_cap", "instruments.*.max_price"),
    Reason.FASTGATE_BAD_PRICE_MAX.name: ("risk.fast_gate.max_price",),
    Reason.FASTGATE_BAD_QTY_MAX.name: ("risk.fast_gate.max_qty",),
    Reason.REFERENCE_STALE.name: ("risk.reference_max_age_ms",),
    Reason.MAX_NOTIONAL_EXCEEDED.name: (
        "risk.max_order_notional",
        "risk.strategy.*.max_order_notional",
    ),
    Reason.ORDER_SIZE.name: ("symbols.*.max_order_size", "max_position_size"),
}
OF_ALL_SO_FAR: dict[str, tuple[str, ...]] = {
    Reason.POSITION_LIMIT.name: (
        "max_position_size",
        "symbols.*.max_long",
        "symbols.*.max_short",
    ),
    Reason.NOTIONAL_LIMIT.name: ("risk_limits.max_notional", "symbols.*.max_notional"),
    Reason.GLOBAL_EXPOSURE_LIMIT.name: ("HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL",),
    Reason.STRATEGY_EXPOSURE_LIMIT.name: ("strategies.*.max_notional",),
    Reason.LEAF_NOTIONAL_LIMIT.name: ("strategies.*.max_leaf_notional",),
    Reason.NET_QTY_LIMIT.name: ("strategies.*.max_net_qty",),
    Reason.RATE_LIMIT.name: _RATES,
    Reason.REPEATED_EXECUTION.name: ("risk.repeated_execution_count",),
}
PRICES = ("risk.max_price_cap", "instruments.*.max_price", "risk.fast_gate.max_price")


class Limited:
    """A run, the limits it was given, and the numbers they became."""

    def __init__(self, run: RunReader, limits: Limits) -> None:
        self.run, self.limits = run, limits
        self._resolved: Mapping[str, list[float]] = _resolved(run)

    def in_force(self, key: str) -> float | None:
        """The number of a key, the smallest where it has several; None where nothing is known."""
        stated = self.limits.get(key)
        if isinstance(stated, int | float) and not isinstance(stated, bool):
            return float(stated)
        known = self._resolved.get(key) or self._resolved.get(_general(key))
        return min(known) if known else None

    def keys(self, names: tuple[str, ...]) -> Iterator[str]:
        """The keys themselves, and of those with a `*` each that the set states."""
        for name in names:
            if "*" not in name:
                yield name
            else:
                stated = [key for key, value in self.limits.values.items() if value is not None]
                yield from (key for key in stated if _general(key) == name)


def _resolved(run: RunReader) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    path = run.path / LIMITS
    rows = load_yaml(path.read_text(), LIMITS)["values"] if path.is_file() else []
    for row in rows:
        try:
            found.setdefault(str(row["key"]), []).append(float(row["value"]))
        except ValueError:
            continue  # off
    return found


def _general(key: str) -> str:
    known = key_of(key)
    return key if known is None else known.name


def next_change(limited: Limited, refused: pl.DataFrame, tried: Change) -> Change:
    """The change for the commonest reason that refuses and has a rule not yet followed to its end.

    `refused` has reason, measured and limit of each intent; `tried` is what was changed before.
    """
    counts = refused.group_by("reason").len().sort("len", "reason", descending=[True, False])
    for reason in counts["reason"]:
        rows = refused.filter(pl.col("reason") == reason)
        change = {
            key: value
            for key, value in _change(limited, reason, rows, tried).items()
            if key not in tried or tried[key] < value
        }
        if change:
            return change
    return {}


def _change(limited: Limited, reason: str, rows: pl.DataFrame, tried: Change) -> Change:
    if reason in _POLICY:
        return _longer_gap(limited, tried)
    limit = _most(rows["limit"])
    so_far = reason in OF_ALL_SO_FAR
    names = OF_ALL_SO_FAR[reason] if so_far else OF_ONE_ORDER.get(reason, ())
    stated = {key: now for key in limited.keys(names) if (now := _now(limited, key)) is not None}
    wanted: Change = {}
    for key, now in stated.items():
        if so_far and not (key in _RATES and tried.get(key, now) != limit):
            wanted[key] = tried[key] * THEN if key in tried else (limit or now) * FIRST
        elif not so_far:
            wanted[key] = _of_one_order(limited, key, rows)
    found = {key: math.ceil(value) for key, value in wanted.items() if value > stated[key]}
    if found or limit <= 0:
        return found
    # A degraded mode or a promotion's weight makes a limit smaller than it is written.
    weighted = {key: math.ceil(wanted[key] * stated[key] / limit) for key in wanted}
    return {key: value for key, value in weighted.items() if value > stated[key]}


def _now(limited: Limited, key: str) -> float | None:
    """The number in force; None for one that is off or not stated, which is not in the way."""
    now, known = limited.in_force(key), key_of(key)
    off_at_0 = known is not None and "0 = off" in known.unit
    return None if now == 0 and off_at_0 else now


def _of_one_order(limited: Limited, key: str, rows: pl.DataFrame) -> float:
    measured = rows["measured"].drop_nulls().abs().sort()
    needed = float(measured[math.ceil(NEARLY_ALL * len(measured)) - 1]) if len(measured) else 0.0
    ticks = [float(one.tick) for one in limited.run.names.instruments]
    return needed * max(ticks) if _general(key) in PRICES else needed


def _most(numbers: pl.Series) -> float:
    known = numbers.drop_nulls().abs().to_list()
    return float(max(known, default=0.0))


def _longer_gap(limited: Limited, tried: Change) -> Change:
    """A feed that was silent for longer than its limit, where that is what degraded."""
    longest = longest_silence_s(limited.run)
    if longest == 0 or FEED_GAP in tried:
        return {}
    keys = [FEED_GAP, *limited.keys(("instruments.*.feed_gap_s",))]
    return dict.fromkeys(keys, longest)


def longest_silence_s(run: RunReader) -> int:
    """Seconds of the longest silence in which intents were refused for it: from trip to release."""
    trips = run._kept("trips")
    if trips is None:
        return 0
    mine = trips.filter(pl.col("key") == FEED_GAP).sort("seq")
    ends = run._frame("decisions").select(pl.col("ts").max()).collect().item()
    longest = 0.0
    began: dict[str, tuple[Any, float]] = {}
    for row in mine.iter_rows(named=True):
        if row["event"] != "NORMAL":
            began.setdefault(row["symbol"], (row["ts"], row["measured"] or 0.0))
        elif row["symbol"] in began:
            longest = max(longest, _seconds(began.pop(row["symbol"]), row["ts"]))
    for start in began.values():
        longest = max(longest, _seconds(start, ends))
    return math.ceil(longest)


def _seconds(start: tuple[Any, float], end: Any) -> float:
    """From the trip, when so much had been measured already, to the end."""
    since, measured_ms = start
    return float((end - since).total_seconds()) + measured_ms / 1000.0
