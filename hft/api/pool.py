"""`hft alpha pool` from Python: read the newest signals, answer one question, keep the page."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.alpha.pool import Pool, marginal, matrix, read_pool, redundant, weights
from hft.alpha.pool.report import document, keep
from hft.core.errors import ConfigError
from hft.reports.governance.document import Document
from hft.reports.governance.shown import Shown

VIEWS = ("matrix", "redundant", "optimize", "marginal")


@dataclass(frozen=True, repr=False)
class Looked(Shown):
    """The answer as plain data, as text, and where result and page are kept."""

    result: Any
    text: str
    folder: Path
    passed: bool | None = None
    document: Document | None = None

    def to_json(self) -> Any:
        """What `--json` prints."""
        return self.result

    def __repr__(self) -> str:
        return self.text


def pool(
    view: str = "matrix",
    *,
    base_dir: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
    **given: Any,
) -> Looked:
    """How the newest signals of a workspace's alphas belong together.

    `view` is matrix, redundant, optimize (`method=`, `ridge_alpha=`, `returns=`) or marginal
    (`alpha_id=`, `min_uplift=`); `threshold=` and `metric=` say what is redundant.
    Raises: DataError, ConfigError.

    >>> import hft
    >>> hft.alpha.pool("redundant").result
    []
    """
    from hft.api.desk import open_desk

    desk = open_desk(root, now=now)
    folder = desk.workspace.experiments if base_dir is None else desk.root / base_dir
    return look(folder, view, now_ns=desk.now_ns, **given)


def look(
    experiments: Path,
    view: str = "matrix",
    *,
    threshold: float = 0.7,
    metric: str = "pearson",
    method: str = "equal_weight",
    ridge_alpha: float = 0.1,
    alpha_id: str | None = None,
    min_uplift: float = 0.05,
    returns: Any = None,
    now_ns: int | None = None,
) -> Looked:
    """One view of the pool: matrix, redundant, optimize or marginal.

    Raises: DataError for an empty pool or an unknown alpha, ConfigError for a wrong option.
    """
    if view not in VIEWS:
        raise ConfigError(f"pool: {view!r} is not one of {', '.join(VIEWS)}")
    there = read_pool(experiments)
    found = matrix(there)
    pairs = redundant(found, threshold, metric)
    given: dict[str, Any] = {"method": method, "returns": returns, "ridge_alpha": ridge_alpha}
    mixed = weights(there, **given) if view == "optimize" else None
    one = None
    if view == "marginal":
        one = marginal(there, str(alpha_id), min_uplift=min_uplift, **given)
    answers: dict[str, Any] = {
        "matrix": found.to_dict,
        "redundant": lambda: [pair.to_dict() for pair in pairs],
        "optimize": lambda: mixed.to_dict() if mixed else None,
        "marginal": lambda: one.to_dict() if one else None,
    }
    result = answers[view]()
    doc = document(
        there, found, pairs, threshold=threshold, metric=metric, mixed=mixed, candidate=one
    )
    folder = keep(experiments, {"view": view, "result": result}, doc, now_ns or time.time_ns())
    return Looked(
        result, _text(there, doc, found, view, metric), folder, one.passed if one else None, doc
    )


def _text(there: Pool, doc: Any, found: Any, view: str, metric: str) -> str:
    """The tables of the document; the matrix itself where it is asked for."""
    import polars as pl

    from hft.reports.render import frame_text

    parts = [f"{fact.label}: {fact.text}  {fact.note}".rstrip() for fact in doc.facts]
    if view == "matrix" and there.alpha_ids:
        columns: dict[str, Any] = {"alpha": list(there.alpha_ids)}
        table = found.of(metric)
        columns |= {name: table[:, k].round(3) for k, name in enumerate(there.alpha_ids)}
        parts.append(frame_text(pl.DataFrame(columns)))
    for table in doc.tables:
        heads = [f"{name} {k}" if name in table.head[:k] else name for k, name in _numbered(table)]
        rows = [[str(cell) for cell in row] for row in table.rows]
        parts.append(f"{table.title}\n" + frame_text(pl.DataFrame(rows, heads, orient="row")))
    return "\n\n".join(["\n".join(parts[: len(doc.facts)]), *parts[len(doc.facts) :]])


def _numbered(table: Any) -> list[tuple[int, str]]:
    return list(enumerate(table.head))
