"""What Gate F runs: the compiled module, the alpha's parity tests, and the time a row takes.

Seconds are kept by alpha, machine and data in `benchmarks/`, the best of each code; the code before
this one is what it is compared with.
"""

import json
import platform
import re
import time
from pathlib import Path
from typing import Any

from hft.core.json_text import page
from hft.governance.gates.f import Twin
from hft.governance.profile import Profile
from hft.governance.validation.correctness import tests_of
from hft.research.alphas import signals
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData
from hft.storage.atomic import write_atomic

ONLY = "parity"
ROWS_MAX, REPEATS, BUDGET_S = 20_000, 5, 10.0
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def twin(
    alpha: RemoteAlpha,
    data: ResearchData,
    experiments: Path,
    profile: Profile,
) -> tuple[Twin, dict[str, Any]]:
    """Everything Gate F reads, and what its report keeps beside."""
    most = int(profile.number("gate_f.parity_seconds_max"))
    imported, told = _imported(alpha)
    tests = tests_of(alpha, most, only=ONLY)
    file = experiments / "benchmarks" / f"{alpha.alpha_id}.json"
    speed = _compared(alpha, data, file)
    found = Twin(
        imported,
        told,
        tests["passed"],
        tests["reason"],
        speed["slower"],
        "" if speed["slower"] is not None else "no other code was timed on this machine and data",
    )
    return found, {"tests": tests, "benchmark": speed}


def _imported(alpha: RemoteAlpha) -> tuple[bool | None, str]:
    """Can the module be imported, behind the alpha's walls?"""
    name = alpha.manifest.rust_module
    if name is None:
        return None, "the manifest names no rust_module"
    if not _MODULE.fullmatch(name):
        return False, f"rust_module {name!r} is no name of a module"
    wrong = alpha.imports(name)
    return not wrong, f"rust_module {name} cannot be imported: {wrong}" if wrong else ""


def _compared(alpha: RemoteAlpha, data: ResearchData, file: Path) -> dict[str, Any]:
    """This code's time a row against the newest other code's, in ns; the best of each is kept."""
    took = _ns_a_row(alpha, data.head(ROWS_MAX))
    here = {"machine": platform.node(), "data": data.fingerprint}
    entries = _entries(file)
    same = [one for one in entries if here.items() <= one.items()]
    own = [one["ns_a_row"] for one in same if one["code"] == alpha.code_hash]
    before = [one["ns_a_row"] for one in same if one["code"] != alpha.code_hash]
    best = min([took, *own])
    mine = {**here, "code": alpha.code_hash}
    kept = [one for one in entries if not mine.items() <= one.items()]
    write_atomic(file, page([*kept, {**mine, "ns_a_row": best}]))
    return {
        "ns_a_row": best,
        "before_ns_a_row": before[-1] if before else None,
        "slower": best / before[-1] - 1.0 if before else None,
    }


def _entries(file: Path) -> list[dict[str, Any]]:
    """What was timed so far; a file that cannot be read begins anew."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return [dict(one) for one in told if float(one["ns_a_row"]) > 0 and one["code"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _ns_a_row(alpha: RemoteAlpha, data: ResearchData) -> float:
    """The best of a few evaluations."""
    best, began = float("inf"), time.perf_counter_ns()
    for _ in range(REPEATS):
        start = time.perf_counter_ns()
        signals.evaluate(alpha, data)
        now = time.perf_counter_ns()
        best = min(best, float(now - start))
        if now - began > BUDGET_S * 1e9:
            break
    return best / max(len(data), 1)
