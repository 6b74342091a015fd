"""Positions against Fractions: nothing is lost by closing in parts, crossing zero or rounding."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.positions import NaiveInstrument, NaivePosition

from hft.core.instruments import Instrument
from hft.core.jit import kernel
from hft.core.numbers import money_digits, resolve
from hft.portfolio.positions import POSITION, apply_fill, fee_money, mark

pytestmark = pytest.mark.nojit

LINEAR = Instrument(
    "BTCUSDT", Decimal("0.1"), Decimal("0.001"), Decimal(1), currency="USDT",
    maker_bps=Decimal("-0.5"), taker_bps=Decimal("4.5"),
)  # fmt: skip
INVERSE = Instrument(
    "BTCUSD", Decimal("0.1"), Decimal(1), Decimal(100), currency="BTC", kind="inverse",
    maker_bps=Decimal("1"), taker_bps=Decimal("5.01"),
)  # fmt: skip
PER_LOT, PER_ORDER = 3, 17

Fill = tuple[int, int, int, int, int]  # side, price, qty, taker, first of its order


@kernel
def _book(position: np.ndarray, instrument: np.ndarray, fills: np.ndarray, out: np.ndarray) -> None:
    """Book every fill, then mark at its price; one row of results a fill."""
    for i in range(len(fills)):
        side, price, qty = fills[i, 0], fills[i, 1], fills[i, 2]
        fee = fee_money(instrument[0], price, qty, fills[i, 3], fills[i, 4] != 0)
        out[i, 0] = fee
        out[i, 1] = apply_fill(position[0], instrument[0], side, price, qty, fee)
        out[i, 2] = position[0]["qty"]
        out[i, 3] = position[0]["cost_money"]
        out[i, 4] = position[0]["realized_money"]
        out[i, 5] = position[0]["fees_money"]
        out[i, 6] = mark(position[0], instrument[0], 2 * price + 1)


def row_of(instrument: Instrument) -> np.ndarray:
    row = np.array([resolve(instrument, money_digits([instrument]), 10**9, 1)])
    row["fee_per_lot_money"], row["fee_per_order_money"] = PER_LOT, PER_ORDER
    return row


def twin_of(instrument: Instrument) -> NaivePosition:
    return NaivePosition(
        NaiveInstrument(
            Fraction(instrument.tick),
            Fraction(instrument.lot),
            Fraction(instrument.multiplier),
            money_digits([instrument]),
            instrument.kind == "inverse",
            Fraction(instrument.maker_bps),
            Fraction(instrument.taker_bps),
            PER_LOT,
            PER_ORDER,
        )
    )


def book(instrument: Instrument, fills: list[Fill]) -> tuple[np.ndarray, np.ndarray]:
    position, out = np.zeros(1, POSITION), np.zeros((len(fills), 7), np.int64)
    _book(position, row_of(instrument), np.array(fills, np.int64).reshape(-1, 5), out)
    return position, out


def agree(instrument: Instrument, fills: list[Fill]) -> NaivePosition:
    """Kernel and twin book the same fills and must say the same after each."""
    position, out = book(instrument, fills)
    twin = twin_of(instrument)
    for k, (side, price, qty, taker, first) in enumerate(fills):
        fee = twin.instrument.fee(price, qty, bool(taker), bool(first))
        profit = twin.fill(side, price, qty, fee)
        wanted = [fee, profit, twin.qty, twin.cost, twin.realized, twin.fees]
        assert out[k].tolist() == [*wanted, twin.mark(2 * price + 1)], f"fill {k}: {fills[k]}"
    bought = sum(fill[2] for fill in fills if fill[0] == 0)
    sold = sum(fill[2] for fill in fills if fill[0] == 1)
    assert position[0]["bought_qty"] - position[0]["sold_qty"] == position[0]["qty"]
    assert [position[0][name] for name in ("bought_qty", "sold_qty", "fills")] == [
        bought,
        sold,
        len(fills),
    ]
    return twin


fill = st.tuples(
    st.integers(0, 1),
    st.integers(1, 2_000_000),
    st.one_of(st.integers(1, 7), st.integers(1, 100_000)),
    st.integers(0, 1),
    st.integers(0, 1),
)
instruments = pytest.mark.parametrize("instrument", [LINEAR, INVERSE], ids=["linear", "inverse"])


@instruments
@settings(max_examples=80)
@given(fills=st.lists(fill, max_size=30))
def test_quantity_cost_profit_fee_and_mark_are_the_twins(
    instrument: Instrument, fills: list[Fill]
) -> None:
    agree(instrument, fills)


@instruments
@settings(max_examples=80)
@given(fills=st.lists(fill, min_size=1, max_size=20), price=st.integers(1, 2_000_000))
def test_a_closed_position_has_realised_exactly_what_was_paid_and_received(
    instrument: Instrument, fills: list[Fill], price: int
) -> None:
    held = sum(qty if side == 0 else -qty for side, _, qty, _, _ in fills)
    if held != 0:
        fills = [*fills, (1 if held > 0 else 0, price, abs(held), 0, 0)]
    twin = agree(instrument, fills)
    assert twin.qty == 0 and twin.cost == 0
    assert twin.realized == twin.cash


@instruments
@settings(max_examples=80)
@given(fills=st.lists(fill, min_size=1, max_size=20))
def test_what_was_paid_is_realised_or_still_held_at_every_moment(
    instrument: Instrument, fills: list[Fill]
) -> None:
    position, _ = book(instrument, fills)
    twin = agree(instrument, fills)
    # Open lots stand at cost: an inverse long has given value, a linear long has paid it.
    held = int(position[0]["cost_money"]) * (1 if position[0]["qty"] > 0 else -1)
    held = -held if instrument.kind == "inverse" else held
    assert int(position[0]["realized_money"]) == twin.cash + held


@instruments
@settings(max_examples=60)
@given(
    parts=st.lists(st.integers(1, 50), min_size=1, max_size=12),
    entry=st.integers(1, 10**6),
    out=st.integers(1, 10**6),
)
def test_closing_in_parts_costs_what_closing_at_once_costs(
    instrument: Instrument, parts: list[int], entry: int, out: int
) -> None:
    opened: Fill = (0, entry, sum(parts), 0, 0)
    in_parts = agree(instrument, [opened, *[(1, out, part, 0, 0) for part in parts]])
    at_once = agree(instrument, [opened, (1, out, sum(parts), 0, 0)])
    assert in_parts.cost == at_once.cost == 0
    # Entry cost is shared without a remainder; only the exit value of each fill is rounded.
    rounding = 0 if instrument.kind == "linear" else len(parts)
    assert abs(in_parts.realized - at_once.realized) <= rounding


def test_crossing_zero_opens_the_rest_at_the_fill_price() -> None:
    twin = agree(LINEAR, [(0, 1000, 5, 0, 0), (1, 1010, 8, 1, 1)])
    assert twin.qty == -3
    assert twin.cost == twin.instrument.value(1010, 3)
    assert twin.realized == twin.instrument.value(1010, 5) - twin.instrument.value(1000, 5)


def test_an_inverse_long_gains_when_the_price_rises() -> None:
    twin = agree(INVERSE, [(0, 500_000, 10, 0, 0), (1, 550_000, 10, 0, 0)])
    # 1000 USD bought at 50 000 and sold at 55 000: 0.02 - 0.01818182 BTC.
    assert twin.realized == 2_000_000 - 1_818_182


def test_a_fee_of_half_a_unit_goes_to_the_even_neighbour_and_a_rebate_too() -> None:
    free = Instrument(
        "X", Decimal(1), Decimal(1), maker_bps=Decimal(-5000), taker_bps=Decimal(5000)
    )
    row = row_of(free)
    row["money_per_tick_lot"] = 1
    row["fee_per_lot_money"] = row["fee_per_order_money"] = 0
    out = np.zeros((4, 7), np.int64)
    fills = [(0, price, 1, taker, 0) for price in (5, 7) for taker in (0, 1)]
    _book(np.zeros(1, POSITION), row, np.array(fills, np.int64), out)
    assert out[:, 0].tolist() == [-2, 2, -4, 4]
