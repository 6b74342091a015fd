"""Which change of the limits would have let a run's refused intents pass: tried, then said.

For the commonest reasons a value is taken from what was measured, and the run is repeated under it,
in memory; what still refuses is looked at next, up to a few rounds. A strategy that is Python is
not run again, which may take long and do more than trade: its journal is decided again
(`runs.relimit`), and the sentence says so. Guards of losses and a person's command are no limits to
widen, and of a reason without a rule (`advice_rules`) nothing is said: the card names the limit.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from hft.core.codes import Reason, StepKind
from hft.core.errors import HftError
from hft.core.json_text import page
from hft.gateway.limits import Limits
from hft.runs.advice_rules import Change, Limited, next_change
from hft.runs.execute import job_of
from hft.runs.folder.layout import ADVICE, kept_sentence
from hft.runs.folder.names import RunNames
from hft.runs.folder.reader import RunReader
from hft.runs.folder.tables import decisions_table
from hft.runs.job import Job
from hft.runs.relimit import relimit
from hft.runs.repeat import ROWS, can_repeat, repeat
from hft.storage.atomic import write_atomic

ROUNDS = 5
COLUMNS = ("reason", "measured", "limit")
ENOUGH = 0.8  # of the refused intents
_GUARDS = (
    Reason.DAILY_LOSS.name,
    Reason.BREAKER_TRIPPED.name,
    Reason.KILL_SWITCH.name,
    Reason.POLICY_HALT.name,
    Reason.STORMGUARD_HALT.name,
)
_DECISION, _OK = StepKind.DECISION.value, Reason.OK.value


@dataclass(frozen=True)
class Attempt:
    """What became of the intents under a change: those still refused, of how many."""

    refused: pl.DataFrame  # reason, measured, limit of each
    asked: int
    repeated: bool  # else the run's own intents, decided again

    @property
    def left(self) -> int:
        return self.refused.height


def advice_of(run: RunReader) -> str:
    """The sentence that was found for a run, "" for none."""
    return kept_sentence(run.path / ADVICE)


def advise(run: RunReader) -> None:
    """Try changes on a run that was refused much and keep what is to be said."""
    try:
        found = _tried(run)
    except HftError:
        return  # tapes or a strategy are gone: nothing was tried, nothing is said
    write_atomic(run.path / ADVICE, page(found))


def _tried(run: RunReader) -> dict[str, Any]:
    """The sentence; where a change helped, the change and how many it leaves refused."""
    limits = Limits.from_dict(run.manifest["config"]["limits"])
    limited = Limited(run, limits)
    before = refused = _of_run(run)
    if set(refused["reason"].mode()) <= set(_GUARDS):
        return {"text": "a guard refused them, which is no limit to widen; see run.trips"}
    if odd := _no_ticks(run, refused.height):
        return {"text": odd}
    changes: Change = {}
    best: tuple[Attempt, Change] | None = None
    tried: Change = {}
    for _ in range(_rounds(run)):
        more = next_change(limited, refused, changes)
        if not more:
            break
        changes |= more
        attempt, tried = _attempt(run, limits.replace(**changes)), dict(changes)
        refused = attempt.refused
        if attempt.left < before.height and (best is None or attempt.left < best[0].left):
            best = attempt, dict(changes)
        if attempt.left <= (1 - ENOUGH) * before.height:
            break
    if best is None:
        return {"text": _in_vain(limits, tried, run) if tried else ""}
    return _said(limits, *best, before.height)


def _no_ticks(run: RunReader, refused: int) -> str:
    """What is to be said where most orders were refused since their prices are not of this market.

    A price in currency that is given as ticks is off by the size of a tick; no band is for that.
    """
    rows = run._frame("decisions").filter(pl.col("reason_code") == Reason.PRICE_OUTSIDE_BAND.value)
    far = rows.filter(2 * pl.col("measured") > pl.col("price_tick"))
    asked = far.select("price_tick", "measured").collect()
    if 2 * asked.height <= refused:
        return ""
    tick, away = map(int, asked.median().row(0))
    return (
        f"{asked.height:,} of {refused:,} were asked at another price than this market has (the "
        f"median at tick {tick:,}, {away:,} ticks from the mid): orders take ticks, and "
        "view.to_ticks(price) makes them"
    )


def _rounds(run: RunReader) -> int:
    rows = sum(int(tape["rows"]) for tape in run.manifest["tapes"])
    return max(1, min(ROUNDS, ROWS // max(rows, 1)))


def _said(limits: Limits, found: Attempt, changes: Change, before: int) -> dict[str, Any]:
    words = _words(limits, changes)
    if found.repeated:
        text = (
            f"tried in a repeated run: with {words}, {found.left:,} of {found.asked:,} intents are "
            f"refused, not {before:,}"
        )
    else:
        text = (
            f"tried on this journal: with {words}, {before - found.left:,} of {before:,} "
            "refused intents would have passed"
        )
    return {"text": text, "changes": changes, "refused": before, "left": found.left}


def _in_vain(limits: Limits, changes: Change, run: RunReader) -> str:
    how = "in a repeated run" if can_repeat(job_of(run.manifest)) else "on this journal"
    return f"tried {how}: {_words(limits, changes)} would let no more of them pass"


def _words(limits: Limits, changes: Change) -> str:
    return ", ".join(f"{key} {value} (now {limits.get(key)})" for key, value in changes.items())


def _of_run(run: RunReader) -> pl.DataFrame:
    """The intents that the run refused."""
    rows = run._frame("decisions").filter(pl.col("reason_code") != _OK)
    return _columns(rows.collect(), "")


def _columns(rows: pl.DataFrame, prefix: str) -> pl.DataFrame:
    found = rows.select(pl.col(prefix + name).alias(name) for name in COLUMNS)
    return found.with_columns(pl.col("reason").cast(pl.String))


def _attempt(run: RunReader, limits: Limits) -> Attempt:
    job = replace(job_of(run.manifest), limits=limits, limits_file="")
    if can_repeat(job):
        return _repeated(job)
    rows = relimit(run, limits).decisions
    passed = Reason.OK.name
    new = rows.filter(pl.col("new_reason").cast(pl.String) != passed)
    return Attempt(_columns(new, "new_"), rows.height, False)


class _Refusals:
    """Takes the records of a replay and keeps the refused decisions."""

    def __init__(self, names: RunNames) -> None:
        self.names = names
        self.asked = 0
        self.parts: list[np.ndarray] = []

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None:
        decided = steps[steps["kind"] == _DECISION]
        self.asked += len(decided)
        self.parts.append(decided[decided["code"] != _OK])


def _repeated(job: Job) -> Attempt:
    kept = repeat(job, "full", _Refusals)
    made = [pl.DataFrame(pl.from_arrow(decisions_table(part, kept.names))) for part in kept.parts]
    return Attempt(_columns(pl.concat(made), ""), kept.asked, True)
