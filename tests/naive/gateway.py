"""The gateway in plain Python: lists, dictionaries and Fractions, written from the contract.

Nothing incremental: what is held is summed over the working orders at each question, windows are
counted from the list of all times. Slow and obvious, the twin of `hft.gateway`.
"""

from typing import Any

from hft.core.codes import DedupState, IntentType, OrderStatus, OrderType, Reason, Side, Tif
from tests.naive.gateway_events import Events
from tests.naive.gateway_state import Answer, Order, Rules

__all__ = ["NaiveGateway", "Rules"]

BEYOND_ANY_LIMIT = 1 << 62


class NaiveGateway(Events):
    """The seven steps."""

    def decide(self, now: int, touch: dict[str, int], **intent: int) -> Answer:
        i = {
            name: intent.get(name, 0)
            for name in [
                "intent_id",
                "strategy_idx",
                "account_idx",
                "instrument_idx",
                "intent_type",
                "side",
                "price",
                "qty",
                "tif",
                "order_type",
                "stop_price",
                "display_qty",
                "target_id",
                "timestamp_ns",
                "ttl_ns",
                "key_hi",
                "key_lo",
            ]
        }
        bad = self._malformed(i)
        if bad:
            return Answer(bad)
        key = (i["key_hi"], i["key_lo"])
        payload = tuple(
            i[name]
            for name in [
                "account_idx",
                "strategy_idx",
                "instrument_idx",
                "intent_type",
                "side",
                "price",
                "qty",
                "target_id",
            ]
        )
        if key != (0, 0):
            known = self._lookup(key, payload, now)
            if known is not None:
                return known
        answer = self._steps(now, touch, i)
        if key != (0, 0):
            state = DedupState.REJECTED if answer.reason else DedupState.APPROVED
            self._commit(key, payload, state, answer.reason, answer.cmd_id, now)
        if answer.reason == Reason.OK:
            target = i["intent_id"]
            if i["intent_type"] in (IntentType.AMEND, IntentType.CANCEL):
                target = i["target_id"]
            order = self.orders[target]
            order.asked = key
            order.asked_cmd = answer.cmd_id
            first = i["intent_type"] in (IntentType.NEW, IntentType.FORCE_FLAT)
            open_outcome = order.status in (OrderStatus.PENDING_SUBMIT, OrderStatus.UNKNOWN)
            if first or (key != (0, 0) and not open_outcome):
                order.key, order.payload = key, payload
        return answer

    def _malformed(self, i: dict[str, int]) -> Reason | None:
        rules = self.rules
        if not 0 <= i["instrument_idx"] < rules.instruments:
            return Reason.UNKNOWN_INSTRUMENT
        if i["side"] not in (0, 1):
            return Reason.INVALID_SIDE
        if (
            not 0 <= i["strategy_idx"] < rules.strategies
            or not 0 <= i["account_idx"] < rules.accounts
            or i["intent_type"] not in (0, 1, 2, 3)
            or i["intent_id"] <= 0
            or self._not_built(i)
        ):
            return Reason.BAD_MESSAGE
        if abs(i["price"]) > 1 << 62 or abs(i["qty"]) > 1 << 62:
            return Reason.BAD_NUMBER
        return None

    def _not_built(self, i: dict[str, int]) -> bool:
        """Only MARKET and LIMIT, the six times in force, and no stop or hidden part."""
        if i["intent_type"] == IntentType.CANCEL:
            return False
        types, tifs = (OrderType.MARKET, OrderType.LIMIT), list(Tif)
        shaped = i["order_type"] in types and i["tif"] in tifs
        return not shaped or bool(i["stop_price"] or i["display_qty"])

    def _steps(self, now: int, touch: dict[str, int], i: dict[str, int]) -> Answer:
        kind = IntentType(i["intent_type"])
        if kind == IntentType.CANCEL:
            return self._cancel(now, i)
        q = self._question(touch, i)
        answer = Answer(Reason.OK, price=q["price"], qty=q["qty"])
        for step in (self._age, self._policy, self._exposure, self._risk, self._dispatch):
            answer.reason = step(now, touch, i, q)
            answer.cancels = q["cancels"]
            if answer.reason:
                if answer.reason != Reason.SELF_TRADE:
                    answer.cancels = []
                return answer
        self.cmd_id += 1
        answer.cmd_id = self.cmd_id
        answer.qty = q["qty"]
        if kind == IntentType.AMEND:
            order = self.orders[i["target_id"]]
            if order.amends == 0:
                order.high, order.low_price = (q["price"], q["qty"]), q["price"]
            else:
                order.high = (max(order.high[0], q["price"]), max(order.high[1], q["qty"]))
                order.low_price = min(order.low_price, q["price"])
            order.amends += 1
            order.request = IntentType.AMEND
        else:
            self.orders[i["intent_id"]] = Order(
                i["intent_id"],
                i["strategy_idx"],
                i["account_idx"],
                i["instrument_idx"],
                q["side"],
                q["price"],
                q["qty"],
                (0, 0),
                None,
                self.cmd_id,
                post_only=i["intent_type"] == IntentType.NEW and i["tif"] == Tif.GTX,
            )
        return answer

    def _cancel(self, now: int, i: dict[str, int]) -> Answer:
        self._count_rate(now, i)
        order = self._target(i)
        if order is None:
            return Answer(Reason.NOT_FOUND)
        if not self.leader:
            return Answer(Reason.NOT_LEADER)
        if not self.venue_up:
            return Answer(Reason.VENUE_DOWN)
        self.cmd_id += 1
        if order.status in (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED):
            order.status = OrderStatus.CANCEL_REQUESTED
        order.request = IntentType.CANCEL
        order.cancels += 1
        return Answer(Reason.OK, cmd_id=self.cmd_id, price=i["price"], qty=i["qty"])

    def _target(self, i: dict[str, int]) -> Order | None:
        order = self.orders.get(i["target_id"])
        mine = ("strategy_idx", "account_idx", "instrument_idx")
        if order is None:
            return None
        theirs = (order.strategy, order.account, order.instrument)
        return order if theirs == tuple(i[name] for name in mine) else None

    def _question(self, touch: dict[str, int], i: dict[str, int]) -> dict[str, Any]:
        """The intent priced, with what it would add and whether it only reduces."""
        where = (i["account_idx"], i["strategy_idx"], i["instrument_idx"])
        leaf = self.leaf(*where)
        q: dict[str, Any] = {
            "side": i["side"],
            "price": i["price"],
            "qty": i["qty"],
            "market": False,
            "proven": False,
            "lowers": False,
            "add_qty": 0,
            "add_money": 0,
            "notional": 0,
            "cancels": [],
            "order": None,
            "where": where,
        }
        filled = held_qty = held_money = 0
        if i["intent_type"] == IntentType.AMEND:
            order = q["order"] = self._target(i)
            if order is None:
                return q
            q["side"] = order.side
            filled, held_qty = order.filled, order.held_qty()
            held_money = order.held_money(self.rules.money_per_tick_lot)
            q["lowers"] = q["price"] == order.price and 0 < q["qty"] < order.qty
        elif i["intent_type"] == IntentType.FORCE_FLAT:
            q["side"] = Side.SELL if leaf.net > 0 else Side.BUY
            left = max(0, abs(leaf.net) - self.open_qty(*where, q["side"]))
            q["qty"] = left if q["qty"] == 0 else min(q["qty"], left)
            q["market"] = True
        else:
            immediate = i["tif"] in (Tif.IOC, Tif.FOK) and i["price"] == 0
            q["market"] = i["order_type"] == OrderType.MARKET or immediate
        if q["market"]:
            best = touch["ask_tick"] if q["side"] == Side.BUY else touch["bid_tick"]
            q["price"] = best if touch["valid"] else 0
        remaining = q["qty"] - filled
        opposes = (leaf.net > 0) == (q["side"] == Side.SELL) and leaf.net != 0
        others = self.open_qty(*where, q["side"]) - held_qty
        q["proven"] = opposes and remaining > 0 and others + remaining <= abs(leaf.net)
        if q["price"] >= 0 and q["qty"] > 0:
            per_tick = self.rules.money_per_tick_lot
            remaining = max(0, remaining)
            q["notional"] = q["price"] * q["qty"] * per_tick
            q["add_qty"] = max(0, remaining - held_qty)
            q["add_money"] = max(0, q["price"] * remaining * per_tick - held_money)
        q["beyond"] = (
            q["qty"] > 0
            and (q["price"] > self.rules.price_bound or q["qty"] > self.rules.qty_bound)
            and q["price"] >= 0
        )
        if q["beyond"]:  # what it is worth is not computed: more than any limit
            q["notional"] = q["add_qty"] = q["add_money"] = BEYOND_ANY_LIMIT
        return q
