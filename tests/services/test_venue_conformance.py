"""One suite for every venue that a gateway talks to: what an adapter promises holds with each.

The model's adapter on the simulated wire, the loop-back of the product, and the adapter of the kill
drill at a venue that is a process behind a socket.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from hft.core.codes import IntentType, OrderType, Reason, ResponseKind, Tif
from hft.core.dtypes import ORDER
from hft.services.adapters.loopback import Loopback, LoopbackVenue
from hft.trading.inputs import OUTBOUND, Outcome
from tests.services.kill_process import SocketAdapter
from tests.simulation.link import ModelAdapter
from tests.simulation.loop import SeededLoop
from tests.simulation.venue import ModelVenue
from tests.simulation.wire import Wire

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S, REST_S = 10.0, 0.2
NEW, AMEND, CANCEL = IntentType.NEW, IntentType.AMEND, IntentType.CANCEL


class Heard:
    """What an adapter said, in order: (word, order or token, what else)."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int, dict[str, int]]] = []

    def up(self) -> None:
        self.said.append(("up", 0, {}))

    def down(self, said: str) -> None:
        self.said.append(("down", 0, {}))

    def answer(self, code: ResponseKind, order_id: int, **fields: int) -> None:
        self.said.append((ResponseKind(code).name, order_id, fields))

    def told(self, token: int, outcome: Outcome, order_id: int, **fields: int) -> None:
        self.said.append((Outcome(outcome).name, order_id, fields | {"token": token}))

    def end(self, token: int) -> None:
        self.said.append(("end", token, {}))

    def count(self, word: str, of: int = 0) -> int:
        return sum(one[:2] == (word, of) for one in self.said)


class Model:
    """The venue of the simulation, its wire, and its time."""

    def __init__(self) -> None:
        self.loop, self.venue = SeededLoop(5), ModelVenue(Random(1), refuses=0.0)
        self.wire = Wire(self.loop, self.venue, Random(2))

    def adapter(self, who: str) -> Any:
        return ModelAdapter(self.wire, who)

    def wait(self, done: Callable[[], bool]) -> bool:
        until = self.loop.now + 2.0
        self.loop.call_later(2.1, lambda: None)
        self.loop.run_until(lambda: done() or self.loop.now > until)
        return done()

    def rest(self) -> None:
        until = self.loop.now + REST_S
        self.wait(lambda: self.loop.now > until)

    def resting(self) -> dict[int, int]:
        return {one: order.open for one, order in self.venue.resting.items()}

    def fill(self, order_id: int, qty: int) -> None:
        self.venue.fill(order_id, qty)

    def drop(self) -> None:
        self.wire.disconnect()

    def end(self) -> None:
        """Nothing runs."""


class InMemory:
    """The loop-back venue; all is there at once."""

    def __init__(self) -> None:
        self.venue = LoopbackVenue()
        self.fill, self.drop = self.venue.fill, self.venue.drop

    def adapter(self, who: str) -> Any:
        return Loopback(self.venue)

    def wait(self, done: Callable[[], bool]) -> bool:
        return done()

    def rest(self) -> None:
        """Nothing is under way."""

    def resting(self) -> dict[int, int]:
        return {one: o.open_qty for one, o in self.venue.orders.items() if o.open_qty}

    end = rest


class Process:
    """The venue of the kill drill."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()  # a socket's name may not be long
        self.address = f"{self.folder.name}/venue"
        command = [sys.executable, "-m", "tests.services.kill_venue", self.address, "1", "calm"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"listening\n"
        self.asking = Client(self.address, "AF_UNIX")

    def adapter(self, who: str) -> Any:
        return SocketAdapter(self.address)

    def wait(self, done: Callable[[], bool]) -> bool:
        until = time.monotonic() + PATIENCE_S
        while not done() and time.monotonic() < until:
            time.sleep(0.002)
        return done()

    def rest(self) -> None:
        time.sleep(REST_S)

    def resting(self) -> dict[int, int]:
        self.asking.send(("facts",))
        return {one: lots for one, (_, lots) in self.asking.recv()["resting"].items()}

    def fill(self, order_id: int, qty: int) -> None:
        self.asking.send(("fill", order_id, qty))

    def drop(self) -> None:
        self.asking.send(("drop",))

    def end(self) -> None:
        self.asking.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.folder.cleanup()


Venue = Model | InMemory | Process
VENUES: dict[str, type[Venue]] = {"model": Model, "loop-back": InMemory, "process": Process}


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> Iterator[Venue]:
    made = VENUES[request.param]()
    yield made
    made.end()


class Gateway:
    """One side of the wire: an adapter, and who hears it."""

    def __init__(self, venue: Venue, who: str = "a") -> None:
        self.venue, self.adapter, self.heard = venue, venue.adapter(who), Heard()
        self.fence = 0

    def begin(self, fence: int) -> None:
        """A session that is up and settled."""
        ups = self.heard.count("up") + 1
        self.fence = fence
        self.adapter.begin(fence, self.heard)
        assert self.venue.wait(lambda: self.heard.count("up") == ups)
        self.ask(100 + ups, {})

    def send(self, order_id: int, kind: int = NEW, qty: int = 5, price: int = 900) -> Reason:
        row = np.zeros(1, OUTBOUND)
        given = {"kind": int(kind), "order_id": order_id, "cmd_id": order_id * 10 + int(kind)}
        given |= {"price": price, "qty": qty, "tif": int(Tif.GTC), "fence": self.fence}
        for name, value in (given | {"order_type": int(OrderType.LIMIT)}).items():
            row[name] = value
        (reason,) = self.adapter.submit(row)
        return Reason(reason)

    def rests(self, order_id: int, qty: int = 5) -> None:
        assert self.send(order_id, qty=qty) is Reason.OK
        self.hears("ACK", order_id)

    def hears(self, word: str, of: int = 0) -> None:
        assert self.venue.wait(lambda: self.heard.count(word, of) > 0), (word, of, self.heard.said)

    def ask(self, token: int, filled: dict[int, int]) -> list[tuple[str, int, dict[str, int]]]:
        """What it is told from the question on."""
        rows = np.zeros(len(filled), ORDER)
        rows["order_id"], rows["filled_qty"] = list(filled), list(filled.values())
        before = len(self.heard.said)
        self.adapter.ask(token, rows)
        self.hears("end", token)
        return self.heard.said[before:]


def test_commands_are_taken_once_in_order_and_answered_by_number(venue: Venue) -> None:
    one = Gateway(venue)
    one.begin(1)
    one.rests(10)
    one.rests(11)
    assert one.send(10, AMEND, qty=7, price=901) is Reason.OK
    one.hears("AMENDED", 10)
    assert venue.resting() == {10: 7, 11: 5}
    venue.fill(10, 2)
    one.hears("FILL", 10)
    assert one.send(11, CANCEL) is Reason.OK
    one.hears("CANCELLED", 11)
    assert venue.resting() == {10: 5}
    answers = [one for one in one.heard.said if "seq" in one[2]]
    numbers = dict.fromkeys((fields["session"], fields["seq"]) for _, _, fields in answers)
    first = next(iter(numbers))
    assert list(numbers) == [(first[0], first[1] + k) for k in range(len(numbers))] != []
    words = dict.fromkeys(said[:2] for said in answers)
    assert list(words) == [
        ("ACK", 10),
        ("ACK", 11),
        ("AMENDED", 10),
        ("FILL", 10),
        ("CANCELLED", 11),
    ]
    (fill,) = {said[2]["total_qty"] for said in answers if said[0] == "FILL"}
    assert fill == 2


def test_a_question_tells_fills_then_each_order_then_what_else_rests_and_its_end(
    venue: Venue,
) -> None:
    one = Gateway(venue)
    one.begin(1)
    for order_id in (20, 21, 23):
        one.rests(order_id)
    venue.fill(20, 2)
    one.hears("FILL", 20)
    one.send(21, CANCEL)
    one.hears("CANCELLED", 21)
    said = one.ask(7, {20: 0, 21: 0, 22: 0})
    at = {one[:2]: place for place, one in enumerate(said)}
    assert said[-1][:2] == ("end", 7)
    assert at["FILL", 20] < at["RESTS", 20] and said[at["FILL", 20]][2]["total_qty"] == 2
    told = {who: fields for what, who, fields in said if "token" in fields}
    assert {fields["token"] for fields in told.values()} == {7}
    assert (told[20]["qty"], told[20]["total_qty"], told[20]["price"]) == (3, 2, 900)
    assert ("ENDED", 21) in at and told[21]["value"] == ResponseKind.CANCELLED
    assert ("NEVER_SEEN", 22) in at
    assert ("RESTS", 23) in at, "it was not asked for, and rests under our name"
    assert not any(one[0] == "FILL" for one in one.ask(8, {20: 2})), "that one is known"


def test_a_session_that_breaks_is_told_and_takes_nothing_until_it_has_begun_again(
    venue: Venue,
) -> None:
    one = Gateway(venue)
    one.begin(1)
    one.rests(30)
    venue.drop()
    one.hears("down")
    one.send(31)
    venue.rest()
    assert venue.resting() == {30: 5}
    venue.fill(30, 4)
    one.begin(1)
    venue.rest()
    assert venue.resting() == {30: 1}
    said = one.ask(9, {30: 0})
    assert [one[2]["total_qty"] for one in said if one[0] == "FILL"] == [4], "nobody heard it"
    one.rests(32)


def test_from_up_on_nothing_that_was_sent_before_arrives(venue: Venue) -> None:
    one = Gateway(venue)
    one.begin(1)
    for order_id in range(40, 60):
        one.send(order_id)
    one.begin(1)  # without waiting for any of them
    there = venue.resting()
    venue.rest()
    assert venue.resting() == there


def test_who_has_a_lower_fence_is_not_obeyed_and_ends_nobodys_session(venue: Venue) -> None:
    old, new = Gateway(venue, "a"), Gateway(venue, "b")
    old.begin(1)
    new.begin(2)
    old.send(70)
    old.adapter.begin(1, old.heard)
    venue.rest()
    assert old.heard.count("up") == 1
    old.send(71)
    venue.rest()
    assert venue.resting() == {}
    new.rests(72)
    assert venue.resting() == {72: 5}


def test_after_its_close_nothing_is_called(venue: Venue) -> None:
    one, other = Gateway(venue, "a"), Gateway(venue, "b")
    one.begin(1)
    one.rests(80)
    one.adapter.close()
    said = list(one.heard.said)
    other.begin(1)
    venue.fill(80, 1)
    other.send(80, CANCEL)
    other.hears("CANCELLED", 80)
    venue.rest()
    assert one.heard.said == said


def test_the_suite_finds_a_venue_that_obeys_anybody() -> None:
    """What must fail: the same checks on a venue that looks at no fence."""
    venue = Model()
    venue.venue.logon = lambda fence: True  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        test_who_has_a_lower_fence_is_not_obeyed_and_ends_nobodys_session(venue)
