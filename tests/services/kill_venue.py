"""A venue as a process, which outlives every gateway: `python -m ... SOCKET SEED [calm]`.

It is the model venue of the simulation behind a socket. One session at a time: whoever logs on ends
the session before, and nothing of that is read any more. `("facts",)` asks what it has seen. A calm
one refuses nothing, and its market stands still: `("fill", order, lots)` fills.
"""

import queue
import sys
import threading
import time
from multiprocessing.connection import Connection, Listener, wait
from random import Random
from typing import Any

from tests.simulation.link import fills_beyond
from tests.simulation.venue import Answer, Command, ModelVenue

MOVE_S = 0.002


class VenueProcess:
    """Serves one gateway, and whoever wants to know."""

    def __init__(self, address: str, seed: int, *, is_calm: bool = False) -> None:
        self.random = Random(seed)
        self.venue = ModelVenue(Random(seed + 1), moved=self._tell)
        if is_calm:
            self.venue.refuses = 0.0
        self.arriving: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self.waiting: list[Connection] = []  # connected, not logged on
        self.session: Connection | None = None
        self.is_quiet = is_calm  # the market stands still
        self.listener = Listener(address, "AF_UNIX")

    def serve(self) -> None:
        """Until somebody says that it is over."""
        threading.Thread(target=self._accept, daemon=True).start()
        print("listening", flush=True)
        moves_at = time.monotonic()
        is_over = False
        while not is_over:
            while not self.arriving.empty():
                self.waiting.append(self.arriving.get())
            known = [*self.waiting, *([self.session] if self.session else [])]
            for one in wait(known, MOVE_S) if known else []:
                is_over |= self._hear(one)  # type: ignore[arg-type]
            if not known:
                time.sleep(MOVE_S)
            if time.monotonic() >= moves_at and not self.is_quiet:
                moves_at = time.monotonic() + MOVE_S
                self.venue.move() if self.random.random() < 0.5 else self.venue.trade()

    def _accept(self) -> None:
        while True:
            self.arriving.put(self.listener.accept())

    def _hear(self, one: Connection) -> bool:
        try:
            kind, *said = one.recv()
        except (EOFError, OSError):
            self._forget(one)
            return False
        if kind == "logon":
            self.waiting.remove(one)
            if not self.venue.logon(*said):
                one.close()  # it ends nobody's session
                return False
            if self.session is not None:
                self._forget(self.session)
            self.session = one
            self._send(("up",))
        elif kind == "command" and one is self.session:
            self.venue.command(Command(*said))
        elif kind == "ask" and one is self.session:
            token, filled = said
            fills = fills_beyond(self.venue, filled)
            self._send(("told", token, filled, fills, self.venue.status(list(filled)).orders))
        elif kind == "facts":
            one.send(facts(self.venue))
        elif kind == "quiet":
            self.is_quiet = True
        elif kind == "fill":
            self.venue.fill(*said)
        elif kind == "drop" and self.session is not None:
            self._forget(self.session)
        elif kind == "over":
            return True
        return False

    def _forget(self, one: Connection) -> None:
        self.waiting = [other for other in self.waiting if other is not one]
        if self.session is one:
            self.session = None
        one.close()

    def _tell(self, answer: Answer) -> None:
        self._send(("answer", *answer))

    def _send(self, said: tuple[Any, ...]) -> None:
        if self.session is not None:
            try:
                self.session.send(said)
            except OSError:
                self._forget(self.session)


def facts(venue: ModelVenue) -> dict[str, Any]:
    """What it has seen: commands, repeated ones, what rests, lots by strategy and instrument."""
    lots: dict[tuple[int, int], int] = {}
    for order in venue.orders.values():
        who = (order.strategy, order.instrument)
        lots[who] = lots.get(who, 0) + (order.filled if order.side == 0 else -order.filled)
    return {
        "commands": len(venue.arrived),
        "twice": sum(count > 1 for count in venue.times.values()),
        "orders twice": venue.seen["order id twice"],
        "stale": venue.stale,
        "fills": venue.fills,
        "resting": {one: (o.price, o.open) for one, o in venue.resting.items()},
        "lots": {who: count for who, count in lots.items() if count},
    }


if __name__ == "__main__":
    VenueProcess(sys.argv[1], int(sys.argv[2]), is_calm="calm" in sys.argv[3:]).serve()
