"""`hft alpha pool` from Python: read the newest signals, answer one question, keep the page."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hft.core.errors import ConfigError, DataError
from hft.reports.governance.document import Document
from hft.reports.governance.shown import Shown
from hft.research.pool import Member, Pool, marginal, matrix, read_pool, redundant, weights
from hft.research.pool.report import document, keep
from hft.research.workspace import Workspace

if TYPE_CHECKING:
    from hft.api.desk import Desk

Part = tuple[str, Any]  # words, and the frame below them or None
VIEWS = ("matrix", "redundant", "optimize", "marginal")


@dataclass(frozen=True, repr=False)
class Looked(Shown):
    """The answer as plain data, as text, and where result and page are kept."""

    result: Any
    parts: tuple[Part, ...]
    folder: Path
    passed: bool | None = None
    document: Document | None = None

    def to_json(self) -> Any:
        """What `--json` prints."""
        return self.result

    @property
    def text(self) -> str:
        """Facts and tables, as wide as they are."""
        from hft.reports.render import frame_text

        return self.drawn(frame_text)

    def drawn(self, table: Callable[[Any], str]) -> str:
        """Facts and tables; `table` makes a text of a frame."""
        shown = []
        for title, frame in self.parts:
            body = "" if frame is None else table(frame)
            shown.append("\n".join(part for part in (title, body) if part))
        return "\n\n".join(shown)

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
    folder = None if base_dir is None else desk.root / base_dir
    return asked(desk, view, folder, **given)


def asked(desk: "Desk", view: str, folder: Path | None = None, **given: Any) -> Looked:
    """The same at a desk; `folder` is that of the experiments where it is another one.

    Weights that are refused leave an audit row. Raises: DataError, ConfigError.
    """
    from hft.api.refusals import of_pool

    with of_pool(desk, view):
        if folder is not None and not folder.is_dir():
            raise DataError(f"--base-dir: {folder}: there is no such folder")
        experiments = desk.workspace.experiments if folder is None else folder
        return look(experiments, view, now_ns=desk.now_ns, **given)


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
    there = read_pool(experiments, refused=_on_vault_days)
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
        result,
        tuple(_parts(there, doc, found, view, metric)),
        folder,
        one.passed if one else None,
        doc,
    )


def _on_vault_days(member: Member) -> str:
    """Why a member may not be in the pool: its rows are of a vault that nobody may see."""
    from hft.api.desk import find_root
    from hft.research.data.vault_days import held_rows

    times = member.signals.ts_ns
    if (
        member.price is None
        or times is None
        or not held_rows(Workspace(find_root()), times, member.price)
    ):
        return ""
    return "its rows are of days that a vault of this workspace keeps back"


def _parts(there: Pool, doc: Any, found: Any, view: str, metric: str) -> Iterator[Part]:
    """The facts, then the tables of the document; the matrix itself where it is asked for."""
    import polars as pl

    yield "\n".join(f"{fact.label}: {fact.text}  {fact.note}".rstrip() for fact in doc.facts), None
    if view == "matrix" and there.alpha_ids:
        columns: dict[str, Any] = {"alpha": list(there.alpha_ids)}
        table = found.of(metric)
        columns |= {name: table[:, k].round(3) for k, name in enumerate(there.alpha_ids)}
        yield "", pl.DataFrame(columns)
    for table in doc.tables:
        heads = [f"{name} {k}" if name in table.head[:k] else name for k, name in _numbered(table)]
        rows = [[str(cell) for cell in row] for row in table.rows]
        yield table.title, pl.DataFrame(rows, heads, orient="row")
        if table.note:
            yield table.note, None


def _numbered(table: Any) -> list[tuple[int, str]]:
    return list(enumerate(table.head))
