"""The signal of a row depends on that row and earlier ones only."""

from hft.research.data.sample import sample
from hft.research.leakage import check_alpha

from ..impl import QueueImbalanceAlpha


def test_no_row_knows_a_later_one():
    report = check_alpha(QueueImbalanceAlpha, sample(rows=700, seed=3))
    assert report.clean, report.first.sentence
    assert len(report.cuts) >= 12
