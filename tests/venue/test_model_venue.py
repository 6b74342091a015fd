"""The venue of the crash simulation answers as the one that replays and paper sessions trade with.

Each script goes through the whole engine on a deep book, and to the model as commands; the answers
are the same in kind, order and lots filled. The model's chance is taken out: it fills whole.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from small_world import LEVEL, Row, opening, play

from hft.core.codes import IntentType, OrderType, ResponseKind, Tif
from tests.simulation.venue import Command, ModelVenue

pytestmark = pytest.mark.nojit
BUY, SELL = 0, 1
BID, ASK = 100, 102
BOOK: list[Row] = [*opening(10, {BID: 1000}, {ASK: 1000}), (90, LEVEL, 0, 50, 1)]
Said = list[tuple[str, int]]
Change = tuple[str, int, int]  # what, price, lots


class Whole(Random):
    """Nothing is refused, and what crosses is filled whole."""

    def random(self) -> float:
        return 0.0


def by_engine(side: int, price: int, lots: int, tif: Tif, kind: OrderType, change: Change) -> Said:
    """(answer, lots filled so far) of the first order, as the engine's venue says."""
    acts: dict[int, Callable[[Any, Any], None]] = {
        20: lambda view, order: order.new(side, price, lots, tif, kind)
    }
    what, new_price, new_lots = change
    if what == "cancel":
        acts[30] = lambda view, order: order.cancel(1)
    elif what == "amend":
        acts[30] = lambda view, order: order.amend(1, new_price, new_lots)
    played = play(BOOK, acts)
    fills = iter(row[3] for row in played.venue_fills())
    filled, said = 0, []
    for order_id, name in played.answers():
        assert order_id == 1
        filled += next(fills) if name == "FILL" else 0
        said.append((name, filled))
    return said


def by_model(side: int, price: int, lots: int, tif: Tif, kind: OrderType, change: Change) -> Said:
    """The same of the model."""
    venue = ModelVenue(Whole(1), touches=[(BID, ASK)], refuses=0.0)
    given = {"order_id": 1, "strategy_idx": 0, "instrument_idx": 0, "side": side, "fence": 1}
    given |= {"tif": int(tif), "order_type": int(kind), "input": 1}
    new = int(IntentType.NEW)
    venue.command(Command(cmd_id=1, kind=new, price=price, qty=lots, **given))
    what, new_price, new_lots = change
    if what:
        code = IntentType.CANCEL if what == "cancel" else IntentType.AMEND
        venue.command(Command(cmd_id=2, kind=int(code), price=new_price, qty=new_lots, **given))
    return [(ResponseKind(one.code).name, one.total_qty) for one in venue.answers]


LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
STAYS: Change = ("", 0, 0)
SCRIPTS = {
    "rests": (BUY, 99, 5, Tif.GTC, LIMIT, STAYS),
    "rests and is cancelled": (BUY, 99, 5, Tif.GTC, LIMIT, ("cancel", 0, 0)),
    "rests and is moved": (SELL, 104, 5, Tif.GTC, LIMIT, ("amend", 105, 5)),
    "rests and is made smaller": (SELL, 104, 5, Tif.GTC, LIMIT, ("amend", 104, 2)),
    "rests and is moved across": (BUY, 99, 5, Tif.GTC, LIMIT, ("amend", ASK, 5)),
    "crosses": (BUY, ASK, 5, Tif.GTC, LIMIT, STAYS),
    "crosses from the other side": (SELL, BID, 5, Tif.GTC, LIMIT, STAYS),
    "takes at once": (BUY, ASK, 5, Tif.IOC, LIMIT, STAYS),
    "finds nothing at once": (BUY, 101, 5, Tif.IOC, LIMIT, STAYS),
    "takes all": (SELL, BID, 5, Tif.FOK, LIMIT, STAYS),
    "finds not all": (SELL, 101, 5, Tif.FOK, LIMIT, STAYS),
    "posts": (SELL, 101, 5, Tif.GTX, LIMIT, STAYS),
    "would not only post": (SELL, BID, 5, Tif.GTX, LIMIT, STAYS),
    "goes to the market": (BUY, 0, 5, Tif.IOC, MARKET, STAYS),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_model_says_what_the_venue_of_a_replay_says(name: str) -> None:
    said = by_model(*SCRIPTS[name])
    assert said == by_engine(*SCRIPTS[name]) != []


def test_the_scripts_lead_to_every_kind_of_answer_that_needs_no_refusal() -> None:
    kinds = {kind for script in SCRIPTS.values() for kind, _ in by_model(*script)}
    assert kinds == {"ACK", "FILL", "CANCELLED", "AMENDED", "EXPIRED"}
