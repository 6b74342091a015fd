"""The chaos strategy: one Python body for both worlds, so that a difference of views shows.

It writes down all that it sees, then does something at random: the same seed and the same views
make the same words. `deeds` counts what was tried.
"""

from collections import Counter
from collections.abc import Callable
from operator import attrgetter
from random import Random
from typing import Any

from hft.core.codes import OrderType, Tif, WakeCause
from tests.naive.engine.author import HIGH
from tests.naive.engine.markets import Actor

GTC, IOC, FOK, DAY, GTD, GTX = (
    int(t) for t in (Tif.GTC, Tif.IOC, Tif.FOK, Tif.DAY, Tif.GTD, Tif.GTX)
)
LIMIT, MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
NAMES = {int(tif): tif.name for tif in Tif}
SEEN = (
    *("now", "wake", "book_valid", "bid_tick", "ask_tick", "bid_lots", "ask_lots", "mid2"),
    *("last_trade_tick", "last_trade_lots", "last_trade_side", "traded_since_wake", "position"),
    *("pnl", "open_buy", "open_sell", "working_buy_tick", "working_sell_tick", "session_phase"),
)
MEMBERS = attrgetter(*SEEN)
LEVELS_SEEN = 3
DEEDS_MOST = 60
SWEEPS_MOST = 4
CALM = (int(WakeCause.TIMER), int(WakeCause.STATUS), int(WakeCause.TRADE), int(WakeCause.BOOK))
SHALLOW = (0, 1, 6, 30, 10**9)  # wake-ups before the first look below the touch
Body = Callable[[Any, Any, Any, Any], None]
Sight = Callable[[Any, bool], tuple[Any, ...]]


def sight(view: Any, own: list[Any], deep: bool) -> tuple[Any, ...]:
    """All that a strategy can read of one instrument, own orders included; levels when `deep`."""
    seen = [int(member) for member in MEMBERS(view)]
    levels: list[Any] = []
    if seen[2] and deep:
        ladders = (view.bid_depth, view.ask_depth, view.bid_ticks, view.ask_ticks)
        levels = [tuple([int(ladder[k]) for ladder in ladders]) for k in range(LEVELS_SEEN)]
    return put_together(seen, levels, own)


def put_together(seen: list[int], levels: list[Any], own: list[Any]) -> tuple[Any, ...]:
    """The members of SEEN, levels of (bid lots, ask lots, bid tick, ask tick), own orders."""
    if not seen[2]:
        seen[3:8] = [0] * 5  # prices of a book that is not whole mean nothing
        levels = []
    tops = tuple([(b, a, bid if b else 0, ask if a else 0) for b, a, bid, ask in levels])
    return (*seen, tops, tuple(own))


def orders_of(seen: tuple[Any, ...]) -> list[tuple[int, int, int, int, bool]]:
    """Own working orders of a sight: side, id, price, open lots, no request in flight."""
    return list(seen[-1])


def twin_sight(view: Any, deep: bool) -> tuple[Any, ...]:
    """All that a strategy sees of one instrument of the twin."""
    return sight(view, sorted(view.own_orders(), key=lambda o: o[1]), deep)


def body(actor: Actor, trace: list[Any], deeds: Counter[str], sight_of: Sight) -> Body:
    """A strategy body with its own chance; `trace` gets one entry a wake-up."""
    rng = Random(actor.seed)
    known: list[int] = []
    # The view's book may stay behind until somebody looks below the touch.
    shallow = Random(~actor.seed).choice(SHALLOW)

    def wake(view: Any, order: Any, p: Any, s: Any) -> None:
        views = [view] if actor.instruments == 1 else [view[k] for k in range(actor.instruments)]
        seen = [sight_of(one, len(trace) >= shallow) for one in views]
        trace.append(tuple(seen))
        if actor.sweeps and seen[0][2] and deeds["sweep"] < SWEEPS_MOST and rng.random() < 0.4:
            deeds["sweep"] += 1
            _sweep(rng, order, seen[0])
        quiet = 0.35 if seen[0][1] in CALM else 0.8  # answers wake us, and words make answers
        if rng.random() < quiet or sum(deeds.values()) > DEEDS_MOST:
            return
        k = rng.randrange(actor.instruments)
        _act(
            rng,
            actor,
            view if k == 0 else view[k],
            order if k == 0 else order[k],
            seen[k],
            known,
            deeds,
        )

    return wake


def _sweep(rng: Random, order: Any, seen: tuple[Any, ...]) -> None:
    """Take all that there is within hundreds of ticks."""
    side, lots = rng.randrange(2), rng.choice((305, 400, 10**4))
    if rng.random() < 0.3:
        order.new(side, 0, lots, IOC, MARKET)
        return
    price = seen[4] + 450 if side == 0 else max(1, seen[3] - 450)
    order.new(side, min(price, HIGH - 1), lots, rng.choice((IOC, IOC, GTC, FOK)))


def _act(
    rng: Random,
    actor: Actor,
    view: Any,
    order: Any,
    seen: tuple[Any, ...],
    known: list[int],
    deeds: Counter[str],
) -> None:
    working = seen[-1]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        draw = rng.random()
        if draw < 0.5:
            _new(rng, actor, order, seen, known, deeds)
        elif draw < 0.66 and working:
            side, oid, price, left, _ = rng.choice(working)
            tick = price + rng.choice((0, 0, 0, 1, -1, 2, -2, 6, -6))
            lots = max(1, rng.choice((left, left - 1, left + 3, 1, left + 40)))
            deeds["amend"] += 1
            order.amend(oid, max(1, tick), lots)
        elif draw < 0.8 and (working or known):
            oid = (
                rng.choice(working)[1]
                if working and rng.random() < 0.8
                else rng.choice(known or [77])
            )
            deeds["cancel"] += 1
            order.cancel(oid)
        elif draw < 0.82:
            deeds["cancel_all"] += 1
            order.cancel_all()
        elif draw < 0.87 and known:
            deeds["amend of any"] += 1
            order.amend(
                rng.choice(known), _price(rng, seen, rng.randrange(2), actor.bold), _lots(rng)
            )
        elif draw < 0.94:
            deeds["quote"] += 1
            side = rng.randrange(2)
            order.quote(side, _price(rng, seen, side, 0.1), rng.choice((0, 1, 2, 5)))
        else:
            deeds["target"] += 1
            tick = None if rng.random() < 0.5 else _price(rng, seen, rng.randrange(2), actor.bold)
            order.target(rng.randrange(-6, 7), tick)


def _lots(rng: Random) -> int:
    return rng.choice((1, 1, 2, 3, 5, 9, 30, 400, 10**4))


def _price(rng: Random, seen: tuple[Any, ...], side: int, bold: float) -> int:
    """A price near the touch; a bold one goes through the other side, sometimes far."""
    bid, ask = (seen[3], seen[4]) if seen[2] else (99, 101)
    if rng.random() < bold:
        through = rng.choice((0, 0, 1, 2, 8, 400))
        price = ask + through if side == 0 else bid - through
    else:
        away = rng.choice((0, 0, 0, 1, 1, 2, 5))
        price = bid - away if side == 0 else ask + away
    return min(max(price, 1), HIGH - 1)


def _new(
    rng: Random,
    actor: Actor,
    order: Any,
    seen: tuple[Any, ...],
    known: list[int],
    deeds: Counter[str],
) -> None:
    side = rng.randrange(2)
    price, lots = _price(rng, seen, side, actor.bold), _lots(rng)
    strange = rng.random()
    if strange < 0.02:
        deeds["no order"] += 1
        kind, tif = rng.choice(((int(OrderType.STOP), GTC), (LIMIT, 9), (77, IOC), (LIMIT, -1)))
        oid = order.new(side, price, lots, tif, kind)
    elif strange < 0.14:
        tif = rng.choice((IOC, IOC, FOK, GTC))
        deeds[f"MARKET {NAMES[tif]}"] += 1
        oid = order.new(side, 0, lots, tif, MARKET)
    else:
        tif = rng.choice((GTC, GTC, GTC, IOC, FOK, DAY, GTD, GTX))
        expires = seen[0] + rng.choice((-1, 0, 1, 4, 15, 60)) if tif == GTD else 0
        deeds[f"LIMIT {NAMES[tif]}"] += 1
        if actor.odd and rng.random() < 0.08:
            price, lots = rng.choice(
                ((price, 0), (price, -2), (0, lots), (-3, lots), (price, 10**6))
            )
            deeds["odd numbers"] += 1
        oid = order.new(side, price, lots, tif, LIMIT, expires)
    if oid is not None and oid >= 0:
        known.append(int(oid))
