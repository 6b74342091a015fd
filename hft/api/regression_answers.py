"""Sealed runs that answer for replays, and the one that is run again all the same, once a day.

A replay is answered when nothing that its key is computed from has changed since its run was found
to be as blessed (`hft.runs.regression.answers`); what cannot be told so cheaply is not kept, and
has its key computed from tapes and strategies.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from hft.runs.code.alone import is_pure
from hft.runs.regression.answers import Answers, situation
from hft.runs.regression.draw import drawn
from hft.runs.regression.file import ReplayFile, Spec
from hft.runs.regression.outcome import SAME, Figure, Outcome
from hft.settings.environment import chosen_files, seen

BY_KEY = "key"
SYNTHETIC = "synthetic"


class Recall:
    """The answers for one file, its tapes and runs where they are said to be, on one day."""

    def __init__(self, file: Path, tapes: str | None, out: str | None, day: date) -> None:
        self._answers = Answers(file, situation(seen(), chosen_files(), [str(tapes), str(out)]))
        self._tapes, self._day = tapes, day

    @property
    def names(self) -> list[str]:
        """All names of the file; none where nothing is known of it as it stands."""
        return self._answers.names

    def due(self, names: Sequence[str]) -> str:
        """The replay that is to be run again today; "" when it was."""
        name = drawn(names, self._day)
        return "" if self._answers.drawn == f"{self._day} {name}" else name

    def answer(self, name: str) -> Outcome | None:
        """The outcome of a replay whose key has not changed."""
        known = self._answers.get(name)
        if known is None:
            return None
        figures = [Figure(**one) for one in known.pop("figures")]
        return Outcome(**known | {"figures": figures, "how": BY_KEY, "seconds": 0.0})

    def all(self, names: Sequence[str]) -> tuple[Outcome, ...] | None:
        """The outcomes of all of these; None when one has to be run."""
        if self.due(self.names) in names:
            return None
        found = [self.answer(name) for name in names]
        return None if None in found else tuple(one for one in found if one is not None)

    def remember(
        self, file: ReplayFile, specs: Sequence[Spec], outcomes: Sequence[Outcome]
    ) -> None:
        """Keep what was found to be as blessed, and that today's draw has been run."""
        names = [spec.name for spec in file.specs]
        done, due = self._answers.drawn, self.due(names)
        for spec, one in zip(specs, outcomes, strict=True):
            if one.name == due and one.state == SAME and one.how != BY_KEY:
                done = f"{self._day} {due}"
            files = list(_files(spec)) if one.state == SAME else []
            if one.state == SAME and _can_be_kept(spec, files):
                self._answers.put(spec.name, _plain(one), files, _tapes(spec, self._tapes))
            else:
                self._answers.forget(spec.name)
        self._answers.keep([] if file.left_over else names, done)


def _plain(one: Outcome) -> dict[str, Any]:
    return {key: value for key, value in one.to_json().items() if key != "ok"}


def _files(spec: Spec) -> Iterator[str]:
    """Every file that a replay may read besides tapes and settings, there or not."""
    given = spec.given
    queue = given["venue"].get("queue") if isinstance(given.get("venue"), dict) else None
    several = given.get("strategies", {}).values()
    named = [one if isinstance(one, str) else one["strategy"] for one in several]
    for text in (given.get("strategy"), queue, *named):
        path = str(text).partition(":")[0]
        if path.endswith(".py"):
            yield str(spec.folder / path)
    for key in ("limits", "faults", "controls"):
        if isinstance(given.get(key), str):
            yield str(spec.folder / given[key])
            yield str(Path.cwd() / given[key])


def _can_be_kept(spec: Spec, files: Sequence[str]) -> bool:
    """Is what a replay depends on all in these files, its tapes and the situation?

    Control inputs may name limit sets, and a pattern may match other tapes tomorrow.
    """
    tapes = spec.given["tapes"]
    names = [tapes] if isinstance(tapes, str) else list(tapes)
    patterns = any(mark in str(name) for name in names for mark in "*?[")
    pure = all(is_pure(path) for path in files if path.endswith(".py"))
    return pure and not patterns and "controls" not in spec.given


def _tapes(spec: Spec, tapes: str | None) -> list[str]:
    """The paths of a replay's tapes, as it names them."""
    root, given = Path(tapes) if tapes is not None else spec.folder, spec.given["tapes"]
    if given == SYNTHETIC or isinstance(given, dict):
        return [str(root / "tapes")]
    return [str(root / str(name)) for name in ([given] if isinstance(given, str) else given)]
