"""One replay of a file, run and compared; many of them in this process or in several.

All that is heavy to import is here: a check whose sealed runs answer does not come this far.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hft.api.regression_inputs import replay_of
from hft.api.replays import warm_up
from hft.core.errors import HftError
from hft.runs.folder.layout import find_sealed
from hft.runs.regression.compare import compare, entry_of
from hft.runs.regression.file import Spec
from hft.runs.regression.outcome import DIFFERS, ERROR, Outcome, shown_path
from hft.runs.regression.page import page
from hft.runs.result import Run
from hft.settings.environment import CHOSEN
from hft.settings.load import choose_file
from hft.storage.atomic import write_atomic

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]]
Entry = dict[str, Any]
REPLAYED, BY_KEY, DRAWN = "replayed", "key", "drawn"
PAGES = "regression"  # below the folder of runs


@dataclass(frozen=True)
class How:
    """How replays are run: where tapes lie, where runs and pages go, which are run again."""

    out: str
    tapes: str | None = None
    pages: str = ""  # "": below `out`
    fresh: bool = False  # no sealed run answers
    drawn: str = ""  # of this one the sealed run is not believed
    bless: bool = False  # is an entry wanted?


@dataclass(frozen=True)
class Made:
    """What became of one replay: its outcome, and its entry where one is wanted."""

    outcome: Outcome
    entry: Entry | None


def run_all(
    specs: Sequence[Spec],
    entries: Mapping[str, Mapping[str, Any]],
    how: How,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Iterator[Made]:
    """Each replay, in order; `jobs` of them at a time in processes of their own."""
    if jobs > 1 and len(specs) > 1:
        from joblib import Parallel, delayed

        warm_up()  # or each process compiles the engine
        here = os.getcwd(), next(iter(CHOSEN), None)
        calls = [delayed(_run_there)(*here, spec, entries.get(spec.name), how) for spec in specs]
        at_once = Parallel(n_jobs=min(jobs, len(specs)), backend="loky", return_as="generator")
        with nullcontext() if progress is None else progress("replays") as report:
            for k, made in enumerate(at_once(calls), start=1):
                if report is not None:
                    report(k, len(specs))
                yield made
        return
    for spec in specs:
        with nullcontext() if progress is None else progress(spec.name) as report:
            yield run_one(spec, entries.get(spec.name), how, report)


def _run_there(
    folder: str, config: str | None, spec: Spec, entry: Mapping[str, Any] | None, how: How
) -> Made:
    """`run_one` in another process, which may have been started for another call than this one."""
    os.chdir(folder)
    choose_file(config)
    with redirect_stdout(sys.stderr):  # what a strategy prints is no part of the answer
        return run_one(spec, entry, how)


def run_one(
    spec: Spec,
    entry: Mapping[str, Any] | None,
    how: How,
    progress: Callable[[int, int], None] | None = None,
) -> Made:
    """One replay compared with its entry; an error of its inputs is an outcome, too."""
    began = time.monotonic()
    try:
        made = _run_one(spec, entry, how, progress)
    except HftError as error:
        text = str(error)
        said = text if text.startswith(spec.place) else f"{spec.place}: {text}"
        made = Made(Outcome(spec.name, ERROR, sentence=said, code=error.exit_code), None)
    seconds = round(time.monotonic() - began, 3)
    return replace(made, outcome=replace(made.outcome, seconds=seconds))


def _run_one(
    spec: Spec,
    entry: Mapping[str, Any] | None,
    how: How,
    progress: Callable[[int, int], None] | None,
) -> Made:
    began_ns = time.time_ns()
    run = replay_of(spec, how.tapes, how.out, fresh=how.fresh, progress=progress)
    by_key = run.manifest.get("started_ns", began_ns) < began_ns
    words, sealed = BY_KEY if by_key else REPLAYED, run
    if by_key and how.drawn == spec.name:
        run, words = _again(spec, run, how, progress), DRAWN
    before = None if entry is None else _blessed_run(entry, run, sealed, how.out)
    found = compare(spec, entry, run, before, words)
    if found.state == DIFFERS:
        found = replace(found, page=_write_page(found, run, before, how))
    return Made(found, entry_of(run) if how.bless else None)


def _again(spec: Spec, sealed: Run, how: How, progress: Callable[[int, int], None] | None) -> Run:
    """A second run of a replay whose sealed run answered; it stays where the two differ."""
    with TemporaryDirectory(prefix=".again-", dir=how.out) as folder:
        second = replay_of(spec, how.tapes, folder, fresh=True, progress=progress)
        if second.digest == sealed.digest:
            return sealed
        kept = Path(how.out) / f"{second.path.name}.again"
        shutil.rmtree(kept, ignore_errors=True)
        second.path.rename(kept)
        return Run.open(kept)


def _write_page(one: Outcome, run: Run, blessed: Run | None, how: How) -> str:
    path = Path(how.pages or Path(how.out) / PAGES) / f"{one.name}.html"
    write_atomic(path, page(one, run, blessed))
    return shown_path(path)


def _blessed_run(entry: Mapping[str, Any], run: Run, sealed: Run, out: str) -> Run | None:
    """The run that was blessed, where its folder is still there and is another than this one."""
    if run.digest == entry["digest"]:
        return None
    path = find_sealed(out, entry["key"], "full")
    for found in (sealed, *([] if path is None else [Run.open(path)])):
        if found.digest == entry["digest"]:
            return found
    return None
