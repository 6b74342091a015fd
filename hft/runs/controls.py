"""Control inputs of a replay: what an operator, a lease or a promotion says at a time, from data.

Each is one entry: `at`, `kind` and what the kind needs. `FIELDS` is the whole grammar. The engine
gets rows; names of strategies and symbols become positions in `rows`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from hft.core.codes import ControlKind, PolicyMode
from hft.core.errors import ConfigError
from hft.gateway.rows import (
    MODE_OWNER_DEGRADED,
    MODE_OWNER_OPERATOR,
    MODE_OWNER_STRATEGY,
    KillScope,
)
from hft.replay.state import CONTROL
from hft.runs.durations import bounded_ns, when

PPM = 1_000_000
MODES = {mode.name.lower(): mode.value for mode in PolicyMode}
SCOPES = {
    "global": KillScope.GLOBAL,
    "account": KillScope.ACCOUNT,
    "strategy": KillScope.STRATEGY,
    "symbol": KillScope.SYMBOL,
    "byte": KillScope.BYTE,
}
# kind -> (fields it needs, fields it may have).
FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mode": (("value",), ("strategy",)),
    "degraded": (("value",), ()),
    "kill": ((), ("scope", "strategy", "symbol", "cause")),
    "reset": ((), ("scope", "strategy", "symbol", "cause")),
    "promotion": (("strategy", "weight"), ()),
    "lease": (("value",), ("fence",)),
    "latency": (("value",), ()),
    "limits": (("limits",), ()),
    "down": (("until",), ()),
    "stop": ((), ()),
    "end": ((), ()),
}
ON_OFF = {"on": 1, "off": 0}
HELD = {"held": 1, "lost": 0}


@dataclass(frozen=True)
class Control:
    """One input at its time.

    Units: `value` as the kernel takes it (mode, ns, ppm, 0/1, fence, end of a down time in ns).
    """

    at_ns: int
    kind: str
    value: int = 0
    scope: str = ""
    strategy: str = ""
    symbol: str = ""
    cause: str = ""
    limits: Mapping[str, Any] | None = None  # of kind limits, as `Limits.to_dict`
    held: int = 1  # of kind lease; `value` is the fence

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without what is not said."""
        default = Control(0, "")
        given = asdict(self)
        return {
            name: value
            for name, value in given.items()
            if name in ("at_ns", "kind") or value != getattr(default, name)
        }


def rows(
    controls: Sequence[Control],
    strategies: Sequence[str],
    symbols: Sequence[str],
    sets: int = 0,
) -> np.ndarray:
    """The engine's rows, in the order given; those of kind limits name their set by position,
    behind `sets` that are known.

    Raises: ConfigError for a strategy or symbol that the run does not have.
    """
    table = np.zeros(len(controls), CONTROL)
    for k, (row, one) in enumerate(zip(table, controls, strict=True), start=1):
        where = f"controls: entry {k} ({one.kind})"
        s = _position(one.strategy, strategies, f"{where}: strategy")
        row["ts_ns"], row["value"] = one.at_ns, one.value
        if one.kind == "mode":
            row["kind"] = ControlKind.MODE.value
            row["code"] = MODE_OWNER_STRATEGY + s if one.strategy else MODE_OWNER_OPERATOR
        elif one.kind == "degraded":
            row["kind"], row["code"] = ControlKind.MODE.value, MODE_OWNER_DEGRADED
        elif one.kind in ("kill", "reset"):
            index = s or _position(one.symbol, symbols, f"{where}: symbol")
            row["kind"], row["code"] = ControlKind.KILL.value, SCOPES[one.scope] + 16 * index
        elif one.kind == "promotion":
            row["kind"], row["code"] = ControlKind.PROMOTION.value, s
        elif one.kind == "lease":
            row["kind"], row["code"] = ControlKind.LEASE.value, one.held
        elif one.kind == "latency":
            row["kind"] = ControlKind.LATENCY.value
        elif one.kind in ("down", "stop", "end"):
            row["kind"] = ControlKind[one.kind.upper()].value
        else:
            row["kind"], row["code"] = ControlKind.LIMITS.value, sets
            sets += 1
    return table


def _position(name: str, names: Sequence[str], where: str) -> int:
    if not name:
        return 0
    if name not in names:
        raise ConfigError(f"{where}: {name!r} is none of {', '.join(names)}")
    return list(names).index(name)


def parse(entries: Any, where: str = "controls") -> tuple[Control, ...]:
    """Control inputs from a list of mappings. Raises: ConfigError naming entry, field and cure."""
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise ConfigError(f"{where}: write a list of inputs, each with at: and kind:")
    return tuple(_parse(entry, f"{where}: entry {k}") for k, entry in enumerate(entries, start=1))


def _parse(entry: Any, where: str) -> Control:
    if isinstance(entry, Control):
        return entry
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where}: {entry!r} is not a mapping with at: and kind:")
    kind = entry.get("kind")
    if kind not in FIELDS:
        raise ConfigError(f"{where}: kind: {kind!r} is none of {', '.join(FIELDS)}")
    needed, allowed = FIELDS[kind]
    where = f"{where} ({kind})"
    for name in ("at", *needed):
        if entry.get(name) is None:
            raise ConfigError(f"{where}: {name}: is missing")
    known = {"at", "kind", *needed, *allowed}
    for name in entry:
        if name not in known:
            raise ConfigError(f"{where}: {name}: is not a field; there are {', '.join(known)}")
    at_ns = when(entry["at"], f"{where}: at")
    assert at_ns is not None
    said = {name: _name(entry, name, where) for name in ("strategy", "symbol", "cause")}
    return _OF_KIND[kind](at_ns, entry, said, where)


def _name(entry: Mapping[str, Any], name: str, where: str) -> str:
    value = entry.get(name, "")
    if not isinstance(value, str):
        raise ConfigError(f"{where}: {name}: {value!r} is not text")
    return value


def _word(value: Any, words: Mapping[str, int], where: str, name: str = "value") -> int:
    text = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
    if not isinstance(text, str) or text.lower() not in words:
        raise ConfigError(f"{where}: {name}: {value!r} is none of {', '.join(words)}")
    return words[text.lower()]


def _mode(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    return Control(at_ns, "mode", _word(entry["value"], MODES, where), strategy=said["strategy"])


def _degraded(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    return Control(at_ns, "degraded", _word(entry["value"], ON_OFF, where))


def _kill(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    scope = entry.get("scope") or next((n for n in ("strategy", "symbol") if said[n]), "global")
    if scope not in SCOPES:
        raise ConfigError(f"{where}: scope: {scope!r} is none of {', '.join(SCOPES)}")
    for name in ("strategy", "symbol"):
        if (scope == name) != bool(said[name]):
            raise ConfigError(f"{where}: {name}: belongs to scope {name}, and to no other")
    on = 1 if entry["kind"] == "kill" else 0
    return Control(
        at_ns,
        str(entry["kind"]),
        on,
        str(scope),
        strategy=said["strategy"],
        symbol=said["symbol"],
        cause=said["cause"],
    )


def _promotion(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    try:
        weight = Decimal(str(entry["weight"]))
    except InvalidOperation:
        weight = Decimal(-1)
    if isinstance(entry["weight"], bool) or not 0 <= weight <= 1:
        raise ConfigError(f"{where}: weight: {entry['weight']!r} is not a number from 0 to 1")
    return Control(at_ns, "promotion", int(weight * PPM), strategy=said["strategy"])


def _lease(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    fence = entry.get("fence", 0)
    if isinstance(fence, bool) or not isinstance(fence, int) or not 0 <= fence < 1 << 62:
        raise ConfigError(f"{where}: fence: {fence!r} is not a whole number from 0")
    return Control(at_ns, "lease", fence, held=_word(entry["value"], HELD, where))


def _latency(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    return Control(at_ns, "latency", bounded_ns(entry["value"], f"{where}: value"))


def _down(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    until_ns = when(entry["until"], f"{where}: until")
    if until_ns is None or until_ns <= at_ns:
        raise ConfigError(f"{where}: until: {entry['until']!r} is not after at:")
    return Control(at_ns, "down", until_ns)


def _stop(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    return Control(at_ns, str(entry["kind"]))


def _limits(at_ns: int, entry: Mapping[str, Any], said: dict[str, str], where: str) -> Control:
    limits = entry["limits"]
    if not isinstance(limits, Mapping):
        raise ConfigError(f"{where}: limits: {limits!r} is not a set of limits")
    return Control(at_ns, "limits", limits=dict(limits))


_OF_KIND = {
    "mode": _mode,
    "degraded": _degraded,
    "kill": _kill,
    "reset": _kill,
    "promotion": _promotion,
    "lease": _lease,
    "latency": _latency,
    "limits": _limits,
    "down": _down,
    "stop": _stop,
    "end": _stop,
}
