"""Faults of one line, planted one at a time in a copy of the tree: does `make quick` see them?

A fault is text in a file and what stands there instead; it must still fit, or the script says so.
The tests nearest to the fault run first, and the first failure ends it; a fault that none of the
quick tests sees is missed; one that makes them endless is found.
`python tests/quick_faults.py NAME ...` plants these only.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import quick

ROOT = Path(__file__).resolve().parents[1]
OWN_TEST = "tests/test_planted_faults.py"
COPIED = ("hft", "tests", "config", "research", "benchmarks", "docs")
AT_ONCE = 2
LEAST_FOUND = 16
CPU_SECONDS = 300  # about four times what all quick tests take; a fault may make a loop endless


class Fault(NamedTuple):
    """One planted line; `near` is the folder of tests to try first."""

    path: str
    text: str
    instead: str
    near: str


FAULTS: dict[str, Fault] = {
    "fees: maker and taker exchanged": Fault(
        "hft/portfolio/positions.py", "if taker != 0 else", "if taker == 0 else", "portfolio"
    ),
    "rounding: ties away from even": Fault(
        "hft/core/numbers.py",
        "(twice == denominator and quotient % 2 != 0)",
        "(twice == denominator and quotient % 2 == 0)",
        "core",
    ),
    "ticks: a buy between ticks goes up": Fault(
        "hft/strategies/members.py", "int(math.floor(price))", "int(math.ceil(price))", "strategies"
    ),
    "policy: HALT begins one state too late": Fault(
        "hft/gateway/policy.py",
        "if state >= StormGuardState.HALT.value",
        "if state > StormGuardState.HALT.value",
        "gateway",
    ),
    "exposure: a strategy's release is forgotten": Fault(
        "hft/gateway/exposure.py",
        '    strategy["reserved_money"] += money\n',
        '    strategy["reserved_money"] += max(0, money)\n',
        "gateway",
    ),
    "dedup: the quantity is no part of the payload": Fault(
        "hft/gateway/dedup.py",
        '            intent["qty"],\n',
        '            intent["price"],\n',
        "gateway",
    ),
    "queue: a trade puts more lots before us": Fault(
        "hft/venue/queue.py",
        'row["ahead_micro"] -= min(lots, LOTS_MAX)',
        'row["ahead_micro"] += min(lots, LOTS_MAX)',
        "venue",
    ),
    "sweep: a level gives what was asked at first": Fault(
        "hft/venue/liquidity.py", "side, tick), lots - got)", "side, tick), lots)", "venue"
    ),
    "taken liquidity: only the last taking counts": Fault(
        "hft/venue/liquidity.py", "venue.taken[level] + lots", "lots", "venue"
    ),
    "latency: the spread is taken off": Fault(
        "hft/venue/latency.py",
        'row["base_ns"] + value % (row["spread_ns"] + 1)',
        'row["base_ns"] - value % (row["spread_ns"] + 1)',
        "venue",
    ),
    "ties: an answer goes after the row of its time": Fault(
        "hft/replay/engine.py",
        "min(answer_ns - 1, stop_ns - 1)",
        "min(answer_ns, stop_ns - 1)",
        "replay",
    ),
    "digest: the last word of a step is left out": Fault(
        "hft/core/digest.py",
        "    word = _add(word, _mul(_word(value), K0))\n    low = _mul(low ^ word, K0)\n",
        "    low = _mul(low ^ word, K0)\n",
        "core",
    ),
    "tape: the seal reads one row of a column": Fault(
        "hft/tape/seal.py", "digest.update(part.data)", "digest.update(part[:1].data)", "tape"
    ),
    "findings: what must be waived passes": Fault(
        "hft/feeds/base.py",
        "    findings.enforce(rows, options.waive, origin_of(feed), options.limits)\n",
        "",
        "feeds",
    ),
    "limits: amounts scaled by 10 000 are taken flat": Fault(
        "hft/settings/values.py",
        "return Decimal(int(value)) / MONEY_X_SCALE",
        "return Decimal(int(value))",
        "test_settings",
    ),
    "settings: a file beats the environment": Fault(
        "hft/settings/load.py",
        "    found.update(_from_environment(environment))\n",
        "    found = {**found, **_from_environment(environment), **found}\n",
        "test_settings",
    ),
    "run key: an edit in a sub-folder is the same run": Fault(
        "hft/runs/job.py", 'rglob("*.py")', 'glob("*.py")', "runs"
    ),
    "journal: the sequence of a frame is not looked at": Fault(
        "hft/storage/frame.py", "return bool(found == seq and ", "return bool(", "storage"
    ),
    "positions: an inverse contract earns like a linear one": Fault(
        "hft/portfolio/positions.py",
        "        realized = -realized\n",
        "        realized = +realized\n",
        "portfolio",
    ),
    "Sharpe: the deviation of a population": Fault(
        "hft/statistics/sharpe.py",
        "mean, sd = float(r.mean()), float(r.std(ddof=1))",
        "mean, sd = float(r.mean()), float(r.std())",
        "research",
    ),
    "gate: an undecided check hides a failed one": Fault(
        "hft/governance/verdict.py",
        "for verdict in (Verdict.FAIL, Verdict.INSUFFICIENT)",
        "for verdict in (Verdict.INSUFFICIENT, Verdict.FAIL)",
        "governance",
    ),
}


def copied(folder: Path) -> None:
    """The tree without what is made: caches, runs, the environment."""
    unwanted = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=unwanted, dirs_exist_ok=True)
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy2(path, folder / path.name)
    shutil.copy2(ROOT / "Makefile", folder / "Makefile")


def plant(folder: Path, fault: Fault) -> None:
    """Raises: ValueError when the fault's text is not there once."""
    path = folder / fault.path
    source = path.read_text(encoding="utf-8")
    if source.count(fault.text) != 1:
        raise ValueError(
            f"{fault.path}: {fault.text.strip()!r} stands there {source.count(fault.text)}x"
        )
    path.write_text(source.replace(fault.text, fault.instead), encoding="utf-8")


def judges(fault: Fault | None) -> list[str]:
    """The files that may find a fault, the nearest first.

    Not the one that looks whether each fault's text still stands in its file: in the copy it does
    not, so that every fault would count as found.
    """
    near = f"tests/{fault.near}" if fault is not None else "tests"
    paths = sorted(quick.paths(), key=lambda path: (not path.startswith(near), path))
    return [path for path in paths if path != OWN_TEST]


def seen(fault: Fault | None) -> str | None:
    """The first quick test that fails with the fault planted; None when all pass."""
    with tempfile.TemporaryDirectory(prefix="hft-fault-") as name:
        folder = Path(name)
        copied(folder)
        if fault is not None:
            plant(folder, fault)
        run = [sys.executable, "-m", "pytest", "-q", "-x", "--quick", "--seeds", "1", "--tb", "no"]
        run += ["--hypothesis-profile", "first", "-p", "no:cacheprovider", "--no-header"]
        run += judges(fault)
        given = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(folder)}
        answer = subprocess.run(
            run, cwd=folder, env=given, capture_output=True, text=True, preexec_fn=_bounded
        )
    if answer.returncode == 0:
        return None
    if answer.returncode == -signal.SIGXCPU:
        return f"the tests do not end within {CPU_SECONDS} s of processor time"
    failed = [line for line in answer.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0] if failed else answer.stdout[-300:] + answer.stderr[-300:]


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))


def tried(name: str) -> tuple[str, bool]:
    """What happened to one fault, as a line, and whether it was found."""
    began = time.monotonic()
    try:
        found = seen(FAULTS[name])
    except ValueError as error:
        return f"UNFIT   {name}: {error}", False
    took = f"{time.monotonic() - began:.0f} s"
    return (
        (f"found   {name} ({took}): {found}", True)
        if found
        else (f"MISSED  {name} ({took})", False)
    )


def main() -> int:
    """Exit status 0 when at least LEAST_FOUND of the planted faults were found."""
    names = sys.argv[1:] or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        print(f"no fault is called {unknown[0]!r}; there are:", *FAULTS, sep="\n  ")
        return 64
    if not sys.argv[1:]:
        without = seen(None)
        if without is not None:
            print(f"without a fault planted {without} fails: nothing can be told")
            return 1
    found = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for line, good in pool.map(tried, names):
            print(line, flush=True)
            found += good
    print(f"{found} of {len(names)} found")
    return 0 if found >= min(LEAST_FOUND, len(names)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
