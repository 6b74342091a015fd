"""What Gate B runs again: the alpha's own tests, the figures in fresh processes, the other way."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from hft.core.errors import ValidationError
from hft.governance.gates.b import Correctness
from hft.governance.profile import Profile
from hft.research.alphas import signals
from hft.research.alphas.recount import apart
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData
from hft.research.measures.measurement import Measured
from hft.research.reproduction import digest, digests

STDOUT_KEPT = 4000
FAILURE_KEPT = 300
NO_TESTS = 5  # what pytest exits with
SUMMARY = re.compile(r"^\d+ \w+.* in \d[\d.]*s", re.MULTILINE)


def tests_of(alpha: RemoteAlpha, timeout_s: int, only: str = "") -> dict[str, Any]:
    """pytest over the alpha's tests, behind its walls; what it said is kept, shortened.

    `only` leaves those with this text in their names; `passed` is None where there is none.
    """
    folder = alpha.folder / "tests"
    if not folder.is_dir():
        return {"passed": False, "reason": f"{folder}: there are no tests", "stdout": ""}
    try:
        done = alpha.tests(timeout_s, only)
    except ValidationError as error:
        return {"passed": False, "reason": f"the alpha's tests: {error}"}
    code, stdout = done["exit_code"], done["stdout"]
    if only and code == NO_TESTS:
        return {"passed": None, "reason": f"no test of the alpha has {only!r} in its name"}
    reason = ""
    if code != 0:
        reason = f"the alpha's tests fail: {_first_failure(stdout)}"
    elif not SUMMARY.search(stdout):  # exit code 0 from a process that ended half-way
        reason = "the alpha's tests ended the process before pytest could say what passed"
    return {
        "passed": not reason,
        "reason": reason,
        "exit_code": code,
        "stdout": stdout[-STDOUT_KEPT:],
    }


def _first_failure(said: str) -> str:
    """Which test fails and why, in pytest's own summary line; else the last line there is."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    failed = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    if not failed:
        return lines[-1] if lines else "no output"
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return failed[0].partition(" ")[2].removeprefix("../")[:FAILURE_KEPT] + more


def correctness(
    alpha: RemoteAlpha,
    found: Measured,
    profile: Profile,
    tests: Mapping[str, Any],
    elsewhere: signals.Difference,
) -> tuple[Correctness, dict[str, Any]]:
    """Everything Gate B reads, and what its report keeps beside.

    `tests` are those of the alpha, `elsewhere` how far the signal is from the one of other blocks.
    """
    runs = int(profile.number("gate_b.runs_min"))
    hashes, said = digests(alpha, found.data, runs)
    finite, coverage = shares(alpha, found.data, found.signal)
    info, stress = found.information, found.stress
    correct = Correctness(
        tests_passed=tests["passed"],
        tests_reason=tests["reason"],
        hashes=[*hashes, digest(found.signal)] if hashes else [],
        failed_process=said,
        parity=parity(alpha, found.data),
        streamed=apart(signals.evaluate(alpha, found.data), found.signal, found.options.levels),
        elsewhere=elsewhere,
        finite_share=finite,
        coverage=coverage,
        permutation_p=info.permutation_p,
        permutation_draws=info.draws,
        lag1_retention=stress.lag1_retention,
        sharpe=dict(stress.lag)[0],
    )
    return correct, {"tests": dict(tests), "hashes": hashes, "failed_process": said}


def parity(alpha: RemoteAlpha, data: ResearchData) -> signals.Difference | None:
    """Rows at once against row by row; None where there is one way only."""
    made = signals.instance(alpha)
    if not (signals.has_batch(made) and signals.has_stream(made)):
        return None
    whole, stream = (signals.evaluate(alpha, data, batch=one) for one in (True, False))
    return signals.difference(whole, stream)


def shares(
    alpha: RemoteAlpha, data: ResearchData, signal: np.ndarray
) -> tuple[float | None, float | None]:
    """Share of finite signals after the warm-up among rows with all fields, and among all rows."""
    if not len(signal):
        return None, None
    known = np.ones(len(data), bool)
    for values in data.fields(alpha.manifest.data_fields).values():
        known &= np.isfinite(np.asarray(values, float))
    finite = np.isfinite(signal)
    after = np.zeros(len(data), bool)
    for _, rows in data.groups():
        first = int(np.argmax(finite[rows])) if finite[rows].any() else len(rows)
        after[rows[first:]] = True
    judged = known & after
    if not judged.any():
        return 0.0, 0.0
    return float(finite[judged].mean()), float(finite.mean())
