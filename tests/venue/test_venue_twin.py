"""The venue inside the whole engine against its twin: random markets, random orders."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.book import NaiveBook
from naive.matching import (
    SILENT_WHOLE,
    NaiveVenue,
)
from small_world import HIGH, LEVEL, LOW, STATUS, TRADE, Played, Row, finish, opening, session_of

from hft.core.codes import OrderType, StatusCode, Tif
from hft.strategies.base import Strategy
from hft.venue.model import VenueModel

pytestmark = pytest.mark.nojit

# What the kernel still does against its promise; test_matching.py has an example of each.
DEFECTS: frozenset[str] = frozenset()
BIDS, ASKS = {99: 6, 98: 4, 97: 9, 95: 2}, {101: 5, 102: 3, 103: 8, 106: 4}
TIFS = [Tif.GTC, Tif.GTC, Tif.GTC, Tif.GTX, Tif.IOC, Tif.FOK, Tif.GTD, Tif.DAY]


def market(chance: random.Random, ts: int, sessions: float) -> Row:
    """A row near the touch: a level restated, a print, with some chance a status."""
    price = chance.randint(96, 104)
    if chance.random() < sessions:
        phase = chance.choice([StatusCode.OPEN, StatusCode.OPEN, StatusCode.CLOSE, StatusCode.HALT])
        return (ts, STATUS, 2, 0, phase)
    if chance.random() < 0.35:
        return (ts, TRADE, chance.randrange(3), price, chance.randint(1, 8))
    side = 0 if price < 100 + chance.randint(-1, 2) else 1
    return (ts, LEVEL, side, price, chance.choice([0, 1, 2, 5, 9]))


class Script:
    """One random command at a wake-up, given to the engine and to the twin alike."""

    def __init__(self, chance: random.Random, twin: NaiveVenue, rows: list[Row]) -> None:
        self.chance, self.twin, self.rows = chance, twin, rows
        self.at = self.sent = 0

    def __call__(self, view: Any, order: Any, p: Any, s: Any) -> None:
        now = int(view.now)
        self.catch_up(now)
        if now % 5 != 0:
            return
        roll = self.chance.random()
        if roll < 0.6 or not self.twin.resting:
            self.new(now, view, order)
        elif roll < 0.8:
            which = self.chance.choice(self.twin.resting)
            order.cancel(which.order_id)
            self.sent += 1
            self.twin.cancel(now, which.order_id)
        else:
            which = self.chance.choice(self.twin.resting)
            price = which.price + self.chance.choice([0, 0, 0, -1, 1, 3])
            total = which.filled + self.chance.randint(1, which.open + 2)
            if which.tif != Tif.GTX and self.meets_own(which.side, price):
                return
            if self.leaves_a_ghost(which.side, price):
                return
            order.amend(which.order_id, price, total)
            self.sent += 1
            self.twin.amend(now, which.order_id, price, total)

    def new(self, now: int, view: Any, order: Any) -> None:
        side, price = self.chance.randrange(2), self.chance.randint(96, 104)
        lots, tif, kind = self.chance.randint(1, 12), self.chance.choice(TIFS), OrderType.LIMIT
        if self.chance.random() < 0.1 and view.book_valid:
            price, tif, kind = 0, Tif.IOC, OrderType.MARKET
        if tif != Tif.GTX and self.meets_own(side, price or (LOW if side else HIGH)):
            return
        self.sent += 1
        expire = now + self.chance.randint(1, 40) if tif == Tif.GTD else 0
        order_id = order.new(side, price, lots, tif, kind, expires_ns=expire)
        assert order_id == self.sent
        self.twin.new(now, order_id, side, price, lots, tif, kind, expire)

    def meets_own(self, side: int, price: int) -> bool:
        """Could it take from an own order? The gateway refuses that, whatever the limits are."""
        others = [order.price for order in self.twin.resting if order.side != side]
        return any(price >= other if side == 0 else price <= other for other in others)

    def leaves_a_ghost(self, side: int, price: int) -> bool:
        """An amend that trades in whole mode is not answered, so the gateway would keep it."""
        silent = SILENT_WHOLE in DEFECTS and not self.twin.capped
        return silent and self.twin.meets(side, price)

    def catch_up(self, now: int) -> None:
        """Give the twin the rows up to now; what expires at `now` expires after the rows of now."""
        while self.at < len(self.rows) and self.rows[self.at][0] <= now:
            row = self.rows[self.at]
            self.twin.expire(row[0] - 1)
            self.twin.row(*row[:5])
            self.at += 1
        self.twin.expire(now)


def duel(
    seed: int,
    rows: int,
    *,
    capped: bool = True,
    keeps: bool = True,
    stays: bool = True,
    sessions: float = 0.0,
) -> tuple[Played, NaiveVenue]:
    """The same day for engine and twin; they must tell the same story."""
    chance = random.Random(seed)
    twin = NaiveVenue(NaiveBook(LOW, HIGH), capped, keeps, DEFECTS, stays)
    first = opening(10, BIDS, ASKS)
    for row in first[1:]:
        twin.book.apply(*row[1:5], 0)
    live = [market(chance, 12 + 3 * k, sessions) for k in range(rows)]
    script = Script(chance, twin, live)

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        script(view, order, p, s)

    taken = "stays" if stays else "restated"
    model = VenueModel(capped=capped, amend_keeps_priority=keeps, taken=taken)
    played = _play_with([*first, *live], body, model)
    script.catch_up(live[-1][0])  # no wake-up comes after the last row
    assert played.venue_fills() == twin.fills, f"seed {seed}"
    assert played.answers() == twin.answers, f"seed {seed}"
    assert played.refusals() == [], f"seed {seed}"
    signs = {order_id: side for order_id, side in _sides(played)}
    held = sum(qty if signs[order_id] == 0 else -qty for _, order_id, _, qty, _ in twin.fills)
    assert int(played.engine.trading.positions[0]["qty"]) == held
    return played, twin


def _play_with(rows: list[Row], body: Any, model: VenueModel) -> Played:
    return finish(session_of([rows], [Strategy(body, "script", 1, 1, {}, {})], venue=model))


def _sides(played: Played) -> list[tuple[int, int]]:
    news = played.steps[(played.steps["kind"] == 1) & (played.steps["intent_type"] == 0)]
    return [(int(row["order_id"]), int(row["side"])) for row in news]


@settings(max_examples=40)
@given(st.integers(0, 1 << 30))
def test_capped_fills_are_the_twins(seed: int) -> None:
    duel(seed, 60)


@settings(max_examples=20)
@given(st.integers(0, 1 << 30))
def test_whole_fills_are_the_twins(seed: int) -> None:
    duel(seed, 60, capped=False)


@settings(max_examples=20)
@given(st.integers(0, 1 << 30))
def test_a_venue_where_every_amend_loses_its_place_is_the_twin_too(seed: int) -> None:
    duel(seed, 60, keeps=False)


@settings(max_examples=20)
@given(st.integers(0, 1 << 30))
def test_a_venue_whose_levels_give_back_what_we_took_is_the_twin_too(seed: int) -> None:
    duel(seed, 60, stays=False)


@settings(max_examples=30)
@given(st.integers(0, 1 << 30))
def test_a_venue_that_opens_halts_and_closes_is_the_twin_too(seed: int) -> None:
    duel(seed, 60, sessions=0.08)


def test_the_duels_reach_every_kind_of_answer_and_both_kinds_of_fill() -> None:
    answers, liquidity = set(), set()
    for seed in range(30):
        _, twin = duel(seed, 60)
        answers |= {name for _, name in twin.answers}
        liquidity |= {fill[4] for fill in twin.fills}
    assert answers == {"ACK", "FILL", "CANCELLED", "EXPIRED", "AMENDED"}
    assert liquidity == {0, 1}
