"""What Gate B runs again: the alpha's own tests, the figures in fresh processes, the other way."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hft.governance.gates.b import Correctness
from hft.governance.profile import Profile
from hft.research.alphas import signals
from hft.research.alphas.loader import LoadedAlpha
from hft.research.data.dataset import ResearchData
from hft.research.measures.measurement import Measured
from hft.research.reproduction import digests

STDOUT_KEPT, STDERR_KEPT = 4000, 2000
FAILURE_KEPT = 300
NO_TESTS = 5  # what pytest exits with
SUMMARY = re.compile(r"^\d+ \w+.* in \d[\d.]*s", re.MULTILINE)


def tests_of(
    alpha: LoadedAlpha, root: Path, timeout_s: int, inherited: Mapping[str, str], only: str = ""
) -> dict[str, Any]:
    """pytest over the alpha's tests, in the workspace; what it said is kept, shortened.

    `only` leaves those with this text in their names; `passed` is None where there is none.
    """
    folder = alpha.folder / "tests"
    if not folder.is_dir():
        return {"passed": False, "reason": f"{folder}: there are no tests", "stdout": ""}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--color=no",
        str(folder),
    ]
    command += ["-k", only] if only else []
    try:
        done = subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            errors="replace",  # an alpha may say what is no text
            timeout=timeout_s,
            env=environment_of(root, inherited),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"passed": False, "reason": f"the tests took longer than {timeout_s} s"}
    if only and done.returncode == NO_TESTS:
        return {"passed": None, "reason": f"no test of the alpha has {only!r} in its name"}
    reason = ""
    if done.returncode != 0:
        reason = f"the alpha's tests fail: {_first_failure(done.stdout)}"
    elif not SUMMARY.search(done.stdout):  # exit code 0 from a process that ended half-way
        reason = "the alpha's tests ended the process before pytest could say what passed"
    return {
        "passed": not reason,
        "reason": reason,
        "exit_code": done.returncode,
        "stdout": done.stdout[-STDOUT_KEPT:],
        "stderr": done.stderr[-STDERR_KEPT:],
    }


def _first_failure(said: str) -> str:
    """Which test fails and why, in pytest's own summary line; else the last line there is."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    failed = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    if not failed:
        return lines[-1] if lines else "no output"
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return failed[0].partition(" ")[2][:FAILURE_KEPT] + more


def environment_of(root: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """What a child process of a workspace is started with."""
    paths = [str(root), *(path for path in sys.path if path)]
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths)}


def correctness(
    alpha: LoadedAlpha,
    found: Measured,
    root: Path,
    paths: Any,
    profile: Profile,
    *,
    skip_tests: bool,
    timeout_s: int,
    environment: Mapping[str, str],
) -> tuple[Correctness, dict[str, Any]]:
    """Everything Gate B reads, and what its report keeps beside."""
    tests: dict[str, Any] = {"passed": None, "reason": "--skip-gate-b-tests was given"}
    if not skip_tests:
        tests = tests_of(alpha, root, timeout_s, environment)
    runs = int(profile.number("gate_b.runs_min"))
    hashes, said = digests(
        root, alpha.alpha_id, found.data, paths, found.options, runs, environment
    )
    finite, coverage = shares(alpha, found.data, found.signal)
    info, stress = found.information, found.stress
    correct = Correctness(
        tests_passed=tests["passed"],
        tests_reason=tests["reason"],
        hashes=[*hashes, found.digest] if hashes else [],
        failed_process=said,
        parity=parity(alpha, found.data),
        finite_share=finite,
        coverage=coverage,
        permutation_p=info.permutation_p,
        permutation_draws=info.draws,
        lag1_retention=stress.lag1_retention,
        sharpe=dict(stress.lag)[0],
    )
    return correct, {"tests": tests, "hashes": hashes, "failed_process": said}


def parity(alpha: LoadedAlpha, data: ResearchData) -> signals.Difference | None:
    """Rows at once against row by row; None where there is one way only."""
    made = signals.instance(alpha)
    if not (signals.has_batch(made) and signals.has_stream(made)):
        return None
    whole, stream = (signals.evaluate(alpha, data, batch=one) for one in (True, False))
    return signals.difference(whole, stream)


def shares(
    alpha: LoadedAlpha, data: ResearchData, signal: np.ndarray
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
