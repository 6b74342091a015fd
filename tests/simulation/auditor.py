"""What must hold after every step, whoever is at fault: it believes the venue and the disk alone.

It sees what reaches the venue, what is on the platter, who holds the lease and what submitters were
told, and from the rows handed to the journal it keeps accounts of its own (`ledger`). The gateway's
state is read for one purpose: to be compared.
"""

from collections import deque
from typing import Any

import numpy as np

from hft.core.codes import Reason
from hft.trading.inputs import HEARD, INPUT, InputKind
from tests.simulation.ledger import FIELD, UNSENT, Ledger, Wrong, said
from tests.simulation.link import commands_of
from tests.simulation.states import states_of
from tests.simulation.venue import NEWS, Command

ROW = INPUT.itemsize
INTENT = int(InputKind.INTENT)
KEY_HI, KEY_LO = ((INPUT.names or ()).index(name) for name in ("key_hi", "key_lo"))
PASSING = (Reason.DEDUP_IN_FLIGHT, Reason.DEDUP_OUTCOME_UNKNOWN, Reason.DEDUP_KEY_REUSED)
TAKEN_BACK = (
    Reason.VENUE_DOWN,
    Reason.VENUE_REJECT,
    Reason.STALE_FENCE,
    Reason.COMMAND_DEADLINE,
)
Key = tuple[int, int]


class Auditor:
    """Of one world; `world` has the venue, the disk and the lease."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.rows: list[bytes] = []  # handed to the journal, as far as they survived
        self.decided: list[list[Command]] = []  # by row
        self.firm = Ledger(world.venue.filled)  # at the last start
        self.firm_rows = 0
        self.ledger: Ledger | None = None  # now, while somebody leads
        self.holder: Any = None
        self.waiting: deque[Command] = deque()  # decided in this life, neither sent nor taken back
        self.skipped: list[Command] = []  # of those, before one that was sent; late, say
        self.asked: dict[Key, int] = {}  # the row of each key
        self.answers: dict[Key, tuple[int, int]] = {}
        self.sent: dict[Key, int] = {}
        self.acknowledged = 0
        self.checked = self.replies = self.stale = 0
        self._looked = (-1, -1)
        self._changes = -1  # of the platter, when it was read last
        self.wrong: Wrong | None = None  # the first, whoever swallowed it

    def broken(self, said: str) -> Wrong:
        """Something that must never be."""
        self.wrong = self.wrong or Wrong(said)
        return self.wrong

    # -- what is seen -----------------------------------------------------------------------------

    def heard(self, gateway: Any, rows: np.ndarray, outbound: np.ndarray) -> None:
        """Rows were applied, and are handed to the journal."""
        if self.world.has_late_writers and gateway is not self.holder:
            self.world.seen["written late"] += 1
            return  # into a log that no longer counts; nothing may follow from it
        if gateway is not self.holder or self.ledger is None:
            raise self.broken(f"{gateway.life.name} writes without the journal")
        led: dict[int, list[Command]] = {}
        for command in commands_of(outbound):
            led.setdefault(command.input, []).append(command)
        told = rows.view(HEARD)
        for k in range(len(rows)):
            row = told[k].item()
            self.rows.append(rows[k].tobytes())
            number = len(self.rows)
            commands = led.pop(number, [])
            if self.world.trail is not None:
                self.world.note(f"{gateway.life.name} writes {said(number, row)}")
            self.decided.append(commands)
            try:
                self.ledger.take(row, commands)
            except Wrong as error:
                raise self.broken(str(error)) from None
            if row[FIELD["kind"]] == INTENT:
                self.asked[row[KEY_HI], row[KEY_LO]] = number
            elif row[FIELD["kind"]] == UNSENT:
                self._taken_back(row[FIELD["cmd_id"]])
            self.waiting.extend(commands)
        if led:
            raise self.broken(f"commands of rows {sorted(led)}, which are not those just applied")
        if self.skipped:
            raise self.broken(f"later ones left, and {self.skipped[0]} was not taken back")

    def recovered(self, gateway: Any, rows: bytes, number: int) -> None:
        """A process leads: it found `rows` behind record `number` of a checkpoint."""
        found = number + len(rows) // ROW
        if found < self.acknowledged:
            raise self.broken(f"{self.acknowledged} records were acknowledged, {found} are there")
        if rows != b"".join(self.rows[number:found]):
            raise self.broken("the journal has other records than were written")
        self.world.seen["records lost unsaid"] += len(self.rows) - found
        del self.rows[found:], self.decided[found:]
        self.asked = {key: at for key, at in self.asked.items() if at <= found}
        self._take_firm(found)
        self.ledger, self.holder = self.firm.copy(), gateway
        self.waiting.clear()
        self.skipped.clear()
        self.acknowledged = found
        self._compare(gateway)

    def let_go(self, gateway: Any) -> None:
        """A process ended or stepped down."""
        if self.holder is gateway:
            self.holder, self.ledger = None, None
            self.waiting.clear()
            self.skipped.clear()

    def left(self, who: str, command: Command) -> None:
        """A command goes to the wire."""
        world = self.world
        world.note(f"{who} sends {command}")
        store = world.store
        leads = store.fence == command.fence and store.holders.get(store.fence) == who
        if not leads or store.now_ns() >= store.until_ns:
            raise self.broken(f"{who} sent under fence {command.fence}, and {store.fence} leads")
        if command.input > world.durable(command.fence):
            raise self.broken(
                f"command {command.cmd_id:x} left before record {command.input} was synced"
            )
        while self.waiting and self.waiting[0] != command and world.may_skip:
            self.skipped.append(self.waiting.popleft())
        if not self.waiting or self.waiting[0] != command:
            raise self.broken(
                f"command {command.cmd_id:x} left out of turn: one was dropped, or is twice"
            )
        self.waiting.popleft()

    def told(self, key: Key, reason: int, cmd_id: int) -> None:
        """A submitter hears what became of his intent."""
        number = self.asked.get(key)
        if number is None:
            raise self.broken(f"an answer about key {key}, which no record has")
        self.acknowledged = max(self.acknowledged, number)
        if number > self.world.durable(self.world.store.fence):
            raise self.broken(f"key {key} was answered before record {number} was synced")
        self.replies += 1
        self.world.note(f"key {key[1]} is told {Reason(reason).name} {cmd_id:x}")
        self.world.seen[Reason(reason).name] += 1
        if reason in PASSING:
            return
        cmd_id = cmd_id if reason == Reason.OK else 0
        before = self.answers.setdefault(key, (reason, cmd_id))
        if before == (reason, cmd_id):
            return
        if reason == before[0] == Reason.OK:
            self.world.seen["told another command"] += 1
            return
        if before[0] not in (Reason.OK, *TAKEN_BACK) or reason not in TAKEN_BACK:
            raise self.broken(f"key {key} was answered {before}, and now {(reason, cmd_id)}")
        self.answers[key] = reason, cmd_id

    # -- what must hold ---------------------------------------------------------------------------

    def look(self) -> None:
        """After every step."""
        if self.wrong is not None:
            raise self.wrong
        venue = self.world.venue
        while self.checked < len(venue.arrived):
            self._arrived(venue.arrived[self.checked])
            self.checked += 1
        if venue.seen["order id twice"]:
            raise self.broken("an order id came twice")
        if self.world.disk.changes != self._changes:
            self._changes = self.world.disk.changes
            self.world.durable(self.world.store.fence)
        gateway = self.holder
        if gateway is None or gateway.desk is None:
            return
        at = (len(self.rows), len(venue.answers))
        if at != self._looked:
            self._looked = at
            self._compare(gateway)
            self._covers()
            self.world.seen.update(states_of(gateway.desk))

    def _arrived(self, command: Command) -> None:
        venue = self.world.venue
        self.world.note(f"the venue takes {command.cmd_id:x}")
        if venue.times[command.cmd_id] > 1:
            raise self.broken(f"command {command.cmd_id:x} reached the venue twice")
        if venue.stale > self.stale:
            self.stale = venue.stale
            return
        if command.input > len(self.rows):
            raise self.broken(
                f"command {command.cmd_id:x} arrived, and its record {command.input} is lost"
            )
        row = np.frombuffer(self.rows[command.input - 1], INPUT)[0]
        key = (int(row["key_hi"]), int(row["key_lo"]))
        own = int(row["kind"]) != INTENT or key == (0, 0)
        if not own and self.sent.setdefault(key, command.cmd_id) != command.cmd_id:
            raise self.broken(f"key {key} reached the venue twice, as two commands")

    def _compare(self, gateway: Any) -> None:
        """What the gateway believes is what the accounts say."""
        ledger, desk = self.ledger, gateway.desk
        assert ledger is not None
        trading = desk.trading
        reserved = int(trading.gw.head[0]["reserved_money"])
        due = ledger.reserved() * self.world.money
        if reserved != due:
            raise self.broken(f"{reserved} is reserved, and live orders come to {due}")
        count = len(trading.touch)
        held = trading.positions["qty"].tolist()
        for at, qty in enumerate(held):
            if qty != ledger.position(at // count, at % count):
                raise self.broken(
                    f"strategy {at // count} holds {qty} of {at % count}; fills say other"
                )
        if desk.inputs != len(self.rows):
            raise self.broken(
                f"the desk counts {desk.inputs} rows, the journal got {len(self.rows)}"
            )

    def _covers(self) -> None:
        """No order rests at the venue that nobody holds room for."""
        ledger = self.ledger
        assert ledger is not None
        for order_id, order in self.world.venue.resting.items():
            shape = ledger.orders.get(order_id)
            if shape is None:
                raise self.broken(f"order {order_id} rests at the venue, and nobody knows it")
            if shape.open() < order.open or shape.worst() < order.price * order.open:
                raise self.broken(f"order {order_id} may trade more than is reserved for it")

    def finish(self, gateway: Any) -> None:
        """All is quiet: venue, accounts and gateway say the same."""
        venue, ledger = self.world.venue, self.ledger
        if ledger is None:
            raise self.broken("nobody leads in the end")
        resting = {one: (o.price, o.open) for one, o in venue.resting.items()}
        known = {one: (s.price, s.total - s.filled) for one, s in ledger.orders.items()}
        if resting != known:
            raise self.broken(f"the venue has {resting}, the gateway {known}")
        working = gateway.desk.working()
        if np.any(working["request"] >= 0) or len(gateway.desk.unknown()):
            raise self.broken("an order waits for an answer that will never come")
        for at in range(self.world.strategies * len(venue.touches)):
            who, what = divmod(at, len(venue.touches))
            filled = sum(
                order.filled if order.side == 0 else -order.filled
                for order in venue.orders.values()
                if (order.strategy, order.instrument) == (who, what)
            )
            if filled != ledger.position(who, what):
                raise self.broken(
                    f"the venue filled {filled} of {what} for {who}, and not all is booked"
                )
        if self.waiting:
            raise self.broken(f"{len(self.waiting)} commands were decided and never left")

    def _taken_back(self, cmd_id: int) -> None:
        """It never left, nor does what was decided about an order that it would have made."""
        gone = [one for one in (*self.skipped, *self.waiting) if one.cmd_id == cmd_id]
        void = {one.order_id for one in gone if one.kind in NEWS}
        stays = [
            [c for c in those if c.cmd_id != cmd_id and c.order_id not in void]
            for those in (self.skipped, self.waiting)
        ]
        self.skipped, self.waiting = stays[0], deque(stays[1])

    def _take_firm(self, found: int) -> None:
        for at in range(self.firm_rows, found):
            row = np.frombuffer(self.rows[at], HEARD)[0].item()
            self.firm.take(row, self.decided[at])
        self.firm_rows = found
