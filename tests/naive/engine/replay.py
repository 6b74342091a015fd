"""The twin's calendar: one total order of all that happens, from docs/reference/replay.md."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import merge
from typing import Any

from hft.core.codes import (
    EventKind,
    Flag,
    IntentType,
    LatencyLeg,
    Liquidity,
    OrderType,
    Reason,
    ResponseKind,
    StatusCode,
    WakeCause,
)
from hft.core.seeds import PURPOSE_LATENCY, draw
from tests.naive.engine.channel import REJECT, Channel, between
from tests.naive.engine.gateway import Gateway, Intent
from tests.naive.engine.limited import Limited
from tests.naive.engine.markets import Market, Row
from tests.naive.engine.money import Position, grids_of
from tests.naive.engine.venue import Answer, Command, Desk
from tests.naive.engine.words import Feed, View, Words

Body = Callable[[Any, Any, Any, Any], None]
LEGS = {
    int(IntentType.NEW): "entry",
    int(IntentType.AMEND): "amend",
    int(IntentType.CANCEL): "cancel",
    int(IntentType.FORCE_FLAT): "entry",
}
OPENS = (IntentType.NEW, IntentType.FORCE_FLAT)
LEG_NUMBERS = {leg.name.lower(): int(leg) for leg in LatencyLeg}
SEED = 0  # of the run
ROW_CAUSES = (int(WakeCause.TRADE), int(WakeCause.BOOK), int(WakeCause.STATUS))


@dataclass
class Kept:
    """The records of a replay, in the order they were made."""

    steps: list[tuple[Any, ...]] = field(default_factory=list)
    fills: list[tuple[int, ...]] = field(default_factory=list)
    equity: list[tuple[int, ...]] = field(default_factory=list)


BLANK = (None, None, None)  # side, price and lots of a step that says nothing of them
AT_THE_VENUE = (3, 5)  # ranks of rows and expiries: they happen where we do not see them


class Replay:
    """One run of a market: `run` to the end, then read `kept`."""

    def __init__(self, market: Market, bodies: list[Body]) -> None:
        self.market, self.bodies, self.kept = market, bodies, Kept()
        self.listened = max(a.instruments for a in market.actors)
        asked = [a.wakes_on >> cause & 1 for a in market.actors for cause in ROW_CAUSES]
        self.rows_wake = any(asked)
        end = market.end_ns if market.end_ns is not None else 1 << 62
        self.tape = [
            [r for r in rows if not r.flags & Flag.VIEW_ONLY and r.exch_ts <= end]
            for rows in market.feeds
        ]
        seen = [
            [r for r in rows if not r.flags & Flag.VENUE_ONLY and r.local_ts <= end]
            for rows in market.feeds
        ]
        self.feeds = [Feed(rows, market) for rows in seen]
        listened = [rows for rows in seen[: self.listened] if rows]
        self.last_view = max((rows[-1].local_ts for rows in listened), default=0)
        tapes = [[(k, row) for row in rows] for k, rows in enumerate(self.tape[: self.listened])]
        self.coming = merge(*tapes, key=lambda due: due[1].exch_ts)  # of equals the first tape's
        self.next_row = next(self.coming, None)
        self.desks = [self._desk(k, rows) for k, rows in enumerate(market.feeds)]
        self.gateway = Gateway() if market.rules is None else Limited(market.rules)
        self.ask_ns = 0
        self.commands: list[tuple[int, Command]] = []
        self.channel = Channel(market.venue.faults, SEED)
        self.last_arrival = 0
        self.numbers = self.fill_ids = self.lost = self.asked = self.draws = 0
        self.wakes = [0] * len(market.actors)
        self.buffer: list[Intent] = []
        self.now = 0
        self._strategies()

    def _desk(self, k: int, rows: list[Row]) -> Desk:
        by_order = any(row.kind == EventKind.ADD for row in rows)

        def say(kind: int, order: Any, price: int, lots: int, liquidity: int = 0) -> None:
            self._say(k, kind, order, price, lots, liquidity)

        return Desk(self.market.venue, by_order, say, self.market.window)

    def phase_of(self, k: int) -> int:
        """The phase that a strategy sees: the tape's, else by the hours of the calendar."""
        hours = self.market.hours[k] if self.market.hours else None
        if hours is None:
            return self.feeds[k].book.phase
        within = any(start <= self.now < end for start, end in hours)
        return int(StatusCode.OPEN if within else StatusCode.CLOSE)

    def _strategies(self) -> None:
        market = self.market
        grids = grids_of(tuple(market.instruments))
        self.positions = [[Position(grid) for grid in grids] for _ in market.actors]
        self.seen_traded = [[0] * len(grids) for _ in market.actors]
        firsts = [f.rows[0].local_ts for f in self.feeds[: self.listened] if f.rows]
        firsts += [rows[0].exch_ts for rows in self.tape[: self.listened] if rows]
        first = self.known = min(firsts, default=0)
        start = max(first, market.start_ns or first)
        if start > first:
            self._history(start)
        self.timers = [start + a.every_ns if a.every_ns else None for a in market.actors]
        self.equity_due = 0

    def _history(self, start: int) -> None:
        """What had reached us by the start is known, and no news."""
        for k, feed in enumerate(self.feeds[: self.listened]):
            feed.until(start)
            for seen in self.seen_traded:
                seen[k] = feed.traded

    # -- the calendar

    def run(self) -> Kept:
        while True:
            due = self._due()
            if not due:
                break
            when, rank, act = min(due)  # no two have the same rank
            if rank == 7 and self._over(when):
                break
            self.now = max(self.now, when)
            if rank not in AT_THE_VENUE:
                self.known = self.now
            act()
            if self.channel.new:
                self.channel.spoil()
        self._end()
        return self.kept

    def _end(self) -> None:
        """Everything that could reach us has, at the time of the last of it."""
        feeds = [feed for feed in self.feeds[: self.listened] if feed.rows]
        end = max([self.known, *(feed.rows[-1].local_ts for feed in feeds)])
        for feed in feeds:
            feed.until(end)
        for k, feed in enumerate(self.feeds[: self.listened]):
            for held in (mine[k] for mine in self.positions):
                if held.lots and feed.book.valid:
                    held.mark2 = feed.book.mid2
        self._equity_rows(end)

    def _due(self) -> list[tuple[int, int, Callable[[], None]]]:
        """The next of each rank: when, its rank and what to do."""
        due: list[tuple[int, int, Callable[[], None]]] = []
        if self.channel.letters:
            due.append((self.channel.next(), 2, self._answer))
        if self.next_row is not None:
            due.append((self.next_row[1].exch_ts, 3, self._row))
        if self.commands:
            due.append((self.commands[0][0], 4, self._command))
        ends = [e for desk in self.desks if desk.own and (e := desk.next_end()) is not None]
        if ends:
            due.append((max(self.now, min(ends)), 5, self._expire))
        if self.rows_wake:
            seen = [v for feed in self.feeds[: self.listened] if (v := feed.next_ns()) is not None]
            if seen:
                due.append((min(seen), 6, self._view_rows))
        timer = min([t for t in self.timers if t is not None], default=None)
        if timer is not None:
            due.append((timer, 7, self._timer))
        return due

    def _over(self, due: int) -> bool:
        waiting = self.commands or self.channel.letters or self.next_row is not None
        return not waiting and self.last_view <= due

    # -- the venue's side

    def _row(self) -> None:
        assert self.next_row is not None
        k, row = self.next_row
        self.next_row = next(self.coming, None)
        self.desks[k].row(row)

    def _expire(self) -> None:
        for desk in self.desks:
            desk.expire(self.now)

    def _command(self) -> None:
        _, command = self.commands.pop(0)
        self._step("ARRIVAL", command.strategy, command.instrument, command.oid, command.kind)
        self.asked = command.intent
        desk = self.desks[command.instrument]
        (desk.refuse if self._refuses(command) else desk.command)(command)
        self.asked = 0

    def _refuses(self, command: Command) -> bool:
        """Whether the fault plan has the venue down, or this new order rejected."""
        faults = self.market.venue.faults
        start, end = faults.down_ns
        if start <= self.now < end:
            return True
        return command.kind in OPENS and self.channel.strikes(faults.reject, REJECT)

    def _say(self, k: int, kind: int, order: Any, price: int, lots: int, liquidity: int) -> None:
        fill_id = 0
        if kind == ResponseKind.FILL:
            self.fill_ids += 1
            fill_id = self.fill_ids
            self._step("FILL", order.strategy, k, order.oid, liquidity, order.side, price, lots)
        answer = Answer(
            *(int(kind), order.oid, order.strategy, k, order.side, price, lots),
            *(int(liquidity), fill_id, self.now, self.asked),
        )
        self.channel.write(self.now + self._leg("response"), answer)

    def _leg(self, name: str) -> int:
        """The latency of a message sent now."""
        kind, base, spread, table = self.market.venue.legs[name]
        if kind == "constant":
            return base
        if kind == "interpolated":
            return between(list(zip(table[::2], table[1::2], strict=True)), self.now)
        found = int(draw(SEED, PURPOSE_LATENCY, LEG_NUMBERS[name], self.draws))
        self.draws += 1
        if kind == "uniform":
            return base + found % (spread + 1)
        return base + table[found % len(table)]

    # -- our side

    def _answer(self) -> None:
        answer = self.channel.take()
        s, k = answer.strategy, answer.instrument
        order = self.gateway.answer(answer)
        if answer.kind == ResponseKind.FILL and not answer.again:
            self._book(answer)
        if order is None:  # noted, not applied, and nobody wakes
            self._step("RESPONSE", None, None, answer.oid, answer.kind)
            return
        told = (answer.side, answer.price, answer.lots)
        self._step("RESPONSE", s, k, answer.oid, answer.kind, *told)
        fill = answer.kind == ResponseKind.FILL
        if fill:
            self._booked(answer)
        cause = int(WakeCause.FILL if fill else WakeCause.ORDER)
        if self.market.actors[s].wakes_on >> cause & 1:
            self._wake(s, cause)

    def _book(self, answer: Answer) -> None:
        held = self.positions[answer.strategy][answer.instrument]
        taker = answer.liquidity == Liquidity.TAKER
        fee, realized = held.fill(answer.side, answer.price, answer.lots, taker)
        book = self.feeds[answer.instrument].book
        held.mark2 = book.mid2 if book.valid else 2 * answer.price
        self.kept.fills.append(
            (
                *(answer.fill_id, answer.oid, answer.strategy, answer.instrument, answer.side),
                *(answer.price, answer.lots, fee, realized, answer.liquidity),
                *(answer.exch_ns, self.now, held.lots),
            )
        )

    def _view_rows(self) -> None:
        found: set[int] = set()
        for feed in self.feeds[: self.listened]:
            found |= feed.until(self.now)
        order = (WakeCause.STATUS, WakeCause.TRADE, WakeCause.BOOK)
        cause = next(int(c) for c in order if int(c) in found)
        for s, actor in enumerate(self.market.actors):
            if any(actor.wakes_on >> c & 1 for c in found):
                self._wake(s, cause)

    def _timer(self) -> None:
        s = next(s for s, t in enumerate(self.timers) if t == self.now)
        self.timers[s] = self.now + self.market.actors[s].every_ns
        self._wake(s, int(WakeCause.TIMER))

    def _wake(self, s: int, cause: int) -> None:
        actor = self.market.actors[s]
        self._reconcile()
        marked = False
        for feed, held in zip(self.feeds[: self.listened], self.positions[s], strict=False):
            feed.until(self.now)
            if held.lots and feed.book.valid and held.mark2 != feed.book.mid2:
                held.mark2, marked = feed.book.mid2, True
        self._look(s, marked)
        self.buffer.clear()
        self.bodies[s](View(self, s, 0, cause), Words(self, s, 0), None, None)
        for k in range(actor.instruments):
            self.seen_traded[s][k] = self.feeds[k].traded
        self.wakes[s] += 1
        self._step("WAKE", s, -1, self.wakes[s], cause)
        for intent in list(self.buffer):
            self._submit(intent)
        self._sample()

    def _booked(self, answer: Answer) -> None:
        """What guards do when a fill is booked; here there are none."""

    def _look(self, s: int, marked: bool) -> None:
        """What guards do when strategy s wakes; here there are none."""

    def _decides_for(self) -> int:
        """Decision latency, ns."""
        return 0

    def _submit(self, intent: Intent) -> None:
        reason = self._judge(intent)
        self._conclude(intent, reason)

    def _judge(self, intent: Intent) -> Reason:
        feed = self.feeds[intent.instrument]
        book = feed.book
        if not isinstance(self.gateway, Limited):
            touch = book.best[1 - intent.side] if book.valid else None
            return self.gateway.decide(intent, touch)
        seen = {"valid": book.valid, "ts_ns": feed.rows[feed.at - 1].local_ts if feed.at else 0}
        seen |= {"bid_tick": book.best[0] or 0, "ask_tick": book.best[1] or 0}
        reason = self.gateway.judge(intent, seen, self.now)
        met, self.gateway.cancels = self.gateway.cancels, []
        own = []
        for oid, total in met:  # own orders that it met go first, or are made smaller
            old = self.gateway.orders[oid]
            kind = IntentType.AMEND if total else IntentType.CANCEL
            self.numbers += 1
            own.append(
                Intent(
                    *(self.numbers, int(kind), old.strategy, old.instrument, old.side),
                    *(old.price, total, 0, int(OrderType.LIMIT), oid),
                )
            )
        for one in own:
            self._conclude(one, self.gateway.judge(one, seen, self.now))
        return reason

    def _reconcile(self) -> None:
        """Ask the venue what became of orders of which an answer was lost."""
        faults = self.market.venue.faults
        if not faults.lost or self.now < self.ask_ns:
            return
        self.ask_ns = self.now + faults.unknown_ns
        for order in [o for o in self.gateway.orders.values() if o.unknown]:
            if not self.channel.tells_of(order.oid):
                rests = self.desks[order.instrument].find(order.oid) is not None
                self.gateway.turns_out(order, rests, self.now)

    def _conclude(self, intent: Intent, reason: Reason) -> None:
        oid = intent.number if intent.kind in OPENS else intent.target
        self._step(
            "DECISION",
            *(intent.strategy, intent.instrument, intent.number, int(reason)),
            *(intent.side if intent.kind in OPENS else None, intent.price, intent.lots),
        )
        if reason != Reason.OK:
            return
        due = self.now + self._decides_for() + self._leg(LEGS[intent.kind])
        self.last_arrival = max(due, self.last_arrival)
        lots = intent.sent or intent.lots
        command = Command(
            *(intent.kind, oid, intent.strategy, intent.instrument, intent.side, intent.price),
            *(lots, intent.tif, intent.type, intent.expires_ns, intent.number),
        )
        self.commands.append((self.last_arrival, command))

    # -- samples

    def _sample(self) -> None:
        every = self.market.equity_every_ns
        if self.now >= self.equity_due:
            self.equity_due = self.now - self.now % every + every
            self._equity_rows(self.now)

    def _equity_rows(self, now: int) -> None:
        for s in range(len(self.market.actors)):
            for k in range(self.listened):
                held, book = self.positions[s][k], self.feeds[k].book
                touch = (book.best[0], book.best[1])
                mid2 = book.mid2 if book.valid else None
                unrealized = held.unrealized if mid2 is None else held.worth_at(mid2)
                self.kept.equity.append(
                    (
                        *(now, s, k, held.lots, held.realized, unrealized, held.fees),
                        *(mid2, *touch),
                    )
                )

    def _step(self, kind: str, s: Any, k: Any, oid: Any, code: int, *rest: Any) -> None:
        self.kept.steps.append((kind, self.now, s, k, oid, code, *(rest or BLANK)))
