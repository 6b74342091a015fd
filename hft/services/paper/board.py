"""How a session is, in a scoreboard that others read without asking."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError, Unavailable
from hft.core.numbers import money_digits
from hft.metrics.gateway import gateway_tables, unknown_keys
from hft.replay.paced import Paced, Slice
from hft.services.page import page
from hft.services.paper.session import ENDINGS, PaperSession
from hft.services.scoreboard import Reader, Scoreboard

FILE = "board"
EVERY_NS = 250_000_000
SESSION = np.dtype(
    [
        (name, np.int64)
        for name in (
            "life",
            "ending",  # of ENDINGS
            "tape_ns",
            "behind_ns",  # of the tape, that the process is late
            "speed_e3",
            "held",  # commands on the way to the venue that wait for the disk
            "dead_ns",
            "inputs",
            "unknown_keys",
        )
    ],
    align=True,
)


class Board:
    """The writer's side, in the home of a session."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._own = np.zeros(1, SESSION)
        self._board: Scoreboard | None = None
        self._shown_ns = 0

    def show(self, session: PaperSession, paced: Paced, reached: Slice) -> None:
        """Write a page, a few times a second. Raises: JournalError when the file cannot be made."""
        now_ns = time.time_ns()
        over = reached.ended
        if now_ns - self._shown_ns < EVERY_NS and not over:
            return
        self._shown_ns = now_ns
        self._board = self._board or self._begun(session, paced)
        row = self._own[0]
        row["life"] = session.journal.history.lives + 1
        row["ending"] = ENDINGS.index(session.ending or (ENDINGS[1] if reached.ended else ""))
        row["tape_ns"] = reached.at_ns
        row["behind_ns"] = 0 if over else max(0, session.clock.at(now_ns) - reached.at_ns)
        row["speed_e3"] = session.clock.speed_e3
        row["held"] = reached.held
        row["dead_ns"], row["inputs"] = session.dead_ns, session.inputs
        row["unknown_keys"] = unknown_keys(paced.session.engine.trading.gw)
        self._board.write(now_ns)

    def _begun(self, session: PaperSession, paced: Paced) -> Scoreboard:
        instruments = [source.instrument for source in paced.session.sources]
        facts = {
            "session": session.plan.session,
            "endings": list(ENDINGS),
            "symbols": [one.symbol for one in instruments],
            "strategies": list(session.job.strategies),
            "digits": money_digits(instruments),
        }
        tables = gateway_tables(paced.session.engine.trading) | session.stages.columns()
        return Scoreboard(self._path, tables | {"session": self._own}, facts)


def read_board(home: Path) -> dict[str, Any]:
    """The newest page. Raises: Unavailable where none was ever written."""
    path = home / FILE
    if not path.exists():
        raise Unavailable(f"{home}: no gateway has run here; start one with `hft gateway run`")
    try:
        reader = Reader(path)
        try:
            return page(reader.read())
        finally:
            reader.close()
    except (DataError, KeyError) as error:
        raise Unavailable(f"{path}: cannot be read ({error}); start the gateway again") from None
