"""A gateway as a process under load, to be killed: `python -m ... FOLDER SOCKET SEED load|look`.

It says on its output when it is ready, and each answer to a submitter once that is given; with
`look` it decides nothing, says what it believes when all is told, and ends.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Sequence
from decimal import Decimal
from multiprocessing.connection import Client, Connection
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hft.core.codes import IntentType, Reason, ResponseKind, Tif
from hft.services.callbacks import Callbacks
from hft.services.channel import LocalIntentChannel, QueueFull
from hft.services.journal import Journal
from hft.services.lease.file_lease import FileLease
from hft.services.life import Options
from hft.services.ports import World
from hft.services.service import GatewayService
from hft.services.typed import MARKER, PRICE_X, TypedIntents
from hft.trading.inputs import Outcome
from tests.naive.gateway import Rules
from tests.simulation.link import BLANK, commands_of, outcome_of
from tests.simulation.product import Product
from tests.simulation.venue import Answer

OPTIONS = Options(tick_ns=50_000_000, holdoff_ns=0, retry_ns=20_000_000, close_on_stop=False)
BATCH, PAUSE_S = 6, 0.002


class SocketAdapter:
    """An `OrderAdapter` to the venue process; a thread hears it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connection: Connection | None = None
        self._sending = threading.Lock()
        self._session = 0  # what an earlier one still hears is nobody's

    def begin(self, fence: int, heard: Callbacks) -> None:
        self._session += 1
        try:
            connection = Client(self.address, "AF_UNIX")
            connection.send(("logon", fence))
        except OSError as error:
            heard.down(str(error))
            return
        self._connection = connection
        given = (connection, heard, self._session)
        threading.Thread(target=self._hear, args=given, daemon=True).start()

    def submit(self, commands: np.ndarray) -> Sequence[Reason]:
        return [self._send(("command", *command)) for command in commands_of(commands)]

    def ask(self, token: int, orders: np.ndarray) -> None:
        filled = {int(row["order_id"]): int(row["filled_qty"]) for row in orders}
        self._send(("ask", token, filled))

    def close(self) -> None:
        self._session += 1
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _send(self, said: tuple[Any, ...]) -> Reason:
        try:
            if self._connection is None:
                return Reason.VENUE_DOWN
            with self._sending:
                self._connection.send(said)
        except OSError:
            self._connection = None
        return Reason.OK  # it may have left

    def _hear(self, connection: Connection, heard: Callbacks, session: int) -> None:
        early: list[Answer] | None = []  # until the first question is answered
        try:
            while True:
                kind, *said = connection.recv()
                if session != self._session:
                    return
                if kind == "up":
                    heard.up()
                elif kind == "answer" and early is not None:
                    early.append(Answer(*said))
                elif kind == "answer":
                    _answer(heard, Answer(*said))
                else:
                    _told(heard, *said)
                    early = None
        except (EOFError, OSError) as error:
            if session == self._session:
                heard.down(f"the connection ended: {error}")


def _answer(heard: Callbacks, answer: Answer) -> None:
    fields = answer._asdict()
    heard.answer(ResponseKind(fields.pop("code")), fields.pop("order_id"), **fields)


def _told(
    heard: Callbacks,
    token: int,
    filled: dict[int, int],
    fills: list[Answer],
    orders: dict[int, Any],
) -> None:
    for answer in fills:
        _answer(heard, answer._replace(session=0, seq=0))
    for order_id in sorted({*filled, *orders}):
        outcome, fields = outcome_of(orders.get(order_id, BLANK), order_id in orders)
        heard.told(token, Outcome(outcome), order_id, **fields)
    heard.end(token)


def made(folder: Path, address: str) -> GatewayService:
    """The service of this process."""
    setting = type("Setting", (), {"rules": Rules(dedup_window=100_000), "room": 64})()
    world = World(time.time_ns, lambda alert: None, asyncio.to_thread, lambda table, row: None)
    typed = TypedIntents(["strategy0", "strategy1"], {"I0": Decimal(1), "I1": Decimal(1)})
    return GatewayService(
        Product().desk(setting),
        Journal(folder / "journal", "account0", shared=True),
        SocketAdapter(address),
        LocalIntentChannel(world.now_ns, ttl_ns=0),
        typed,
        FileLease(folder / "lease"),
        world,
        OPTIONS,
    )


def say(*words: Any) -> None:
    """One line for whoever started this process, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def load(service: GatewayService, random: Random, life: str) -> None:
    """Quotes, takes, cancels and amends without end; now and then a key once more."""
    number, last = 0, None
    for at, mid in enumerate((1000, 500)):
        service.hear_touch(at, bid_tick=mid - 1, ask_tick=mid + 1, valid=1, ts_ns=time.time_ns())
    while True:
        orders = service.desk.working()["order_id"].tolist()
        for _ in range(BATCH):
            number += 1
            intent = last if last and random.random() < 0.1 else _drawn(random, orders)
            key = intent[-2] or f"{life}:{number}"
            last = (*intent[:-2], key, 0)
            try:
                service.submit(last, _teller(key))
            except QueueFull:
                break
        await asyncio.sleep(PAUSE_S * random.random())


def _drawn(random: Random, orders: list[int]) -> tuple[Any, ...]:
    at, side = random.randrange(2), random.randrange(2)
    mid = (1000, 500)[at]
    price = mid - random.randint(-1, 6) if side == 0 else mid + random.randint(-1, 6)
    kind, tif, target = IntentType.NEW, random.choice((Tif.GTC, Tif.GTC, Tif.IOC)), ""
    if orders and (len(orders) > 60 or random.random() < 0.4):
        kind = random.choice((IntentType.CANCEL, IntentType.AMEND))
        target = str(random.choice(orders))
    head = (MARKER, 1, f"strategy{random.randrange(2)}", f"I{at}", kind.value, side)
    return (*head, price * PRICE_X, random.randint(1, 9), tif.value, target, 0, 0, "", "", "", 0)


def _teller(key: str) -> Any:
    def told(reason: Reason, said: Any) -> None:
        if said is not None:
            say("told", key, reason.name, said.cmd_id)

    return told


async def main(folder: Path, address: str, seed: int, mode: str) -> None:
    """Lead, be ready, and trade until killed; or look and end."""
    began = time.perf_counter()
    service = made(folder, address)
    await service.start()
    running = asyncio.create_task(service.run())
    while not service.is_ready:
        await asyncio.sleep(0.001)
    say("ready", time.perf_counter() - began, service.desk.inputs)
    if mode == "load":
        await asyncio.gather(running, load(service, Random(seed), str(seed)))
    await asyncio.sleep(0.3)
    desk = service.desk
    positions = ",".join(map(str, desk.trading.positions["qty"].tolist()))
    resting = [f"{o['order_id']}:{o['qty'] - o['filled_qty']}" for o in desk.working()]
    say("believes", positions, *resting)


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(Path(given[0]), given[1], int(given[2]), given[3]))
