"""Kernel and plain-Python twin take the same day and say the same, total by total."""

import random
from fractions import Fraction

import pytest
from gateway_world import Pair, play

from hft.core.codes import SelfTradeMode
from tests.naive.gateway import Rules

S = 1_000_000_000

TIGHT = Rules(
    accounts=2,
    strategies=2,
    instruments=2,
    global_max=900_000,
    strategy_max=600_000,
    leaf_max=400_000,
    net_qty_max=30,
    price_max=100_000,
    qty_max=1_000,
    cap=1_150,
    band_ticks=12,
    band_bps=100,
    age_ns=5 * S,
    order_size=12,
    long_max=25,
    short_max=20,
    notional_max=110_000,
    order_notional_max=200_000,
    per_s=20,
    per_min=300,
    daily_loss=9_000,
    storm_losses=(2_000, 4_000, 5_800),
    drawdowns_pct=(Fraction(1, 2), Fraction(1), Fraction(2)),
    latencies=(5_000_000, 20_000_000),
    feed_gap_ns=3 * S,
    cooldown_ns=2 * S,
    move=Fraction(1, 20),
    move_window_ns=6 * S,
    reset_ns=2 * S,
    repeated=4,
    dedup_window=25,
    dedup_ttl_ns=20 * S,
)
LOOSE = Rules(accounts=1, strategies=2, instruments=2, dedup_window=60, leaves=3)


@pytest.mark.parametrize("seed", range(10))
def test_kernel_and_twin_agree_under_tight_limits(seed: int) -> None:
    pair = Pair(TIGHT)
    play(pair, random.Random(seed), 1_500)
    assert len(pair.seen) > 8, f"seed {seed} reaches too little: {pair.seen}"


@pytest.mark.parametrize("seed", range(10, 16))
def test_kernel_and_twin_agree_under_loose_limits(seed: int) -> None:
    pair = Pair(LOOSE)
    play(pair, random.Random(seed), 1_500)
    assert sum(reason == 0 for reason, _ in pair.trace) > 100


@pytest.mark.parametrize("mode", list(SelfTradeMode))
def test_kernel_and_twin_agree_in_every_self_trade_mode(mode: SelfTradeMode) -> None:
    pair = Pair(Rules(accounts=2, self_trade=mode, long_max=500, short_max=500))
    play(pair, random.Random(int(mode)), 1_500)
    assert sum(reason == 0 for reason, _ in pair.trace) > 100


@pytest.mark.nojit
def test_a_short_day_agrees_with_the_twin() -> None:
    pair = Pair(TIGHT)
    play(pair, random.Random(99), 200)
    assert pair.trace
