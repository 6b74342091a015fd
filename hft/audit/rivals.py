"""Another journal of the same workspace: whoever begins anew would leave what stood in the first.

A remote may keep journals of many workspaces. One is of this workspace where its decisions were
made on trials of the ledger that lies here, row by row the same. One workspace has one journal.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from hft.audit.journal import Row
from hft.audit.remote import Kept
from hft.storage.chain import Chain
from hft.storage.chain_row import NotARow, parse

DECISIONS = ("alpha_promotion_log", "alpha_canary_log", "override_log")
CURE = (
    "put that journal back with its rows, as `hft audit restore` does where the file is gone; a "
    "clone that decides takes the same journal (HFT_AUDIT_JOURNAL_DIR)"
)


def rival(kept: Mapping[str, Kept], own: str, trials: Callable[[], Collection[str]]) -> str:
    """Which other journal is of this workspace, in words; empty for none.

    `own` is the journal here, empty where there is none; `trials` the hashes of the ledger's rows.
    """
    others = [one for name, one in sorted(kept.items()) if own and name != own and one.rows]
    known = trials() if others else ()
    for one in others:
        for row in one.rows:
            writer = _seen(row, known)
            if writer:
                return (
                    f"the anchor remote keeps another journal of this workspace, "
                    f"{one.journal_id[:8]} with {len(one.rows)} rows: its row {row['seq']} "
                    f"({row['table']}) was decided on the ledger {writer} that lies here; {CURE}"
                )
    return ""


def trial_hashes(ledger: Path) -> set[str]:
    """The hash of every row of a ledger's chains."""
    files = sorted(ledger.glob("*.jsonl"))
    return {str(row.get("row_hash")) for file in files for row in Chain(file).read()}


def _seen(row: Row, known: Collection[str]) -> str:
    """The writer of a ledger row here that the decision names."""
    changed = row["table"] == "control_log" and row["row"].get("kind") == "promotion"
    if row["table"] not in DECISIONS and not changed:
        return ""
    try:
        heads = parse((row.get("ledger_heads") or "{}").encode())
    except NotARow:
        return ""
    return next((str(name) for name, head in heads.items() if head.get("hash") in known), "")
