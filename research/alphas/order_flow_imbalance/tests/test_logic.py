"""The formula by hand, the warm-up, missing values and the reset."""

import math

from hft.research.alphas.signals import evaluate
from hft.research.data.sample import sample

from ..impl import OrderFlowImbalanceAlpha


def test_the_signal_is_the_decayed_flow_over_its_size():
    alpha = OrderFlowImbalanceAlpha(memory=1.0, warmup=2)
    assert alpha.update(ofi=4.0) == 0.0
    decay = math.exp(-1.0)
    expected = (4.0 * decay - 1.0) / (4.0 * decay + 1.0)
    assert math.isclose(alpha.update(ofi=-1.0), expected)
    assert alpha.get_signal() == alpha.signal


def test_steady_buying_is_one_and_steady_selling_minus_one():
    for side in (1.0, -1.0):
        alpha = OrderFlowImbalanceAlpha()
        for _ in range(50):
            signal = alpha.update(ofi=side * 100.0)
        assert math.isclose(signal, side)


def test_a_missing_value_keeps_the_signal_and_a_reset_forgets_it():
    alpha = OrderFlowImbalanceAlpha(warmup=1)
    before = alpha.update(ofi=3.0)
    assert alpha.update(ofi=math.nan) == before
    alpha.reset()
    assert alpha.get_signal() == 0.0


def test_it_stays_within_its_bounds_on_a_market():
    signal = evaluate(OrderFlowImbalanceAlpha, sample())
    assert abs(signal).max() <= 1.0 and signal.std() > 0.05
