"""An attack on the books: orders, faults and snapshots in any order, audited after every step.

The machine drives gateway and venue together on random rows, with and without order ids. Whatever
happens, the gateway's own proof holds, what is held is the worst case of what works, nothing rests
at the venue that we do not know, and a second accountant finds the same money.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from golden.ledger import bps_fee, gross
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from small_world import (
    ADD,
    CANCEL,
    EXECUTE,
    HIGH,
    LAST,
    LEVEL,
    LOW,
    STATUS,
    TRADE,
    Row,
    X,
    columns,
    opening,
)

from hft.core.codes import ResponseKind, SelfTradeMode, StatusCode, Tif
from hft.core.numbers import money_digits
from hft.gateway.invariants import check
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.replay import state as rs
from hft.replay.build import Session, gateway_for, new_session, source_of
from hft.replay.compiled import loop, no_pointer
from hft.replay.growth import grow
from hft.replay.snapshot import freeze, thaw
from hft.runs.faults import FaultPlan
from hft.strategies.base import Strategy
from hft.strategies.view import Order, View
from hft.venue.model import Latency, VenueModel

pytestmark = pytest.mark.nojit

STEP_NS, ROWS, SLOTS, WINDOW = 10, 120, 32, 4
OURS = replace(X, maker_bps=Decimal(-1), taker_bps=Decimal(7))
DIGITS = money_digits([OURS])
FILL = ResponseKind.FILL
chances = st.sampled_from([0.0, 0.1, 0.5])
TIFS = [Tif.GTC, Tif.GTC, Tif.GTX, Tif.IOC, Tif.FOK, Tif.DAY, Tif.GTD]


class Books(RuleBasedStateMachine):
    """One instrument, two strategies of one account, few slots and few remembered keys."""

    @initialize(
        l3=st.booleans(),
        capped=st.booleans(),
        keeps=st.booleans(),
        mode=st.sampled_from(SelfTradeMode),
        legs=st.tuples(*[st.integers(0, 35)] * 4),
        faults=st.tuples(chances, chances, chances, chances),
        ask=st.integers(1, 60),
        seed=st.integers(0, 999),
    )
    def begin(
        self,
        l3: bool,
        capped: bool,
        keeps: bool,
        mode: SelfTradeMode,
        legs: tuple[int, ...],
        faults: tuple[float, ...],
        ask: int,
        seed: int,
    ) -> None:
        self.l3, self.seed = l3, seed
        names = ("entry", "amend", "cancel", "response")
        delays = {name: Latency(base_ns=ns) for name, ns in zip(names, legs, strict=True)}
        queue = "fifo" if l3 else "prob_log"
        self.model = VenueModel(delays, queue, capped=capped, amend_keeps_priority=keeps)
        self.faults = FaultPlan(*faults[:3], 25, faults[3], ask)
        self.limits = Limits.off().replace(risk__self_trade_mode=mode.name)
        self.market: dict[int, list[int]] = {}  # L3: id -> side, price, lots
        self.tape = columns([*self.first_rows(), *self.blank_rows()])
        self.next_row = len(self.first_rows())
        self.ids, self.over, self.counted = list[int](), False, 1
        self.booked: list[tuple[int, str, int, int, int]] = []  # strategy, side, price, lots, maker
        self.fees = [0, 0]
        self.session = self.fresh()
        self.go_on()

    def first_rows(self) -> list[Row]:
        if not self.l3:
            return opening(10, {99: 6, 98: 4, 97: 9}, {101: 5, 102: 3, 103: 8})
        shown = [(0, 99, 6), (0, 98, 4), (0, 97, 9), (1, 101, 5), (1, 102, 3), (1, 103, 8)]
        self.market = {k + 1: list(one) for k, one in enumerate(shown)}
        rows: list[Row] = [(10, ADD, *one, k + 1) for k, one in enumerate(shown)]
        rows[-1] = (*rows[-1], LAST)
        return rows

    def blank_rows(self) -> list[Row]:
        """Rows far from the touch, rewritten just before the engine reads them."""
        kind = ADD if self.l3 else LEVEL
        return [(20 + STEP_NS * k, kind, 0, LOW, 1, 1_000 + k) for k in range(ROWS)]

    def fresh(self) -> Session:
        live = 256 if self.l3 else 0
        source = source_of(
            OURS,
            [self.tape],
            DIGITS,
            max_price=100_000,
            price_low=LOW,
            price_high=HIGH,
            live_orders=live,
        )
        resolved = resolve(self.limits, [OURS], [{"first_mid": 100}])
        gateway = gateway_for([source], resolved, 2, order_capacity=SLOTS, dedup_window=WINDOW)
        strategies = [Strategy(lambda *a: None, name, STEP_NS, 1, {}, {}) for name in ("a", "b")]
        return new_session(
            [source],
            strategies,
            gateway,
            self.model,
            seed=self.seed,
            record="summary",
            faults=self.faults.rows(self.seed),
        )

    def go_on(self) -> None:
        """Run the engine to the next wake-up of either strategy."""
        clock = self.session.engine.clock[0]
        clock["stop_at_wake"] = 1
        while True:
            status = loop()(self.session.arena.handle, no_pointer())
            assert status != rs.STATUS_DEFECT
            if status == rs.STATUS_ROOM:
                grow(self.session)
            if status in (rs.STATUS_WAKE, rs.STATUS_DONE):
                self.over = status == rs.STATUS_DONE
                break
        self.awake = int(clock["strategy"])
        at = int(self.session.engine.context_at[self.awake])
        self.view, self.order = View(at), Order(at)
        self.book()

    def book(self) -> None:
        """Take the fills over, as a journal does."""
        engine = self.session.engine
        head = engine.trading.head[0]
        for row in engine.trading.fills[: head["fills_len"]]:
            s, maker = int(row["strategy_idx"]), int(row["liquidity"]) == 0
            side = "BUY" if row["side"] == 0 else "SELL"
            price, lots = int(row["price"]), int(row["qty"])
            self.booked.append((s, side, price, lots, int(maker)))
            fee = bps_fee(OURS, DIGITS, Fraction(price), lots, maker)
            assert int(row["fee_money"]) == fee
            self.fees[s] += fee
        head["fills_len"] = engine.clock[0]["equity_len"] = 0

    running = precondition(lambda self: not self.over)

    def keyed(self, key: int) -> None:
        """Give the intent just written a key: 1 counts up, more is one of a few, 0 has none."""
        context = self.session.engine.contexts[self.awake]
        if key == 0 or context["intents"] == 0:
            return
        intent = self.session.engine.intents[int(context["intents"]) - 1]
        self.counted += 1
        intent["key_lo"] = 100 + self.counted if key == 1 else key
        intent["key_hi"] = 1

    @running
    @rule(
        side=st.integers(0, 1),
        price=st.integers(95, 105),
        lots=st.integers(1, 9),
        tif=st.sampled_from(TIFS),
        lives=st.integers(1, 60),
        key=st.integers(0, 6),
    )
    def send(self, side: int, price: int, lots: int, tif: Tif, lives: int, key: int) -> None:
        expires = int(self.view.now) + lives if tif == Tif.GTD else 0
        self.ids.append(self.order.new(side, price, lots, tif, expires_ns=expires))
        self.keyed(key)

    @running
    @rule(lots=st.integers(-6, 6), key=st.integers(0, 6))
    def target_at_market(self, lots: int, key: int) -> None:
        self.order.target(lots)
        self.keyed(key)

    @running
    @precondition(lambda self: self.ids)
    @rule(back=st.integers(1, 8), price=st.integers(95, 105), total=st.integers(1, 12))
    def amend(self, back: int, price: int, total: int) -> None:
        self.order.amend(self.ids[-min(back, len(self.ids))], price, total)

    @running
    @precondition(lambda self: self.ids)
    @rule(back=st.integers(1, 8), key=st.integers(0, 6))
    def cancel(self, back: int, key: int) -> None:
        self.order.cancel(self.ids[-min(back, len(self.ids))])
        self.keyed(key)

    @running
    @rule(
        kind=st.sampled_from([LEVEL, LEVEL, TRADE, TRADE, STATUS]),
        side=st.integers(0, 1),
        price=st.integers(95, 105),
        qty=st.integers(0, 9),
        phase=st.sampled_from([StatusCode.OPEN, StatusCode.OPEN, StatusCode.CLOSE]),
    )
    def market_moves(self, kind: int, side: int, price: int, qty: int, phase: int) -> None:
        if self.next_row < len(self.tape.kind):
            if kind == STATUS:
                self.write(STATUS, 2, 0, int(phase), 0)
            elif not self.l3:
                self.write(kind, side, price, max(qty, int(kind == TRADE)), 0)
            else:
                self.order_moves(kind, side, price, qty)
            self.next_row += 1
        self.go_on()

    def order_moves(self, kind: int, side: int, price: int, qty: int) -> None:
        """An L3 row: somebody joins, leaves or trades."""
        known = sorted(self.market)
        if qty % 3 == 0 or not known:
            order_id = 5_000 + self.next_row
            self.market[order_id] = [side, price, qty + 1]
            self.write(ADD, side, price, qty + 1, order_id)
            return
        order_id = known[(price * 7 + qty) % len(known)]
        side, price, lots = self.market[order_id]
        gone = min(lots, qty)
        self.market[order_id][2] -= gone
        if gone == lots:
            del self.market[order_id]
        self.write(EXECUTE if kind == TRADE else CANCEL, side, price, gone, order_id)

    def write(self, kind: int, side: int, price: int, qty: int, order_id: int) -> None:
        names = ("kind", "side", "price", "qty", "order_id")
        for name, value in zip(names, (kind, side, price, qty, order_id), strict=True):
            getattr(self.tape, name)[self.next_row] = value

    @running
    @rule()
    def stop_and_resume(self) -> None:
        """The process ends here; another goes on from the snapshot."""
        saved = freeze(self.session)
        pending = self.session.engine.contexts["intents"].copy()
        intents = self.session.engine.intents.copy()
        self.session = self.fresh()
        thaw(self.session, saved)
        assert (self.session.engine.contexts["intents"] == pending).all()
        assert (self.session.engine.intents == intents).all()
        at = int(self.session.engine.context_at[self.awake])
        self.view, self.order = View(at), Order(at)

    @invariant()
    def the_books_are_right(self) -> None:
        if hasattr(self, "session"):
            engine = self.session.engine
            assert check(engine.trading.gw) == []
            assert engine.trading.gw.head[0]["invariant_failures"] == 0
            assert engine.venue.head[0]["overflow"] == 0
            self.what_rests_is_known()
            self.no_fill_is_lost()
            self.the_second_accountant_agrees()

    def what_rests_is_known(self) -> None:
        engine = self.session.engine
        for slot in np.flatnonzero(engine.venue.resting["order_id"] > 0):
            ours, theirs = engine.trading.gw.orders[slot], engine.venue.resting[slot]
            assert ours["order_id"] == theirs["order_id"]
            assert 0 < theirs["open_qty"] <= ours["held_qty"]

    def no_fill_is_lost(self) -> None:
        """Lots that the venue filled are booked, or on their way to us once."""
        engine = self.session.engine
        queue = engine.venue.queues[1]
        places = range(int(queue["first"]), int(queue["last"]))
        coming = [engine.venue.responses[k & int(queue["mask"])] for k in places]
        unseen = {int(m["fill_id"]) for m in coming if m["kind"] == FILL and m["copy"] == 0}
        assert len(self.booked) + len(unseen) == int(engine.venue.head[0]["fill_id"])

    def the_second_accountant_agrees(self) -> None:
        engine = self.session.engine
        for s, position in enumerate(engine.trading.positions):
            mine = [row for row in self.booked if row[0] == s]
            held = sum(lots if side == "BUY" else -lots for _, side, _, lots, _ in mine)
            assert int(position["qty"]) == held
            assert int(position["fees_money"]) == self.fees[s]
            leaves = [leaf for leaf in engine.trading.gw.leaves if leaf["key"] == s + 1]
            assert sum(int(leaf["net_qty"]) for leaf in leaves) == held
            if mine:
                names = ["side", "price_tick", "lots"]
                frame = pl.DataFrame([row[1:4] for row in mine], names, orient="row")
                mid = Fraction(int(position["mark2"]), 2)
                earned = int(position["realized_money"]) + int(position["marked_money"])
                assert earned == gross(OURS, DIGITS, frame, mid)


Books.TestCase.settings = settings(max_examples=30, stateful_step_count=50, deadline=None)
TestBooks = Books.TestCase
