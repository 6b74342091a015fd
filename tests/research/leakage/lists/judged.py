"""Cases before `hft.alpha.validate` under `standard`, and what Gates A and B say of leaks."""

import json
import os
import resource
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hft
from hft.api.desk import open_desk
from hft.api.validation import services
from hft.core.errors import HftError
from hft.governance.validation import validate as command
from hft.research.alphas import signals
from hft.research.data.load import load
from hft.research.worker.roster import find

from . import (
    honest_columns,
    honest_frames,
    honest_states,
    leaks_in_frames,
    leaks_in_joins,
    leaks_in_labels,
    leaks_in_memory,
)
from .case import Case
from .expected import MISSED, STOPPED

DATA_LEAKS = [*leaks_in_labels.LEAKS.cases, *leaks_in_joins.LEAKS.cases]
CODE_LEAKS = [*leaks_in_frames.LEAKS.cases, *leaks_in_memory.LEAKS.cases]
HONEST = [
    *honest_states.HONEST.cases,
    *honest_frames.HONEST.cases,
    *honest_columns.HONEST.cases,
]
# These ask for more days than a case has, and know nothing of leaks.
HISTORY = ("history", "min_backtest_length", "block_length")
BY_GATE_B = ("leaks in frames", "leaks in memory")  # what Gate A lets pass is shown to Gate B
# Lines that ask for whole data, not for honest data.
NOT_OF_LEAKS = ("data_coverage", "data_gaps", "data_repeated")
SAME_TWICE = ("deterministic", "batch_equals_stream", "all_equals_blocks", "finite_outputs")


@dataclass(frozen=True)
class Answer:
    """What the product said of a case: lines of Gate A and B as (name, words)."""

    name: str
    group: str
    failed: list[tuple[str, str]]
    undecided: list[tuple[str, str]]
    failed_b: list[tuple[str, str]]
    refused: str
    cpu_s: float

    @property
    def stopped(self) -> bool:
        """By a line of Gate A that speaks of leaks, or refused before it."""
        return bool(self.refused or [n for n, _ in self.failed if n not in NOT_OF_LEAKS])


def answers(cases: Iterable[Case]) -> Iterator[Answer]:
    """Each case in a workspace of its own."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "fresh"
        hft.alpha.init(fresh, rehearsal=True)
        for case in cases:
            desk = Path(folder) / case.name
            shutil.copytree(fresh, desk)
            yield _answer(case, desk)
            shutil.rmtree(desk)


def _answer(case: Case, desk: Path) -> Answer:
    before = _cpu_s()
    case.write(desk / "research" / "alphas" / case.name)
    first: list[Any] = []
    second: list[Any] = []
    refused = ""
    try:
        first = _gate_a(case, desk)
        if case.group in BY_GATE_B and not _lines(first, "FAIL"):
            second = _gate_b(case, desk)
    except HftError as error:
        refused = f"{type(error).__name__}: {error}"
    return Answer(
        case.name,
        case.group,
        _lines(first, "FAIL"),
        [line for line in _lines(first, "INSUFFICIENT") if line[0] not in HISTORY],
        [line for line in _lines(second, "FAIL") if line[0] in SAME_TWICE],
        refused,
        round(_cpu_s() - before, 2),
    )


def _gate_a(case: Case, desk: Path) -> list[Any]:
    """The lines of Gate A, as the command makes them, without the figures that come after it."""
    open_ = open_desk(desk)
    given, profile = services(open_), open_.profile("standard")
    wanted = {"fields": case.fields, "horizon_ns": int(case.horizon_s * 1e9)}
    with find(given.workspace, case.name) as alpha:
        data = load(load(case.rows(), **wanted), **wanted, split="validate")
        checks = command.admission(
            alpha, data, given.ledger, given.anchors, profile, given.now_ns, data_roots=()
        )
        if command.gate_a(checks, None, profile).verdict.value == "FAIL":
            return checks
        signals.counted(alpha, data)
        return checks + command.leak_tests(alpha, data, profile)[0]


def _gate_b(case: Case, desk: Path) -> list[Any]:
    """The lines of Gate B by the whole command."""
    found = hft.alpha.validate(
        case.name, case.rows(), profile="standard", skip_gate_b_tests=True, root=desk
    )
    return [one for gate in found.gates if gate.gate == "B" for one in gate.checks]


def _lines(checks: list[Any], verdict: str) -> list[tuple[str, str]]:
    return [
        (one.id, str(one.reason))
        for one in checks
        if one.verdict.value == verdict and one.applicable
    ]


def _cpu_s() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def main() -> int:
    """All cases, or those named; JSON lines on stdout, and what is new since it was measured."""
    warnings.simplefilter("ignore")
    chosen = [*DATA_LEAKS, *CODE_LEAKS, *HONEST]
    if "HFT_TEST_DATA" not in os.environ:
        print("HFT_TEST_DATA names no recorded markets: their cases are left out", file=sys.stderr)
        chosen = [case for case in chosen if not case.recorded]
    if words := sys.argv[1:]:
        chosen = [case for case in chosen if case.name in words]
    found = []
    for answer in answers(chosen):
        print(json.dumps(asdict(answer)), flush=True)
        found.append(answer)
    for title, names in (("leaks in data", DATA_LEAKS), ("leaks in code", CODE_LEAKS)):
        print(f"{title}: {shares(found, names)} stopped", file=sys.stderr)
    print(f"innocent: {shares(found, HONEST)} stopped", file=sys.stderr)
    new = complaints(found)
    print("\n".join(new), file=sys.stderr)
    return 1 if new else 0


def shares(found: Sequence[Answer], cases: Sequence[Case]) -> str:
    """How many of a list were stopped, as "29 of 33"."""
    names = {case.name for case in cases}
    asked = [answer for answer in found if answer.name in names]
    return f"{sum(answer.stopped for answer in asked)} of {len(asked)}"


def complaints(found: Iterable[Answer]) -> list[str]:
    """Leaks that pass and innocents that are stopped, but for those `expected` tells; and of
    those the ones that are no longer so, since a list of misses must not hide behind old ones.
    """
    honest = {case.name for case in HONEST}
    said = []
    for one in found:
        caught = one.stopped or bool(one.failed_b)
        known = STOPPED if one.name in honest else MISSED
        wrong = caught if one.name in honest else not caught
        if wrong and one.name not in known:
            what = "is innocent and stopped" if caught else "is a leak and passes"
            said.append(f"{one.name} {what}: {one.failed or one.refused or 'no word'}")
        if not wrong and one.name in known:
            said.append(f"{one.name} is judged rightly now: take it from expected.py")
    return said


if __name__ == "__main__":
    sys.exit(main())
