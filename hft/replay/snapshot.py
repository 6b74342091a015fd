"""Freeze a session at a step boundary and thaw it into a fresh one of the same job.

A snapshot holds every array of the engine except addresses (those belong to the process) and the
empty part of the books: levels are found through the bitmap, so that a book with millions of ticks
costs what it shows. Thawing needs a session built from the same job; what differs is refused.
"""

from collections.abc import Iterator

import numpy as np

from hft.core.errors import ConfigError
from hft.gateway.state import restore as restore_gateway
from hft.gateway.state import snapshot as snapshot_gateway
from hft.replay.build import Session
from hft.replay.growth import resized
from hft.replay.state import Engine
from hft.venue.state import VenueState

_ADDRESSES = ("batches", "context_at", "contexts", "steps", "equity", "series")
_NESTED = ("books", "trading", "venue")
# As long as the books' `qty`, and empty where they are: what is there is found through the books.
_BY_LEVEL = ("taken", "firsts", "lasts")
_CONTEXT_FIELDS = ("now_ns", "wake", "intents", "intents_lost", "logs", "ttl_ns")
VERSION = 6


def freeze(session: Session) -> dict[str, np.ndarray]:
    """A copy of everything that decides what happens next."""
    engine = session.engine
    out: dict[str, np.ndarray] = {"version": np.array([VERSION])}
    for name, value in engine._asdict().items():
        if name not in _ADDRESSES and name not in _NESTED:
            out[name] = value.copy()
    for part, name, value in _tables(engine):
        out[f"{part}.{name}"] = value.copy()
    out["venue.head"]["queue_at"] = 0  # an address, too
    for name, value in snapshot_gateway(engine.trading.gw).items():
        out[f"gw.{name}"] = value
    for name in _CONTEXT_FIELDS:
        out[f"contexts.{name}"] = engine.contexts[name].copy()
    levels = level_positions(engine.books.heads, engine.books.bits)
    words = np.flatnonzero(engine.books.bits)
    out["books.heads"] = engine.books.heads.copy()
    out["books.levels"] = levels
    out["books.qty"] = engine.books.qty[levels]
    out["venue.taken"] = engine.venue.taken[levels]
    out["books.words"] = words
    out["books.bits"] = engine.books.bits[words]
    return out


def thaw(session: Session, saved: dict[str, np.ndarray]) -> None:
    """Bring a fresh session of the same job to the snapshot. Mutates: session.

    Raises: ConfigError when the snapshot is of another job or version.
    """
    engine = session.engine
    if int(saved["version"][0]) != VERSION:
        raise ConfigError("the snapshot is of another version of hft; replay from the start")
    for name, value in engine._asdict().items():
        if name not in _ADDRESSES and name not in _NESTED:
            _put(name, value, saved[name])
    queue_at = int(engine.venue.head[0]["queue_at"])
    answers = len(saved["venue.responses"])
    if answers > len(engine.venue.responses):
        resized(session, answers - 1)
        engine = session.engine
    _list_orders(engine.venue, drop=True)
    for part, name, value in _tables(engine):
        _put(f"{part}.{name}", value, saved[f"{part}.{name}"])
    _list_orders(engine.venue)
    engine.venue.head["queue_at"] = queue_at
    restore_gateway(engine.trading.gw, {k[3:]: v for k, v in saved.items() if k.startswith("gw.")})
    for name in _CONTEXT_FIELDS:
        engine.contexts[name] = saved[f"contexts.{name}"]
    books = engine.books
    old = level_positions(books.heads, books.bits)
    books.qty[old] = 0
    engine.venue.taken[old] = 0
    books.bits[np.flatnonzero(books.bits)] = 0
    _put("books.heads", books.heads, saved["books.heads"])
    books.qty[saved["books.levels"]] = saved["books.qty"]
    engine.venue.taken[saved["books.levels"]] = saved["venue.taken"]
    books.bits[saved["books.words"]] = saved["books.bits"]


def _tables(engine: Engine) -> Iterator[tuple[str, str, np.ndarray]]:
    """The tables of venue and trading that a snapshot copies whole, by part and name."""
    for part in ("trading", "venue"):
        for name, value in getattr(engine, part)._asdict().items():
            if name not in ("gw", "fills", *_BY_LEVEL):
                yield part, name, value


def _list_orders(venue: VenueState, *, drop: bool = False) -> None:
    """The ends of the lists by level, which the order rows imply. Mutates: venue."""
    live = np.flatnonzero((venue.l3["priority"] != 0) & (venue.l3["level"] >= 0))
    for ends, link in ((venue.firsts, "prev"), (venue.lasts, "next")):
        at = live[venue.l3[link][live] == 0]
        ends[venue.l3["level"][at]] = 0 if drop else at + 1


def _put(name: str, array: np.ndarray, saved: np.ndarray) -> None:
    if array.shape != saved.shape or array.dtype != saved.dtype:
        raise ConfigError(f"the snapshot is of another job: {name} differs in size or type")
    array[...] = saved


def level_positions(heads: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Offsets in `Books.qty` of every non-empty level, found through the finest bitmap words."""
    found: list[np.ndarray] = []
    for head in heads:
        size, tree = int(head["size"]), int(head["tree_size"])
        for side in range(2):
            start = int(head["bits_at"]) + side * tree
            words = bits[start : start + size // 64]
            used = np.flatnonzero(words)
            if len(used):
                flags = np.unpackbits(
                    words[used].astype("<i8").view(np.uint8).reshape(-1, 8),
                    axis=1,
                    bitorder="little",
                )
                at, bit = np.nonzero(flags)
                found.append(int(head["qty_at"]) + side * size + used[at] * 64 + bit)
    return np.concatenate(found) if found else np.zeros(0, np.int64)
