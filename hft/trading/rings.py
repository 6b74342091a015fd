"""Where a desk's commands and steps go: rings that are taken after each call, and the digest.

A command waits in its ring until the input row that led to it is durable; nothing here sends one.
"""

from typing import Any

from hft.core import digest
from hft.core.codes import Reason
from hft.core.dtypes import Row
from hft.core.jit import kernel, passed
from hft.trading.state import Wiring
from hft.trading.steps import copy_step, step_words

_OK = Reason.OK.value
_QUEUE_FULL = Reason.ORDER_QUEUE_FULL.value
_DEADLINE = Reason.COMMAND_DEADLINE.value


@kernel(inline=True)
def note(desk: Any, step: Row) -> None:
    """Account one step: into the digest always, into the ring while records are kept."""
    i = step["instrument_idx"]
    key = desk.trading.instruments[i]["symbol_key"] if i >= 0 else 0
    word, rest = step_words(step, key)
    low, high = digest.mix_words(desk.lanes[0], desk.lanes[1], word, rest)
    desk.lanes[0] = low
    desk.lanes[1] = high
    head = desk.head[0]
    head["steps"] += 1
    if head["keeps"] != 0:
        _keep(desk, step)


@kernel(inline=True)
def _keep(desk: Any, step: Row) -> None:
    head = desk.head[0]
    if head["steps_len"] >= len(desk.steps):
        head["steps_lost"] += 1
        return
    row = desk.steps[head["steps_len"]]
    head["steps_len"] += 1
    copy_step(step, row)
    row["seq"] = head["steps"]
    row["rows"] = head["inputs"]
    row["mix_lo"] = digest.as_int(desk.lanes[0])
    row["mix_hi"] = digest.as_int(desk.lanes[1])


@kernel(inline=True)
def send(desk: Any, order: Row, decision: Row, kind: int, reduces: bool, now_ns: int) -> int:
    """Hand an approved command out: it may leave once the row that led to it is durable.

    The last places are kept for getting out. Mutates: desk. Returns: a `Reason`.
    """
    head, gw = desk.head[0], desk.trading.gw.head[0]
    ahead = head["queued"] + head["row_commands"]
    room = 2 * head["room"] if reduces else head["room"]
    if ahead >= room:
        decision["measured"] = ahead + 1
        decision["limit"] = room
        return _QUEUE_FULL
    if 0 < decision["deadline_ns"] < now_ns + gw["latency_ns"]:
        decision["measured"] = gw["latency_ns"]
        decision["limit"] = decision["deadline_ns"] - now_ns
        return _DEADLINE
    head["row_commands"] += 1
    head["commands"] += 1
    if head["keeps"] != 0:
        _hand_out(desk, order, decision, kind, now_ns)
    return _OK


@kernel(inline=True)
def _hand_out(desk: Any, order: Row, decision: Row, kind: int, now_ns: int) -> None:
    head = desk.head[0]
    row = desk.commands[head["commands_len"]]
    head["commands_len"] += 1
    row["cmd_id"] = decision["cmd_id"]
    row["kind"] = kind
    row["order_id"] = order["order_id"]
    row["account_idx"] = order["account_idx"]
    row["strategy_idx"] = order["strategy_idx"]
    row["instrument_idx"] = order["instrument_idx"]
    row["side"] = order["side"]
    row["price"] = decision["price"]
    row["qty"] = decision["qty"]
    row["tif"] = order["tif"]
    row["order_type"] = order["order_type"]
    row["expire_ts_ns"] = order["expire_ts_ns"]
    row["slot"] = decision["slot"]
    row["fence"] = desk.trading.gw.head[0]["fence"]
    row["decided_ns"] = now_ns
    row["deadline_ns"] = decision["deadline_ns"]
    row["input"] = head["inputs"]


_send = passed(send)
_note = passed(note)


@kernel(inline=True)
def wiring(desk: Any) -> Any:
    """Trading, wired to the rings of a desk."""
    return Wiring(desk, _send(), _note())
