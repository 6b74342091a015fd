"""The policy answers within one, repeats itself after a reset, and knows no later row."""

from ..impl import RlFlowAlpha

FLOWS = [float(k * k % 11 - 5) for k in range(60)]


def test_it_answers_within_one_and_forgets():
    alpha = RlFlowAlpha()
    whole = [alpha.update(ofi=one) for one in FLOWS]
    assert all(-1 <= one <= 1 for one in whole) and len(set(whole)) > 1
    for cut in (1, 7, 60):
        alpha.reset()
        assert [alpha.update(ofi=one) for one in FLOWS[:cut]] == whole[:cut]
