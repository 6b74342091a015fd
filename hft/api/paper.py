"""`hft.alpha.log_paper_session`: what a session of paper trading showed, kept for Gate E."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hft.api.desk import moment_ns, open_desk
from hft.api.promotion import key_of
from hft.governance import paper
from hft.governance.paper import PaperSummary
from hft.research.alphas.ids import alpha_id as proper


def log_paper_session(
    alpha_id: str,
    session_id: str,
    *,
    started: Any,
    ended: Any,
    drift_alerts: int | None = None,
    execution_reject_rate: float | None = None,
    regime: str | None = None,
    figures: Mapping[str, Any] | None = None,
    says: str = "",
    source: str = "",
    symbol: str = "",
    key: str | Path | None = None,
    root: str | Path | None = None,
) -> PaperSummary:
    """Write one session of paper trading, and sum up all of the alpha's.

    `started` and `ended` are UTC times with a zone, or ns. What is not given is absent, never 0.
    `says` is recorded, live or synthetic and `source` who recorded it, from which feed; both are
    signed with the own key where there is one, and `standard` asks for them. The folder is
    `research/experiments/paper_trade/<alpha>/sessions`, what `hft alpha promote --paper-trade-dir`
    reads.

    >>> import hft
    >>> times = {"started": "2026-11-02T09:00Z", "ended": "2026-11-02T10:30Z"}
    >>> hft.alpha.log_paper_session("demo", "monday", regime="calm", **times).shortest_minutes
    90.0
    """
    desk, name = open_desk(root), proper(alpha_id)
    folder = desk.workspace.experiments
    paper.log_session(
        folder,
        name,
        session_id,
        started_ns=moment_ns(started, "started"),
        ended_ns=moment_ns(ended, "ended"),
        drift_alerts=drift_alerts,
        execution_reject_rate=execution_reject_rate,
        regime=regime,
        figures=figures,
        says=says,
        source=source,
        symbol=symbol,
        key=key_of(desk, key) if says else None,
        now_ns=desk.now_ns,
    )
    return paper.summarize(paper.sessions_folder(folder, name), name, desk.keys)
