"""Four aggressive strategies for recorded markets, one Python body for both worlds.

They take through many levels, quote inside the spread, amend what rests and chase prints; sizes
follow what the book shows, so that they sweep on every grid. Each writes down all that it sees.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from hft.core.codes import OrderType, Tif, WakeCause
from tests.naive.engine.chaos import Body, Sight, orders_of
from tests.naive.engine.markets import Actor

GTC, IOC, FOK, DAY, GTD, GTX = (
    int(t) for t in (Tif.GTC, Tif.IOC, Tif.FOK, Tif.DAY, Tif.GTD, Tif.GTX)
)
LIMIT, MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
MS = 1_000_000
OPEN_MOST = 24
Deed = Callable[[Random, Any, Any, list[Any]], None]


def _lots(rng: Random, shown: int) -> int:
    """A part of what is shown, all of it, or many times that."""
    return max(1, rng.choice((shown // 7, shown // 2, shown, 3 * shown, 40 * shown)))


def taking(rng: Random, view: Any, order: Any, own: list[Any]) -> None:
    """Takes, through some levels or through all of them."""
    side = rng.randrange(2)
    lots = _lots(rng, int(view.ask_lots if side == 0 else view.bid_lots))
    if rng.random() < 0.3:
        order.new(side, 0, lots, rng.choice((IOC, FOK, GTC)), MARKET)
        return
    through = rng.choice((0, 0, 1, 5, 30, 400))
    price = view.ask_tick + through if side == 0 else view.bid_tick - through
    order.new(side, max(1, int(price)), lots, rng.choice((IOC, IOC, FOK, GTC)))


def quoting(rng: Random, view: Any, order: Any, own: list[Any]) -> None:
    """Keeps one post-only order a side, at the touch, inside the spread or one tick too far."""
    for side in (0, 1):
        better = rng.choice((0, 0, 0, 1, 1, -1, 2))
        price = view.bid_tick + better if side == 0 else view.ask_tick - better
        shown = int(view.bid_lots if side == 0 else view.ask_lots)
        order.quote(side, max(1, int(price)), rng.choice((0, 1, 3, max(1, shown // 5))))


def layering(rng: Random, view: Any, order: Any, own: list[Any]) -> None:
    """Rests on both sides of the touch, amends price and lots, cancels."""
    if len(own) > OPEN_MOST:
        order.cancel_all()
        return
    for side, oid, price, left, _ in rng.sample(own, min(2, len(own))):
        draw = rng.random()
        if draw < 0.5:
            moved = price + rng.choice((0, 0, 1, -1, 3)) * (1 if side == 0 else -1)
            order.amend(oid, max(1, moved), max(1, rng.choice((left, left - 1, left + 2, 1))))
        elif draw < 0.7:
            order.cancel(oid)
    for side in (0, 1):
        away = rng.choice((-2, -1, 0, 0, 1, 2, 4))
        price = view.bid_tick - away if side == 0 else view.ask_tick + away
        tif = rng.choice((GTC, GTC, GTC, DAY, GTD, GTX))
        ends = int(view.now) + rng.choice((0, 5, 300, 2000)) * MS if tif == GTD else 0
        shown = int(view.bid_lots if side == 0 else view.ask_lots)
        order.new(side, max(1, int(price)), _lots(rng, shown), tif, LIMIT, ends)


def chasing(rng: Random, view: Any, order: Any, own: list[Any]) -> None:
    """Wants a position in the direction of the last print, at once or at a price."""
    if len(own) > OPEN_MOST:
        order.cancel_all()
    shown = 1 + int(view.bid_lots + view.ask_lots) // 2
    wanted = rng.choice((0, 1, 2)) * shown * (1 if view.last_trade_side == 0 else -1)
    draw = rng.random()
    if draw < 0.5:
        order.target(wanted)
    else:
        through = rng.choice((-1, 0, 1, 3))
        price = view.ask_tick + through if wanted > 0 else view.bid_tick - through
        order.target(wanted, max(1, int(price)))


FILLED, PRINTED = 1 << int(WakeCause.FILL), 1 << int(WakeCause.TRADE)
TIMED = 1 << int(WakeCause.TIMER)
# Deed, its timer, what else wakes it and how often a wake-up is let pass.
AGGRESSORS: dict[str, tuple[Deed, int, int, float]] = {
    "taking": (taking, 230 * MS, TIMED, 0.1),
    "quoting": (quoting, 110 * MS, TIMED | FILLED, 0.0),
    "layering": (layering, 170 * MS, TIMED, 0.2),
    "chasing": (chasing, 900 * MS, TIMED | PRINTED, 0.9),
}


def aggressor(name: str) -> Actor:
    """The clock and the causes of one of the four; its body is found by its name's place."""
    _, every_ns, wakes_on, _ = AGGRESSORS[name]
    return Actor(list(AGGRESSORS).index(name), every_ns, wakes_on, 0.0, 1)


def aggressive(actor: Actor, trace: list[Any], deeds: Counter[str], sight_of: Sight) -> Body:
    """The body of an aggressor; `trace` gets one entry a wake-up."""
    name = list(AGGRESSORS)[actor.seed]
    deed, _, _, idle = AGGRESSORS[name]
    rng = Random(actor.seed)

    def wake(view: Any, order: Any, p: Any, s: Any) -> None:
        seen = sight_of(view, True)
        trace.append((seen,))
        if rng.random() < idle or not view.book_valid:
            return
        deeds[name] += 1
        deed(rng, view, order, orders_of(seen))

    return wake
