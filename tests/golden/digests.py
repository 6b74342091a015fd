"""The committed golden figures: checked exactly, or rewritten under `--bless`.

A digest alone says only that something moved; the counts beside it say what.
"""

import json
from pathlib import Path
from typing import Any

from hft.runs.result import Run

PATH = Path(__file__).resolve().with_name("digests.json")


def figures(run: Run) -> dict[str, Any]:
    """What a golden run is remembered by."""
    sides = run.fills.group_by("side").len()
    by_side = dict(zip(sides["side"].to_list(), sides["len"].to_list(), strict=True))
    refused = run.refusals
    reasons = dict(zip(refused["reason"].to_list(), refused["count"].to_list(), strict=True))
    totals = run.totals
    money = sum(
        row["realized_money"] + row["unrealized_money"] - row["fees_money"]
        for row in totals["positions"]
    )
    return {
        "digest": run.digest,
        "events": totals["events"],
        "steps": totals["steps"],
        "decisions": totals["decisions"],
        "orders": totals["orders"],
        "buys": by_side.get("BUY", 0),
        "sells": by_side.get("SELL", 0),
        "refused": dict(sorted(reasons.items())),
        "net": f"{money / 10**run.names.digits:.8f} {run.names.currency}",
    }


def check(name: str, found: dict[str, Any], bless: bool) -> None:
    """Compare with what is committed; write it when blessing."""
    known = json.loads(PATH.read_text()) if PATH.is_file() else {}
    if bless:
        PATH.write_text(json.dumps(known | {name: found}, indent=1, sort_keys=True) + "\n")
        return
    assert name in known, f"no golden figures of {name}: run `make bless` and commit {PATH.name}"
    assert found == known[name], f"{name} moved: if it should, `make bless` and say why"


def row(name: str, found: dict[str, Any]) -> str:
    """One line of the table of golden runs."""
    reasons = ", ".join(f"{key} {count}" for key, count in found["refused"].items()) or "none"
    return (
        f"{name:18} {found['events']:>9,} events {found['orders']:>6,} orders "
        f"{found['buys']:>5,} buys {found['sells']:>5,} sells  refused {reasons}  "
        f"net {found['net']}  {found['digest'][:16]}"
    )
