"""Measure everything and write the report: `python -m benchmarks.run [--quick] [--only NAME]`.

`--quick` takes three runs in place of seven and `--only` one group; both print and leave the
written report alone, unless `--write` is given too: then a group takes its place in that report.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import ingest_peers, machine, record_rows, report, rows, startup_rows
from benchmarks.bench import Bench
from benchmarks.environments import ROOT
from benchmarks.measure import Row

RUNS, QUICK_RUNS = 7, 3
GROUPS: dict[str, tuple[str, Callable[[Bench], Iterator[Row]]]] = {
    "synthetic": ("Beside hftbacktest, synthetic market", rows.synthetic_quoting),
    "real": ("Beside hftbacktest, real market", rows.real_quoting),
    "taking": ("Takers beside hftbacktest", rows.taking),
    "nautilus": ("Beside NautilusTrader", rows.nautilus),
    "gateway": ("The gateway", rows.gateway),
    "scale": ("Memory and scale", rows.scale),
    "record": ("A full record", record_rows.record),
    "startup": ("Start-up", startup_rows.startup),
    "ingest": ("Ingest", ingest_peers.ingest),
}


def main(arguments: list[str] | None = None) -> int:
    """Run, print each row as it is done, and write the report of a whole run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs, not {RUNS}")
    parser.add_argument("--only", choices=sorted(GROUPS), help="measure one group only")
    parser.add_argument("--write", action="store_true", help="write the report even so")
    chosen = parser.parse_args(arguments)
    runs = QUICK_RUNS if chosen.quick else RUNS
    facts = machine.describe()
    print(machine.line(facts), flush=True)
    groups: dict[str, list[Row]] = {}
    with Bench(runs, Path(sys.executable)) as bench:
        for name, (title, measure) in GROUPS.items():
            if chosen.only in (None, name):
                groups[title] = _printed(measure(bench))
    if chosen.write or not (chosen.quick or chosen.only):
        (ROOT / "docs").mkdir(exist_ok=True)
        results = ROOT / "benchmarks" / "results.json"
        if chosen.only and results.exists():
            groups = report.kept_groups(results.read_text()) | groups
        (ROOT / "docs" / "benchmarks.md").write_text(report.as_markdown(groups, facts, runs))
        results.write_text(report.as_json(groups, facts, runs))
    return 0


def _printed(measured: Iterator[Row]) -> list[Row]:
    done = []
    for row in measured:
        print(report.console_line(row), flush=True)
        for key, value in row.facts.items():
            print(f"    {key}: {value}", flush=True)
        done.append(row)
    return done


if __name__ == "__main__":
    sys.exit(main())
