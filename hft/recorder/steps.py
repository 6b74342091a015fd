"""The steps of a gateway's journal as rows of the recorder's tables: each step is one row.

A refused decision is a row of `risk` beside, and what an order waited for is a row of `latency`.
Nothing is left out, so tables and journal can be compared row by row.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from hft.core.codes import (
    ControlKind,
    IntentType,
    Liquidity,
    OrderType,
    Reason,
    ResponseKind,
    Side,
    StepKind,
    Tif,
    WakeCause,
)
from hft.gateway.rows import Guard, GuardCause, KillScope
from hft.recorder.blocks import batch_of
from hft.recorder.tables import TABLES
from hft.storage.arrow import strings

STEP_TABLES = (
    "wakes",
    "decisions",
    "risk",
    "orders",
    "fills",
    "control",
    "guardrails",
    "latency",
)
_FILL = ResponseKind.FILL.value
Rows = Iterator[tuple[str, pa.RecordBatch]]


class Names(NamedTuple):
    """Whose steps they are, and the words behind their indices."""

    session: str
    strategies: Sequence[str]
    symbols: Sequence[str]


class StepRows:
    """Turns steps into rows, in order; it remembers when commands were decided and arrived."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.steps = 0  # so far
        self._decided: dict[int, int] = {}
        self._arrived: dict[int, int] = {}

    def take(self, steps: np.ndarray) -> Rows:
        """The rows of the next steps, table by table."""
        self.steps += len(steps)
        kind, code = steps["kind"], steps["code"]
        is_fill = (kind == StepKind.FILL) | ((kind == StepKind.RESPONSE) & (code == _FILL))
        is_order = np.isin(kind, (StepKind.ARRIVAL, StepKind.RESPONSE, StepKind.FAULT)) & ~is_fill
        yield from self._rows("wakes", steps[kind == StepKind.WAKE], _wakes)
        decisions = steps[kind == StepKind.DECISION]
        yield from self._rows("decisions", decisions, _decisions)
        yield from self._rows("risk", decisions[decisions["code"] != Reason.OK.value], _risk)
        yield from self._rows("orders", steps[is_order], _orders)
        yield from self._rows("fills", steps[is_fill], _fills)
        yield from self._rows("control", steps[kind == StepKind.CONTROL], _control)
        yield from self._rows("guardrails", steps[kind == StepKind.GUARD], _guards)
        yield from self._latencies(steps)

    def _rows(self, table: str, steps: np.ndarray, columns: Any) -> Rows:
        if len(steps):
            yield table, batch_of(TABLES[table], self._who(steps) | columns(steps))

    def _who(self, steps: np.ndarray) -> dict[str, Any]:
        names = self.names
        return {
            "session": words(np.zeros(len(steps), np.int64), [names.session]),
            "seq": steps["seq"],
            "ts": steps["ts_ns"],
            "strategy": words(steps["strategy_idx"], names.strategies),
            "symbol": words(steps["instrument_idx"], names.symbols),
        }

    def _latencies(self, steps: np.ndarray) -> Rows:
        """From a decision to the venue, and from there to the first answer."""
        found: list[tuple[int, str, int]] = []
        kinds, times, commands = (steps[name].tolist() for name in ("kind", "ts_ns", "cmd_id"))
        for at, (kind, ts, command) in enumerate(zip(kinds, times, commands, strict=True)):
            if not command:
                continue
            if kind == StepKind.DECISION:
                self._decided[command] = ts
            elif kind == StepKind.ARRIVAL and command in self._decided:
                found.append((at, "to_venue", ts - self._decided.pop(command)))
                self._arrived[command] = ts
            elif kind == StepKind.RESPONSE and command in self._arrived:
                found.append((at, "to_answer", ts - self._arrived.pop(command)))
        if found:
            rows = steps[[at for at, _, _ in found]]
            columns = {
                "leg": [leg for _, leg, _ in found],
                "order_id": rows["order_id"],
                "cmd_id": rows["cmd_id"],
                "ns": np.array([ns for _, _, ns in found], np.int64),
            }
            yield "latency", batch_of(TABLES["latency"], self._who(rows) | columns)


def words(codes: np.ndarray, names: Sequence[str]) -> pa.Array:
    """A word a code; a code outside the list is an empty word."""
    index = np.asarray(codes, np.int64)
    known = (index >= 0) & (index < len(names))
    place = pa.array(np.where(known, index, len(names)))
    return pa.DictionaryArray.from_arrays(place, strings([*names, ""])).dictionary_decode()


def _members(codes: np.ndarray, enum: Any) -> pa.Array:
    """The member names of an enum; what is no member is its number."""
    seen, index = np.unique(codes, return_inverse=True)
    known = {int(one): one.name for one in enum}
    return words(index, [known.get(int(code), str(code)) for code in seen])


def _numbers(steps: np.ndarray, *names: str, **renamed: str) -> dict[str, Any]:
    return {name: steps[name] for name in names} | {new: steps[old] for new, old in renamed.items()}


def _side(steps: np.ndarray) -> pa.Array:
    return words(steps["side"], [one.name for one in Side])


def _wakes(steps: np.ndarray) -> dict[str, Any]:
    return {"cause": _members(steps["code"], WakeCause)} | _numbers(
        steps, "wake", "intents", "lost"
    )


def _decisions(steps: np.ndarray) -> dict[str, Any]:
    numbers = ("target_id", "price", "qty", "cmd_id", "measured")
    return {
        "intent": words(steps["intent_type"], [one.name for one in IntentType]),
        "order_type": words(steps["order_type"], [one.name for one in OrderType]),
        "tif": words(steps["tif"], [one.name for one in Tif]),
        "side": _side(steps),
        "reason": _members(steps["code"], Reason),
    } | _numbers(steps, *numbers, intent_id="order_id", reason_code="code", bound="limit")


def _risk(steps: np.ndarray) -> dict[str, Any]:
    return {"check_name": _members(steps["code"], Reason)} | _numbers(
        steps, "measured", intent_id="order_id", reason_code="code", bound="limit"
    )


def _events(steps: np.ndarray) -> pa.Array:
    """What happened, in one word: `ARRIVED_NEW`, `VENUE_FILL`, `ACK`, `FAULT_UNKNOWN`."""
    pairs, index = np.unique(
        np.stack([steps["kind"].astype(np.int64), steps["code"]]), axis=1, return_inverse=True
    )
    return words(np.ravel(index), [_event(int(kind), int(code)) for kind, code in pairs.T])


def _event(kind: int, code: int) -> str:
    if kind == StepKind.ARRIVAL:
        return f"ARRIVED_{IntentType(code).name}"
    if kind == StepKind.FILL:
        return "VENUE_FILL"
    name = ResponseKind(code).name
    return f"FAULT_{name}" if kind == StepKind.FAULT else name


def _orders(steps: np.ndarray) -> dict[str, Any]:
    numbers = ("order_id", "cmd_id", "price", "qty", "ignored")
    return {"event": _events(steps), "side": _side(steps)} | _numbers(steps, *numbers)


def _fills(steps: np.ndarray) -> dict[str, Any]:
    liquidity = words(steps["liquidity"], [one.name for one in Liquidity])
    return _orders(steps) | {"liquidity": liquidity} | _numbers(steps, "fill_id", "fee_money")


def _control(steps: np.ndarray) -> dict[str, Any]:
    return {"kind": _members(steps["code"], ControlKind)} | _numbers(steps, "target", "value")


def _guards(steps: np.ndarray) -> dict[str, Any]:
    return {
        "guard": _members(steps["guard"], Guard),
        "scope": _members(steps["scope"], KillScope),
        "cause": _members(steps["code"], GuardCause),
    } | _numbers(steps, "target", "state", "measured", bound="limit")
