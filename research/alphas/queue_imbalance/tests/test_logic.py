"""The formula by hand, missing values and the reset."""

import math

from hft.research.alphas.signals import evaluate
from hft.research.data.sample import sample

from ..impl import QueueImbalanceAlpha


def test_the_first_row_is_its_own_mean_and_later_ones_pull_it():
    alpha = QueueImbalanceAlpha(memory=2.0)
    assert alpha.update(queue_imbalance=0.5) == 0.5
    weight = 1.0 - math.exp(-0.5)
    assert math.isclose(alpha.update(queue_imbalance=-0.5), 0.5 - weight)


def test_a_missing_value_keeps_the_signal_and_a_reset_forgets_it():
    alpha = QueueImbalanceAlpha()
    before = alpha.update(queue_imbalance=0.4)
    assert alpha.update(queue_imbalance=math.nan) == before
    alpha.reset()
    assert alpha.get_signal() == 0.0
    assert alpha.update(queue_imbalance=-1.0) == -1.0


def test_sizes_alone_are_enough_on_a_market():
    signal = evaluate(QueueImbalanceAlpha, sample())
    assert abs(signal).max() <= 1.0 and signal.std() > 0.05
