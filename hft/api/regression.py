"""Regression replays from Python: `check` runs the replays of a file against what is blessed there.

The command `hft replay check` and the pytest plugin render what this gives.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hft.api.regression_inputs import replay_of
from hft.core.errors import ConfigError, HftError
from hft.runs.folder.layout import find_sealed
from hft.runs.regression.compare import compare, entry_of
from hft.runs.regression.file import DEFAULT, ReplayFile, Spec, bless, read
from hft.runs.regression.outcome import (
    BLESSED,
    ERROR,
    SAME,
    Outcome,
    exit_code,
    shown_path,
    text_of,
)
from hft.runs.result import Run
from hft.settings import load_settings

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]]
REPLAYED, BY_KEY = "replayed", "key"


@dataclass(frozen=True)
class Checked:
    """The outcomes of a file's replays, in its order; `notes` are for people."""

    file: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Is every replay as blessed?"""
        return all(one.ok for one in self.outcomes)

    @property
    def exit_code(self) -> int:
        return exit_code(self.outcomes)

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, name: str) -> Outcome:
        return next(one for one in self.outcomes if one.name == name)

    def __str__(self) -> str:
        rows = [text_of(one) for one in self.outcomes if one.state != SAME]
        return "\n".join([*rows, self.summary])

    @property
    def summary(self) -> str:
        """How many are as blessed, and how many are not."""
        counts = Counter(one.state for one in self.outcomes)
        return ", ".join(f"{count} {state}" for state, count in counts.items())

    __repr__ = __str__

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "ok": self.ok,
            "replays": [one.to_json() for one in self.outcomes],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class How:
    """How replays are run: where tapes lie, where runs go, whether sealed runs may answer."""

    out: str
    tapes: str | None = None
    fresh: bool = False


def check(
    file: str | Path = DEFAULT,
    keyword: str | None = None,
    *,
    bless: bool = False,
    tapes: str | Path | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Run the replays of a file and compare them with what is blessed in it.

    `keyword` chooses a replay by its name, or all whose names have it; `bless` writes what they
    give as what is expected; `tapes` is the folder that the paths of tapes start at, instead of
    the file's. Raises: ConfigError or DataError for a file that cannot be used.
    """
    found = read(file)
    chosen = select(found, keyword)
    names = {spec.name for spec in chosen}
    found.refuse_edited(names if bless else set())
    how = How(str(out or load_settings().replay_out), None if tapes is None else str(tapes))
    made = []
    for spec in chosen:
        entry = None if spec.name in found.edited else found.blessed.get(spec.name)
        with nullcontext() if progress is None else progress(spec.name) as report:
            made.append(run_one(spec, entry, how, report))
    outcomes = [outcome for outcome, _ in made]
    if bless:
        outcomes = _bless(found, made, whole=len(chosen) == len(found.specs))
    return Checked(str(file), tuple(outcomes), tuple(_notes(found, bless)))


def select(file: ReplayFile, keyword: str | None) -> list[Spec]:
    """The replay of that name, else those whose names have it. Raises: ConfigError for none."""
    if keyword is None:
        return list(file.specs)
    named = [spec for spec in file.specs if spec.name == keyword]
    found = named or [spec for spec in file.specs if keyword in spec.name]
    if not found:
        there = ", ".join(spec.name for spec in file.specs)
        raise ConfigError(f"{file.path}: no replay has {keyword!r} in its name; there are {there}")
    return found


def run_one(
    spec: Spec,
    entry: Mapping[str, Any] | None,
    how: How,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Outcome, dict[str, Any] | None]:
    """One replay's outcome, and the entry that would bless it; an error is an outcome, too."""
    began_ns = time.time_ns()
    try:
        run = replay_of(spec, how.tapes, how.out, fresh=how.fresh, progress=progress)
        answered = run.manifest.get("started_ns", began_ns) < began_ns
        before = None if entry is None else _blessed_run(entry, run, how.out)
        words = BY_KEY if answered else REPLAYED
        return compare(spec, entry, run, before, words), entry_of(run)
    except HftError as error:
        text = str(error)
        sentence = text if text.startswith(spec.place) else f"{spec.place}: {text}"
        return Outcome(spec.name, ERROR, sentence=sentence, code=error.exit_code), None


def _blessed_run(entry: Mapping[str, Any], run: Run, out: str) -> Run | None:
    """The run that was blessed, where its folder is still there and is another than this one."""
    if run.digest == entry["digest"]:
        return None
    path = find_sealed(out, entry["key"], "full")
    found = None if path is None else Run.open(path)
    return found if found is not None and found.digest == entry["digest"] else None


def _bless(
    file: ReplayFile, made: Sequence[tuple[Outcome, dict[str, Any] | None]], whole: bool
) -> list[Outcome]:
    """Write the entries of all that ran; what was not as blessed says what it was accepted for."""
    entries = {one.name: entry for one, entry in made if entry is not None}
    bless(file, entries, drop=whole)
    found = []
    for one, _ in made:
        if one.state in (SAME, ERROR):
            found.append(one)
        else:
            said = f"blessed, though {one.sentence}" if one.was else "blessed for the first time"
            found.append(replace(one, state=BLESSED, sentence=said))
    return found


def _notes(file: ReplayFile, blessed: bool) -> list[str]:
    if blessed or not file.left_over:
        return []
    names = ", ".join(file.left_over)
    return [
        f"{shown_path(file.path)}: blessed, and no replay any more: {names}; --bless drops them"
    ]
