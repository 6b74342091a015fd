"""Features of a book from their definitions, with fractions: nothing is rounded here."""

from fractions import Fraction

Touch = tuple[int, int, int, int]  # bid, bid lots, ask, ask lots


def mid(touch: Touch) -> Fraction:
    return Fraction(touch[0] + touch[2], 2)


def micro(touch: Touch) -> Fraction:
    """The price at which the last lot would meet if both sides moved in step with their lots."""
    bid, bid_lots, ask, ask_lots = touch
    return bid + Fraction((ask - bid) * bid_lots, bid_lots + ask_lots)


def imbalance(bids: list[int], asks: list[int]) -> Fraction:
    """Lots of both sides, best first, as far as they are looked at."""
    bid, ask = sum(bids), sum(asks)
    return Fraction(bid - ask, bid + ask) if bid + ask else Fraction(0)


def came_to(better: bool, worse: bool, lots: int, before: int) -> int:
    """What came to one side's best price."""
    if better:
        return lots
    if worse:
        return -before
    return lots - before


def order_flow(before: Touch, after: Touch) -> int:
    """What came to bid less what came to offer."""
    to_bid = came_to(after[0] > before[0], after[0] < before[0], after[1], before[1])
    to_ask = came_to(after[2] < before[2], after[2] > before[2], after[3], before[3])
    return to_bid - to_ask
