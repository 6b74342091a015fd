"""A limit set that is a slip of the pen is refused where it is made, in Python as in a file."""

from decimal import Decimal
from typing import Any

import pytest

import hft
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.strategies.base import duration_ns

X = Instrument("X", Decimal("0.5"), Decimal(1))
TAPE = {"first_mid": 2000, "spread_ticks_median": 1, "touch_lots_median": 10}


def refused(**keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve(hft.Limits.research().replace(**keys), [X], [TAPE])
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_position_size", -1),
        ("max_daily_loss", "-5"),
        ("risk__price_band_bps", 10_001),
        ("risk__price_band_ticks", 1 << 40),
        ("orders_per_second", -1),
        ("orders_per_second", "2.5"),
        ("circuit_breaker_threshold", 2),
        ("circuit_breaker_threshold", "-0.1"),
        ("storm_guard__halt_threshold", 5),
        ("storm_guard__drawdown_pct", [5, 10, 20]),
        ("breaker__window_s", 10**12),
        ("HFT_STORMGUARD_DE_ESCALATE_N", 0),
        ("limit_factor", "1.5"),
    ],
)
def test_a_number_that_no_file_may_have_is_refused_in_python_too(key: str, value: Any) -> None:
    text = refused(**{key: value})
    assert "write" in text and "limits research*" in text
    with pytest.raises(ConfigError):
        Limits.from_dict({key.replace("__", "."): value})


def test_off_relative_text_and_the_ends_of_a_range_are_kept() -> None:
    kept = Limits.from_dict(
        {
            "max_position_size": "5 x touch",
            "max_daily_loss": "off",
            "risk.price_band_bps": 10_000,
            "circuit_breaker_threshold": "0",
            "storm_guard.drawdown_pct": [0, -50, -100],
        }
    )
    assert kept.get("max_position_size") == "5 x touch"
    assert kept.get("storm_guard.drawdown_pct") == [0, -50, -100]


@pytest.mark.parametrize("price", [0, "0.49"])
def test_a_highest_price_below_one_tick_is_refused(price: Any) -> None:
    assert "below one tick of 0.5" in refused(instruments__X__max_price=price)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("storm_guard__latency_ms", [20, 10], "storm would begin before warm"),
        ("storm_guard__drawdown_pct", [-10, -5, -20], "storm would begin before warm"),
        ("storm_guard__drawdown_pct", [-5, -20, -10], "halt would begin before storm"),
        ("storm_guard__drawdown_pct", [-5, "off", -4], "halt would begin before warm"),
    ],
)
def test_levels_that_do_not_rise_are_refused(key: str, value: Any, words: str) -> None:
    assert words in refused(**{key: value})


def test_thresholds_of_loss_rise_too() -> None:
    text = refused(storm_guard__warm_threshold=-50, storm_guard__halt_threshold=-20)
    assert "halt would begin before warm" in text


def test_levels_may_begin_together_or_be_off() -> None:
    same = hft.Limits.research().replace(
        storm_guard__drawdown_pct=[-5, -5, "off"], storm_guard__latency_ms=[10, 10]
    )
    resolve(same, [X], [TAPE])


def test_the_tick_of_the_band_widens_it_and_cannot_be_nothing() -> None:
    def ticks(**keys: Any) -> int:
        limits = hft.Limits.research().replace(risk__price_band_spreads="off", **keys)
        return int(resolve(limits, [X], [TAPE]).instruments[0]["band_ticks"])

    assert ticks(risk__price_band_ticks=20) == 20
    assert ticks(risk__price_band_ticks=20, risk__tick_size=1) == 40
    assert "is no size of a tick" in refused(risk__tick_size=0)


@pytest.mark.parametrize("text", ["1e400ms", "1e300s", "nans", 1e400, float("nan"), 1 << 70])
def test_a_duration_that_is_no_int64_is_one_sentence(text: Any) -> None:
    with pytest.raises(ConfigError, match=r"^every="):
        duration_ns(text)
