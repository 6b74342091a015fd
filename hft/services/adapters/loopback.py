"""A venue in memory for tests and benchmarks: it answers at once, or as a script says.

`LoopbackVenue` is what outlives a gateway: its orders, their fills, the highest fence it has seen
and every command that ever arrived. `Loopback` is one gateway's session with it. It matches
nothing: an order rests until a script or a test fills it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from hft.core.codes import IntentType, Liquidity, Reason, ResponseKind
from hft.services.callbacks import Callbacks
from hft.trading.inputs import Outcome

_AMEND, _CANCEL = IntentType.AMEND.value, IntentType.CANCEL.value
CANCELLED, REJECTED = ResponseKind.CANCELLED, ResponseKind.REJECTED


@dataclass
class LoopOrder:
    """One order as the venue has it; `fills` are (fill id, price, lots, filled in all)."""

    order_id: int
    account_idx: int
    price: int
    qty: int
    fills: list[tuple[int, int, int, int]] = field(default_factory=list)
    ended: ResponseKind | None = None  # CANCELLED, EXPIRED, REJECTED

    @property
    def filled(self) -> int:
        return self.fills[-1][3] if self.fills else 0

    @property
    def open_qty(self) -> int:
        return 0 if self.ended is not None else max(0, self.qty - self.filled)


Script = Callable[["LoopbackVenue", LoopOrder], None]  # what a new order meets, after its ACK


class LoopbackVenue:
    """Orders by id, and what arrived: `commands` has (cmd_id, kind, order_id, fence)."""

    def __init__(self, script: Script | None = None, now_ns: Callable[[], int] = lambda: 0) -> None:
        self.orders: dict[int, LoopOrder] = {}
        self.commands: list[tuple[int, int, int, int]] = []
        self.fence = self.refused = 0
        self.keeps_commands = True
        self._script, self._now_ns = script, now_ns
        self._fill_id = self._sessions = 0
        self._seq: dict[int, int] = {}  # by account
        self._session: Loopback | None = None

    def connect(self, session: "Loopback", fence: int) -> bool:
        """Obey this session from now on, unless a higher fence was seen."""
        if fence < self.fence:
            return False
        self.fence, self._session, self._seq = fence, session, {}
        self._sessions += 1
        return True

    def obeys(self, session: "Loopback", fence: int) -> bool:
        """May this session send under this fence?"""
        return session is self._session and fence >= self.fence

    def hear(self, command: np.ndarray) -> None:
        """One command, answered."""
        kind, order_id = int(command["kind"]), int(command["order_id"])
        if self.keeps_commands:
            self.commands.append((int(command["cmd_id"]), kind, order_id, int(command["fence"])))
        order = self.orders.get(order_id)
        if kind == _CANCEL or kind == _AMEND:
            self._change(order, kind, command)
        elif order is None:
            price, qty = int(command["price"]), int(command["qty"])
            order = LoopOrder(order_id, int(command["account_idx"]), price, qty)
            self.orders[order_id] = order
            self._say(order, ResponseKind.ACK, price=price, qty=qty)
            if self._script is not None:
                self._script(self, order)

    def fill(self, order_id: int, qty: int, price: int | None = None) -> None:
        """Fill so many lots of what rests."""
        order = self.orders[order_id]
        if not 0 < qty <= order.open_qty:
            raise ValueError(f"{qty} of {order.open_qty} open lots")
        self._fill_id += 1
        at = order.price if price is None else price
        order.fills.append((self._fill_id, at, qty, order.filled + qty))
        self._say(order, ResponseKind.FILL, **_of_fill(order.fills[-1]))

    def end(self, order_id: int, how: ResponseKind = CANCELLED) -> None:
        """End what rests: CANCELLED, EXPIRED or REJECTED."""
        order = self.orders[order_id]
        order.ended = how
        self._say(order, how, price=order.price)

    def drop(self, said: str = "the connection broke") -> None:
        """The session breaks; what the venue says from now on is heard when it is asked."""
        session, self._session = self._session, None
        if session is not None and session.heard is not None:
            session.heard.down(said)

    def _change(self, order: LoopOrder | None, kind: int, command: np.ndarray) -> None:
        if order is None or not order.open_qty:
            return  # it has ended, and its end was told
        if kind == _CANCEL:
            self.end(order.order_id)
            return
        order.price, order.qty = int(command["price"]), int(command["qty"])
        if order.open_qty:
            self._say(order, ResponseKind.AMENDED, price=order.price, qty=order.open_qty)
        else:
            self.end(order.order_id)

    def _say(self, order: LoopOrder, code: ResponseKind, **fields: int) -> None:
        session, account = self._session, order.account_idx
        self._seq[account] = self._seq.get(account, 0) + 1
        if session is not None and session.heard is not None:
            more = {"account_idx": account, "acted_ns": self._now_ns()}
            more |= {"session": self._sessions, "seq": self._seq[account]}
            session.heard.answer(code, order.order_id, **fields, **more)


class Loopback:
    """An `OrderAdapter` to a loop-back venue. `room` commands are taken at once; 0: any number."""

    def __init__(self, venue: LoopbackVenue, *, room: int = 0) -> None:
        self.venue, self.room = venue, room
        self.heard: Callbacks | None = None
        self.fails: Exception | None = None  # raised by the next `submit`

    def begin(self, fence: int, heard: Callbacks) -> None:
        if self.venue.connect(self, fence):
            self.heard = heard
            heard.up()
        else:
            heard.down(f"the venue obeys fence {self.venue.fence}, not {fence}")

    def submit(self, commands: np.ndarray) -> Sequence[Reason]:
        if self.fails is not None:
            error, self.fails = self.fails, None
            raise error
        return list(self._submit(commands))

    def ask(self, token: int, orders: np.ndarray) -> None:
        if self.heard is None or not self.venue.obeys(self, self.venue.fence):
            return
        asked = set()
        for row in orders:
            asked.add(int(row["order_id"]))
            self._tell(self.heard, token, int(row["order_id"]), int(row["filled_qty"]))
        for order_id, order in self.venue.orders.items():
            if order.open_qty and order_id not in asked:
                self._tell(self.heard, token, order_id, order.filled)
        self.heard.end(token)

    def close(self) -> None:
        self.heard = None

    def _submit(self, commands: np.ndarray) -> Iterator[Reason]:
        for place, command in enumerate(commands):
            if int(command["fence"]) < self.venue.fence:
                self.venue.refused += 1
                yield Reason.STALE_FENCE
            elif not self.venue.obeys(self, int(command["fence"])):
                yield Reason.VENUE_DOWN
            elif self.room and place >= self.room:
                yield Reason.ORDER_QUEUE_FULL
            else:
                self.venue.hear(command)
                yield Reason.OK

    def _tell(self, heard: Callbacks, token: int, order_id: int, filled: int) -> None:
        order = self.venue.orders.get(order_id)
        if order is None:
            heard.told(token, Outcome.NEVER_SEEN, order_id)
            return
        account = {"account_idx": order.account_idx}
        for fill in order.fills:
            if fill[3] > filled:
                heard.answer(ResponseKind.FILL, order_id, **_of_fill(fill), **account)
        if order.open_qty:
            told = {"price": order.price, "qty": order.open_qty, "total_qty": order.filled}
            heard.told(token, Outcome.RESTS, order_id, **told, **account)
        else:
            how = (order.ended or CANCELLED).value
            told = {"value": how, "total_qty": order.filled}
            heard.told(token, Outcome.ENDED, order_id, **told, **account)


def _of_fill(fill: tuple[int, int, int, int]) -> dict[str, int]:
    fill_id, price, qty, total_qty = fill
    taker = Liquidity.TAKER.value
    return {
        "fill_id": fill_id,
        "price": price,
        "qty": qty,
        "total_qty": total_qty,
        "liquidity": taker,
        "mid2": 2 * price,
    }
