"""Our half of an order's way with the venue played by hand: what is sent, booked and taken back.

Nothing of `hft.replay` or `hft.venue` is here: a service will wire the same kernels to an adapter.
"""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from hft.core.codes import (
    ControlKind,
    IntentType,
    Liquidity,
    OrderStatus,
    OrderType,
    Reason,
    ResponseKind,
    SelfTradeMode,
    Side,
    StepKind,
    Tif,
)
from hft.core.dtypes import ANSWER, INTENT
from hft.core.instruments import Instrument
from hft.core.jit import JIT_DISABLED
from hft.core.numbers import money_digits
from hft.core.numbers import resolve as resolve_instrument
from hft.gateway.control import control
from hft.gateway.invariants import check
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve as resolve_limits
from hft.gateway.rows import Guard, GuardCause, KillScope
from hft.gateway.state import new_state as new_gateway
from hft.gateway.tables import enter
from hft.trading.answers import receive
from hft.trading.orders import submit, take_trips
from hft.trading.profit import mark_held, watch
from hft.trading.state import TradingState, Wiring, new_state
from hft.trading.steps import note_guards

pytestmark = [
    pytest.mark.nojit,
    pytest.mark.skipif(not JIT_DISABLED, reason="the wiring is Python; compiled, it is kernels"),
]

X = Instrument("X", Decimal(1), Decimal(1), max_price=Decimal(100_000))
OK, FULL = Reason.OK.value, Reason.ORDER_QUEUE_FULL.value
BUY, SELL = Side.BUY.value, Side.SELL.value


class ByHand:
    """A venue of a few lines: it keeps what it is sent and says what the test makes it say."""

    def __init__(self, room: int = 100, strategies: int = 1, **limits: Any) -> None:
        digits = money_digits([X])
        row = resolve_instrument(X, digits, 100_000, 1)
        table = np.array([row])
        given = resolve_limits(Limits.off().replace(**limits), [X], [{"first_mid": 100}])
        gateway = new_gateway(table, given, 1, strategies, order_capacity=64, dedup_window=64)
        self.trading: TradingState = new_state(table, gateway, strategies, fills_max=64)
        self.room, self.sent, self.noted = room, [], []
        self.wiring = Wiring(self, ByHand.send, lambda venue, step: venue.noted.append(step.copy()))
        self.money = int(row["money_per_tick_lot"])
        self.touch(99, 101)

    def send(self, order: Any, decision: Any, kind: int, reduces: bool, now_ns: int) -> int:
        if len(self.sent) >= self.room:
            decision["measured"], decision["limit"] = len(self.sent) + 1, self.room
            return FULL
        names = ("slot", "cmd_id", "price", "qty")
        command = {name: int(decision[name]) for name in names}
        command |= {"kind": kind, "side": int(order["side"]), "order_id": int(order["order_id"])}
        self.sent.append(command)
        return OK

    def touch(self, bid: int, ask: int, now_ns: int = 1) -> None:
        row = self.trading.touch[0]
        row["bid_tick"], row["ask_tick"], row["valid"], row["ts_ns"] = bid, ask, 1, now_ns

    def ask(self, kind: IntentType, now_ns: int = 10, **fields: int) -> int:
        """Submit one intent. Returns: its reason."""
        intent = np.zeros(1, INTENT)[0]
        head = self.trading.head[0]
        intent["intent_id"], intent["intent_type"] = head["next_id"], kind
        intent["order_type"], intent["timestamp_ns"] = OrderType.LIMIT, now_ns
        head["next_id"] += 1
        for name, value in fields.items():
            intent[name] = value
        return submit(self.trading, self.wiring, intent, now_ns)

    def say(self, command: dict[str, int], kind: ResponseKind, now_ns: int, **fields: int) -> int:
        """One answer about a command's order. Returns: the strategy it concerned."""
        answer = np.zeros(1, ANSWER)[0]
        answer["slot"], answer["order_id"] = command["slot"], command["order_id"]
        answer["kind"], answer["ts_ns"], answer["acted_ns"] = kind, now_ns, now_ns
        for name, value in fields.items():
            answer[name] = value
        return receive(self.trading, self.wiring, answer)

    def fill(self, command: dict[str, int], price: int, qty: int, now_ns: int, fill: int) -> None:
        maker = Liquidity.MAKER.value
        given = {"price": price, "qty": qty, "fill_id": fill, "liquidity": maker}
        self.say(command, ResponseKind.FILL, now_ns, **given)

    def order(self, command: dict[str, int]) -> Any:
        return self.trading.gw.orders[command["slot"]]

    @property
    def held(self) -> int:
        return int(self.trading.positions[0]["qty"])

    def sound(self) -> bool:
        gw = self.trading.gw
        return check(gw) == [] and int(gw.head[0]["invariant_failures"]) == 0


def test_an_order_is_approved_acknowledged_filled_in_part_and_cancelled() -> None:
    venue = ByHand()
    assert venue.ask(IntentType.NEW, side=BUY, price=99, qty=5) == OK
    (command,) = venue.sent
    assert (command["kind"], command["price"], command["qty"]) == (IntentType.NEW, 99, 5)
    assert venue.order(command)["status"] == OrderStatus.PENDING_SUBMIT
    venue.say(command, ResponseKind.ACK, 20)
    assert venue.order(command)["status"] == OrderStatus.SUBMITTED
    venue.fill(command, 99, 2, 30, fill=1)
    assert venue.held == 2 and venue.order(command)["filled_qty"] == 2
    assert venue.trading.gw.leaves[0]["open_buy_qty"] == 3
    assert venue.ask(IntentType.CANCEL, target_id=command["order_id"], now_ns=40) == OK
    assert venue.sent[1]["kind"] == IntentType.CANCEL
    venue.say(command, ResponseKind.CANCELLED, 50)
    assert venue.trading.gw.leaves[0]["open_buy_qty"] == 0
    assert venue.trading.gw.head[0]["live_orders"] == 0 and venue.sound()


def test_the_gateway_hears_what_a_fill_and_a_move_of_the_touch_made() -> None:
    venue = ByHand()
    venue.ask(IntentType.NEW, side=BUY, price=99, qty=4)
    venue.fill(venue.sent[0], 99, 4, 30, fill=1)
    pnl = venue.trading.gw.strategies[0]
    assert pnl["pnl_money"] == 4 * venue.money, "bought at 99, marked at the mid of 100"
    venue.touch(103, 105)
    watch(venue.trading, 0, mark_held(venue.trading, 0, 0), 40)
    assert pnl["pnl_money"] == 4 * 5 * venue.money
    row = venue.trading.fills[0]
    assert (row["price"], row["qty"], row["position_qty"], row["fill_id"]) == (99, 4, 4, 1)


def test_a_command_that_cannot_be_sent_gives_back_all_it_held() -> None:
    venue = ByHand(room=0)
    assert venue.ask(IntentType.NEW, side=BUY, price=99, qty=5) == FULL
    head = venue.trading.head[0]
    assert (head["decisions"], head["refused"], head["orders"]) == (1, 1, 0)
    assert venue.trading.gw.leaves[0]["open_buy_qty"] == 0 and venue.sound()


def test_a_refused_intent_is_noted_and_nothing_is_sent() -> None:
    venue = ByHand(max_position_size=3)
    assert venue.ask(IntentType.NEW, side=BUY, price=99, qty=4) == Reason.ORDER_SIZE
    assert venue.sent == [] and len(venue.noted) == 1
    (step,) = venue.noted
    assert (step["kind"], step["code"]) == (StepKind.DECISION, Reason.ORDER_SIZE)
    assert (step["order_type"], step["tif"]) == (OrderType.LIMIT, Tif.GTC)
    assert (step["measured"], step["limit"]) == (4, 3)


def test_an_order_of_unknown_outcome_keeps_its_hold_until_the_venue_says_what_became_of_it() -> (
    None
):
    venue = ByHand()
    venue.ask(IntentType.NEW, side=SELL, price=101, qty=5)
    command = venue.sent[0]
    venue.say(command, ResponseKind.UNKNOWN, 20)
    assert venue.order(command)["status"] == OrderStatus.UNKNOWN
    assert venue.trading.gw.leaves[0]["open_sell_qty"] == 5
    amend = {"target_id": command["order_id"], "price": 102, "qty": 5}
    assert venue.ask(IntentType.AMEND, now_ns=25, **amend) == Reason.OUTCOME_UNKNOWN
    venue.say(command, ResponseKind.CANCELLED, 30)
    assert venue.trading.gw.leaves[0]["open_sell_qty"] == 0 and venue.sound()


def test_an_answer_that_comes_twice_or_after_the_end_is_noted_and_changes_nothing() -> None:
    venue = ByHand()
    venue.ask(IntentType.NEW, side=BUY, price=99, qty=1)
    command = venue.sent[0]
    venue.fill(command, 99, 1, 20, fill=1)
    noted = len(venue.noted)
    assert venue.say(command, ResponseKind.FILL, 30, price=99, qty=1, fill_id=1) == -1
    assert venue.held == 1 and len(venue.noted) == noted + 1 and venue.sound()


def test_a_new_order_that_would_trade_with_an_own_one_cancels_that_one_first() -> None:
    venue = ByHand(risk__self_trade_mode="CANCEL_OLD")
    venue.ask(IntentType.NEW, side=SELL, price=101, qty=2)
    old = venue.sent[0]
    venue.say(old, ResponseKind.ACK, 15)
    assert venue.ask(IntentType.NEW, side=BUY, price=101, qty=2, tif=Tif.IOC) == OK
    kinds = [(sent["kind"], sent["order_id"] == old["order_id"]) for sent in venue.sent[1:]]
    assert kinds == [(IntentType.CANCEL, True), (IntentType.NEW, False)]


def test_a_loss_beyond_the_daily_limit_is_noted_with_what_was_measured_against_what() -> None:
    venue = ByHand(max_daily_loss=3)
    venue.ask(IntentType.NEW, side=BUY, price=99, qty=1)
    venue.fill(venue.sent[0], 99, 1, 30, fill=1)
    venue.touch(94, 96)
    watch(venue.trading, 0, mark_held(venue.trading, 0, 0), 40)
    note_guards(venue.trading, venue.wiring)
    (trip,) = [step for step in venue.noted if step["kind"] == StepKind.GUARD]
    assert (trip["guard"], trip["code"]) == (Guard.BREAKER, GuardCause.LOSS)
    assert (trip["measured"], trip["limit"]) == (-4 * venue.money, -3 * venue.money)
    assert trip["ts_ns"] == 40
    note_guards(venue.trading, venue.wiring)
    assert len([step for step in venue.noted if step["kind"] == StepKind.GUARD]) == 1


def test_a_kill_cancels_what_is_open_and_closes_what_is_held() -> None:
    venue = ByHand()
    venue.ask(IntentType.NEW, side=BUY, price=99, qty=5)
    command = venue.sent[0]
    venue.say(command, ResponseKind.ACK, 15)
    venue.fill(command, 99, 3, 20, fill=1)
    control(enter(venue.trading.gw), ControlKind.KILL.value, KillScope.GLOBAL.value, 1, 30)
    assert venue.ask(IntentType.NEW, side=BUY, price=98, qty=1, now_ns=31) == Reason.KILL_SWITCH
    note_guards(venue.trading, venue.wiring)
    (trip,) = [step for step in venue.noted if step["kind"] == StepKind.GUARD]
    assert (trip["code"], trip["scope"], trip["state"]) == (GuardCause.MANUAL, KillScope.GLOBAL, 1)
    take_trips(venue.trading, venue.wiring, 40)
    assert [sent["kind"] for sent in venue.sent] == [IntentType.NEW, IntentType.CANCEL]
    venue.say(command, ResponseKind.CANCELLED, 50)
    take_trips(venue.trading, venue.wiring, 60)
    close = venue.sent[-1]
    assert (close["kind"], close["side"], close["qty"]) == (IntentType.FORCE_FLAT, SELL, 3)
    said = [step for step in venue.noted if step["intent_type"] == IntentType.FORCE_FLAT]
    assert [(step["side"], step["qty"]) for step in said] == [(SELL, 3)], "it is noted as it is"
    venue.fill(close, 98, 3, 70, fill=2)
    take_trips(venue.trading, venue.wiring, 80)
    assert venue.held == 0 and venue.trading.gw.head[0]["actions"] == 0 and venue.sound()
    assert len(venue.sent) == 3, "what is closed is not closed again"


@pytest.mark.parametrize("mode", [mode.name for mode in SelfTradeMode])
def test_a_kill_of_one_strategy_takes_the_bid_of_another_away_before_it_closes(mode: str) -> None:
    venue = ByHand(strategies=2, risk__self_trade_mode=mode)
    venue.ask(IntentType.NEW, side=BUY, price=99, qty=3)
    venue.fill(venue.sent[0], 99, 3, 20, fill=1)
    venue.ask(IntentType.NEW, side=BUY, price=99, qty=8, strategy_idx=1, now_ns=25)
    bid = venue.sent[1]
    venue.say(bid, ResponseKind.ACK, 28)
    control(enter(venue.trading.gw), ControlKind.KILL.value, KillScope.STRATEGY.value, 1, 30)
    take_trips(venue.trading, venue.wiring, 40)
    cancel, close = venue.sent[2:]
    assert (cancel["kind"], cancel["order_id"]) == (IntentType.CANCEL, bid["order_id"])
    assert (close["kind"], close["side"], close["qty"]) == (IntentType.FORCE_FLAT, SELL, 3)
    take_trips(venue.trading, venue.wiring, 50)
    assert len(venue.sent) == 4, "both are on their way"
    venue.say(bid, ResponseKind.CANCELLED, 60)
    venue.fill(close, 98, 3, 70, fill=2)
    take_trips(venue.trading, venue.wiring, 80)
    assert venue.trading.gw.head[0]["actions"] == 0 and venue.sound()
    assert venue.ask(IntentType.NEW, side=BUY, price=99, qty=1, strategy_idx=1, now_ns=90) == OK


def test_a_close_that_the_gateway_refuses_is_not_decided_at_every_wake_up() -> None:
    venue = ByHand()
    venue.ask(IntentType.NEW, side=BUY, price=99, qty=3)
    venue.fill(venue.sent[0], 99, 3, 20, fill=1)
    venue.trading.gw.limits["price_cap"] = 50
    control(enter(venue.trading.gw), ControlKind.KILL.value, KillScope.GLOBAL.value, 1, 30)
    before = int(venue.trading.head[0]["decisions"])
    for step in range(1000):
        take_trips(venue.trading, venue.wiring, 40 + step * 10_000_000)
    assert venue.trading.head[0]["decisions"] - before == 10, "once a second"
