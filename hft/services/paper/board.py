"""How a session is, in a file in memory that others read without asking: one page of JSON.

The writer makes the number in front odd, writes, and makes it even again: who reads it twice alike
and even has a page that nobody was writing.
"""

import json
import mmap
import os
import struct
import time
from pathlib import Path
from typing import Any

from hft.core.errors import Unavailable
from hft.core.json_text import line
from hft.replay.paced import Paced, Slice
from hft.runs.execute import totals
from hft.services.paper.session import PaperSession

FILE = "board"
ROOM = 1 << 16
HEAD = struct.Struct("<QQ")  # number, bytes of the page
EVERY_NS = 250_000_000
TRIES = 1000


class Board:
    """The writer's side. Units: as `totals`; times ns."""

    def __init__(self, home: Path) -> None:
        descriptor = os.open(home / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.ftruncate(descriptor, ROOM)
            self._map = mmap.mmap(descriptor, ROOM)
        finally:
            os.close(descriptor)
        self._number = HEAD.unpack_from(self._map)[0] | 1
        self._shown_ns = 0

    def show(self, session: PaperSession, paced: Paced, reached: Slice) -> None:
        """Write a page, a few times a second."""
        now_ns = time.time_ns()
        over = reached.ended or bool(session.ending)
        if now_ns - self._shown_ns < EVERY_NS and not over:
            return
        self._shown_ns = now_ns
        engine = paced.session.engine
        gw = engine.trading.gw
        self.write(
            {
                "session": session.plan.session,
                "pid": os.getpid(),
                "wall_ns": now_ns,
                "tape_ns": reached.at_ns,
                "behind_ns": 0 if over else max(0, session.clock.at(now_ns) - reached.at_ns),
                "speed": session.clock.speed_e3 / 1000,
                "life": session.journal.history.lives + 1,
                "ending": session.ending or ("the tapes ended" if reached.ended else ""),
                "working": int((gw.orders["order_id"] > 0).sum()),
                "held": reached.held,
                "mode": int(gw.head[0]["operator_mode"]),
                "trips": int(gw.head[0]["trips"]),
                "leader": int(gw.head[0]["leader"]),
                "fence": int(gw.head[0]["fence"]),
                "reserved_money": int(gw.head[0]["reserved_money"]),
                "notional_max_money": int(gw.config[0]["global_notional_max"]),
                "symbols": [source.instrument.symbol for source in paced.session.sources],
                "strategies": list(session.job.strategies),
                **totals(paced.session),
            }
        )

    def write(self, page: dict[str, Any]) -> None:
        """Replace the page; what does not fit is left out from its end."""
        text = line(page).encode()
        if len(text) > ROOM - HEAD.size:
            text = line({name: page[name] for name in ("session", "pid", "wall_ns")}).encode()
        HEAD.pack_into(self._map, 0, self._number, 0)
        self._map[HEAD.size : HEAD.size + len(text)] = text
        HEAD.pack_into(self._map, 0, self._number + 1, len(text))
        self._number += 2


def read_board(home: Path) -> dict[str, Any]:
    """The newest page. Raises: Unavailable where none was ever written."""
    path = home / FILE
    for _ in range(TRIES):
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if len(data) < HEAD.size or (
            HEAD.unpack_from(data)[1] == 0 and HEAD.unpack_from(data)[0] < 2
        ):
            raise Unavailable(f"{home}: no gateway has run here; start one with `hft gateway run`")
        number, size = HEAD.unpack_from(data)
        if number % 2 == 0 and size:
            page = data[HEAD.size : HEAD.size + size]
            if path.read_bytes()[: HEAD.size] == data[: HEAD.size]:
                found: dict[str, Any] = json.loads(page)
                return found
        time.sleep(0.0005)
    raise Unavailable(f"{path}: its writer died while it wrote; start the gateway again")
