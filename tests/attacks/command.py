"""Every attack against the installed command, under `standard`, on years without edge: a table.

    python tests/attacks/command.py [--days 1004] [NAME ...]

Ends with 1 where noise passed Gates A to C, something was stolen, or it ended otherwise.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from attack_world import (
    Attack,
    answers_to,
    attacks,
    install,
    outcome_of,
    passed_noise,
    stole,
    workspace,
)

SEED, WAIT_S, WORDS = 5, 3_600, 900


def main() -> int:
    """Run them one after the other; 1 where one is not stopped as promised."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", default="1004")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        root = workspace(Path(folder) / "desk")
        synth = ("data", "synth", "--alpha", "0", "--kind", "bars", "--days", asked.days)
        _hft(root, *synth, "--seed", str(SEED), "--out", "data/noise")
        answers = answers_to(root / "data" / "noise")
        for one in attacks():
            if not asked.names or one.name in asked.names:
                install(one, root, answers)
                bad += _tried(one, root)
                shutil.rmtree(root / "research" / "alphas" / one.name)
    return min(bad, 1)


def _tried(one: Attack, root: Path) -> int:
    began = time.monotonic()
    done = _hft(root, "alpha", "validate", one.name, "--data", "data/noise", "--yes", "--json")
    refused, gates = "", []
    try:
        gates = json.loads(done.stdout)["gates"]
    except (ValueError, KeyError):
        refused = (done.stderr.strip() or done.stdout.strip() or "it said nothing")[-WORDS:]
    said = outcome_of(gates, refused)
    passed = passed_noise(gates) and not one.promise.startswith("not promised")
    wrong = passed or stole(one, said) or not one.fits(said) or "Traceback" in refused
    verdicts = " ".join(f"{gate['gate']} {gate['verdict']}" for gate in gates)
    seconds = f"{time.monotonic() - began:.0f} s"
    row = (one.name, "NOT AS PROMISED" if wrong else "as promised", verdicts, said, seconds)
    print("| " + " | ".join(row) + " |", flush=True)
    return int(wrong)


def _hft(root: Path, *given: str) -> "subprocess.CompletedProcess[str]":
    command = (str(Path(sys.executable).parent / "hft"), *given)
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
