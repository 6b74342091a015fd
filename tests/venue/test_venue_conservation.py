"""Whatever market and strategy do: what the venue filled is what we hold, and money adds up.

A stateful machine drives the real engine: its rules are the strategy and the next tape row, with
latency on every leg, so that fills, cancels and amends meet in flight.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from naive.positions import NaiveInstrument, NaivePosition
from small_world import HIGH, LEVEL, LOW, TRADE, X, columns, opening, session_of

from hft.core.codes import OrderType, StepKind, Tif
from hft.core.numbers import money_digits
from hft.replay import state as rs
from hft.replay.compiled import loop, no_pointer
from hft.strategies.base import Strategy
from hft.strategies.view import Order, View
from hft.venue.model import Latency, VenueModel

pytestmark = pytest.mark.nojit

STEP_NS, ROWS = 10, 40
FEES = dict(maker_bps=X.maker_bps + 3, taker_bps=X.taker_bps + 7)


class Conservation(RuleBasedStateMachine):
    """One instrument, one strategy; the tape is written just ahead of the engine."""

    @initialize(
        entry=st.integers(0, 25),
        cancel=st.integers(0, 25),
        response=st.integers(0, 25),
        capped=st.booleans(),
        queue=st.sampled_from(["risk_averse", "prob_log", "prob_power"]),
    )
    def begin(self, entry: int, cancel: int, response: int, capped: bool, queue: str) -> None:
        legs = {"entry": entry, "amend": cancel, "cancel": cancel, "response": response}
        model = VenueModel({k: Latency(base_ns=ns) for k, ns in legs.items()}, queue, 3.0, capped)
        first = opening(10, {99: 6, 98: 4, 97: 9}, {101: 5, 102: 3, 103: 8})
        blank = [(20 + STEP_NS * k, LEVEL, 0, LOW, 1) for k in range(ROWS)]
        strategy = Strategy(lambda *a: None, "machine", STEP_NS, 1, {}, {})
        self.session = session_of(
            [[*first, *blank]], [strategy], venue=model, instruments=[replace(X, **FEES)]
        )
        self.engine, self.capped = self.session.engine, capped
        # The engine reads the tape through the addresses of these very arrays.
        self.tape = self.session.sources[0].batches[0]
        self.next_row, self.ids, self.over = len(first), [], False
        fees = {name: Fraction(value) for name, value in FEES.items()}
        digits = money_digits([X])
        self.twin = NaivePosition(
            NaiveInstrument(Fraction(1), Fraction(1), Fraction(1), digits, **fees)
        )
        self.booked = 0
        self.filled: dict[int, int] = {}
        self.go_on()

    def go_on(self) -> None:
        """Run the engine to its next wake-up."""
        clock = self.engine.clock[0]
        clock["stop_at_wake"] = 1
        while True:
            status = loop()(self.session.arena.handle, no_pointer())
            if status in (rs.STATUS_WAKE, rs.STATUS_DONE):
                self.over = status == rs.STATUS_DONE
                break
        at = int(self.engine.context_at[0])
        self.view, self.order = View(at), Order(at)

    running = precondition(lambda self: not self.over)

    @running
    @rule(side=st.integers(0, 1), price=st.integers(96, 104), lots=st.integers(1, 9),
          tif=st.sampled_from([Tif.GTC, Tif.GTC, Tif.GTX, Tif.IOC, Tif.FOK]))  # fmt: skip
    def send(self, side: int, price: int, lots: int, tif: Tif) -> None:
        order_id = self.order.new(side, price, lots, tif)
        if order_id > 0:
            self.ids.append(order_id)

    @running
    @rule(lots=st.integers(-6, 6))
    def target_at_market(self, lots: int) -> None:
        self.order.target(lots)

    @running
    @rule(side=st.integers(0, 1), price=st.floats(96, 104), lots=st.integers(0, 5))
    def quote(self, side: int, price: float, lots: int) -> None:
        self.order.quote(side, price, lots)

    @running
    @precondition(lambda self: self.ids)
    @rule(data=st.data(), price=st.integers(96, 104), total=st.integers(1, 12))
    def amend(self, data: Any, price: int, total: int) -> None:
        if self.capped:  # in whole mode an amend that trades is not answered; see test_matching
            self.order.amend(data.draw(st.sampled_from(self.ids)), price, total)

    @running
    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        self.order.cancel(data.draw(st.sampled_from(self.ids)))

    @running
    @rule(kind=st.sampled_from([LEVEL, TRADE]), side=st.integers(0, 1),
          price=st.integers(96, 104), qty=st.integers(1, 9))  # fmt: skip
    def market_moves(self, kind: int, side: int, price: int, qty: int) -> None:
        # The next row may have been read ahead for its time only, never for its content.
        if self.next_row < len(self.tape.kind):
            for column, value in zip(
                (self.tape.kind, self.tape.side, self.tape.price, self.tape.qty),
                (kind, side, price, qty),
                strict=True,
            ):
                column[self.next_row] = value
            self.next_row += 1
        self.go_on()

    @invariant()
    def everything_adds_up(self) -> None:
        if hasattr(self, "engine"):
            self.we_hold_what_was_filled()
            self.the_venue_and_we_count_the_same_lots()
            self.what_rests_is_open_and_what_was_taken_was_shown()
            self.every_queue_is_in_time_order()

    def we_hold_what_was_filled(self) -> None:
        trading = self.engine.trading
        head, position = trading.head[0], trading.positions[0]
        for row in trading.fills[self.booked : head["fills_len"]]:
            self.book(row)
        self.booked = int(head["fills_len"])
        twin = self.twin
        assert position["qty"] == twin.qty == position["bought_qty"] - position["sold_qty"]
        assert position["realized_money"] == twin.realized
        assert position["fees_money"] == twin.fees
        assert position["cost_money"] == twin.cost
        # Equity = cash + what is held at the mark - fees; linear values have no remainder.
        if twin.qty and position["mark2"] > 0:
            held = twin.instrument.exact(Fraction(int(position["mark2"]), 2), twin.qty)
            assert position["realized_money"] + position["marked_money"] == twin.cash + held

    def book(self, row: Any) -> None:
        order_id, qty = int(row["order_id"]), int(row["qty"])
        assert qty > 0
        first = order_id not in self.filled
        self.filled[order_id] = self.filled.get(order_id, 0) + qty
        fee = self.twin.instrument.fee(int(row["price"]), qty, row["liquidity"] == 1, first)
        assert int(row["fee_money"]) == fee
        profit = self.twin.fill(int(row["side"]), int(row["price"]), qty, fee)
        assert int(row["realized_money"]) == profit
        assert int(row["position_qty"]) == self.twin.qty

    def the_venue_and_we_count_the_same_lots(self) -> None:
        steps = self.engine.steps[: self.engine.clock[0]["steps_len"]]
        at_venue = int(steps[steps["kind"] == StepKind.FILL]["qty"].sum())
        on_the_way = self.engine.venue.responses[self.pending()]
        in_flight = int(on_the_way[on_the_way["kind"] == 1]["qty"].sum())
        assert at_venue == sum(self.filled.values()) + in_flight

    def pending(self) -> list[int]:
        queue = self.engine.venue.queues[1]
        return [k & int(queue["mask"]) for k in range(int(queue["first"]), int(queue["last"]))]

    def what_rests_is_open_and_what_was_taken_was_shown(self) -> None:
        venue = self.engine.venue
        for row in venue.resting[venue.resting["order_id"] > 0]:
            assert 0 < row["open_qty"] <= row["total_qty"]
        assert (venue.taken >= 0).all() and (venue.taken <= self.engine.books.qty).all()
        assert (venue.taken > 0).sum() == venue.head[0]["taken_levels"]
        assert venue.head[0]["overflow"] == 0

    def every_queue_is_in_time_order(self) -> None:
        for ring, queue in zip(
            (self.engine.venue.commands, self.engine.venue.responses),
            self.engine.venue.queues,
            strict=True,
        ):
            places = range(int(queue["first"]), int(queue["last"]))
            times = [int(ring[k & int(queue["mask"])]["ts_ns"]) for k in places]
            assert times == sorted(times)


Conservation.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestConservation = Conservation.TestCase


def test_a_tape_row_may_be_rewritten_until_the_engine_reads_it() -> None:
    """The machine above stands on this: columns are read in place."""
    made = columns(opening(10, {99: 1}, {101: 1}))
    session = session_of([[*opening(10, {99: 1}, {101: 1}), (20, LEVEL, 0, LOW, 1)]],
                         [Strategy(lambda *a: None, "m", 5, 1, {}, {})])  # fmt: skip
    batch = session.sources[0].batches[0]
    assert batch.kind.ctypes.data == session.engine.batches[0]["kind"]
    assert made.kind.flags.c_contiguous and HIGH > LOW and OrderType.LIMIT == 1
