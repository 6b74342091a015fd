"""The formula by hand, the warm-up, missing values and the reset."""

import math

from hft.research.alphas.signals import evaluate
from hft.research.data.sample import sample

from ..impl import TradeSignMomentumAlpha


def test_the_signal_is_the_share_of_signed_volume():
    alpha = TradeSignMomentumAlpha(memory=1.0, warmup=2)
    assert alpha.update(signed_volume=10.0, trade_vol=10.0) == 0.0
    decay = math.exp(-1.0)
    expected = (10.0 * decay - 5.0) / (10.0 * decay + 20.0)
    assert math.isclose(alpha.update(signed_volume=-5.0, trade_vol=20.0), expected)


def test_rows_without_a_trade_leave_the_signal_where_it_was():
    alpha = TradeSignMomentumAlpha(warmup=1)
    before = alpha.update(signed_volume=3.0, trade_vol=10.0)
    assert math.isclose(alpha.update(signed_volume=0.0, trade_vol=0.0), before)
    assert alpha.update(signed_volume=math.nan, trade_vol=1.0) == alpha.get_signal()
    alpha.reset()
    assert alpha.get_signal() == 0.0


def test_it_stays_within_its_bounds_on_a_market():
    signal = evaluate(TradeSignMomentumAlpha, sample())
    assert abs(signal).max() <= 1.0 and signal.std() > 0.02
