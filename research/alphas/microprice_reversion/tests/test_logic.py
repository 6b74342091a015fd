"""The formula by hand, missing values and the reset."""

import math

from hft.research.alphas.signals import evaluate
from hft.research.data.sample import sample

from ..impl import MicropriceReversionAlpha


def test_the_distance_is_counted_in_half_spreads():
    alpha = MicropriceReversionAlpha()
    assert math.isclose(alpha.update(microprice=100.25, current_mid=100.0, spread=1.0), 0.5)
    assert alpha.update(microprice=98.0, current_mid=100.0, spread=1.0) == -1.0


def test_a_spread_of_nothing_says_nothing():
    alpha = MicropriceReversionAlpha()
    before = alpha.update(microprice=100.25, current_mid=100.0, spread=1.0)
    assert alpha.update(microprice=100.5, current_mid=100.0, spread=0.0) == before
    assert alpha.update(microprice=math.nan, current_mid=100.0, spread=1.0) == before
    alpha.reset()
    assert alpha.get_signal() == 0.0


def test_more_bid_than_offered_is_positive_on_a_market():
    data = sample()
    signal = evaluate(MicropriceReversionAlpha, data)
    more_bid = data.field("bid_qty") > data.field("ask_qty")
    assert (signal[more_bid] > 0).all() and (signal[~more_bid] <= 0).all()
