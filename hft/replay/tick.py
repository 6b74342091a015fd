"""One record per step: into the running digest always, into the journal ring when it is kept.

A step enters the digest by what happened (kind, time, code, order, price, quantity), by the key of
its instrument's name, never by a table position or an address: an idle instrument, another batch
size or another run of the same work must give the same 128 bits.
"""

import numpy as np

from hft.core import digest
from hft.core.codes import StepKind
from hft.core.jit import kernel, out_of_line
from hft.market.book import tree_above
from hft.replay.state import Engine

_WAKE = StepKind.WAKE.value


@kernel
def note(
    engine: Engine,
    kind: int,
    ts: int,
    strategy_idx: int,
    instrument_idx: int,
    order_id: int,
    code: int,
    side: int,
    price: int,
    qty: int,
    aux0: int,
    aux1: int,
    aux2: int,
) -> None:
    """Account one step. Mutates: engine.lanes, engine.steps, clock["step"]."""
    word = digest.row_word(order_id * 64 + kind, ts, code, side + 1, price, qty)
    key = engine.trading.instruments[instrument_idx]["symbol_key"] if instrument_idx >= 0 else 0
    rest = digest.aux_word(key, aux0, aux1, aux2)
    low, high = digest.mix_words(engine.lanes[0], engine.lanes[1], word, rest)
    engine.lanes[0] = low
    engine.lanes[1] = high
    clock = engine.clock[0]
    clock["step"] += 1
    if clock["record"] > 1:
        _write(
            engine, kind, ts, strategy_idx, instrument_idx, order_id, code, side, price, qty,
            aux0, aux1, aux2,
        )  # fmt: skip


@kernel(inline=True)
def note_wake(engine: Engine, s: int, ts: int, cause: int, intents: int, lost: int) -> None:
    """Account a wake-up, and with it the book updates since the last one: count and mix.

    Only instruments that a strategy listens to count. Mutates: as `note`, and engine.traded.
    """
    clock = engine.clock[0]
    wake = engine.strategies[s]["woken"]
    instruments = len(engine.trading.touch)
    word = digest.row_word(wake * 64 + _WAKE, ts, cause, 1, lost, intents)
    low = engine.lanes[0]
    high = engine.lanes[1]
    for i in range(engine.trading.head[0]["listened"]):
        # The first instrument's mix takes the wake-up's own word along.
        mix = engine.mixes[i] if i > 0 else digest.row_add(engine.mixes[0], word)
        low, high = digest.mix_words(low, high, mix, engine.feeds[i]["seen"])
        engine.traded[s * instruments + i] = engine.trading.touch[i]["traded_lots"]
    engine.lanes[0] = low
    engine.lanes[1] = high
    clock["step"] += 1
    if clock["record"] > 1:
        _write(engine, _WAKE, ts, s, -1, wake, cause, 0, 0, 0, intents, lost, 0)


@kernel
def _write(
    engine: Engine,
    kind: int,
    ts: int,
    strategy_idx: int,
    instrument_idx: int,
    order_id: int,
    code: int,
    side: int,
    price: int,
    qty: int,
    aux0: int,
    aux1: int,
    aux2: int,
) -> None:
    """Append the journal record of the step just mixed. Mutates: engine.steps."""
    out_of_line()
    clock = engine.clock[0]
    row = engine.steps[clock["steps_len"]]
    clock["steps_len"] += 1
    row["seq"] = clock["step"]
    row["ts_ns"] = ts
    row["kind"] = kind
    row["strategy_idx"] = strategy_idx
    row["instrument_idx"] = instrument_idx
    row["order_id"] = order_id
    row["code"] = code
    row["side"] = side
    row["price"] = price
    row["qty"] = qty
    row["aux0"] = aux0
    row["aux1"] = aux1
    row["aux2"] = aux2
    row["rows"] = clock["rows"]
    row["mix_lo"] = digest.as_int(engine.lanes[0])
    row["mix_hi"] = digest.as_int(engine.lanes[1])


@kernel
def checkpoint(engine: Engine) -> None:
    """Fold the full state of what strategies listen to into the digest, and remember the lanes."""
    out_of_line()
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
