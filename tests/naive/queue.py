"""How much of a level stands before our order, in exact lots: the formulas, without quantisation.

Risk-averse: only trades and a level smaller than our estimate move us forward. Probability family:
a cancellation happened behind us with probability f(back) / (f(front) + f(back)).
"""

import math
from collections.abc import Callable
from fractions import Fraction

Weight = Callable[[float], float]

WEIGHTS: dict[str, Weight] = {
    "prob_log": lambda lots: math.log1p(lots),
    "prob_sqrt": math.sqrt,
}


def power(n: float) -> Weight:
    return lambda lots: lots**n


class NaiveQueue:
    """One resting order's estimate. Units: lots, as a Fraction."""

    def __init__(self, weight: Weight | None, level_lots: int) -> None:
        self.weight = weight
        self.ahead = Fraction(level_lots)
        self.traded = 0

    def trades(self, lots: int) -> None:
        self.ahead -= lots
        self.traded += lots

    def behind(self, before: int) -> Fraction:
        """The chance that one cancelled lot stood behind us."""
        assert self.weight is not None
        front = self.weight(float(max(self.ahead, 0)))
        back = self.weight(float(max(before - self.ahead, 0)))
        return Fraction(back / (front + back)) if front + back > 0 else Fraction(1)

    def changes(self, before: int, after: int) -> None:
        """The displayed quantity of our level is restated."""
        if self.weight is not None:
            cancelled = before - after - self.traded
            self.traded = 0
            if cancelled >= 0:
                behind = self.behind(before) * cancelled
                # More cannot be cancelled behind us than stands there.
                possible = min(behind, before - self.ahead)
                self.ahead -= cancelled - possible
        self.ahead = min(self.ahead, Fraction(after))

    def fills(self) -> int:
        """Whole lots of trading that went past everything ahead; the count begins anew."""
        if self.ahead >= 0:
            return 0
        reached = math.floor(-self.ahead)
        self.ahead = Fraction(0)
        return reached


class NaiveUserQueue:
    """A user's model beside one order: it is told what printed since it was last asked."""

    def __init__(self, body: Callable[[int, int, int, int], int], level_lots: int) -> None:
        self.body = body
        self.ahead_micro = level_lots * 1_000_000
        self.traded = 0

    def trades(self, lots: int) -> None:
        self.ahead_micro -= lots * 1_000_000
        self.traded += lots

    def changes(self, before: int, after: int) -> None:
        """No answer puts more ahead of us than the level shows."""
        said = self.body(self.ahead_micro, before, after, self.traded)
        self.ahead_micro, self.traded = min(said, after * 1_000_000), 0
