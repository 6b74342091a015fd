"""What a gateway hears, as rows of one size: the only way anything reaches its state.

A row is INPUT, or for what a venue says of an order HEARD: two views of the same 256 bytes that
begin alike. The rows of a journal applied in order give the state again, bit for bit. Nothing here
decides; `trading.apply` does.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from hft.core.dtypes import INTENT


def _row(*names: str) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names], align=True)


_HEAD = (
    "ts_ns",  # when the gateway took it in; never goes back
    "kind",  # InputKind
    "code",
    "value",
    "next_id",  # intents that are not there yet have ids from here on; 0: as before
    "queued",  # commands that were decided and not yet handed to the adapter
)
_INTENT = INTENT.names or ()
TOUCHED = ("bid_tick", "ask_tick", "valid", "touch_ns", "phase", "open_ns")
_SPARE = 32 - len(_HEAD) - 12

INPUT = _row(*_HEAD, *_INTENT, *TOUCHED)
HEARD = _row(
    *_HEAD,
    "account_idx",
    "order_id",
    "price",
    "qty",  # of a fill its own, of an order that was amended or rests what is open
    "total_qty",  # what the venue has filled of the order in all, this answer included; 0: not told
    "acted_ns",  # when the venue did what it tells
    "liquidity",  # of a fill, as the next two
    "fill_id",
    "mid2",
    "session",  # of the venue's numbering, which begins anew in each session
    "seq",  # its number of this answer; 0: it numbers none, or tells it because we asked
    "cmd_id",  # UNSENT: the command
    *(f"spare_{k}" for k in range(_SPARE)),
)

# A command that may leave once input row `input` is durable.
OUTBOUND = _row(
    "cmd_id",  # epoch << EPOCH_SHIFT | number within the life
    "kind",  # IntentType
    "order_id",  # the order it makes or is about
    "account_idx",
    "strategy_idx",
    "instrument_idx",
    "side",
    "price",
    "qty",
    "tif",
    "order_type",
    "expire_ts_ns",
    "slot",
    "fence",
    "decided_ns",
    "deadline_ns",  # 0: none
    "input",
)

SCHEMA = b"input-1"  # names these rows in a journal; another number where they change
EPOCH_SHIFT = 36  # a key remembers 51 bits of a command's id
EPOCH_MAX = (1 << 15) - 1


class InputKind(IntEnum):
    """What one input row is about, and what its fields mean."""

    LIFE = 1  # a process begins: value = epoch, key_lo = configuration
    NAME = 2  # code = Named, target_id = index, value = key of the name
    TOUCH = 3  # the market of instrument_idx, as the gateway sees it from now on
    WAKE = 4  # strategy_idx is about to act: its marks, its profit, the market watch, trips
    INTENT = 5  # with the touch that it is decided on
    ANSWER = 6  # HEARD: code = ResponseKind
    CONTROL = 7  # code = ControlKind, target_id and value as `gateway.control.control` says
    TICK = 8  # time passes: as WAKE for each strategy
    RECONCILED = 9  # HEARD: what the venue says of an order when asked; code = Outcome
    UNSENT = 10  # HEARD: a command certainly never left; code = Reason, value = its IntentType


class Named(IntEnum):
    """What a NAME row names."""

    ACCOUNT = 0
    STRATEGY = 1
    INSTRUMENT = 2


class Outcome(IntEnum):
    """What a venue says of an order that we ask about, with all its fills told before."""

    RESTS = 0  # at `price`, with `qty` open
    ENDED = 1  # value = ResponseKind: CANCELLED, EXPIRED or REJECTED
    NEVER_SEEN = 2


def rows_of(kind: InputKind, ts_ns: int, count: int = 1, **fields: Any) -> np.ndarray:
    """INPUT rows of one kind; each field a number, or one for each row."""
    return _filled(INPUT, kind, ts_ns, count, fields)


def heard(kind: InputKind, ts_ns: int, **fields: Any) -> np.ndarray:
    """An INPUT row with what a venue said: ANSWER, RECONCILED or UNSENT."""
    return _filled(HEARD, kind, ts_ns, 1, fields).view(INPUT)


def intent_rows(intents: np.ndarray, touches: np.ndarray, ts_ns: int, **head: int) -> np.ndarray:
    """INTENT rows from intents and the TOUCH rows of all instruments, all decided at `ts_ns`."""
    rows = _filled(INPUT, InputKind.INTENT, ts_ns, len(intents), head)
    for name in _INTENT:
        rows[name] = intents[name]
    _set_touch(rows, touches[intents["instrument_idx"]])
    return rows


def touch_rows(touches: np.ndarray, changed: Sequence[int], ts_ns: int) -> np.ndarray:
    """TOUCH rows of the instruments that changed."""
    at = np.asarray(changed, np.int64)
    rows = _filled(INPUT, InputKind.TOUCH, ts_ns, len(at), {"instrument_idx": at})
    _set_touch(rows, touches[at])
    return rows


def _set_touch(rows: np.ndarray, touches: np.ndarray) -> None:
    for name in TOUCHED:
        rows[name] = touches["ts_ns" if name == "touch_ns" else name]


def _filled(
    dtype: np.dtype, kind: InputKind, ts_ns: int, count: int, fields: dict[str, Any]
) -> np.ndarray:
    rows = np.zeros(count, dtype)
    rows["ts_ns"], rows["kind"] = ts_ns, kind
    for name, value in fields.items():
        rows[name] = value
    return rows
