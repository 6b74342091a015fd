"""The jobs that the tests of determinism run, and how they get at a digest without a run folder."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

import hft
from hft.replay.run import drive, run_digest
from hft.runs import prepare as preparing
from hft.runs.faults import FaultPlan
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.runs.venues import Venue
from hft.strategies.base import Strategy
from hft.strategies.registry import shipped
from hft.tape.dataset import Tapes
from hft.tape.schema import Columns

# Every source of chance and trouble at once, so that a digest that forgets one of them is seen.
VENUE = Venue({"entry": ("uniform", "1ms", "3ms"), "cancel": "2ms", "response": "1ms"}, "prob_log")
TROUBLE = FaultPlan(reject=0.01, late_ack=0.02, duplicate_ack=0.02, lost_ack=0.005)


def slow(name: str = "market_making", every: int = 2_000_000_000, **params: Any) -> Strategy:
    """A shipped strategy on a clock that suits a long synthetic day of few events."""
    return replace(shipped(name).with_params(params), every_ns=every)


def job_of(tapes: Tapes, *strategies: Strategy, **given: Any) -> Job:
    chosen = strategies or (slow(),)
    named = {f"{one.name}_{k}" if k else one.name: one for k, one in enumerate(chosen)}
    base = {"venue": VENUE, "limits": hft.Limits.load("research"), "seed": 5, "faults": TROUBLE}
    return Job(tapes, named, **{**base, **given})


def digest_of(job: Job, record: str = "digest") -> str:
    session = prepare(job, record)[0]
    assert drive(session, plain=job.plain)
    assert session.engine.trading.head[0]["orders"] > 20, "a run without orders proves nothing"
    return run_digest(session.engine)


def split(columns: Columns, sizes: Sequence[int]) -> list[Columns]:
    """The same rows in batches of these sizes, again and again."""
    parts, at, k = [], 0, 0
    while at < len(columns.kind):
        end = at + sizes[k % len(sizes)]
        parts.append(Columns(*(column[at:end] for column in columns)))
        at, k = end, k + 1
    return parts


def with_rows(monkeypatch: pytest.MonkeyPatch, change: Callable[[Columns], None]) -> None:
    """Let replays read changed copies of the tapes' rows."""
    whole = preparing._rows_until

    def changed(tape: Any, end_ns: int | None) -> list[Columns]:
        parts = [Columns(*(column.copy() for column in part)) for part in whole(tape, end_ns)]
        for part in parts:
            change(part)
        return parts

    monkeypatch.setattr(preparing, "_rows_until", changed)
