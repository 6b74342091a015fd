"""Exact arithmetic against Fractions; what lies between two steps is refused, never rounded."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.errors import ConfigError, DataError
from hft.core.instruments import Instrument
from hft.core.jit import kernel
from hft.core.numbers import (
    PRODUCT_MAX,
    div_half_even,
    money_digits,
    mul_div_half_even,
    notional_money,
    resolve,
    to_lots,
    to_ticks,
    value_money,
)

pytestmark = pytest.mark.nojit

BTC = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"), currency="USDT")
COIN = Instrument(
    "BTCUSD", Decimal("0.1"), Decimal(1), Decimal(100), currency="BTC", kind="inverse"
)


@kernel
def _compute(values: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(values)):
        out[i, 0] = div_half_even(values[i, 0], values[i, 2])
        out[i, 1] = mul_div_half_even(values[i, 0], values[i, 1], values[i, 2])


@kernel
def _worth(instrument: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(values)):
        out[i, 0] = notional_money(instrument[0], values[i, 0], values[i, 1])
        out[i, 1] = value_money(instrument[0], values[i, 0], values[i, 1])


def worth(instrument: Instrument, price: int, qty: int) -> tuple[int, int]:
    out = np.zeros((1, 2), np.int64)
    row = resolve(instrument, money_digits([instrument]), 10**9, 1)
    _worth(np.array([row]), np.array([[price, qty]], np.int64), out)
    return int(out[0, 0]), int(out[0, 1])


triples = st.tuples(
    st.integers(-(10**14), 10**14), st.integers(-(10**7), 10**7), st.integers(1, 10**10)
)


@settings(max_examples=40)
@given(st.lists(triples, min_size=20, max_size=60))
def test_division_rounds_to_the_nearest_and_ties_to_even(cases: list[tuple[int, int, int]]) -> None:
    # Ties are rare by chance: every divisor also meets a numerator that is exactly half way.
    cases += [(d * n + d // 2, f, d) for n, f, d in cases if d % 2 == 0 and abs(n) < 10**6]
    cases = [case for case in cases if abs(case[0] * case[1]) < PRODUCT_MAX * case[2]]
    values = np.array(cases, np.int64).reshape(-1, 3)
    out = np.zeros((len(cases), 2), np.int64)
    _compute(values, out)
    for (value, factor, divisor), (quotient, product) in zip(cases, out.tolist(), strict=True):
        assert quotient == round(Fraction(value, divisor))
        assert product == round(Fraction(value * factor, divisor))


def test_ties_go_to_the_even_neighbour_on_both_sides_of_zero() -> None:
    values = np.array([[n, 1, 2] for n in (-5, -3, -1, 1, 3, 5, 7)], np.int64)
    out = np.zeros((len(values), 2), np.int64)
    _compute(values, out)
    assert out[:, 0].tolist() == [-2, -2, 0, 0, 2, 2, 4]
    assert out[:, 1].tolist() == [-2, -2, 0, 0, 2, 2, 4]


def test_the_product_of_a_rounded_share_may_pass_64_bits() -> None:
    value, factor, divisor = 10**17, 10**6, 10**8 + 7
    out = np.zeros((1, 2), np.int64)
    _compute(np.array([[value, factor, divisor]], np.int64), out)
    assert value * factor > PRODUCT_MAX
    assert out[0, 1] == round(Fraction(value * factor, divisor))


@pytest.mark.parametrize(
    ("price", "ticks"), [("57312.4", 573124), (0.3, 3), (Decimal("0.1"), 1), (7, 70)]
)
def test_a_price_on_the_grid_becomes_ticks_exactly(price: object, ticks: int) -> None:
    assert to_ticks(price, BTC) == ticks


@pytest.mark.parametrize("price", ["57312.45", 0.15, "0.0999999999999999999"])
def test_a_price_between_two_ticks_is_refused_by_name(price: object) -> None:
    with pytest.raises(DataError, match=r"BTCUSDT price: .* is not a multiple of 0\.1"):
        to_ticks(price, BTC)


def test_a_quantity_between_two_lots_is_refused_by_name() -> None:
    assert to_lots("0.012", BTC) == 12
    with pytest.raises(DataError, match=r"BTCUSDT quantity: 0\.0125"):
        to_lots("0.0125", BTC)


@given(
    st.decimals("0.00001", 100, places=5),
    st.decimals("0.0001", 10, places=4),
    st.integers(1, 1000),
)
def test_half_a_tick_of_one_lot_is_a_whole_number_of_money(
    tick: Decimal, lot: Decimal, multiplier: int
) -> None:
    instrument = Instrument("X", tick, lot, Decimal(multiplier))
    digits = money_digits([instrument])
    half = Fraction(tick) * Fraction(lot) * multiplier / 2 * 10**digits
    assert half.denominator == 1
    row = resolve(instrument, digits, 1000, 1)
    assert row["money_per_tick_lot"] == 2 * half


def test_money_of_a_run_fits_every_instrument_of_it() -> None:
    fine = Instrument("FINE", Decimal("0.0001"), Decimal("0.01"), currency="USDT")
    assert money_digits([BTC, fine]) >= max(money_digits([BTC]), money_digits([fine])) - 3
    for instrument in (BTC, fine):
        resolve(instrument, money_digits([BTC, fine]), 1000, 1)


def test_two_settlement_currencies_in_one_run_are_refused_with_both_names() -> None:
    with pytest.raises(ConfigError, match="BTC, USDT"):
        money_digits([BTC, COIN])


def test_inverse_money_has_eight_digits() -> None:
    assert money_digits([COIN]) == 8


@settings(max_examples=60)
@given(st.integers(1, 10**7), st.integers(1, 10**5))
def test_an_inverse_value_is_quantity_over_price_rounded_half_even(price: int, qty: int) -> None:
    notional, value = worth(COIN, price, qty)
    real_price = Fraction(price, 10)
    assert value == round(Fraction(qty * 100 * 10**8) / real_price)
    assert notional == qty * 100 * 10**8


@settings(max_examples=60)
@given(st.integers(1, 10**7), st.integers(1, 10**5))
def test_a_linear_value_is_exact(price: int, qty: int) -> None:
    notional, value = worth(BTC, price, qty)
    exact = Fraction(price, 10) * Fraction(qty, 1000) * 10 ** money_digits([BTC])
    assert value == notional == exact


def test_an_inverse_contract_off_the_money_grid_is_refused() -> None:
    odd = Instrument("ODD", Decimal("0.3"), Decimal(1), Decimal(1), currency="BTC", kind="inverse")
    with pytest.raises(ConfigError, match="ODD: lot x multiplier / tick is not whole"):
        resolve(odd, 8, 1000, 1)


def test_a_fee_finer_than_the_fee_scale_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"a fee of 0\.00001 bps"):
        resolve(Instrument("X", Decimal(1), Decimal(1), maker_bps=Decimal("0.00001")), 2, 9, 1)
