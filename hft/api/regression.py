"""Regression replays from Python: `check` runs the replays of a file against what is blessed there.

The command `hft replay check` and the pytest plugin render what this gives. Nothing heavy is
imported until a replay has to be run, or its key computed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hft.api.regression_answers import Recall
from hft.core.errors import ConfigError
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
from hft.settings.environment import is_ci

if TYPE_CHECKING:
    from hft.api.regression_run import Made, Progress


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


def check(
    file: str | Path = DEFAULT,
    keyword: str | None = None,
    *,
    bless: bool = False,
    jobs: int = 1,
    tapes: str | Path | None = None,
    out: str | Path | None = None,
    pages: str | Path | None = None,
    progress: "Progress | None" = None,
    ci: bool | None = None,
    today: date | None = None,
) -> Checked:
    """Run the replays of a file and compare them with what is blessed in it.

    `keyword` chooses a replay by its name, or all whose names have it; `bless` writes what they
    give as what is expected; `jobs` of them run at a time; `tapes` is the folder that the paths of
    tapes start at, instead of the file's; a replay that differs has a page of both reports in
    `pages`. Where the variable CI is set (`ci`) every replay runs; elsewhere sealed runs answer by
    key, and the one that is drawn for `today` is run again, once.
    Raises: ConfigError or DataError for a file that cannot be used.
    """
    ci = is_ci() if ci is None else ci
    tapes, out = (None if one is None else str(one) for one in (tapes, out))
    day = today or datetime.now(UTC).date()
    recall = None if ci or bless else Recall(Path(file), tapes, out, day)
    if recall is not None and recall.names:
        known = recall.all(chosen(recall.names, keyword, str(file)))
        if known is not None:
            return Checked(str(file), known)
    found = read(file)
    names = [spec.name for spec in found.specs]
    wanted = set(chosen(names, keyword, str(file)))
    specs = [spec for spec in found.specs if spec.name in wanted]
    found.refuse_edited(wanted if bless else set())
    made = _made(found, specs, recall, (tapes, out, pages, ci, bless), jobs, progress)
    outcomes = [one.outcome for one in made]
    if bless:
        outcomes = _bless(found, made, whole=len(specs) == len(names))
    elif recall is not None:
        recall.remember(found, specs, outcomes)
    return Checked(str(file), tuple(outcomes), tuple(_notes(found, bless)))


def chosen(names: Sequence[str], keyword: str | None, file: str) -> list[str]:
    """The name itself, else those that have the keyword. Raises: ConfigError for none."""
    if keyword is None or keyword in names:
        return list(names) if keyword is None else [keyword]
    found = [name for name in names if keyword in name]
    if not found:
        there = ", ".join(names)
        raise ConfigError(f"{file}: no replay has {keyword!r} in its name; there are {there}")
    return found


def _made(
    file: ReplayFile,
    specs: Sequence[Spec],
    recall: Recall | None,
    places: tuple[str | None, str | None, Any, bool, bool],
    jobs: int,
    progress: "Progress | None",
) -> list["Made"]:
    """Each replay, answered where it can be, else run."""
    from hft.api.regression_run import How, Made, run_all
    from hft.settings import load_settings

    tapes, out, pages, fresh, blessing = places
    due = "" if recall is None else recall.due([spec.name for spec in file.specs])
    runs = out or str(load_settings().replay_out)
    how = How(runs, tapes, str(pages or ""), fresh, due, blessing)
    known = {}
    if recall is not None:
        known = {spec.name: recall.answer(spec.name) for spec in specs if spec.name != due}
    rest = [spec for spec in specs if known.get(spec.name) is None]
    entries = {name: one for name, one in file.blessed.items() if name not in file.edited}
    made = {one.outcome.name: one for one in run_all(rest, entries, how, jobs, progress)}
    for name, answered in known.items():
        if answered is not None:
            made[name] = Made(answered, None)
    return [made[spec.name] for spec in specs]


def _bless(file: ReplayFile, made: Sequence["Made"], whole: bool) -> list[Outcome]:
    """Write the entries of all that ran; what was not as blessed says what it was accepted for."""
    entries = {one.outcome.name: one.entry for one in made if one.entry is not None}
    bless(file, entries, drop=whole)
    found = []
    for one in (each.outcome for each in made):
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
