"""Find what a user wrote: by shipped name, by `file.py:name`, or from a manifest's stored source.

Strategies and queue models alike are functions whose text a run is a function of.
"""

import ast
import hashlib
import linecache
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy

from hft.core import codes
from hft.core.errors import ConfigError
from hft.core.jit import JIT_DISABLED, kernel
from hft.runs.code.alone import is_pure
from hft.runs.code.captures import outside
from hft.runs.code.edits import refuse_edited
from hft.runs.nearest import nearest
from hft.storage.python_file import load
from hft.strategies.base import Strategy, strategy
from hft.strategies.registry import SHIPPED, shipped
from hft.venue.model import QUEUES
from hft.venue.user_queue import QueueModel, queue_model

Made = TypeVar("Made", Strategy, QueueModel)

# Compiled strategies of manifests seen before, by all of their text: a second body would be
# compiled again, which takes longer than most replays.
_MADE: dict[str, Strategy] = {}
MADE_MAX = 32
# Strategies of files seen before, by file and name.
_FOUND: dict[tuple[Path, str], Strategy] = {}


def find(name: str) -> Strategy:
    """A shipped strategy, or the one called `name` in `path.py:name` (or the only one there).

    Raises: ConfigError naming the file and what is in it.
    """
    if name in SHIPPED:
        return shipped(name)
    path, _, attribute = name.partition(":")
    if not path.endswith(".py"):
        raise ConfigError(
            f"strategy {name!r} is neither a shipped one ({', '.join(SHIPPED)}) nor a file.py:name"
            f"{nearest(name, SHIPPED)}"
        )
    return _chosen(path, attribute, strategies_in(Path(path)), "strategy", "strategies")


def find_again(name: str) -> Strategy:
    """As `find`, but with the body that this process has compiled before, where the file says the
    same and nothing else is reached. Not for plain replays: there a body can keep things.
    """
    found = find(name)
    path = Path(name.partition(":")[0])
    if JIT_DISABLED or name in SHIPPED or found.loop or found.is_class or not is_pure(path):
        return found
    key = (path.absolute(), found.name)
    known = _FOUND.get(key)
    if known is not None and _is_same(known, found):
        return replace(found, body=known.body)
    _keep(_FOUND, key, found)
    return found


def found_for(name: str, plain: bool) -> Strategy:
    """The strategy of a name for a replay, whose body a compiled one may have compiled before."""
    return find(name) if plain else find_again(name)


def _is_same(known: Strategy, found: Strategy) -> bool:
    """Is the body of a file that is loaded anew the one that was loaded from it before?"""
    entry = {"source": found.source, "closure": found.closure, "outside": outside(found)}
    return _says(known, entry)


def _keep(made: dict[Any, Strategy], key: Any, one: Strategy) -> None:
    """Remember a strategy, the newest last, and forget the oldest of too many."""
    made.pop(key, None)
    while len(made) >= MADE_MAX:
        made.pop(next(iter(made)))
    made[key] = one


def find_queue(name: str) -> str | QueueModel:
    """A queue model by name, or the one called `name` in `path.py:name` (or the only one there).

    Raises: ConfigError naming the file and what is in it.
    """
    path, _, attribute = name.partition(":")
    if name in QUEUES or not path.endswith(".py"):
        if name not in QUEUES:
            near = nearest(name, QUEUES)
            raise ConfigError(f"queue {name!r} is not one of {', '.join(QUEUES)}{near}")
        return name
    found = _made_in(Path(path), QueueModel, "queue model")
    return _chosen(path, attribute, found, "queue model", "queue models")


def _chosen(path: str, attribute: str, found: dict[str, Made], one: str, many: str) -> Made:
    if attribute:
        if attribute not in found:
            raise ConfigError(
                f"{path}: no {one} {attribute!r}; it has {_names(found)}"
                f"{nearest(attribute, found) or _bare(path, attribute, one)}"
            )
        return found[attribute]
    if len(found) != 1:
        raise ConfigError(f"{path}: name one of its {many}: {path}:NAME of {_names(found)}")
    return next(iter(found.values()))


def _bare(path: str, attribute: str, one: str) -> str:
    """What a function or class of that name lacks; "" where the file has none."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == attribute:
            above = "@hft.strategy(every=...)" if one == "strategy" else "@hft.queue_model"
            kind = "class" if isinstance(node, ast.ClassDef) else "def"
            return f"; put {above} above `{kind} {attribute}`, line {node.lineno}"
    return ""


def strategies_in(path: Path) -> dict[str, Strategy]:
    """Every strategy that a file defines. Raises: ConfigError when it cannot be loaded."""
    return _made_in(path, Strategy, "strategy")


def _made_in(path: Path, kind: type[Made], what: str) -> dict[str, Made]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such {what} file")
    label = "hft_strategy_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    try:
        module = load(path, label)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:  # a script that ends with sys.exit() is no end of ours
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error
    return {k: v for k, v in vars(module).items() if isinstance(v, kind)}


def rebuild(name: str, entry: dict[str, Any]) -> Strategy:
    """The strategy of a manifest: from its file when that still says the same, else from the text.

    Raises: ConfigError when the stored text cannot stand alone.
    """
    found = _known(name, entry).with_params(entry["params"])
    return replace(
        found,
        every_ns=entry["every_ns"],
        instruments=entry["instruments"],
        wakes_on=entry.get("wakes_on", found.wakes_on),
        state=entry.get("state", found.state),
    )


def _known(name: str, entry: Mapping[str, Any]) -> Strategy:
    """The strategy of a manifest, made once a process; one that may keep objects is made anew."""
    text = repr([name, *(entry.get(key) for key in ("file", "source", "closure", "outside"))])
    if text in _MADE and _says(_MADE[text], entry):
        return _MADE[text]
    found = _again(name, entry, Strategy, "strategy")
    if not (found.loop or found.is_class):
        _keep(_MADE, text, found)
    return found


def _says(one: Any, entry: Mapping[str, Any]) -> bool:
    """Is what a file has made the text of an entry, and takes the same from outside itself?"""
    try:
        refuse_edited(one.body)
        same: bool = (one.source, one.closure) == (entry["source"], entry["closure"])
        return same and ("outside" not in entry or outside(one) == entry["outside"])
    except ConfigError:  # a file was edited since it was loaded; the entry has the text
        return False


def rebuild_queue(entry: Any) -> str | QueueModel:
    """The queue model of a manifest, as `rebuild`; a built-in one is its name."""
    if not isinstance(entry, Mapping):
        return str(entry)
    return _again(entry["name"], entry, QueueModel, "queue model")


def _again(name: str, entry: Mapping[str, Any], kind: type[Made], what: str) -> Made:
    path = Path(entry["file"]) if entry["file"] else None
    if path is not None and path.is_file() and path.suffix == ".py":
        # A script that verifies its own run is there already: to load it would run it again.
        running = _running(path, kind)
        for one in (_made_in(path, kind, what) if running is None else running).values():
            if _says(one, entry):
                return one
    return _from_text(name, entry, kind, what)


def _running(path: Path, kind: type[Made]) -> dict[str, Made] | None:
    """What the script of this process has made, when it was read from this very file."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if not isinstance(file, str) or Path(file).resolve() != path.resolve():
        return None
    return {k: v for k, v in vars(main).items() if isinstance(v, kind)}


def _from_text(name: str, entry: Mapping[str, Any], kind: type[Made], what: str) -> Made:
    text = entry["source"]
    label = f"<{what} {name} {hashlib.sha256(text.encode()).hexdigest()[:12]}>"
    linecache.cache[label] = (len(text), None, text.splitlines(True), label)
    # What the file or cell has imported as a rule; other names make the text no whole one.
    space: dict[str, Any] = {"strategy": strategy, "queue_model": queue_model}
    space |= {"hft": sys.modules["hft"], "np": numpy, "numpy": numpy, "math": math}
    space["kernel"] = partial(kernel, cache=False)  # a text has no file to cache beside
    for enum in (codes.Side, codes.Tif, codes.OrderType):
        space |= {member.name: member.value for member in enum}
    for key, value in entry["closure"].items():
        space[key] = _literal(value)
    try:
        # What a function calls stands deeper in the names, and is made first.
        for key in sorted(entry.get("outside", {}), key=lambda key: -key.count(".")):
            _define(key, entry["outside"][key], space)
        exec(compile(text, label, "exec"), space)
    except Exception as error:
        raise ConfigError(
            f"{what} {name!r}: its stored source cannot stand alone ({error}); restore its file"
        ) from error
    made = [value for value in space.values() if isinstance(value, kind)]
    if not made:
        raise ConfigError(f"{what} {name!r}: its stored source defines no {what}")
    return made[-1]


def _define(key: str, text: str, space: dict[str, Any]) -> None:
    """What a strategy has taken from outside itself, where its text says it all."""
    name = key.rpartition(".")[2]
    if text.startswith(("def ", "@", "class ")):
        label = f"<outside {key} {hashlib.sha256(text.encode()).hexdigest()[:12]}>"
        linecache.cache[label] = (len(text), None, text.splitlines(True), label)
        exec(compile(text, label, "exec"), space)
    else:
        space.setdefault(name, _literal(text))


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _names(found: Mapping[str, Any]) -> str:
    return ", ".join(sorted(found)) or "none"
