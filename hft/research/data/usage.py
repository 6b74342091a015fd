"""What a workspace did with which sessions of a market, and what they can prove after it.

One row a use in the chain `experiments/looked_at.jsonl`; audit rows know how many there were, so
that a file that was cut or taken away is told from a young one. A session is known again in any
other rows of its market, whatever they are split into:

- what a split called explore, or `try` looked at, is never validate and never vault again;
- what a split called vault is nothing else until a later vault lies wholly behind it: a vault moves
  forward with time, never back. What somebody looked at in it is never validate;
- what was judged is never vault again. Judging it again is a trial like any other.

Data without splits counts in whole, but for what a split of the same market keeps back; what was
looked at of it is shown as `looked_at` (contract 5.4). The file is local: a clone has its own.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from hft.core.errors import JournalError
from hft.research.data.dataset import ResearchData
from hft.research.data.footprint import Footprint
from hft.research.workspace import Workspace
from hft.storage.chain import OWN_FIELDS, Chain, Head
from hft.storage.lock import locked

FILE = "looked_at.jsonl"
BEFORE = "looked_at.before.jsonl"
ROW = "look"  # the kind of its audit rows
CURE = "restore it from a copy; without it nobody knows what was seen, and nothing is judged"
Note = Callable[[dict[str, Any]], None]
Kind = Literal["try", "validate", "vault"]
Span = tuple[int, int]  # first and last session, YYYYMMDD
# What became of sessions -> what to do about it.
ADVICE = {
    "looked at for nothing": "make the features again with a --split that leaves them in explore",
    "looked at": "make the features again with a --split that leaves them out of validate",
    "kept back": "make the features again with a --split whose vault has them or lies behind them",
    "judged": "make the features again with a --split whose vault lies behind them",
}


@dataclass(frozen=True)
class Use:
    """One use: the sessions that were read, and what the dataset's split called its sessions.

    `footprint` is of the whole dataset; None in lines from before it was kept, which are known
    again by `content` alone.
    """

    kind: Kind
    alpha_id: str
    content: str
    read: Span
    footprint: Footprint | None
    parts: Mapping[str, Span] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: Kind, alpha_id: str, whole: ResearchData, read: ResearchData) -> "Use":
        """A use of a part of a dataset."""
        span = (read.sessions[0], read.sessions[-1])
        return cls(kind, alpha_id, whole.content, span, Footprint.of(whole), parts_of(whole))

    def of_days(self, data: ResearchData, days: list[int]) -> "Use":
        """The same use of some sessions of data, by what happened on them."""
        part = data.with_frame(data.frame.filter(pl.Series(np.isin(data.session, days))))
        return replace(self, footprint=Footprint.of(part))

    def is_of(self, content: str, footprint: Footprint) -> bool:
        """Was it a use of this market?"""
        mine = self.footprint
        return self.content == content or (mine is not None and mine.same_market(footprint))

    def days_in(self, part: ResearchData, span: Span) -> list[int]:
        """The sessions of a part that are of a span of this use: by their day, or by their path
        where the part is a copy under other dates or prices."""
        return [day for day, there in self._here(part).items() if span[0] <= there <= span[1]]

    def _here(self, part: ResearchData) -> Mapping[int, int]:
        """The sessions of a part and what this use calls them."""
        same = {day: day for day in part.sessions}
        if self.footprint is None or self.content == part.content:
            return same
        own = Footprint.of(part)
        return same if self.footprint.same_days(own) else own.twins(self.footprint)

    def begins(self, whole: ResearchData, first: int) -> int:
        """What this use calls the session `first` of a dataset, and those behind it."""
        there = [day for mine, day in self._here(whole).items() if mine >= first]
        return min(there, default=first)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the time."""
        return {
            "kind": self.kind,
            "alpha_id": self.alpha_id,
            "content": self.content,
            "first": self.read[0],
            "last": self.read[1],
            "footprint": None if self.footprint is None else self.footprint.to_dict(),
            "parts": {name: list(span) for name, span in self.parts.items()},
        }


def parts_of(data: ResearchData) -> dict[str, Span]:
    """What the splits of a dataset call its sessions; empty without splits."""
    if data.splits is None:
        return {}
    return {name: (part.first, part.last) for name, part in data.splits.parts.items()}


def record(workspace: Workspace, use: Use, now_ns: int, note: Note | None = None) -> None:
    """Keep a use; one that is known already is not written again. Raises: JournalError.

    `note` keeps elsewhere that it was. It hears of a known one, too: the line may have been put
    there by hand to be taken away again, or by a process that was killed before it told.
    """
    path, body = workspace.experiments / FILE, use.to_dict()
    with locked(path.with_suffix(".lock")):
        _set_aside(path)
        known = next((line for line in _lines(path) if _untimed(line) == body), None)
        if known is None:
            added = Chain(path).append([body | {"ts_ns": now_ns}])
            head = Head(added.first_seq, added.hashes[0])
        else:
            row = json.loads(known)
            seq = row.get("seq")  # none in a line that was put between: `lost` names it
            head = Head(seq if type(seq) is int else 0, str(row.get("row_hash", "")))
        if note is not None:
            note(row_of(use, head))


def row_of(use: Use, head: Head) -> dict[str, Any]:
    """The row of `control_log` that knows of a use when the file does not any more."""
    told = {"n": head.seq, "row_hash": head.hash, "first": use.read[0], "last": use.read[1]}
    return {
        "scope": use.alpha_id,
        "kind": ROW,
        "old_state": "",
        "new_state": use.kind,
        "cause": "rows were shown",
        "evidence": told,
    }


def recorded(rows: Iterable[Mapping[str, Any]]) -> list[tuple[int, int, str]]:
    """Of each use that audit rows know: the row, its number and its hash in the file."""
    found = []
    for row in rows:
        if row["table"] == "control_log" and row["row"].get("kind") == ROW:
            told = json.loads(row["row"].get("evidence") or "{}")
            found.append((int(row["seq"]), int(told.get("n", 0)), str(told.get("row_hash", ""))))
    return found


def is_noted(rows: Iterable[Mapping[str, Any]], row: Mapping[str, Any]) -> bool:
    """Do audit rows know of the use that `row_of` made this row of?"""
    told = row["evidence"]
    return any(one[1:] == (told["n"], told["row_hash"]) for one in recorded(rows))


def lost(workspace: Workspace, known: Iterable[tuple[int, int, str]]) -> list[tuple[int, str]]:
    """The row of the file and a sentence for the first that is not what it was; empty when whole.

    `known`: what audit rows say, as `recorded` has it.
    """
    path = workspace.experiments / FILE
    checked = Chain(path).verify()
    if checked.damage is not None:
        words = f"{FILE}: line {checked.damage.line} was changed: {checked.damage.what}; {CURE}"
        return [(checked.damage.seq, words)]
    hashes = [row["row_hash"] for row in Chain(path).read()]
    for seq, number, digest in known:
        if not 0 < number <= len(hashes) or hashes[number - 1] != digest:
            return [(number, f"{FILE}: lacks use {number}, which audit row {seq} knows; {CURE}")]
    return []


def uses(workspace: Workspace, data: ResearchData) -> list[Use]:
    """The uses of the market of this dataset, oldest first; damaged lines are skipped.

    Give the whole dataset: a part of it is known again by its own days only.
    """
    path = workspace.experiments / FILE
    every = [*_read(path.with_name(BEFORE)), *_read(path)]
    if not every:
        return []
    footprint = Footprint.of(data)
    return [use for use in every if use.is_of(data.content, footprint)]


def kept(workspace: Workspace) -> list[Use]:
    """The uses of data that kept a vault, whatever their market."""
    return [use for use in _read(workspace.experiments / FILE) if "vault" in use.parts]


def looks(known: Iterable[Use]) -> tuple[Span, ...]:
    """What was looked at: first and last session of each look, each span once."""
    return tuple(sorted({use.read for use in known if use.kind != "validate"}))


def spoiled(known: Iterable[Use], whole: ResearchData, part: ResearchData) -> list[str]:
    """Why the sessions of a part that is to be judged prove nothing; empty where they do."""
    known, parts = list(known), parts_of(whole)
    told = kept_back(known, whole, part)
    for use in known:
        explored = use.parts.get("explore")
        if explored is None and use.kind == "try" and parts:
            explored = use.read
        if explored is not None:
            told += _said(part, use, explored, "explore", "looked at for nothing")
        if use.kind == "vault":
            told += _said(part, use, use.read, "vault", "looked at")
    return list(dict.fromkeys(told))


def kept_back(known: Iterable[Use], whole: ResearchData, part: ResearchData) -> list[str]:
    """The sessions of a part that are the vault of another split, with no later vault behind it."""
    told, own = [], parts_of(whole).get("vault")
    for use in known:
        vault = use.parts.get("vault")
        if vault is not None and (own is None or use.begins(whole, own[0]) <= vault[1]):
            told += _said(part, use, vault, "vault", "kept back", _split_for(whole, vault))
    return list(dict.fromkeys(told))


def _split_for(whole: ResearchData, vault: Span) -> str:
    """The --split that leaves explore as it is and gives a vault all it had; empty without one."""
    explored = parts_of(whole).get("explore")
    days = whole.sessions
    first = sum(day < vault[0] for day in days)
    explore = 0 if explored is None else sum(day <= explored[1] for day in days)
    if explored is None or not explore < first < len(days):
        return ""
    shares = [round(100 * count / len(days), 2) for count in (explore, first - explore)]
    text = ",".join(f"{share:g}" for share in (*shares, round(100 - sum(shares), 2)))
    return f"make the features again with --split {text}, whose vault has them"


def not_fresh(known: Iterable[Use], part: ResearchData) -> list[str]:
    """Why the sessions of a vault are no vault any more; empty where they are."""
    told = []
    for use in known:
        explored = use.parts.get("explore") or (use.read if use.kind == "try" else None)
        if explored is not None:
            told += _said(part, use, explored, "explore", "looked at for nothing")
        if use.kind == "validate":
            told += _said(part, use, use.read, "validate", "judged")
    return list(dict.fromkeys(told))


def _said(
    part: ResearchData, use: Use, span: Span, name: str, how: str, advice: str = ""
) -> list[str]:
    mine = use.days_in(part, span)
    if not mine:
        return []
    days = f"session {mine[0]} was" if len(mine) == 1 else f"sessions {mine[0]} to {mine[-1]} were"
    return [f"{part.source}: {days} {how} as {name} in this workspace; {advice or ADVICE[how]}"]


def _set_aside(path: Path) -> None:
    """A file from before its lines were chained goes on to count beside the chain."""
    first = next(iter(_lines(path)), b"")
    if first and b'"row_hash":' not in first:
        path.rename(path.with_name(BEFORE))


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror or error}") from None


def _untimed(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
        return {name: value for name, value in row.items() if name not in ("ts_ns", *OWN_FIELDS)}
    except (ValueError, AttributeError):
        return None


def _read(path: Path) -> Iterable[Use]:
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
            parts = {str(name): (int(a), int(b)) for name, (a, b) in row.get("parts", {}).items()}
            kind = str(row.get("kind", "try"))
            span = (int(row["first"]), int(row["last"]))
            footprint = Footprint.read(row.get("footprint"))
            yield Use(
                kind,  # type: ignore[arg-type]
                str(row["alpha_id"]),
                str(row["content"]),
                span,
                footprint,
                parts,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
