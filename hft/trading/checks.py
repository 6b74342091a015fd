"""May these input rows be applied? All are looked at before the first one changes anything.

What a gateway may be asked and refuses by itself is not looked for here: a refusal is a `Reason`.
"""

from typing import Any

from hft.core.codes import ControlKind, Reason
from hft.core.dtypes import Row
from hft.core.jit import address_of, kernel, record_at
from hft.trading.inputs import EPOCH_MAX, HEARD, InputKind, Named

_LIFE = InputKind.LIFE.value
_NAME = InputKind.NAME.value
_TOUCH = InputKind.TOUCH.value
_WAKE = InputKind.WAKE.value
_INTENT = InputKind.INTENT.value
_ANSWER = InputKind.ANSWER.value
_CONTROL = InputKind.CONTROL.value
_UNSENT = InputKind.UNSENT.value
_STRATEGY = Named.STRATEGY.value
_INSTRUMENT = Named.INSTRUMENT.value
_LIMITS = ControlKind.LIMITS.value
_OK = Reason.OK.value

# What `check` finds.
FINE = 0
HAS_LIMITS = 1  # fine, and other limits are to be put in force
BAD_KIND = 2
BAD_TIME = 3
BAD_INSTRUMENT = 4
BAD_STRATEGY = 5
BAD_ACCOUNT = 6
BAD_EPOCH = 7
BAD_CONFIGURATION = 8
BAD_INDEX = 9
BAD_NAME = 10
NO_LIFE = 11
BAD_CODE = 12
FINDINGS = 16

_heard_at = record_at(HEARD)
_BYTES = HEARD.itemsize
_LEAST, _MOST = min(Named).value, max(Named).value


@kernel(inline=True)
def heard_row(rows: Any, k: int) -> Row:
    """Row `k` as what a venue said."""
    return _heard_at(address_of(rows) + k * _BYTES)


@kernel
def name_index(desk: Any, code: int, index: int) -> int:
    """Where a NAME row's key is kept; -1: nothing has this index."""
    accounts = len(desk.sessions)
    config = desk.trading.gw.config[0]
    if code == _INSTRUMENT:
        first, count = accounts + config["n_strategies"], config["n_instruments"]
    elif code == _STRATEGY:
        first, count = accounts, config["n_strategies"]
    else:
        first, count = 0, accounts
    return first + index if 0 <= index < count and _LEAST <= code <= _MOST else -1


@kernel
def check(desk: Any, rows: Any, count: int) -> int:
    """Can all rows be applied? Returns: FINE, HAS_LIMITS, or 16 x (index + 1) + what is wrong."""
    head = desk.head[0]
    now_ns, epoch = head["now_ns"], head["epoch"]
    fine = FINE
    for k in range(count):
        row = rows[k]
        found = _check_row(desk, rows, k, now_ns, epoch)
        if found > HAS_LIMITS:
            return FINDINGS * (k + 1) + found
        fine = max(fine, found)
        now_ns = row["ts_ns"]
        if row["kind"] == _LIFE:
            epoch = row["value"]
    return fine


@kernel(inline=True)
def _check_row(desk: Any, rows: Any, k: int, now_ns: int, epoch: int) -> int:
    row, config = rows[k], desk.trading.gw.config[0]
    kind = row["kind"]
    if row["ts_ns"] < now_ns:
        return BAD_TIME
    if kind == _INTENT or kind == _TOUCH:
        if row["instrument_idx"] < 0 or row["instrument_idx"] >= config["n_instruments"]:
            return BAD_INSTRUMENT
    elif kind < _LIFE or kind > _UNSENT:
        return BAD_KIND
    elif kind == _WAKE:
        if row["strategy_idx"] < 0 or row["strategy_idx"] >= config["n_strategies"]:
            return BAD_STRATEGY
    elif kind == _ANSWER:
        account = heard_row(rows, k)["account_idx"]
        if account < 0 or account >= config["n_accounts"]:
            return BAD_ACCOUNT
    elif kind == _UNSENT:
        if row["code"] <= _OK or row["code"] >= len(desk.trading.gw.counts):
            return BAD_CODE
    elif kind == _CONTROL and row["code"] == _LIMITS:
        return HAS_LIMITS if epoch > 0 else NO_LIFE
    elif kind == _NAME:
        at = name_index(desk, row["code"], row["target_id"])
        if at < 0:
            return BAD_INDEX
        if desk.names[at] != 0 and desk.names[at] != row["value"]:
            return BAD_NAME
    elif kind == _LIFE:
        if row["value"] <= epoch or row["value"] > EPOCH_MAX:
            return BAD_EPOCH
        if row["key_lo"] != desk.head[0]["configuration"]:
            return BAD_CONFIGURATION
        return FINE
    return FINE if epoch > 0 else NO_LIFE
