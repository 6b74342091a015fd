"""Where two runs part: the first step that is not the same, both sides in words.

Compared is what happened (time, order, code, price, quantity), not the running mix, so that runs of
different configurations can be compared too; what differs in their configuration is said beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

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
from hft.core.dtypes import STEP
from hft.gateway.rows import Guard, GuardCause
from hft.runs.folder.guards import control_words, event_of, margin_kind
from hft.runs.folder.names import RunNames
from hft.runs.folder.reader import RunReader
from hft.runs.folder.tables import MONEY, UNITS, in_unit, margin_unit_names, margin_units

MIX = ("mix_lo", "mix_hi")
COMPARED = [name for name in STEP.names or () if name not in MIX]
CONFIG_KEYS = ("hashes", "config", "tapes")
PLACES = ("path", "file")  # where something lies is no difference


@dataclass(frozen=True)
class Divergence:
    """The answer of `diff`: `step` is 0 when the runs are the same as far as both go."""

    same: bool
    step: int
    fields: tuple[str, ...]  # what differs in that step
    left: str  # the step in words; "" where that run has ended
    right: str
    before: str  # the last step both share
    positions: dict[
        str, tuple[int, int]
    ]  # strategy and symbol -> lots before the step, left, right
    config: dict[str, tuple[Any, Any]]  # manifest entries that differ
    sentence: str

    def __bool__(self) -> bool:
        return self.same

    def __str__(self) -> str:
        out = [self.sentence]
        if self.before:
            out.append(f"  both   {self.before}")
        if self.step:
            out += [f"  left   {self.left or 'ended'}", f"  right  {self.right or 'ended'}"]
        out += [f"  held   {name}: {a} | {b} lots" for name, (a, b) in self.positions.items()]
        out += [
            f"  config {name}: {_short(a)} | {_short(b)}" for name, (a, b) in self.config.items()
        ]
        return "\n".join(out)

    def to_json(self) -> dict[str, Any]:
        return dict(self.__dict__)


def diff(left: RunReader, right: RunReader) -> Divergence:
    """Compare two journals step by step. Raises: JournalError when a run has none."""
    config = config_diff(left, right)
    if left.digest and left.digest == right.digest:
        return _same(left, config)
    held: list[dict[tuple[int, int], int]] = [{}, {}]
    before = np.zeros(1, STEP)[0]
    mix_step = 0
    for a, b in _pairs(left.steps(), right.steps()):
        n = min(len(a), len(b))
        unequal = np.zeros(n, bool)
        for name in COMPARED:
            unequal |= a[name][:n] != b[name][:n]
        mixed = np.flatnonzero((a["mix_lo"][:n] != b["mix_lo"][:n]) & ~unequal)
        if not mix_step and len(mixed):
            mix_step = int(a["seq"][mixed[0]])
        found = int(np.argmax(unequal)) if unequal.any() else n
        for side, rows in enumerate((a, b)):
            _hold(held[side], rows[:found])
        before = a[found - 1] if found else before
        if found < n or len(a) != len(b):
            sides = (a[found] if found < len(a) else None, b[found] if found < len(b) else None)
            return _parted(left, right, sides, before, held, config)
    return _hidden(left, right, mix_step, config)


def config_diff(left: RunReader, right: RunReader) -> dict[str, tuple[Any, Any]]:
    """The digest inputs that are not the same; nested entries by dotted name."""
    one = dict(_flat({key: left.manifest.get(key) for key in CONFIG_KEYS}))
    two = dict(_flat({key: right.manifest.get(key) for key in CONFIG_KEYS}))
    names = sorted(set(one) | set(two))
    return {
        name: (one.get(name), two.get(name)) for name in names if one.get(name) != two.get(name)
    }


def step_words(row: np.ndarray, names: RunNames) -> str:
    """One step as a sentence: when, who, what, why."""
    kind = int(row["kind"])
    when = f"{np.datetime64(int(row['ts_ns']), 'ns')}Z"
    who = _name(names.strategies, row["strategy_idx"])
    symbol = _name(names.symbols, row["instrument_idx"])
    what = _WORDS.get(kind, _other)(row, names)
    head = f"step {int(row['seq'])} {when} {_member(StepKind, kind)}"
    return " ".join(part for part in (head, who, symbol, what) if part)


def _wake(row: np.ndarray, names: RunNames) -> str:
    lost = f", {int(row['lost'])} lost" if row["lost"] else ""
    cause = _member(WakeCause, row["code"])
    return f"wake-up {int(row['wake'])} by {cause}: {int(row['intents'])} intents{lost}"


def _decision(row: np.ndarray, names: RunNames) -> str:
    reason = int(row["code"])
    kind = " ".join(
        _member(enum, row[name])
        for enum, name in ((IntentType, "intent_type"), (OrderType, "order_type"), (Tif, "tif"))
    )
    text = f"{kind} {_order(row, names)} -> {_member(Reason, reason)}"
    if reason == Reason.OK.value:
        return text
    codes = np.array([reason, reason])
    measured, limit = margin_units(codes, np.array([row["measured"], row["limit"]]), names)
    unit = margin_unit_names(codes[:1], names)[0].as_py()
    return f"{text} (measured {measured:,.10g}, limit {limit:,.10g} {unit}".rstrip() + ")"


def _arrival(row: np.ndarray, names: RunNames) -> str:
    return f"{_member(IntentType, row['code'])} of {_order(row, names)} reaches the venue"


def _fill(row: np.ndarray, names: RunNames) -> str:
    return f"{_order(row, names)} filled at the venue as {_member(Liquidity, row['liquidity'])}"


def _response(row: np.ndarray, names: RunNames) -> str:
    kind = int(row["code"])
    text = f"{_member(ResponseKind, kind)} of {_order(row, names)} reaches us"
    if kind == ResponseKind.FILL.value:
        text += f" as {_member(Liquidity, row['liquidity'])}, fee "
        text += f"{float(names.amount(row['fee_money'])):,.10g} {names.currency}"
    return text + (", again or too late: ignored" if row["ignored"] else "")


def _control(row: np.ndarray, names: RunNames) -> str:
    about, value = control_words(int(row["code"]), int(row["target"]), int(row["value"]), names)
    return f"{_member(ControlKind, row['code'])} {about}: {value}".removesuffix(": ")


def _fault(row: np.ndarray, names: RunNames) -> str:
    return f"the venue is asked about {_order(row, names)}: {_member(ResponseKind, row['code'])}"


def _guard(row: np.ndarray, names: RunNames) -> str:
    name, cause = _member(Guard, row["guard"]), _member(GuardCause, row["code"])
    event, kind = event_of(int(row["guard"]), int(row["state"])), margin_kind(int(row["code"]))
    measured, limit = (in_unit(kind, int(row[name]), names) for name in ("measured", "limit"))
    unit = names.currency if kind == MONEY else UNITS[kind]
    margin = f"measured {measured:,.10g}, limit {limit:,.10g} {unit}".rstrip()
    return f"{name} {event} by {cause} ({margin})"


def _other(row: np.ndarray, names: RunNames) -> str:
    return f"code {int(row['code'])}"


_WORDS = {
    StepKind.WAKE.value: _wake,
    StepKind.DECISION.value: _decision,
    StepKind.ARRIVAL.value: _arrival,
    StepKind.FILL.value: _fill,
    StepKind.RESPONSE.value: _response,
    StepKind.CONTROL.value: _control,
    StepKind.FAULT.value: _fault,
    StepKind.GUARD.value: _guard,
}


def _order(row: np.ndarray, names: RunNames) -> str:
    price = float(names.price(row["price"], row["instrument_idx"]))
    side = _member(Side, row["side"])
    at = "" if np.isnan(price) else f" @ {price:,.12g}"
    return f"order {int(row['order_id'])} ({side} {int(row['qty'])} lots{at})"


def _member(enum: Any, value: Any) -> str:
    try:
        return str(enum(int(value)).name)
    except ValueError:
        return f"code {int(value)}"


def _name(names: Any, index: Any) -> str:
    return str(names[int(index)]) if 0 <= int(index) < len(names) else ""


def _pairs(
    left: Iterator[np.ndarray], right: Iterator[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of both journals that begin at the same step; unequal lengths only at an end."""
    a = b = np.zeros(0, STEP)
    for next_a, next_b in zip_longest(left, right):
        a = a if next_a is None else np.concatenate([a, next_a])
        b = b if next_b is None else np.concatenate([b, next_b])
        n = min(len(a), len(b))
        if n:
            yield a[:n], b[:n]
        a, b = a[n:], b[n:]
    if len(a) or len(b):
        yield a, b


def _hold(held: dict[tuple[int, int], int], rows: np.ndarray) -> None:
    """Positions as acknowledged after these steps. Mutates: held."""
    fill = (rows["kind"] == StepKind.RESPONSE.value) & (rows["code"] == ResponseKind.FILL.value)
    rows = rows[fill]
    signed = np.where(rows["side"] == Side.BUY.value, rows["qty"], -rows["qty"])
    where = np.stack([rows["strategy_idx"], rows["instrument_idx"]], axis=1)
    for key in np.unique(where, axis=0):
        mine = (where == key).all(axis=1)
        pair = (int(key[0]), int(key[1]))
        held[pair] = held.get(pair, 0) + int(signed[mine].sum())


def _parted(
    left: RunReader,
    right: RunReader,
    sides: tuple[Any, Any],
    before: np.ndarray,
    held: list[dict[tuple[int, int], int]],
    config: dict[str, tuple[Any, Any]],
) -> Divergence:
    a, b = sides
    step = int((a if a is not None else b)["seq"])
    fields: tuple[str, ...] = ()
    if a is None or b is None:
        short, long = (left, right) if a is None else (right, left)
        state = "was interrupted" if short.partial else "ended"
        sentence = (
            f"{short.id} {state} after step {step - 1}; {long.id} goes on, and until there "
            "they are the same"
        )
    else:
        fields = tuple(name for name in COMPARED if a[name] != b[name])
        sentence = f"the runs differ first at step {step}, in {', '.join(fields)}"
    positions = {
        f"{_name(left.names.strategies, s)} {_name(left.names.symbols, i)}": (
            held[0].get((s, i), 0),
            held[1].get((s, i), 0),
        )
        for s, i in sorted(set(held[0]) | set(held[1]))
    }
    return Divergence(
        same=False,
        step=step,
        fields=fields,
        left="" if a is None else step_words(a, left.names) + _raw(a, fields),
        right="" if b is None else step_words(b, right.names) + _raw(b, fields),
        before=step_words(before, left.names) if before["seq"] else "",
        positions=positions,
        config=config,
        sentence=sentence,
    )


def _raw(row: np.ndarray, fields: tuple[str, ...]) -> str:
    """The differing fields as they are stored, for those that the words do not show."""
    return f" [{', '.join(f'{name}={int(row[name])}' for name in fields)}]" if fields else ""


def _same(run: RunReader, config: dict[str, tuple[Any, Any]]) -> Divergence:
    sentence = f"the runs are the same: digest {run.digest[:16]}"
    return Divergence(True, 0, (), "", "", "", {}, config, sentence)


def _hidden(
    left: RunReader, right: RunReader, mix_step: int, config: dict[str, tuple[Any, Any]]
) -> Divergence:
    """Every journaled step is the same; what lies between them is not."""
    where = f"; the running digest differs from step {mix_step} on" if mix_step else ""
    cause = "the seed or tape rows that changed no step" if mix_step else "their ends"
    sentence = f"no step differs, the runs differ in {cause}{where}"
    same = bool(not mix_step and not left.digest and not right.digest)
    return Divergence(same, mix_step, MIX if mix_step else (), "", "", "", {}, config, sentence)


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from _flat(inner, f"{prefix}[{k}]")
    elif prefix.rpartition(".")[2] not in PLACES:
        yield prefix, value


def _short(value: Any) -> str:
    text = "none" if value is None else " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."
