"""A gateway's journal written by hand: seeded rows of a desk, in lives and groups, on any disk."""

import itertools
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hft.core.codes import IntentType, ResponseKind
from hft.core.dtypes import INSTRUMENT
from hft.gateway.resolve import ResolvedLimits
from hft.services.checkpointer import Checkpointer
from hft.services.desk_file import keep_plan
from hft.services.history import TOPIC, History
from hft.storage.commit import GROUP_KIND
from hft.storage.disk import REAL, Disk
from hft.storage.groups import FIRST
from hft.storage.log import LogWriter
from hft.trading.desk import Desk
from hft.trading.inputs import SCHEMA, InputKind, heard, rows_of
from tests.naive.gateway import Rules
from tests.naive.gateway_rows import resolved

S = 1_000_000_000
ACCOUNT = "account0"
RULES = Rules(dedup_window=50, long_max=60, short_max=60, per_s=1000)


def limits(**changes: Any) -> ResolvedLimits:
    made = resolved(Rules(**{**vars(RULES), **changes}))
    made.config[0]["limits_hash"] = 1 + abs(hash(tuple(sorted(changes.items())))) % 10**9
    return made


def desk(**changes: Any) -> Desk:
    rows = np.zeros(2, INSTRUMENT)
    rows["money_per_tick_lot"] = 10
    rows["symbol_key"] = (11, 12)
    given: dict[str, Any] = {"accounts": [ACCOUNT], "strategies": ["maker", "taker"]}
    given |= {"order_capacity": 64, "dedup_window": 50, "room": 8}
    return Desk(rows, changes.pop("limits", limits()), **(given | changes))


class Day:
    """A desk that trades: what it hears is drawn, and some of its orders are answered."""

    def __init__(self, seed: int, of: Desk | None = None) -> None:
        self.random, self.desk = Random(seed), of or desk()
        self.now = max(self.desk.now_ns, 1_700_000_000 * S)

    def life(self) -> np.ndarray:
        return self._heard(self.desk.begin(self.now))

    def rows(self, count: int) -> np.ndarray:
        """So many rows, applied to the desk."""
        return np.concatenate([self._heard(self._row()) for _ in range(count)])

    def _heard(self, rows: np.ndarray) -> np.ndarray:
        self.desk.apply(rows)
        return rows

    def _row(self) -> np.ndarray:
        draw, self.now = self.random, self.now + self.random.randrange(S)
        working = self.desk.working()
        if len(working) and draw.random() < 0.4:
            return self._answer(working[draw.randrange(len(working))])
        if draw.random() < 0.1:
            return rows_of(InputKind.TICK, self.now)
        side, next_id, key = draw.randrange(2), self.desk.next_id, draw.randrange(80)
        what, who = draw.randrange(2), draw.randrange(2)
        fields = {"intent_id": next_id, "next_id": next_id + 1, "strategy_idx": who, "side": side}
        fields |= {"instrument_idx": what, "price": 1000 + (2 * side - 1) * draw.randrange(1, 9)}
        fields |= {"qty": draw.randrange(1, 9), "order_type": 1, "key_hi": key, "key_lo": key}
        fields |= {"bid_tick": 999, "ask_tick": 1001, "valid": 1, "touch_ns": self.now}
        if len(working) and draw.random() < 0.4:
            order = working[draw.randrange(len(working))]
            fields["intent_type"] = draw.choice((IntentType.CANCEL, IntentType.AMEND))
            fields["target_id"] = order["order_id"]
            fields |= {name: order[name] for name in ("strategy_idx", "instrument_idx", "side")}
        return rows_of(InputKind.INTENT, self.now, **fields)

    def _answer(self, order: Any) -> np.ndarray:
        kinds = (ResponseKind.ACK, ResponseKind.FILL, ResponseKind.CANCELLED)
        kind = self.random.choice(kinds)
        given = {"order_id": order["order_id"], "code": kind, "price": order["price"]}
        return heard(InputKind.ANSWER, self.now, **given, qty=max(1, int(order["held_qty"]) // 2))


class Folder:
    """The journal of one account as its writers leave it."""

    def __init__(self, path: Path, disk: Disk = REAL, segment_bytes: int = 6000) -> None:
        self.path, self.disk, self.segment_bytes = path, disk, segment_bytes
        self.next, self.fence = 1, 0
        self.schema = SCHEMA

    def begin(self, copied: np.ndarray | None = None) -> LogWriter:
        """A life; with the rows of the last group it begins with their copy."""
        self.fence += 1
        log = self.open()
        if copied is not None:
            self._append(log, self.next - len(copied), copied.tobytes())
        return log

    def open(self, fence: int | None = None, account: str = ACCOUNT) -> LogWriter:
        return LogWriter(
            self.path / f"{fence or self.fence:020d}",
            TOPIC,
            schema=self.schema,
            owner=account,
            segment_bytes=self.segment_bytes,
            fsync="always",
            disk=self.disk,
        )

    def write(self, log: LogWriter, rows: np.ndarray, size: int = 7) -> np.ndarray:
        """Rows in groups of this size; returns the last group."""
        for at in range(0, len(rows), size):
            self._append(log, self.next, rows[at : at + size].tobytes())
            self.next += len(rows[at : at + size])
        return rows[at:]

    def _append(self, log: LogWriter, first: int, data: bytes) -> None:
        log.append(1, GROUP_KIND, FIRST.pack(first) + data)

    def history(self) -> History:
        return History(self.path, ACCOUNT, disk=self.disk)

    def checkpointer(self, **options: Any) -> Checkpointer:
        return Checkpointer(self.path, ACCOUNT, disk=self.disk, **options)


def written(path: Path, seed: int = 1, lives: int = 3, each: int = 60) -> tuple[Folder, Day]:
    """A journal of some lives, and the day that it is of."""
    day, folder = Day(seed), Folder(path)
    path.mkdir(parents=True, exist_ok=True)
    keep_plan(day.desk, path, ACCOUNT)
    copied: np.ndarray | None = None
    for _ in itertools.repeat(None, lives):
        log = folder.begin(copied)
        copied = folder.write(log, np.concatenate([day.life(), day.rows(each)]))
        log.close()
    return folder, day
