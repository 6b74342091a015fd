"""`hft.alpha.log_paper_session`: what a session of paper trading showed, kept for Gate E."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hft.api.desk import moment_ns, open_desk
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
    root: str | Path | None = None,
) -> PaperSummary:
    """Write one session of paper trading, and sum up all of the alpha's.

    `started` and `ended` are UTC times with a zone, or ns. What is not given is absent, never 0.
    The folder is `research/experiments/paper_trade/<alpha>/sessions`, what
    `hft alpha promote --paper-trade-dir` reads.

    >>> import hft
    >>> times = {"started": "2026-11-02T09:00Z", "ended": "2026-11-02T10:30Z"}
    >>> hft.alpha.log_paper_session("demo", "monday", regime="calm", **times).shortest_minutes
    90.0
    """
    folder, name = open_desk(root).workspace.experiments, proper(alpha_id)
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
    )
    return paper.summarize(paper.sessions_folder(folder, name))
