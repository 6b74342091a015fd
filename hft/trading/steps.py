"""A record of the journal: a row with named fields, written in place and noted when it is whole."""

from typing import Any

from hft.core.codes import StepKind
from hft.core.dtypes import Row
from hft.core.jit import kernel, out_of_line
from hft.gateway.alerts import take as take_alert
from hft.gateway.rows import KillScope
from hft.gateway.tables import enter

CODE_MAX = 32_767
_GUARD = StepKind.GUARD.value
_STRATEGY = KillScope.STRATEGY.value
_SYMBOL = KillScope.SYMBOL.value


@kernel(inline=True)
def new_step(trading: Any, kind: int, ts: int) -> Row:
    """The row to fill in: all fields blank but these. Mutates: trading.step.

    Field by field, as constants that the compiler sees: a copy of a blank row would be written with
    wide stores and then waited for when the digest reads it, and cannot be left out.
    """
    step = trading.step[0]
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
    out_of_line()
    head = trading.gw.head[0]
    while head["alerts"] > head["alerts_taken"]:
        alert = take_alert(enter(trading.gw))
        step = new_step(trading, _GUARD, alert["ts_ns"])
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
