"""What would other limits have said? A run's journal, decided again by the real gateway.

Every intent is asked again at its time, with the market of the tape as it was seen then, and what
the venue answered is booked as it was. Nobody knows how an order would have been filled that was
never sent: an intent that passes only under the new limits counts as passed and is then forgotten.
The same limits give the same decisions, which a test holds; where they may not, docs/reference/
runs.md says (orders at price 0, own cancels at the edge of a rate, limits changed during the run).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from hft.core.codes import Reason, StepKind
from hft.core.errors import ConfigError
from hft.gateway.limits import Limits
from hft.replay import state as st
from hft.runs.execute import job_of
from hft.runs.folder.reader import RunReader
from hft.runs.folder.tables import decisions_table
from hft.runs.job import Job
from hft.runs.prepare import prepare

_WAKE = StepKind.WAKE.value
_DECISION = StepKind.DECISION.value
_KINDS = (
    _WAKE,
    _DECISION,
    StepKind.RESPONSE.value,
    StepKind.CONTROL.value,
    StepKind.FAULT.value,
)
_OK = Reason.OK.name


@dataclass(frozen=True)
class Relimit:
    """The decisions of a run beside those of other limits."""

    run_id: str
    limits: Limits
    decisions: pl.DataFrame  # as run.decisions, and new_reason, new_measured, new_limit, new_margin
    notes: tuple[str, ...] = ()  # what a reader of the figures has to know

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row a reason: how many intents it refused, and how many it would refuse."""
        counts = [
            self.decisions.group_by(reason=pl.col(name).cast(pl.String)).agg(pl.len().alias(label))
            for name, label in (("reason", "was"), ("new_reason", "would_be"))
        ]
        joined = counts[0].join(counts[1], on="reason", how="full", coalesce=True).fill_null(0)
        return joined.sort(["was", "would_be", "reason"], descending=[True, True, False])

    @property
    def refused(self) -> int:
        """Intents that the run refused."""
        return self._count(pl.col("reason") != _OK)

    @property
    def would_pass(self) -> int:
        """Refused intents that these limits let pass."""
        return self._count((pl.col("reason") != _OK) & (pl.col("new_reason") == _OK))

    @property
    def would_refuse(self) -> int:
        """Approved intents that these limits refuse."""
        return self._count((pl.col("reason") == _OK) & (pl.col("new_reason") != _OK))

    def to_json(self) -> dict[str, Any]:
        """The figures, and the table by reason."""
        return {
            "run_id": self.run_id,
            "limits": self.limits.name,
            "decisions": self.decisions.height,
            "refused": self.refused,
            "would_pass": self.would_pass,
            "would_refuse": self.would_refuse,
            "reasons": self.table.to_dicts(),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        from hft.reports.render import frame_text

        return (
            f"{self.run_id} under limits {self.limits.name}: of {self.refused:,} refused intents "
            f"{self.would_pass:,} would pass; of {self.decisions.height - self.refused:,} approved "
            f"{self.would_refuse:,} would be refused\n{frame_text(self.table)}"
            + "".join(f"\nnote: {note}" for note in self.notes)
        )

    __repr__ = __str__

    def _count(self, which: pl.Expr) -> int:
        return int(self.decisions.select(which.sum()).item())


def relimit(run: RunReader, limits: Limits) -> Relimit:
    """Decide the journal of `run` again under `limits`.

    Raises: JournalError without a journal (record full); DataError when a tape is gone; ConfigError
    for limits that cannot be resolved on these instruments.
    """
    from hft.replay.compiled import loop, no_pointer

    if not isinstance(limits, Limits):
        raise ConfigError(f"limits: {limits!r} is no hft.Limits; hft.Limits.load(...) reads a set")
    job = replace(job_of(run.manifest), limits=limits, limits_file="")
    session, resolved, _ = prepare(job, "full")
    session.engine.trading.head[0]["keeps_fills"] = 0
    clock = session.engine.clock[0]
    clock["phase"] = st.PHASE_REDECIDE
    step, idle = loop(), no_pointer()
    before, after = [], []
    for block in _blocks(run.steps(), len(session.engine.steps)):
        session.engine.steps[: len(block)] = block
        clock["steps_len"] = len(block)
        step(session.arena.handle, idle)
        asked = block["kind"] == _DECISION
        before.append(block[asked])
        after.append(session.engine.steps[: len(block)][asked].copy())
    was = _frame(before, run)
    new = _frame(after, run).select(
        pl.col("reason", "measured", "limit", "margin").name.prefix("new_")
    )
    notes = (*_partial(run), *_absent(limits, job), *resolved.warnings)
    return Relimit(run.id, limits, pl.concat([was, new], how="horizontal"), notes)


def _partial(run: RunReader) -> list[str]:
    said = "the run is partial: these are the intents that it had decided when it was stopped"
    return [said] if run.partial else []


def _absent(limits: Limits, job: Job) -> list[str]:
    """What the limits name that the run does not have; a set may be for more than one run."""
    of_run = {"symbols": job.tapes.symbols, "strategies": [*job.strategies]}
    families = {
        "symbols.": "symbols",
        "instruments.": "symbols",
        "strategies.": "strategies",
        "risk.strategy.": "strategies",
    }
    named = {
        (kind, key.removeprefix(prefix).rpartition(".")[0])
        for key in limits.values
        for prefix, kind in families.items()
        if key.startswith(prefix)
    }
    return [
        f"the run has no {name!r} among its {kind} ({', '.join(of_run[kind])}), which these "
        "limits name"
        for kind, name in sorted(named)
        if name != "*" and name not in of_run[kind]
    ]


def _blocks(steps: Iterator[np.ndarray], most: int) -> Iterator[np.ndarray]:
    """The rows that matter, in blocks that end before a wake-up's own intents begin."""
    rest: np.ndarray | None = None
    for part in steps:
        kept = part[np.isin(part["kind"], _KINDS)]
        rest = kept if rest is None else np.concatenate([rest, kept])
        while len(rest) > most:
            # A block may not part decisions from the wake-up of the same moment.
            moments = np.flatnonzero(np.diff(rest["ts_ns"][:most])) + 1
            cut = int(moments[-1]) if len(moments) else most
            yield rest[:cut]
            rest = rest[cut:]
    if rest is not None and len(rest):
        yield rest


def _frame(parts: list[np.ndarray], run: RunReader) -> pl.DataFrame:
    tables = [decisions_table(part, run.names) for part in parts]
    frames = [pl.DataFrame(pl.from_arrow(table)) for table in tables]
    return pl.concat(frames) if frames else run._frame("decisions").collect()
