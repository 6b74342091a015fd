"""Run folders made of synthetic records, for tests of what a run leaves behind: no engine, no tape.

A random walk of the mid; a quoter that sends one buy and one sell a wake-up, cancels what rests and
is filled now and then. The rows have the shape that the engine writes.
"""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from naive.step import blank_step

from hft.core.codes import (
    IntentType,
    Liquidity,
    OrderType,
    Reason,
    ResponseKind,
    StepKind,
    Tif,
    WakeCause,
)
from hft.core.dtypes import FILL, STEP
from hft.core.instruments import Instrument
from hft.replay.state import EQUITY, SERIES
from hft.runs.folder.names import RunNames
from hft.runs.folder.writer import RunWriter
from hft.runs.result import Run

START_NS = 1_723_075_200_000_000_000
SECOND = 1_000_000_000
BTC = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"), currency="USDT", venue="made")
NAMES = RunNames((BTC,), ("market_making",), 5, (("fair", "half"),))
PER_TICK_LOT = 10  # 0.1 x 0.001 USDT in units of 1e-5
ENTRY_NS = RESPONSE_NS = 2_000_000


@dataclass
class Records:
    steps: np.ndarray
    fills: np.ndarray
    equity: np.ndarray
    series: np.ndarray


class _Author:
    """Writes rows as the engine would."""

    def __init__(self) -> None:
        self.steps: list[np.ndarray] = []
        self.fills: list[tuple[int, ...]] = []
        self.equity: list[tuple[int, ...]] = []
        self.series: list[tuple[Any, ...]] = []
        self.position = self.cash = self.realized = self.cost = self.fees = 0

    def note(self, kind: int, ts: int, **fields: int) -> None:
        step = blank_step()
        seq = len(self.steps) + 1
        step["seq"], step["ts_ns"], step["kind"], step["rows"] = seq, ts, kind, seq * 100
        step["strategy_idx"] = 0
        step["instrument_idx"] = -1 if kind == StepKind.WAKE else 0
        for name, value in fields.items():
            step[name] = value
        step["mix_lo"] = seq * 7919 + int(step["price"]) * 31 + int(step["code"])
        step["mix_hi"] = int(step["mix_lo"]) ^ 0x5555
        self.steps.append(step)

    def fill(self, ts: int, order_id: int, side: int, price: int, mid2: int, taker: bool) -> None:
        fill_id = len(self.fills) + 1
        fee = price * PER_TICK_LOT * (40 if taker else 2) // 100_000
        self.fees += fee
        signed = 1 if side == 0 else -1
        self.cash -= signed * price * PER_TICK_LOT
        self.position += signed
        role = int(Liquidity.TAKER if taker else Liquidity.MAKER)
        said = {"order_id": order_id, "code": int(ResponseKind.FILL), "side": side, "price": price}
        said |= {"qty": 1, "liquidity": role, "fill_id": fill_id}
        self.note(int(StepKind.FILL), ts - RESPONSE_NS, **said)
        self.note(int(StepKind.RESPONSE), ts, **said, fee_money=fee)
        self.fills.append(
            (
                *(fill_id, order_id, order_id, 0, 0, 0, side, price, 1, fee, 0, role),
                *(ts - RESPONSE_NS, ts, mid2, self.position),
            )
        )

    def sample(self, ts: int, mid2: int) -> None:
        marked = self.cash + self.position * mid2 * PER_TICK_LOT // 2
        self.equity.append(
            (ts, 0, 0, self.position, 0, marked, self.fees, mid2, mid2 // 2, mid2 - mid2 // 2)
        )
        self.series.append((ts, 0, (mid2 / 2, 1.5, 0, 0, 0, 0, 0, 0)))

    def records(self) -> Records:
        return Records(
            np.array(self.steps, STEP),
            np.array(self.fills, FILL),
            np.array(self.equity, EQUITY),
            np.array(self.series, SERIES),
        )


def records(seed: int = 0, wakes: int = 600, refused: float = 0.02) -> Records:
    """`wakes` seconds of quoting; every NEW is decided, arrives, is acknowledged, ends."""
    rng, author = np.random.default_rng(seed), _Author()
    mid2, next_id = 2 * 573_000, 1
    for k in range(wakes):
        ts = START_NS + (k + 1) * SECOND
        mid2 += 2 * int(rng.integers(-4, 5))
        author.note(int(StepKind.WAKE), ts, wake=k + 1, code=int(WakeCause.TIMER), intents=2)
        for side in (0, 1):
            price = mid2 // 2 + (-2 if side == 0 else 2)
            if rng.random() < refused:
                position, most = abs(author.position) + 3, 2
                wanted = asked(next_id, side, price, Reason.POSITION_LIMIT)
                author.note(int(StepKind.DECISION), ts, **wanted, measured=position, limit=most)
            else:
                _order(author, rng, ts, next_id, side, price, mid2)
            next_id += 1
        author.sample(ts + SECOND // 2, mid2)
    return author.records()


def asked(order_id: int, side: int, price: int, reason: Reason) -> dict[str, int]:
    """A NEW of one lot and what the gateway made of it."""
    what = {"intent_type": int(IntentType.NEW), "order_type": int(OrderType.LIMIT)}
    return what | {
        "order_id": order_id,
        "side": side,
        "price": price,
        "qty": 1,
        "tif": int(Tif.GTX),
        "code": int(reason),
    }


def _order(
    author: _Author, rng: Any, ts: int, order_id: int, side: int, price: int, mid2: int
) -> None:
    new, cancel = int(IntentType.NEW), int(IntentType.CANCEL)
    arrival, response = int(StepKind.ARRIVAL), int(StepKind.RESPONSE)
    arrived = ts + ENTRY_NS
    author.note(int(StepKind.DECISION), ts, **asked(order_id, side, price, Reason.OK))
    order = {"order_id": order_id, "side": side, "price": price, "qty": 1}
    author.note(arrival, arrived, **order, code=new, cmd_id=order_id)
    acked = arrived + RESPONSE_NS
    author.note(response, acked, **order, code=int(ResponseKind.ACK))
    if rng.random() < 0.3:
        taker = bool(rng.random() < 0.1)
        author.fill(acked + 50_000_000, order_id, side, price, mid2, taker)
    else:
        author.note(arrival, acked + 60_000_000, order_id=order_id, code=cancel, side=side)
        author.note(response, acked + 62_000_000, **order, code=int(ResponseKind.CANCELLED))


_LEG = {"kind": "constant", "base_ns": 2_000_000, "spread_ns": 0, "table": []}
MANIFEST: dict[str, Any] = {
    "key": "5e" * 32,
    "hashes": {"code": "c0" * 32, "config": "c1" * 32, "tapes": "ab" * 32, "seed": 0},
    "seed": 0,
    "config": {
        "strategies": {
            "market_making": {
                "params": {"half_ticks": 2.0, "lots": 1},
                "source": "def market_making(view, order, p, s): ...",
                "file": "somewhere.py",
            }
        },
        "venue": {
            "latency": dict.fromkeys(("entry", "amend", "cancel", "response"), _LEG),
            "queue": "risk_averse",
            "fills": "capped",
            "fees": {"maker_bps": "0.2", "taker_bps": "4"},
        },
        "limits": {"name": "research"},
        "faults": {},
    },
    "tapes": [{"path": "tapes/btc.tape.arrow", "rows": 1_234_567, "sha256": "ab" * 32}],
}


def write_run(
    out: Path,
    made: Records,
    *,
    record: str = "full",
    digest: str = "d1" * 32,
    run_id: str = "20260101T000000Z_5e5e5e5e",
    blocks: int = 7,
    partial: bool = False,
    manifest: dict[str, Any] | None = None,
) -> Run:
    """A sealed folder of these records, taken in `blocks` uneven parts through reused arrays."""
    writer = RunWriter(out, run_id, record, names=NAMES, manifest=MANIFEST, limits="name: made\n")
    take_all(writer, made, blocks)
    totals = {
        "events": 1_234_567,
        "steps": len(made.steps),
        "wakes": int((made.steps["kind"] == StepKind.WAKE).sum()),
        "decisions": int((made.steps["kind"] == StepKind.DECISION).sum()),
        "refused": int(((made.steps["kind"] == 1) & (made.steps["code"] != 0)).sum()),
        "reasons": _reasons(made.steps),
    }
    return Run.open(writer.seal(manifest or {}, digest, totals, partial=partial))


def _reasons(steps: np.ndarray) -> dict[str, int]:
    codes, counts = np.unique(steps["code"][steps["kind"] == StepKind.DECISION], return_counts=True)
    return dict(zip(map(str, codes.tolist()), counts.tolist(), strict=True))


def take_all(writer: RunWriter, made: Records, blocks: int = 7) -> None:
    """Hand the records over in parts; the buffers are overwritten, as the engine does."""
    arrays = (made.steps, made.fills, made.equity, made.series)
    for k in range(blocks):
        parts = [a[k * len(a) // blocks : (k + 1) * len(a) // blocks].copy() for a in arrays]
        writer.take(*parts)
        for part in parts:
            part[:] = np.zeros(1, part.dtype)
