"""Numbers x 10 000 are read under a key that says so, and are asked about where none does."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import hft
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.gateway.limits import KEYS, SCALED, Limits
from hft.gateway.resolve import resolve
from hft.settings.limits import read_limits
from hft.settings.load import load_settings

X = Instrument("X", Decimal("0.5"), Decimal(1))
TAPE = {"first_mid": 2000, "spread_ticks_median": 1, "touch_lots_median": 10}
PLAIN = [key.name for key in KEYS if key.kind in SCALED and "*" not in key.name]


def warned(**values: Any) -> tuple[str, ...]:
    return resolve(Limits.from_dict(values, "mine"), [X], [TAPE]).warnings


@pytest.mark.parametrize(
    ("scaled", "plain"),
    [
        ({"max_position_size_x": 100_000}, {"max_position_size": 10}),
        ({"max_daily_loss_x": 1_000_000_000}, {"max_daily_loss": 100_000}),
        ({"risk.max_price_cap_x": 50_000_000}, {"risk.max_price_cap": 5000}),
        ({"symbols.X.max_long_x": 20_000}, {"symbols.X.max_long": 2}),
        ({"instruments.X.max_price_x": 12_345}, {"instruments.X.max_price": "1.2345"}),
    ],
)
def test_a_scaled_key_equals_its_plain_form(
    scaled: dict[str, Any], plain: dict[str, Any], tmp_path: Path
) -> None:
    assert Limits.from_dict(scaled).values == Limits.from_dict(plain).values
    assert Limits.from_dict(scaled).hash == Limits.from_dict(plain).hash
    by_flag = [load_settings(flags, {}).limit_overrides for flags in (scaled, plain)]
    assert Limits.from_dict(by_flag[0]).values == Limits.from_dict(by_flag[1]).values
    file = tmp_path / "mine.yaml"
    file.write_text("".join(f"{name}: {value}\n" for name, value in scaled.items()))
    assert Limits.from_dict(read_limits(file)).values == Limits.from_dict(plain).values
    with pytest.raises(ConfigError, match="twice"):
        Limits.from_dict(scaled | plain)


@pytest.mark.parametrize("name", PLAIN)
def test_every_key_in_lots_price_or_currency_may_be_scaled(name: str) -> None:
    value = -20_000 if name.endswith("_threshold") and name.startswith("storm") else 20_000
    assert Limits.from_dict({f"{name}_x": value}).get(name) == value // 10_000


def test_the_environment_may_be_scaled_too() -> None:
    found = load_settings({}, {"HFT_MAX_POSITION_SIZE_X": "100000"}).limit_overrides
    assert found["max_position_size"] == 10


@pytest.mark.parametrize("name", ["risk.price_band_ticks_x", "breaker.window_s_x", "replay.out_x"])
def test_what_is_no_amount_has_no_scaled_form(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        load_settings({name: 10_000}, {})


def test_a_scaled_key_replaces_a_plain_one_and_the_other_way_round() -> None:
    limits = hft.Limits.research()
    assert limits.replace(max_position_size_x=100_000).get("max_position_size") == 10
    again = limits.replace(max_position_size_x=100_000).replace(max_position_size=7)
    assert again.get("max_position_size") == 7
    with pytest.raises(ConfigError, match="twice"):
        limits.replace(max_position_size=1, max_position_size_x=100_000)


def test_a_part_of_a_lot_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_position_size_x: 15000 is no whole number of lots"):
        Limits.from_dict({"max_position_size_x": 15_000})


# A position of max(100, 50 x 10) lots at 1000.0 is worth 500 000.
@pytest.mark.parametrize(
    ("key", "value", "asked"),
    [
        ("max_position_size", 100_000, "10 x 10000"),
        ("symbols.X.max_order_size", 500_000, "50 x 10000"),
        ("max_daily_loss", 1_000_000_000, "100000 x 10000"),
        ("risk.max_order_notional", 10_000_000_000, "1000000 x 10000"),
        ("risk.max_price_cap", 50_000_000, "5000 x 10000"),
    ],
)
def test_a_number_that_looks_scaled_is_named_with_what_to_write(
    key: str, value: int, asked: str
) -> None:
    (text,) = warned(**{key: value})
    assert text.startswith(f"limits mine: {key}: {value} is ") and "\n" not in text
    assert asked in text and text.endswith(f"write {key}_x: {value}")
    assert warned(**{f"{key}_x": value}) == (), "what says that it is scaled is not asked about"


@pytest.mark.parametrize(
    "values",
    [
        {"max_position_size": 10_000},
        {"max_daily_loss": 100_000},
        {"max_position_size": 123_456},
        {"symbols.Y.max_long": 100_000},
        {"max_position_size": "off"},
        {"capital": 50_000_000, "risk.max_order_notional": 10_000_000},
    ],
)
def test_sane_numbers_are_not_asked_about(values: dict[str, Any]) -> None:
    assert warned(**values) == ()


@pytest.mark.parametrize("name", ["contract", "research", "bench"])
def test_no_shipped_set_is_asked_about(name: str) -> None:
    assert resolve(hft.Limits.load(name), [X], [TAPE]).warnings == ()
