"""Queue models as a user writes them: copies of built-in ones, and one that is nobody's."""

import math

import hft

MICRO = 1_000_000


@hft.queue_model
def cautious(ahead_micro, before, after, traded):
    """As risk_averse."""
    return min(ahead_micro, after * MICRO)


@hft.queue_model
def by_logarithm(ahead_micro, before, after, traded):
    """As prob_log."""
    change = before - after - traded
    front = ahead_micro
    if change >= 0:
        back = before * MICRO - front
        ahead = math.log(1.0 + max(front, 0) / MICRO)
        behind = math.log(1.0 + max(back, 0) / MICRO)
        behind_e6 = MICRO
        if ahead + behind > 0.0:
            behind_e6 = int(math.floor(behind / (ahead + behind) * MICRO + 0.5))
        front = front - change * (MICRO - behind_e6) + min(0, back - change * behind_e6)
    return min(front, after * MICRO)


@hft.queue_model
def hopeful(ahead_micro, before, after, traded):
    """Every cancel was ahead of us."""
    return ahead_micro - max(0, before - after - traded) * MICRO


@hft.queue_model
def broken(ahead_micro, before, after, traded):
    if before > 0:
        raise ValueError("no such level")
    return ahead_micro
