"""What governance promises end to end, driven through the product: workspace, alpha, validation.

Every validation runs in a workspace of its own unless said, with the thresholds as shipped. Bars
are planted (`hft data synth --alpha`), so that it is known what there was to find.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import governance_oracles as oracles
from hft.api import research
from hft.api.validation import validate
from hft.audit.journal import read
from hft.core.errors import ValidationError
from hft.governance.verdict import Verdict
from hft.research.alphas import loader, signals
from hft.research.backtest import Rules, annual_sharpe, run
from hft.research.data.load import load
from hft.research.data.planted import BARS, write
from hft.statistics.study import Study
from hft.storage.chain import canonical

ROOT = Path(__file__).resolve().parents[1]
ALPHA = "planted_flow"
REPORTS = ("report.html", "feasibility_report.json", "backtest_report.json")
NOW = ("2026-11-02T09:00:00Z", "2026-12-24T21:00:00Z")
HEADS = "ledger_heads"
ON, OFF = "HFT_ALPHA_AUDIT_ENABLED: true", "HFT_ALPHA_AUDIT_ENABLED: false"


def workspace(root: Path, *, rehearsal: bool = False) -> Path:
    """A fresh workspace with one alpha, registered before any row is seen.

    Delivery to a database is off: the journal is what counts.
    """
    research.init(root, rehearsal=rehearsal)
    research.scaffold(
        ALPHA,
        source="order_flow_imbalance",
        hypothesis="order flow goes on for some minutes",
        horizon="1min",
        root=root,
    )
    settings = root / "config" / "default.yaml"
    settings.write_text(settings.read_text().replace(ON, OFF))
    return root


def look_ahead(days: int = 60, seed: int = 3, names: Sequence[str] = ()) -> Study:
    """Oracles as alpha folders: each must stop at Gate A, and what looks back must not."""
    rows, held = [], True
    chosen = tuple(names) or (*oracles.OUTRIGHT, *oracles.WHOLE, *oracles.HONEST)
    with TemporaryDirectory() as folder:
        root = workspace(Path(folder) / "desk")
        write(root / "rows", 0.0, days=days, seed=seed)
        for name in chosen:
            sharpe, result = _judged(root, name)
            if isinstance(result, ValidationError):  # its walls refused what it asked for
                held = held and name not in oracles.HONEST
                rows.append((oracles.words(name), _number(sharpe), "none", "refused by its walls"))
                continue
            first = result.gates[0]
            failed = [check.id for check in first.checks if check.verdict is Verdict.FAIL]
            honest = name in oracles.HONEST
            ran = "".join(gate.gate for gate in result.gates)
            if honest:
                held = held and not failed and ran != "A"
            else:
                held = held and ran == "A" and first.verdict is Verdict.FAIL
            rows.append((oracles.words(name), _number(sharpe), ran, ", ".join(failed) or "nothing"))
    return Study(
        title=f"Look-ahead oracles as alphas, {days} days of worthless bars",
        claim="every oracle stops at Gate A, none first at C; what looks back is let by",
        columns=("the signal is", "Sharpe it would have shown", "gates that ran", "failed in A"),
        rows=tuple(rows),
        held=held,
        seed=seed,
        notes=("The last rows look back only. Their history is short, so B and C run and advise.",)
        if any(name in oracles.HONEST for name in chosen)
        else (),
    )


def _judged(root: Path, name: str) -> tuple[float | None, Any]:
    """What it would have earned had nobody asked, and the validation."""
    rows = root / "rows" / BARS
    research.scaffold(name, source="order_flow_imbalance", horizon="1min", root=root)
    path = root / "research" / "alphas" / name / "impl.py"
    path.write_text(oracles.source(name, str(rows)))
    result: Any
    try:
        result = validate(name, str(rows), root=root, skip_gate_b_tests=True)
    except ValidationError as error:
        result = error
    alpha = loader.load_folder(root / "research" / "alphas" / name)
    data = load([str(rows)], fields=alpha.manifest.data_fields)
    earned = run(data, np.nan_to_num(signals.evaluate(alpha, data)), Rules())
    return annual_sharpe(earned.returns("daily")), result


def same_evidence(days: int = 60, seed: int = 5) -> Study:
    """The same alpha and rows in two fresh workspaces and processes: the same digests and bytes."""
    found = []
    with TemporaryDirectory() as folder:
        write(Path(folder) / "rows", 0.1, days=days, seed=seed)
        for k, name in enumerate(("one", "another_place")):
            found.append(_by_command(Path(folder) / name, Path(folder) / "rows", k))
    rows = [
        (what, "equal" if found[0][what] == found[1].get(what) else "differ") for what in found[0]
    ]
    return Study(
        title="The same inputs twice: two workspaces, processes, hash seeds, time zones, days",
        claim="the same evidence digests in the audit and the same bytes on the pages",
        columns=("evidence", "second time"),
        rows=tuple(rows),
        held=bool(rows) and found[0] == found[1],
        seed=seed,
        notes=(
            "Time, machine and run id stand in `manifest.json`; the scorecard names the heads of "
            "the ledger, whose rows say when they were written.",
        ),
    )


def _by_command(root: Path, rows: Path, turn: int) -> dict[str, str]:
    """Digests of what `hft alpha validate` leaves behind, by name."""
    workspace(root, rehearsal=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": str(11 + turn),
        "POLARS_MAX_THREADS": str(1 + turn),
        "TZ": ("UTC", "Asia/Tokyo")[turn],
    }
    command = [sys.executable, "-m", "hft.cli.app", "alpha", "--now", NOW[turn]]
    done = subprocess.run(
        [*command, "validate", ALPHA, "--data", str(rows), "--yes", "--json"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.strip():
        raise RuntimeError(f"hft alpha validate: {done.stderr[-500:]}")
    path = Path(json.loads(done.stdout)["path"])
    found = {
        f"gate {row['row']['gate']} in the audit": str(row["row"]["evidence_digest"])
        for row in read(root / ".state" / "audit")
        if row["table"] == "alpha_gate_log"
    }
    for name in REPORTS:
        if (path / name).exists():
            found[name] = hashlib.sha256((path / name).read_bytes()).hexdigest()
    card = json.loads((path / "scorecard.json").read_bytes())
    heads = card.pop(HEADS)
    assert heads, "the scorecard names the heads of the ledger"
    found["scorecard.json without the heads of the ledger"] = hashlib.sha256(
        canonical(card)
    ).hexdigest()
    return found


def short_history() -> Study:
    """A short real history: what it lacks, and that nothing is decided by it."""
    real = recorded()
    rows: tuple[tuple[str, ...], ...] = ()
    if isinstance(real, str):
        held, notes = True, (f"The recorded bars were left out: {real}.",)
    else:
        rows = (_real(real),)
        held = real.verdict is Verdict.INSUFFICIENT and bool(real.gates[0].missing)
        notes = (f"Shopping list: {'; '.join(real.gates[0].missing)}.",)
    return Study(
        title="A short real history under `standard`",
        claim="it is INSUFFICIENT, with its shopping list",
        columns=("the bars are", "Sharpe out of sample", "verdict", "failed or not known"),
        rows=rows,
        held=held,
        seed=42,
        notes=notes,
    )


def stopping(result: Any) -> list[str]:
    """The checks that keep a validation from passing."""
    return [
        f"{gate.gate} {check.id}"
        for gate in result.gates
        for check in gate.checks
        if check.blocking and check.applicable and check.verdict is not Verdict.PASS
    ]


def recorded() -> Any:
    """The validation on recorded one-minute bars of QQQ; why not, where there are none."""
    given = os.environ.get("HFT_TEST_DATA")
    rows = Path(given or "") / "qqq_micro_bars_1m"
    if not given or not rows.is_dir():
        return (
            "no recorded markets, the planted ones are all there is: set HFT_TEST_DATA to a folder "
            "with qqq_micro_bars_1m"
        )
    with TemporaryDirectory() as folder:
        return validate(ALPHA, str(rows), root=workspace(Path(folder) / "desk"))


def _real(result: Any) -> tuple[str, ...]:
    days = next(check.value for check in result.gates[0].checks if check.id == "history")
    sharpe = result.scorecard.values.get("sharpe_oos")
    return (
        f"recorded: QQQ, {days:g} sessions",
        _number(sharpe),
        result.verdict.value,
        _counted(Counter(stopping(result))),
    )


def _counted(found: Counter[str], most: int = 6) -> str:
    """The most frequent first, names break ties."""
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{name} {n}x" if n > 1 else name for name, n in ordered[:most]]
    more = len(ordered) - most
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "") if shown else "nothing"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f}"
