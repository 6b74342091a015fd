"""Report mode lists every failing check with its margin, and looking changes nothing."""

import random

import pytest
from gateway_world import Pair, play
from test_gateway_twin import TIGHT

from hft.core.codes import ControlKind, PolicyMode, Reason
from tests.naive.gateway import Rules

BAD = {"side": 0, "price": 1_300, "qty": 50, "order_type": 1, "intent_id": 99}


@pytest.mark.nojit
def test_every_failing_check_is_listed_in_order_with_its_margin() -> None:
    pair = Pair(TIGHT)
    pair.set_operator(PolicyMode.HALT)
    found = pair.kernel.explain(pair.now, **BAD)
    assert [check.reason for check in found] == [
        Reason.POLICY_HALT,
        Reason.STRATEGY_EXPOSURE_LIMIT,
        Reason.LEAF_NOTIONAL_LIMIT,
        Reason.NET_QTY_LIMIT,
        Reason.ORDER_SIZE,
        Reason.PRICE_EXCEEDS_CAP,
        Reason.PRICE_OUTSIDE_BAND,
        Reason.POSITION_LIMIT,
        Reason.NOTIONAL_LIMIT,
        Reason.MAX_NOTIONAL_EXCEEDED,
    ]
    sizes = {check.reason: check for check in found}
    assert sizes[Reason.ORDER_SIZE].margin == 12 - 50
    assert sizes[Reason.PRICE_EXCEEDS_CAP][1:] == (1_300, 1_150)
    assert sizes[Reason.POSITION_LIMIT].margin == 25 - 50


@pytest.mark.nojit
def test_a_halted_storm_guard_is_named_beside_the_policy() -> None:
    pair = Pair(Rules(storm_losses=(1, 2, 3)))
    pair.pnl(0, -3)
    reasons = [check.reason for check in pair.kernel.explain(pair.now, **BAD)]
    assert reasons == [Reason.POLICY_HALT, Reason.STORMGUARD_HALT]


@pytest.mark.parametrize("seed", range(4))
def test_the_first_of_the_list_is_what_the_gateway_answers(seed: int) -> None:
    pair = Pair(TIGHT)
    rng = random.Random(seed)
    decide = pair.kernel.decide
    compared = 0

    def explained_first(now: int, **intent: int):  # type: ignore[no-untyped-def]
        nonlocal compared
        before = pair.kernel.snapshot()
        found = pair.kernel.explain(now, **intent)
        after = pair.kernel.snapshot()
        assert all((before[name] == after[name]).all() for name in before)
        row = decide(now, **intent)
        silent = (Reason.DEDUP_WINDOW_FULL, Reason.EXPOSURE_SYMBOL_LIMIT, Reason.INTERNAL_ERROR)
        if not row["replayed"] and row["reason"] not in silent:
            expected = found[0].reason if found else Reason.OK
            assert row["reason"] == expected
            compared += 1
        return row

    pair.kernel.decide = explained_first  # type: ignore[method-assign]
    play(pair, rng, 400)
    assert compared > 100


@pytest.mark.nojit
def test_degraded_mode_halves_limits_and_never_loosens_them() -> None:
    pair = Pair(Rules(order_size=9, long_max=21, band_ticks=20, per_s=10))
    pair.control(ControlKind.MODE, 1, 1)
    row = pair.kernel.state.limits[0]
    assert (row["order_size_max"], row["long_max"], row["band_ticks"]) == (4, 10, 10)
    assert pair.kernel.state.rates[0]["per_s"] == 5
    assert row["short_max"] == -1
    pair.control(ControlKind.MODE, 1, 0)
    assert row["order_size_max"] == 9
    assert pair.kernel.state.rates[0]["per_s"] == 10
