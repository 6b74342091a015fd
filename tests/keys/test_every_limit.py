"""Of every limit: which line reads it, and what changes when it changes.

A case is two values of one key and an act whose outcome they change; no key may be without one.
"""

import ast
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from hft.core.codes import ControlKind, IntentType, Reason, Side
from hft.core.dtypes import INTENT
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.core.numbers import money_digits
from hft.core.numbers import resolve as instrument_row
from hft.gateway import tables
from hft.gateway.gateway import Gateway
from hft.gateway.limits import KEYS, OFF_KEYS, Limits
from hft.gateway.resolve import resolve
from hft.gateway.trips import trip_intents

GATEWAY = Path(__file__).resolve().parents[2] / "hft" / "gateway"
S = 1_000_000_000
START = 1_700_000_000 * S
X = Instrument("X", Decimal("0.5"), Decimal(1), rate_per_s=1000, rate_per_min=1000)
TAPE = {
    "first_mid": 2000,
    "spread_ticks_median": 4,
    "touch_lots_median": 10,
    "gap_ns_p999": S,
}
MONEY = 10 ** money_digits([X])
NOTHING = dict.fromkeys(OFF_KEYS, "off") | {"capital": 1_000_000}


class Day:
    """A gateway under limits, asked and told from outside, 1000.0 on a tick of 0.5."""

    def __init__(self, values: dict[str, Any]) -> None:
        limits = Limits.from_dict(NOTHING | values, "mine")
        found = resolve(limits, [X], [TAPE], strategies=["mm", "other"])
        row = instrument_row(X, money_digits([X]), found.max_price[0], 1)
        self.gateway = Gateway(row.reshape(1), found, 1, 2, order_capacity=64, dedup_window=64)
        self.now, self.ids = START, 0
        self.quote(2000)

    def quote(self, mid: int) -> None:
        touch = self.gateway.touches[0]
        touch["bid_tick"], touch["ask_tick"] = mid - 1, mid + 1
        touch["valid"], touch["ts_ns"] = 1, self.now
        self.gateway.market(0, self.now)

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * S)

    def buy(self, **fields: int) -> str:
        """Buy 5 lots at 999.5, or as told. Returns: the reason."""
        self.ids += 1
        given = {"side": Side.BUY, "price": 1999, "qty": 5, "order_type": 1, "intent_id": self.ids}
        row = self.gateway.decide(self.now, **given | fields)
        return Reason(int(row["reason"])).name + (" again" if row["replayed"] else "")

    def fill(self, qty: int = 5) -> None:
        self.gateway.fill(self.ids, 1999, qty, self.now)

    def earn(self, amount: int, strategy: int = 0) -> None:
        self.gateway.pnl(strategy, amount * MONEY, self.now)

    def storm(self) -> int:
        return int(self.gateway.state.storms[0]["state"])

    def asked(self) -> list[int]:
        """Kinds of the intents that trips ask for."""
        out = np.zeros(8, INTENT)
        gw = tables.handle(self.gateway.state)
        count = trip_intents(gw, self.gateway.touches, out, 100, self.now)
        return [int(kind) for kind in out["intent_type"][:count]]


def buy(**fields: int) -> Callable[[Day], Any]:
    return lambda day: day.buy(**fields)


def twice(seconds: float = 0, **second: int) -> Callable[[Day], Any]:
    def act(day: Day) -> Any:
        day.buy()
        day.wait(seconds)
        day.quote(2000)
        return day.buy(**second)

    return act


def lose(amount: int) -> Callable[[Day], Any]:
    def act(day: Day) -> Any:
        day.earn(-amount)
        return day.buy()

    return act


def storm_of(amount: int) -> Callable[[Day], Any]:
    def act(day: Day) -> Any:
        day.earn(-amount)
        return day.storm()

    return act


def amend_in_a_storm(day: Day) -> str:
    day.buy()
    order = day.ids
    day.gateway.ack(order, day.now)
    day.earn(-150)
    return day.buy(intent_type=IntentType.AMEND, target_id=order, price=1998)


def degraded(day: Day) -> str:
    day.gateway.control(ControlKind.MODE, 1, 1, day.now)
    return day.buy()


def after_silence(day: Day) -> str:
    day.wait(5)
    day.gateway.market(0, day.now)
    return day.buy()


def stale(day: Day) -> str:
    day.wait(5)
    return day.buy()


def crossing(day: Day) -> str:
    day.buy(side=Side.SELL, price=2001)
    return day.buy(price=2001)


def filled_often(seconds: float) -> Callable[[Day], Any]:
    def act(day: Day) -> Any:
        for _ in range(3):
            day.buy()
            day.fill()
            day.wait(seconds)
            day.quote(2000)
        return day.buy()

    return act


def slow(day: Day) -> str:
    day.gateway.control(ControlKind.LATENCY, 0, 30_000_000, day.now)
    return day.buy()


def calm_again(seconds: float) -> Callable[[Day], Any]:
    def act(day: Day) -> Any:
        day.earn(-150)
        day.wait(seconds)
        for _ in range(3):
            day.earn(0)
        return day.storm()

    return act


def moved(seconds: int, then: float = 0) -> Callable[[Day], Any]:
    """The mid rises by 5 % over some seconds, and is calm afterwards."""

    def act(day: Day) -> Any:
        for step in range(11):
            day.quote(2000 + 10 * step)
            day.wait(seconds / 10)
        if then:
            for _ in range(8):
                day.wait(then / 8)
                day.quote(2100)
        return day.buy(price=2099)

    return act


def tripped(day: Day) -> list[int]:
    day.buy()
    day.fill()
    day.gateway.control(ControlKind.KILL, 0, 1, day.now)
    return day.asked()


class Case(NamedTuple):
    one: Any
    other: Any
    act: Callable[[Day], Any]
    with_keys: Mapping[str, Any] = MappingProxyType({})


STORM = {"storm_guard.storm_threshold": -100}
PROMOTION = {"HFT_GATEWAY_REQUIRE_PROMOTION": True, "strategies.mm.alpha_id": "slope"}
NO_BAND = {"risk.price_band_ticks": 0}
CASES: dict[str, Case] = {
    "capital": Case(1_000, 10**9, lose(500), {"max_daily_loss": "20 % capital"}),
    "HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL": Case(100, 0, buy()),
    "HFT_EXPOSURE_MAX_SYMBOLS": Case(1, 2, twice(strategy_idx=1)),
    "HFT_DEDUP_TTL_S": Case(
        1, 300, lambda day: (day.buy(key_hi=1), day.wait(2), day.buy(key_hi=1))[2]
    ),
    "HFT_COMMAND_DEADLINE_MS": Case(
        500, 0, lambda day: (day.buy(), int(day.gateway.decision["deadline_ns"]))[1]
    ),
    "HFT_GATEWAY_DEGRADE_ON_STORM": Case(True, False, amend_in_a_storm, STORM),
    "HFT_GATEWAY_REQUIRE_PROMOTION": Case(True, False, buy(), {"strategies.mm.alpha_id": "slope"}),
    "strategies.*.max_notional": Case(100, 0, buy()),
    "strategies.*.max_leaf_notional": Case(100, 0, buy()),
    "strategies.*.max_net_qty": Case(4, 0, buy()),
    "strategies.*.critical": Case(True, False, degraded),
    "strategies.*.alpha_id": Case("slope", "", buy(), {"HFT_GATEWAY_REQUIRE_PROMOTION": True}),
    "max_position_size": Case(4, 10, buy()),
    "max_daily_loss": Case(100, "off", lose(150)),
    "risk_limits.orders_per_second": Case(1, 5, twice()),
    "risk_limits.orders_per_minute": Case(1, 5, twice(2)),
    "risk_limits.max_notional": Case(6_000, "off", twice()),
    "risk.max_order_notional": Case(1_000, "off", buy()),
    "risk.strategy.*.max_order_notional": Case(1_000, 10_000, buy()),
    "symbols.*.max_long": Case(4, 10, buy(), {"symbols.X.max_order_size": 10}),
    "symbols.*.max_short": Case(
        4, 10, buy(side=Side.SELL, price=2001), {"symbols.X.max_order_size": 10}
    ),
    "symbols.*.max_order_size": Case(4, 10, buy()),
    "symbols.*.max_notional": Case(6_000, "off", twice()),
    "symbols.*.restricted": Case(True, False, buy()),
    "instruments.*.max_price": Case(900, 5_000, buy()),
    "instruments.*.feed_gap_s": Case(1, "off", after_silence),
    "risk.max_price_cap": Case(900, "off", buy()),
    "risk.price_band_ticks": Case(5, 500, buy(price=1900)),
    "risk.price_band_bps": Case(1, 5_000, buy(price=1900), NO_BAND),
    "risk.price_band_spreads": Case(1, 100, buy(price=1900), NO_BAND),
    "risk.tick_size": Case("0.5", 50, buy(price=1900), {"risk.price_band_ticks": 10}),
    "risk.reference_max_age_ms": Case(100, 60_000, stale),
    "risk.missing_reference": Case("refuse", "cap_only", stale, {"risk.reference_max_age_ms": 100}),
    "risk.self_trade_mode": Case("REJECT_NEW", "CANCEL_OLD", crossing),
    "risk.repeated_execution_count": Case(1, 10, filled_often(0)),
    "risk.repeated_execution_window_s": Case(
        1, 60, filled_often(2), {"risk.repeated_execution_count": 1}
    ),
    "HFT_RISK_FAST_GATE": Case(True, False, buy(price=-1)),
    "risk.fast_gate.max_price": Case(900, "off", buy()),
    "risk.fast_gate.max_qty": Case(4, "off", buy()),
    "storm_guard.warm_threshold": Case(-100, "off", storm_of(150)),
    "storm_guard.storm_threshold": Case(-100, "off", lose(150)),
    "storm_guard.halt_threshold": Case(-100, "off", lose(150)),
    "storm_guard.drawdown_pct": Case(
        [-5, -10, -20], [-5, -10, "off"], lose(300), {"capital": 1_000}
    ),
    "storm_guard.latency_ms": Case([5, 20], "off", slow),
    "storm_guard.feed_gap_s": Case(1, "off", after_silence),
    "HFT_STORMGUARD_STORM_COOLDOWN_S": Case(
        1, 60, calm_again(2), STORM | {"HFT_STORMGUARD_DE_ESCALATE_N": 1}
    ),
    "HFT_STORMGUARD_DE_ESCALATE_N": Case(
        1, 5, calm_again(2), STORM | {"HFT_STORMGUARD_STORM_COOLDOWN_S": 1}
    ),
    "circuit_breaker_threshold": Case(
        "0.01", "0.5", moved(10), {"breaker.window_s": 5, "breaker.reset_after_s": 60}
    ),
    "breaker.window_s": Case(
        5, 1_000, moved(20), {"circuit_breaker_threshold": "0.01", "breaker.reset_after_s": 60}
    ),
    "breaker.reset_after_s": Case(
        1, 1_000, moved(10, then=16), {"circuit_breaker_threshold": "0.01", "breaker.window_s": 5}
    ),
    "breaker.close_on_trip": Case(True, False, tripped),
    "degraded.limit_factor": Case("0.5", 1, degraded, {"max_position_size": 8}),
}
# Only one value is accepted: the key says so to who looks for it.
FIXED = {"HFT_RISK_FAST_GATE_PRICE_SCALE": 1_000}


def concrete(name: str) -> str:
    star = "mm" if "strateg" in name else "X"
    return name.replace("*", star)


def test_every_limit_has_a_case() -> None:
    assert set(CASES) | set(FIXED) == {key.name for key in KEYS}


@pytest.mark.nojit
@pytest.mark.parametrize("name", CASES)
def test_another_value_of_the_limit_changes_what_happens(name: str) -> None:
    case = CASES[name]
    one, other = (
        case.act(Day(dict(case.with_keys) | {concrete(name): value}))
        for value in (case.one, case.other)
    )
    assert one != other


@pytest.mark.parametrize("name", FIXED)
def test_a_limit_with_one_value_refuses_another(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Limits.from_dict({name: FIXED[name]})


def _written(node: ast.AST) -> str | None:
    """Text as a pattern: each part of an f-string that is computed stands for any one part."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [_written(part) or r"[^.]+" for part in node.values]
        return "".join(parts)
    return None


def _read() -> tuple[list[re.Pattern[str]], set[str]]:
    """Patterns of key names, and plain words, of the files that turn limits into numbers."""
    patterns, words = [], set()
    for file in ("run_limits.py", "instrument_limits.py", "figures.py", "resolve.py"):
        for node in ast.walk(ast.parse((GATEWAY / file).read_text())):
            text = _written(node)
            # One that is computed wholly says nothing.
            computed = isinstance(node, ast.JoinedStr) and len(re.findall("[a-z]", text or "")) < 8
            if text is not None and not computed:
                patterns.append(re.compile(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
    return patterns, words


@pytest.mark.parametrize("name", [name for name in CASES])
def test_a_line_of_the_gateway_reads_the_limit(name: str) -> None:
    patterns, words = _read()
    written = any(pattern.fullmatch(concrete(name)) for pattern in patterns)
    section, field = name.split(".")[0], name.rsplit(".", 1)[-1]
    assert written or ("*" in name and section in words and field in words)
