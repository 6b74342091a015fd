"""A record of the journal: a row with named fields, written in place and noted when it is whole."""

from typing import Any

import numpy as np

from hft.core import digest
from hft.core.codes import StepKind
from hft.core.dtypes import STEP, Row
from hft.core.jit import kernel, row_on_stack, seldom
from hft.gateway.alerts import take as take_alert
from hft.gateway.rows import KillScope
from hft.gateway.tables import enter

CODE_MAX = 32_767
_CODE = 0xFFFF
_GUARD = StepKind.GUARD.value
_STRATEGY = KillScope.STRATEGY.value
_SYMBOL = KillScope.SYMBOL.value


# Where a step is written: a kernel asks for it itself, `step_row()`, and fills it in.
step_row = row_on_stack(STEP)


@kernel(inline=True)
def new_step(step: Row, kind: int, ts: int) -> Row:
    """The row to fill in: all fields blank but these. Mutates: step.

    Field by field, as constants that the compiler sees: what the digest is made of then is known to
    it, and most of it never is in memory at all.
    """
    step["kind"] = kind
    step["ts_ns"] = ts
    step["order_id"] = 0
    step["target_id"] = 0
    step["wake"] = 0
    step["price"] = 0
    step["qty"] = 0
    step["cmd_id"] = 0
    step["fill_id"] = 0
    step["fee_money"] = 0
    step["measured"] = 0
    step["limit"] = 0
    step["value"] = 0
    step["strategy_idx"] = -1
    step["instrument_idx"] = -1
    step["target"] = 0
    step["intents"] = 0
    step["lost"] = 0
    step["code"] = 0
    step["side"] = -1
    step["intent_type"] = -1
    step["order_type"] = -1
    step["tif"] = -1
    step["liquidity"] = -1
    step["ignored"] = 0
    step["guard"] = 0
    step["scope"] = 0
    step["state"] = 0
    return step


@kernel(inline=True)
def copy_step(step: Row, row: Row) -> None:
    """Write a step into a row of a journal. Mutates: row."""
    row["ts_ns"] = step["ts_ns"]
    row["kind"] = step["kind"]
    row["order_id"] = step["order_id"]
    row["target_id"] = step["target_id"]
    row["wake"] = step["wake"]
    row["price"] = step["price"]
    row["qty"] = step["qty"]
    row["cmd_id"] = step["cmd_id"]
    row["fill_id"] = step["fill_id"]
    row["fee_money"] = step["fee_money"]
    row["measured"] = step["measured"]
    row["limit"] = step["limit"]
    row["value"] = step["value"]
    row["strategy_idx"] = step["strategy_idx"]
    row["instrument_idx"] = step["instrument_idx"]
    row["target"] = step["target"]
    row["intents"] = step["intents"]
    row["lost"] = step["lost"]
    row["code"] = step["code"]
    row["side"] = step["side"]
    row["intent_type"] = step["intent_type"]
    row["order_type"] = step["order_type"]
    row["tif"] = step["tif"]
    row["liquidity"] = step["liquidity"]
    row["ignored"] = step["ignored"]
    row["guard"] = step["guard"]
    row["scope"] = step["scope"]
    row["state"] = step["state"]


@kernel(inline=True)
def step_words(step: Row, key: int) -> Any:
    """What enters a digest of a step: two words. `key` is of its instrument's name, 0 for none."""
    word = digest.row_word(
        step["order_id"] * 64 + step["kind"],
        step["ts_ns"],
        np.int64(step["code"]),
        np.int64(step["side"]) + 1,
        step["price"],
        step["qty"],
    )
    rest = digest.rest_word(
        key,
        step["measured"],
        step["limit"],
        step["value"],
        step["fill_id"],
        step["fee_money"],
        step["cmd_id"] ^ (step["target_id"] << 32),
        _packed(step["intent_type"], step["order_type"], step["tif"], step["liquidity"]),
        _packed(step["ignored"], step["guard"], step["scope"], step["state"]) ^ step["target"],
    )
    return word, rest


@kernel(inline=True)
def _packed(a: int, b: int, c: int, d: int) -> Any:
    """Four small codes in one word."""
    low = (np.int64(a) & _CODE) | ((np.int64(b) & _CODE) << 16)
    return low | ((np.int64(c) & _CODE) << 32) | ((np.int64(d) & _CODE) << 48)


@kernel(inline=True)
def shown(code: int) -> int:
    """A code that was asked for, as a step can hold it: nonsense stays nonsense."""
    return max(-CODE_MAX, min(CODE_MAX, code))


@kernel(inline=True)
def note_guards(trading: Any, wiring: Any) -> None:
    """Journal what the gateway's guards did since last time. Mutates: trading."""
    head = trading.gw.head[0]
    if head["alerts"] != head["alerts_taken"]:
        _note_guards(trading, wiring)


@kernel
def _note_guards(trading: Any, wiring: Any) -> None:
    seldom()
    head = trading.gw.head[0]
    while head["alerts"] > head["alerts_taken"]:
        alert = take_alert(enter(trading.gw))
        step = new_step(step_row(), _GUARD, alert["ts_ns"])
        step["guard"] = alert["guard"]
        step["scope"] = alert["scope"]
        step["state"] = alert["state"]
        step["code"] = alert["cause"]
        step["measured"] = alert["measured"]
        step["limit"] = alert["limit"]
        if alert["scope"] == _STRATEGY:
            step["strategy_idx"] = alert["index"]
        if alert["scope"] == _SYMBOL:
            step["instrument_idx"] = alert["index"]
        else:
            step["target"] = alert["index"]
        wiring.note(wiring.outside, step)
