"""Rows for every audit table, with values that need care on the way."""

import json
from typing import Any

from hft.audit.auditor import Auditor
from hft.audit.journal import Journal
from hft.storage.chain_row import canonical, row_hash
from hft.storage.database import Source, opened

NS = 1_000_000_000
DAY = 86_400 * NS
START = 1_790_000_000 * NS


def some_row(n: int) -> tuple[str, dict[str, Any]]:
    """A row for one table after the other, with texts that need care on the way."""
    gate = {"gate": "C", "passed": n % 2 == 0, "verdict": "PASS" if n % 2 == 0 else "FAIL"}
    promotion = {"stage": "propose", "approved": 0, "forced": 0, "self_approved": 0}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("alpha_gate_log", {"alpha_id": f"a{n}", **gate, "missing": [], "details": {"sharpe": n}}),
        ("risk_log", {"strategy_id": "s", "intent_id": -n, "approved": 0, "threshold": None}),
        ("control_log", {"scope": "x", "kind": "limits", "cause": "line\nbreak\t'quote' \\ ünï"}),
        (
            "alpha_promotion_log",
            {**promotion, "alpha_id": "p", "gate_d_passed": 1, "gate_e_passed": 0},
        ),
        ("override_log", {"kind": "waiver", "subject": f"tape {n}", "reason": "known gap"}),
        ("guardrail_log", {"strategy_id": "s", "old_state": "NORMAL", "pnl_drawdown": -0.1 * n}),
        ("alpha_canary_log", {"alpha_id": "c", "action": "hold", "evidence": "runs"}),
        ("orders_log", {"strategy_id": "s", "symbol": "BTC", "action": "NEW", "price": 1 << 60}),
    ]
    table, row = rows[n % len(rows)]
    extra: dict[str, dict[str, Any]] = {
        "risk_log": {"value": 1e-300},
        "alpha_promotion_log": {"canary_weight": 0.01},
        "alpha_canary_log": {"old_weight": 0.01, "new_weight": 0.05, "applied": 1},
        "orders_log": {"intent_id": n, "qty": 1, "latency_us": 250, "fence": 0},
    }
    return table, {**row, **extra.get(table, {})}


def write(auditor: Auditor, count: int, first: int = 0, ledger: bool = True) -> None:
    for n in range(first, first + count):
        table, row = some_row(n)
        heads = {"w": {"seq": n + 1, "hash": f"{n:064x}"}} if ledger else {}
        auditor.record(table, row, now_ns=START + n, ledger_heads=heads)


def count(source: Source, journal_id: str, table: str = "") -> int:
    """Rows of a journal in the database, in one table or in all."""
    from hft.audit.records import TABLES

    names = [table] if table else list(TABLES)
    with opened(source) as database:
        query = "SELECT count() FROM audit.{} WHERE journal_id = {{id:String}}"
        return sum(
            int(database.rows(query.format(name), {"id": journal_id})[0][0]) for name in names
        )


def forged(journal: Journal, change: Any) -> None:
    """What a careful forger does: change rows, and compute every hash again."""
    before, lines = "0" * 64, []
    for row in [json.loads(line) for line in journal.raw_lines()]:
        change(row)
        row["prev_hash"] = before
        row["row_hash"] = before = row_hash(row, None)
        lines.append(canonical(row) + b"\n")
    journal.path.write_bytes(b"".join(lines))
