"""Asks Gate A about entries of a stranger's list, through the command that anybody has.

    python -m tests.research.leakage.third.judged [--group leaks|innocents|code|data] [NAME ...]

A line of JSON an entry, and a last one with the counts. Ends with 1 where one is judged otherwise
than the list's `misjudged.py` tells. With `--load-only` no gate is asked: alpha and data are
loaded, `hft alpha try` makes a signal, the tests of the alpha run, and the entry is checked against
its twin.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hft.core import json_text

from .entry import Entry, write_alpha, write_rows

Twin = Callable[[Entry, Path], dict[str, Any]]  # what the entry says of itself; its folder

HFT = Path(sys.executable).with_name("hft")
# Lines of Gate A that speak of a leak: what the page docs/research.md has under "Leaks".
LEAK_LINES = ("prefix_invariance", "known_at", "files_declared", "files_fitted", "data_future_rows")


def is_leak_line(check: str) -> bool:
    return check.startswith("leak_") or check in LEAK_LINES


def ran(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    environment["OPENBLAS_NUM_THREADS"] = "1"
    return subprocess.run(
        words, cwd=desk, env=environment, capture_output=True, text=True, check=False, timeout=1800
    )


def laid_out(entry: Entry, folder: Path) -> Path:
    """A workspace with the alpha and its rows."""
    made = ran(folder, str(HFT), "init", "desk")
    assert made.returncode == 0, made.stderr
    desk, world = folder / "desk", entry.world()
    frames = entry.frames(world)
    write_alpha(entry, frames, desk / "research/alphas" / entry.name)
    write_rows(entry, world, frames, desk / "data/rows")
    return desk


def asked(entry: Entry, desk: Path) -> dict[str, Any]:
    """What Gate A says; `stopped` where a line about leaks is FAIL."""
    answer = ran(
        desk, str(HFT), "alpha", "validate", entry.name, "--data", "data/rows",
        "--json", "--yes", "--skip-gate-b-tests",
    )  # fmt: skip
    try:
        said = json.loads(answer.stdout)
    except ValueError:
        return {"right": False, "broken": (answer.stdout + answer.stderr)[-600:]}
    gate = next((gate for gate in said.get("gates", ()) if gate["gate"] == "A"), None)
    if gate is None:
        return {"right": False, "broken": json_text.line(said)[:600]}
    checks = gate["checks"]
    failed = [check for check in checks if check["verdict"] == "FAIL"]
    leaks = [check for check in failed if is_leak_line(check["id"])]
    open_ = [c["id"] for c in checks if c["verdict"] == "INSUFFICIENT" and c["applicable"]]
    stopped = bool(leaks)
    right = stopped if entry.kind == "leak" else gate["verdict"] != "FAIL"
    return {
        "right": right,
        "stopped": stopped,
        "gate_a": gate["verdict"],
        "lines": [check["id"] for check in failed],
        "sentences": [check["reason"] or gate["reason"] for check in leaks],
        "other_failures": [
            f"{check['id']}: {check['reason']}" for check in failed if not is_leak_line(check["id"])
        ],
        "insufficient": open_,
    }


def only_loaded(entry: Entry, desk: Path, twin: Twin) -> dict[str, Any]:
    """No gate: tests of the alpha, a signal by `hft alpha try`, and the check against the twin."""
    folder = desk / "research/alphas" / entry.name
    tests = ran(desk, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder))
    tried = ran(desk, str(HFT), "alpha", "try", entry.name, "--data", "data/rows", "--json")
    found = twin(entry, folder)
    if tests.returncode:
        found["problems"].append("its tests: " + tests.stdout[-300:])
    if tried.returncode:
        found["problems"].append("try: " + (tried.stdout + tried.stderr)[-500:])
    return {"right": not found["problems"], **found}


def judged(entry: Entry, twin: Twin | None) -> dict[str, Any]:
    about = {"name": entry.name, "kind": entry.kind, "place": entry.place}
    with tempfile.TemporaryDirectory(prefix="list-") as folder:
        try:
            desk = laid_out(entry, Path(folder))
            said = only_loaded(entry, desk, twin) if twin else asked(entry, desk)
            return {**about, **said}
        except Exception:
            return {**about, "right": False, "broken": traceback.format_exc()[-800:]}


def chosen(entries: Sequence[Entry], names: list[str], group: str | None) -> list[Entry]:
    wanted = {
        None: lambda entry: True,
        "leaks": lambda entry: entry.kind == "leak",
        "innocents": lambda entry: entry.kind == "innocent",
        "code": lambda entry: entry.place == "code",
        "data": lambda entry: entry.place == "data",
    }[group]
    unknown = set(names) - {entry.name for entry in entries}
    if unknown:
        raise SystemExit(f"not in the list: {', '.join(sorted(unknown))}")
    return [entry for entry in entries if wanted(entry) and (not names or entry.name in names)]


def complaints(answers: Sequence[dict[str, Any]], told: Mapping[str, str]) -> list[str]:
    """What is judged wrongly and not told, and what is told and judged rightly by now."""
    wrong = [answer["name"] for answer in answers if not answer["right"]]
    new = [f"{name} is misjudged" for name in wrong if name not in told]
    right = [answer["name"] for answer in answers if answer["right"] and answer["name"] in told]
    return new + [f"{name} is judged rightly now: take it from misjudged.py" for name in right]


def main(entries: Sequence[Entry], told: Mapping[str, str], twin: Twin) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--group", choices=("leaks", "innocents", "code", "data"))
    parser.add_argument("--load-only", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    asked_of = twin if args.load_only else None
    answers = []
    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        wanted = chosen(entries, args.names, args.group)
        for answer in pool.map(lambda entry: judged(entry, asked_of), wanted):
            answers.append(answer)
            print(json_text.line(answer, finite=False), flush=True)
    counts: dict[str, Any] = {}
    for kind in ("leak", "innocent"):
        for place in ("code", "data"):
            these = [a for a in answers if (a["kind"], a["place"]) == (kind, place)]
            counts[f"{kind}s in {place}"] = f"{sum(a['right'] for a in these)} of {len(these)}"
    wrong = [answer["name"] for answer in answers if not answer["right"]]
    new = complaints(answers, {} if args.load_only else told)
    print(json_text.line({"counts": counts, "misjudged": wrong, "complaints": new}), flush=True)
    what = "as they say" if args.load_only else "judged rightly"
    print(f"{len(answers) - len(wrong)} of {len(answers)} {what}" + (": FAIL" if new else ": ok"))
    return 1 if new else 0
