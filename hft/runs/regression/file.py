"""`replays.yaml`: named replays as a person writes them, and below them what they are blessed with.

The upper part is the user's and is never changed; `blessed:` is the last key, written by a bless
alone. Each entry there has a seal over its own content, so that an edit by hand is noticed by name
and two branches that blessed different replays merge.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError, DataError
from hft.core.json_text import line
from hft.runs.regression.tolerance import Tolerance, tolerances
from hft.storage.atomic import write_atomic
from hft.storage.strict_yaml import key_lines, load_yaml

DEFAULT = "replays.yaml"
REPLAYS, BLESSED, SEAL = "replays", "blessed", "seal"
HEAD = """\
# Written by `hft replay check --bless`. Each entry is sealed: it is changed by that command alone.
"""
EXACT, ANY = "exact", "any"
NAME = re.compile(r"\w[\w.-]*", re.ASCII)
WORDS = ("true", "false", "null", "yes", "no", "on", "off")
# Field -> the types it may have, and an example for the message.
FIELDS: dict[str, tuple[tuple[type, ...], str]] = {
    "tapes": ((str, list, dict), "tapes: tapes/btc"),
    "symbols": ((list,), "symbols: [BTCUSDT]"),
    "days": ((str, list), "days: 2024-08-08"),
    "strategy": ((str,), "strategy: quoter.py:quote"),
    "strategies": ((dict,), "strategies: {maker: {strategy: two_sided}}"),
    "params": ((dict,), "params: {half_ticks: 2}"),
    "every": ((str,), "every: 100ms"),
    "venue": ((str, dict), "venue: binance_usdm"),
    "limits": ((str,), "limits: research"),
    "seed": ((int,), "seed: 7"),
    "start": ((str,), "start: 2024-08-08T12:00:00Z"),
    "end": ((str,), "end: 2024-08-08T13:00:00Z"),
    "faults": ((str, dict), "faults: {reject: 0.01}"),
    "controls": ((str, list), "controls: controls.yaml"),
    "digest": ((str,), "digest: exact"),
    "metrics": ((list, dict), "metrics: {net: 2%, fills: exact}"),
}
TEXTS = ("tapes", "symbols", "days", "metrics")  # where a list, one of names
ONE_STRATEGY = ("strategy", "params", "every")


@dataclass(frozen=True)
class Spec:
    """One replay as its file has it; `place` is where it stands, for messages."""

    name: str
    place: str
    given: Mapping[str, Any]
    folder: Path
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Does a changed digest fail? `digest: any` leaves it to the metrics."""
        return bool(self.given.get("digest", EXACT) == EXACT)


@dataclass(frozen=True)
class ReplayFile:
    """A file of replays, and what is blessed in it; entries with a broken seal are `edited`."""

    path: Path
    text: str
    specs: tuple[Spec, ...]
    blessed: Mapping[str, Mapping[str, Any]]
    edited: Mapping[str, str]  # name -> where it stands

    @property
    def left_over(self) -> list[str]:
        """Blessed names that are no replay any more."""
        known = {spec.name for spec in self.specs}
        return [name for name in self.blessed if name not in known]

    def refuse_edited(self, allowed: set[str]) -> None:
        """Raises: DataError for the first entry that was edited by hand and is not `allowed`."""
        for name, place in self.edited.items():
            if name not in allowed:
                raise DataError(
                    f"{place}: what is blessed for {name!r} was edited by hand: its seal does not "
                    "fit; take the entry back from version control, or accept what the replay "
                    f"gives now with `hft replay check -k {name} --bless`"
                )


def read(path: str | Path) -> ReplayFile:
    """The file, every field checked. Raises: ConfigError naming file, line, replay and field."""
    where = Path(path)
    try:
        text = where.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{where}: cannot be read ({reason}); check the path") from None
    data = load_yaml(text, str(where))
    if not isinstance(data, dict) or not isinstance(data.get(REPLAYS), dict):
        raise ConfigError(f"{where}: has no replays; write `replays:` and below it name: fields")
    lines = key_lines(text)

    def place(name: str) -> str:
        return f"{where}: line {lines[name]}" if name in lines else str(where)

    for key in data:
        if key not in (REPLAYS, BLESSED):
            raise ConfigError(f"{place(str(key))}: {key!r} is neither {REPLAYS} nor {BLESSED}")
    if BLESSED in data and list(data)[-1] != BLESSED:
        raise ConfigError(f"{place(BLESSED)}: {BLESSED} must be the last key of the file")
    folder = where.resolve().parent
    specs = tuple(_spec(str(name), given, place, folder) for name, given in data[REPLAYS].items())
    if not specs:
        raise ConfigError(f"{where}: has no replays; write `replays:` and below it name: fields")
    blessed, edited = _blessed(data.get(BLESSED), place)
    return ReplayFile(where, text, specs, blessed, edited)


def bless(file: ReplayFile, entries: Mapping[str, Mapping[str, Any]], *, drop: bool) -> None:
    """Write what replays gave as what is expected; other entries stay, unless `drop`ped.

    Mutates: the file, from `blessed:` on. Raises: ConfigError when it was edited meanwhile.
    """
    if file.path.read_text(encoding="utf-8") != file.text:
        raise ConfigError(f"{file.path}: was edited while its replays ran; bless again")
    kept = {name: entry for name, entry in file.blessed.items() if name not in file.edited}
    if drop:
        kept = {name: entry for name, entry in kept.items() if name not in file.left_over}
    merged = {name: dict(entry) for name, entry in (kept | dict(entries)).items()}
    order = {spec.name: k for k, spec in enumerate(file.specs)}
    rows = [HEAD, f"{BLESSED}:\n"]
    for name in sorted(merged, key=lambda one: (order.get(one, len(order)), one)):
        entry = {key: value for key, value in merged[name].items() if key != SEAL}
        rows.append(f"  {_key(name)}:\n")
        rows += _rows(entry | {SEAL: seal(name, entry)}, "    ")
    text = _own_part(file.text) + "\n" + "".join(rows)
    if b"\r\n" in file.path.read_bytes():  # lines end as the user's do
        text = text.replace("\n", "\r\n")
    write_atomic(file.path, text)


def seal(name: str, entry: Mapping[str, Any]) -> str:
    """The hash that holds an entry together with its name."""
    content = {key: value for key, value in entry.items() if key != SEAL}
    return hashlib.sha256(line([name, content], finite=False).encode()).hexdigest()


def _own_part(text: str) -> str:
    """What the user wrote: all above `blessed:` and the comment that is ours."""
    rows = text.splitlines(keepends=True)
    at = next((k for k, row in enumerate(rows) if row.startswith(f"{BLESSED}:")), len(rows))
    own = "".join(rows[:at]).removesuffix(HEAD).rstrip()
    return own + "\n"


def _key(name: str) -> str:
    """A key that no reader takes for a number or a word of YAML."""
    return name if name.isidentifier() and name not in WORDS else json.dumps(name)


def _rows(value: Mapping[str, Any], indent: str) -> list[str]:
    """A mapping as YAML, a line a value; the values are JSON, which reads the same everywhere."""
    found = []
    for key, inner in value.items():
        name = _key(key)
        if isinstance(inner, Mapping) and inner:
            found += [f"{indent}{name}:\n", *_rows(inner, indent + "  ")]
        else:
            found.append(f"{indent}{name}: {json.dumps(inner)}\n")
    return found


def _blessed(
    data: Any, place: Callable[[str], str]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """The entries, and of those that do not hold the seal their places."""
    if data is None:
        return {}, {}
    if not isinstance(data, dict):
        raise ConfigError(f"{place(BLESSED)}: {BLESSED} is no mapping; remove it, and bless again")
    found: dict[str, Mapping[str, Any]] = {}
    edited = {}
    for name, entry in data.items():
        held = isinstance(entry, dict) and entry.get(SEAL) == seal(str(name), entry)
        found[str(name)] = entry if isinstance(entry, dict) else {}
        if not held:
            edited[str(name)] = place(f"{BLESSED}.{name}")
    return found, edited


def _spec(name: str, given: Any, place: Callable[[str], str], folder: Path) -> Spec:
    """One replay, its fields known and of their types."""
    at = f"{REPLAYS}.{name}"
    if not NAME.fullmatch(name):
        raise ConfigError(f"{place(at)}: {name!r}: a name has letters, digits, _ - and . in it")
    if not isinstance(given, dict):
        raise ConfigError(f"{place(at)}: {name}: write its fields below it: tapes, strategy, ...")

    def refuse(key: str, what: str) -> ConfigError:
        return ConfigError(f"{place(f'{at}.{key}')}: {name}: {key}: {what}")

    for key, value in given.items():
        if key not in FIELDS:
            near = get_close_matches(str(key), FIELDS, 1)
            cure = f"did you mean {near[0]}?" if near else f"there are {', '.join(FIELDS)}"
            raise refuse(str(key), f"no such field; {cure}")
        kinds, example = FIELDS[key]
        if isinstance(value, bool) or not isinstance(value, kinds) or value in ([], {}, ""):
            raise refuse(key, f"{value!r} cannot be used; write it as in `{example}`")
        if key in TEXTS and isinstance(value, list) and not all(isinstance(v, str) for v in value):
            raise refuse(key, f"{value!r} is no list of names; write it as in `{example}`")
    if "tapes" not in given:
        raise ConfigError(f"{place(at)}: {name}: has no tapes; write `{FIELDS['tapes'][1]}`")
    if ("strategy" in given) == ("strategies" in given):
        raise ConfigError(f"{place(at)}: {name}: write strategy, or strategies, and one of both")
    if "strategies" in given and (more := [k for k in ("params", "every") if k in given]):
        raise refuse(more[0], "belongs to one strategy; write it below its name in strategies")
    if given.get("digest", EXACT) not in (EXACT, ANY):
        raise refuse("digest", f"{given['digest']!r} is neither {EXACT} nor {ANY}")
    if given.get("digest") == ANY and "metrics" not in given:
        raise refuse("digest", f"with {ANY} nothing would be checked; name metrics, too")
    for inner, one in given.get("strategies", {}).items():
        if what := _wrong_in(one):
            raise refuse(f"strategies.{inner}", what)
    try:
        limits = tolerances(given.get("metrics", {}))
    except ConfigError as error:
        raise refuse("metrics", str(error)) from None
    return Spec(name, f"{place(at)}: {name}", given, folder, limits)


def _wrong_in(one: Any) -> str:
    """What is wrong with one of several strategies: a name, or strategy, params and every."""
    if isinstance(one, str):
        return ""
    if not isinstance(one, dict) or not isinstance(one.get("strategy"), str):
        return "write a name, or {strategy: NAME, params: {...}, every: 1s}"
    for key, value in one.items():
        if key not in ONE_STRATEGY:
            return f"{key!r} is none of {', '.join(ONE_STRATEGY)}"
        if not isinstance(value, FIELDS[key][0]):
            return f"{key}: {value!r} cannot be used; write it as in `{FIELDS[key][1]}`"
    return ""
