"""One record per step: into the running digest always, into the journal ring when it is kept.

A step enters the digest by what happened (kind, time, code, order, price, quantity), by the key of
its instrument's name, never by a table position or an address: an idle instrument, another batch
size or another run of the same work must give the same 128 bits.
"""

import numpy as np

from hft.core import digest
from hft.core.codes import StepKind
from hft.core.dtypes import Row
from hft.core.jit import kernel, out_of_line, seldom
from hft.market.tree import tree_above
from hft.replay.state import Engine
from hft.trading.steps import copy_step, new_step, step_row, step_words

_WAKE = StepKind.WAKE.value
_CONTROL = StepKind.CONTROL.value
_GUARD = StepKind.GUARD.value


@kernel(inline=True)
def note(engine: Engine, step: Row) -> None:
    """Account one step. Mutates: engine.lanes, engine.steps, clock["step"].

    Inside its callers what they have just written need not be read back from the row.
    """
    i = step["instrument_idx"]
    key = engine.trading.instruments[i]["symbol_key"] if i >= 0 else 0
    word, rest = step_words(step, key)
    low, high = digest.mix_words(engine.lanes[0], engine.lanes[1], word, rest)
    engine.lanes[0] = low
    engine.lanes[1] = high
    clock = engine.clock[0]
    clock["step"] += 1
    kept = clock["record"] > 0 and (step["kind"] == _CONTROL or step["kind"] == _GUARD)
    if kept or clock["record"] > 1:
        _keep(engine, step)


@kernel(inline=True)
def note_wake(engine: Engine, s: int, ts: int, cause: int, intents: int, lost: int) -> None:
    """Account a wake-up, and with it the book updates since the last one: count and mix.

    Only instruments that a strategy listens to count. Mutates: as `note`.
    """
    clock = engine.clock[0]
    wake = engine.strategies[s]["woken"]
    word = digest.row_word(wake * 64 + _WAKE, ts, cause, 1, lost, intents)
    low = engine.lanes[0]
    high = engine.lanes[1]
    for i in range(engine.trading.head[0]["listened"]):
        # The first instrument's mix takes the wake-up's own word along.
        mix = engine.mixes[i] if i > 0 else digest.row_add(engine.mixes[0], word)
        low, high = digest.mix_words(low, high, mix, engine.feeds[i]["seen"])
    engine.lanes[0] = low
    engine.lanes[1] = high
    clock["step"] += 1
    if clock["record"] > 1:
        step = new_step(step_row(), _WAKE, ts)
        step["strategy_idx"] = s
        step["wake"] = wake
        step["code"] = cause
        step["intents"] = intents
        step["lost"] = lost
        _keep(engine, step)


@kernel(inline=True)
def _keep(engine: Engine, step: Row) -> None:
    """Append the journal record of the step just mixed. Mutates: engine.steps."""
    row = engine.steps[engine.clock[0]["steps_len"]]
    copy_step(step, row)
    _kept(engine, row)


@kernel
def _kept(engine: Engine, row: Row) -> None:
    """What a record says of its place in the run. Mutates: row, clock["steps_len"]."""
    out_of_line()
    clock = engine.clock[0]
    row["seq"] = clock["step"]
    row["rows"] = clock["rows"]
    row["mix_lo"] = digest.as_int(engine.lanes[0])
    row["mix_hi"] = digest.as_int(engine.lanes[1])
    clock["steps_len"] += 1


@kernel
def checkpoint(engine: Engine) -> None:
    """Fold the full state of what strategies listen to into the digest, and remember the lanes."""
    seldom()
    clock = engine.clock[0]
    for i in range(engine.trading.head[0]["listened"]):
        _mix_book(engine, 2 * i)
    for s in range(clock["strategies"]):
        for i in range(engine.trading.head[0]["listened"]):
            row = engine.trading.positions[s * len(engine.trading.touch) + i]
            digest.mix(engine.lanes, row["qty"])
            digest.mix(engine.lanes, row["cost_money"])
            digest.mix(engine.lanes, row["realized_money"])
            digest.mix(engine.lanes, row["fees_money"])
    for account in range(clock["accounts"]):
        for i in range(engine.trading.head[0]["listened"]):
            for side in range(2):
                _mix_orders(engine, (account * len(engine.trading.touch) + i) * 2 + side)
    # A run longer than the table folds into it again: every checkpoint still counts.
    at = 2 * (clock["checkpoints"] % (len(engine.checkpoints) // 2))
    engine.checkpoints[at] ^= engine.lanes[0]
    engine.checkpoints[at + 1] ^= engine.lanes[1]
    clock["checkpoints"] += 1


@kernel
def _mix_orders(engine: Engine, at: int) -> None:
    slot = engine.trading.gw.heads[at]
    while slot >= 0:
        row = engine.trading.gw.orders[slot]
        digest.mix(engine.lanes, row["order_id"])
        digest.mix(engine.lanes, row["price"])
        digest.mix(engine.lanes, row["qty"] - row["filled_qty"])
        digest.mix(engine.lanes, row["status"])
        digest.mix(engine.lanes, row["reserved_money"])
        slot = row["next_slot"]


@kernel
def _mix_book(engine: Engine, book: int) -> None:
    head = engine.books.heads[book]
    for side in range(2):
        at = head["bits_at"] + side * head["tree_size"]
        position = tree_above(engine.books.bits, at, head["size"], -1)
        while position >= 0:
            digest.mix(engine.lanes, position + head["low"])
            digest.mix(
                engine.lanes,
                engine.books.qty[head["qty_at"] + side * head["size"] + position],
            )
            position = tree_above(engine.books.bits, at, head["size"], position)
    digest.mix(engine.lanes, head["bid"])
    digest.mix(engine.lanes, head["ask"])


def start_lanes(seed: int) -> np.ndarray:
    """The digest's lanes before the first step; the run's seed is the first thing in them."""
    lanes = np.array([digest.K1, digest.K2], np.uint64)
    digest.mix(lanes, seed)
    return lanes
