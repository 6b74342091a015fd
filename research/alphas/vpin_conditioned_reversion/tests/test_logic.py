"""Buckets by hand, the condition, missing values and the reset."""

import math

from hft.research.alphas.signals import evaluate
from hft.research.data.sample import sample

from ..impl import VpinConditionedReversionAlpha


def row(mid, signed, volume=100.0):
    return {"current_mid": mid, "signed_volume": signed, "trade_vol": volume}


def test_one_sided_volume_has_a_vpin_of_one_and_balanced_volume_of_nothing():
    for signed, expected in ((100.0, 1.0), (-100.0, 1.0), (0.0, 0.0)):
        alpha = VpinConditionedReversionAlpha(buckets=3, bucket_rows=2.0)
        for _ in range(20):
            alpha.update(**row(100.0, signed))
        assert math.isclose(alpha.vpin(), expected)


def test_a_row_larger_than_a_bucket_fills_several():
    alpha = VpinConditionedReversionAlpha(buckets=4, bucket_rows=1.0)
    alpha.update(**row(100.0, 0.0, 10.0))
    alpha.update(**row(100.0, 0.0, 1000.0))  # then buckets are of the mean volume, 505
    assert len(alpha.shares) == 3 and alpha.bought + alpha.sold == 485.0


def test_a_move_up_on_balanced_volume_is_faded():
    alpha = VpinConditionedReversionAlpha(look=3, buckets=5)
    for k in range(200):
        alpha.update(**row(100.0 + 0.01 * (k % 2), 80.0 if k < 150 else 0.0))
    assert alpha.update(**row(100.5, 0.0)) < 0.0


def test_a_missing_price_keeps_the_signal_and_a_reset_forgets_it():
    alpha = VpinConditionedReversionAlpha()
    signal = evaluate(alpha, sample())
    assert abs(signal).max() <= 1.0 and signal.std() > 0.01
    assert alpha.update(**row(math.nan, 0.0)) == signal[-1]
    alpha.reset()
    assert alpha.get_signal() == 0.0
