"""The calendar of a market that has a house: controls come first, guards look at each wake-up."""

from collections.abc import Callable
from typing import Any

from hft.core.codes import ControlKind, IntentType, OrderType, Reason, StatusCode, Tif
from hft.core.numbers import money_digits
from hft.gateway.rows import GuardCause
from hft.runs.controls import Control
from tests.naive.engine.gateway import Intent
from tests.naive.engine.guarded import CANCEL, FLAT, Guarded, deadline_ns
from tests.naive.engine.guards import Guards, Scope, Seen, Trip, Values
from tests.naive.engine.house import DAY_NS, SECOND, House
from tests.naive.engine.markets import Market
from tests.naive.engine.replay import Body, Replay
from tests.naive.engine.venue import Answer

SAID = {"mode": "MODE", "degraded": "MODE", "kill": "KILL", "reset": "KILL"}
VIEW_ROWS = 6  # the rank of rows that reach us
NEW_DAY, START = Control(0, "day"), Control(0, "start")


def heard(market: Market, house: House) -> list[tuple[int, Control]]:
    """What is said, and when it is heard: docs/reference/controls.md."""
    rows = [row for feed in market.feeds for row in feed]
    first, last = min(r.local_ts for r in rows), max(r.local_ts for r in rows)
    begin = max(first, market.start_ns or first)
    end = last if market.end_ns is None else min(last, market.end_ns)
    midnights = range((begin // DAY_NS + 1) * DAY_NS, end + 1, DAY_NS)
    days = midnights if house.days is None else [day for day in house.days if begin < day <= end]
    found = [(begin, START)] if house.holdoff_ns else []
    found += [(day, NEW_DAY) for day in days]
    found += [(max(begin, c.at_ns), c) for c in house.controls if max(begin, c.at_ns) <= end]
    return sorted(found, key=lambda pair: pair[0])


class GuardedReplay(Replay):
    """One run of a market under guards."""

    def __init__(self, market: Market, bodies: list[Body]) -> None:
        super().__init__(market, bodies)
        assert market.house is not None
        house = self.house = market.house
        self.digits = money_digits(market.instruments)
        values = Values(house.keys, self.digits)
        self.guards = Guards(values, self.positions, len(market.instruments), self._noted)
        self.ours = Guarded(self.guards, self.positions, house.slots)
        self.gateway = self.ours
        self.said = heard(market, house)
        self.changes = iter(house.changes)
        self.days = [0] * len(market.actors)  # profit at the begin of the day
        self.dead_until = 0

    def _noted(self, cause: GuardCause | None, scope: Scope) -> None:
        name, index = scope
        s, k = index if name == "strategy" else -1, index if name == "symbol" else -1
        self._step("GUARD", s, k, None, None if cause is None else int(cause))  # type: ignore[arg-type]

    def _pnl(self, s: int) -> int:
        return sum(held.realized + held.unrealized - held.fees for held in self.positions[s])

    # -- what is said

    def _due(self) -> list[tuple[int, int, Callable[[], None]]]:
        due = [
            (max(when, self.dead_until) if rank == VIEW_ROWS else when, rank, act)
            for when, rank, act in super()._due()
        ]
        if self.said:
            due.append((max(self.now, self.said[0][0]), 1, self._hear))
        return due

    def _hear(self) -> None:
        _, control = self.said.pop(0)
        name = SAID.get(control.kind, control.kind.upper())
        if control.kind == "day":
            self.days = [self._pnl(s) for s in range(len(self.days))]
            self.guards.new_day()
            name = "RESET_DAILY"
        elif control.kind == "start":
            self.guards.free_from = self.now + self.house.holdoff_ns
        elif control.kind == "limits":
            self.guards.change(Values(next(self.changes), self.digits))
        self._step("CONTROL", None, None, None, int(ControlKind[name]))
        self.guards.hear(control, self.now)
        if control.kind == "down":
            self._die(control.value)
        if control.kind == "stop":
            self._stop()
        if control.kind == "promotion" and control.value <= 0:
            who = int(control.strategy.removeprefix("actor"))
            if self.guards.needs_promotion(who):
                self._stop(who)
        if control.kind == "end":
            self._cut()

    def _cut(self) -> None:
        """No row of a later time happens or is seen, and nothing more is said."""
        self.said.clear()
        first = [] if self.next_row is None else [self.next_row]
        rest = [due for due in (*first, *self.coming) if due[1].exch_ts <= self.now]
        self.coming = iter(rest)
        self.next_row = next(self.coming, None)
        for feed in self.feeds:
            feed.rows = [row for row in feed.rows if row.local_ts <= self.now]
        listened = [feed.rows for feed in self.feeds[: self.listened] if feed.rows]
        self.last_view = max((rows[-1].local_ts for rows in listened), default=0)

    def _stop(self, of: int | None = None) -> None:
        """Cancel what works, of all or of one strategy; the oldest first."""
        for order in sorted(self.ours.orders.values(), key=lambda one: one.oid):
            if of is not None and order.strategy != of:
                continue
            waits = order.refused_ns is not None and self.now - order.refused_ns < SECOND
            if order.cancels == 0 and order.tif != Tif.IOC and not waits:
                self.numbers += 1
                who = (CANCEL, order.strategy, order.instrument)
                intent = Intent(self.numbers, *who, target=order.oid)
                reason = self._judge(intent)
                self._conclude(intent, reason)
                if reason != Reason.OK:
                    return

    def _die(self, until: int) -> None:
        """Nothing reaches us and nobody wakes until then; the venue goes on."""
        self.dead_until = max(self.dead_until, until)
        self.channel.last_ns = max(self.channel.last_ns, until)
        for letter in self.channel.letters:
            letter.at_ns = max(letter.at_ns, until)
        for s, actor in enumerate(self.market.actors):
            while (timer := self.timers[s]) is not None and timer < until:
                self.timers[s] = timer + actor.every_ns

    # -- guards

    def _booked(self, answer: Answer) -> None:
        self.guards.booked(answer.strategy, answer.instrument, self.now)
        self.guards.profit(self._seen(answer.strategy))

    def _look(self, s: int, marked: bool) -> None:
        seen = self._seen(s)
        if marked:
            self.guards.profit(seen)
        self.guards.watch(seen)
        if not self.guards.leads:
            return
        asked: dict[tuple[int, int, int, int], Intent] = {}
        for trip in self.guards.in_turn():
            if not trip.done:
                self._wind_down(trip, asked)
        for intent in asked.values():
            reason = self._judge(intent)
            self._conclude(intent, reason)
            if intent.kind == FLAT and reason != Reason.OK:
                self.ours.waits[intent.strategy, intent.instrument] = self.now + SECOND

    def _seen(self, s: int) -> Seen:
        strategies, listened = range(len(self.positions)), range(self.listened)
        whole = [self._pnl(one) for one in strategies]
        books = [self.feeds[k].book for k in listened]
        return Seen(
            self.now,
            s,
            [pnl - day for pnl, day in zip(whole, self.days, strict=True)],
            whole,
            [book.mid2 if book.valid else None for book in books],
            [self._silent(k) for k in listened],
        )

    def _silent(self, k: int) -> int:
        feed = self.feeds[k]
        trading = feed.at and self.phase_of(k) == StatusCode.OPEN
        return self.now - feed.rows[feed.at - 1].local_ts if trading else 0

    def _wind_down(self, trip: Trip, asked: dict[tuple[int, int, int, int], Intent]) -> None:
        """Cancel what works in the scope of a trip, then close what is held."""
        name, index = trip.scope

        def covers(strategy: int, instrument: int) -> bool:
            whose = {"strategy": strategy, "symbol": instrument}
            return name not in whose or whose[name] == index

        orders = [o for o in self.ours.orders.values() if covers(o.strategy, o.instrument)]
        for order in orders:
            waits = order.refused_ns is not None and self.now - order.refused_ns < SECOND
            if order.cancels == 0 and order.tif != Tif.IOC and not waits:
                self._ask(asked, CANCEL, order.strategy, order.instrument, order.oid)
        held = [
            (s, k)
            for s, mine in enumerate(self.positions)
            for k, position in enumerate(mine)
            if position.lots and covers(s, k)
        ]
        closes = self.guards.values.on("breaker.close_on_trip", True)
        trip.done = not orders and not (closes and held)
        for s, k in held if closes and not orders else ():
            ready = self.now >= self.ours.waits.get((s, k), 0) and self.feeds[k].book.valid
            if ready and self.ours.left_to_close(s, k) > 0:
                self._ask(asked, FLAT, s, k)

    def _ask(
        self,
        asked: dict[tuple[int, int, int, int], Intent],
        *key: int,
    ) -> None:
        """Write an intent of the gateway's own, once."""
        kind, s, k, target = (*key, 0)[:4]
        if (kind, s, k, target) in asked:
            return
        self.numbers += 1
        lots = self.ours.left_to_close(s, k) if kind == FLAT else 0
        side = 1 if kind == FLAT and self.positions[s][k].lots > 0 else 0
        rest = {"side": side, "lots": lots, "target": target}
        rest |= {"tif": int(Tif.IOC), "type": int(OrderType.MARKET)} if kind == FLAT else {}
        asked[kind, s, k, target] = Intent(self.numbers, kind, s, k, **rest)

    # -- intents

    def _judge(self, intent: Intent) -> Reason:
        book = self.feeds[intent.instrument].book
        side = intent.side
        if intent.kind == FLAT:
            side = 1 if self.positions[intent.strategy][intent.instrument].lots > 0 else 0
        touch = book.best[1 - side] if book.valid else None
        reason = self.ours.judge(intent, touch, self.now)
        own: dict[tuple[int, int, int, int], Intent] = {}
        for oid in self.ours.cancels:
            old = self.ours.orders[oid]
            self._ask(own, CANCEL, old.strategy, old.instrument, oid)
            own[CANCEL, old.strategy, old.instrument, oid].price = old.price
        for cancel in own.values():
            self._conclude(cancel, self._judge(cancel))
        if reason == Reason.OK:
            reason = self._way_out(intent)
        if reason == Reason.OK:
            self.ours.goes(intent)
        return reason

    def _way_out(self, intent: Intent) -> Reason:
        if not self.ours.has_room(intent):
            return Reason.ORDER_QUEUE_FULL
        free = self.house.slots - len(self.commands)
        reduces = intent.kind == CANCEL or self.ours.proven or self.ours.lowering
        if free <= (0 if reduces else max(1, self.house.slots // 16)):
            return Reason.ORDER_QUEUE_FULL
        allowed = deadline_ns(self.guards)
        if intent.kind != CANCEL and allowed and self.guards.decision_ns > allowed:
            return Reason.COMMAND_DEADLINE
        return Reason.OK

    def _decides_for(self) -> int:
        return self.guards.decision_ns


def stepped(kind: str, *rest: Any) -> tuple[Any, ...]:
    return (kind, *rest)


__all__ = ["GuardedReplay", "IntentType"]
