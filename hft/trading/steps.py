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
    """The row to fill in: all fields blank but these. Mutates: trading.step."""
    trading.step[0] = trading.step[1]
    step = trading.step[0]
    step["kind"] = kind
    step["ts_ns"] = ts
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
