"""ledger, vault, why, asof and inventory of `hft.alpha`: questions, whose answers print and draw.

Nothing is decided here, and only a look at the vault leaves a row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.api import trace
from hft.api.desk import moment_ns, open_desk
from hft.core.errors import GovernanceError
from hft.reports.governance.document import Document
from hft.reports.governance.shown import Shown


@dataclass(frozen=True, repr=False, eq=False)
class Answer(Shown, Mapping[str, Any]):
    """What was found: read by key, as a table, as text, as a card or as a page."""

    found: Mapping[str, Any]
    document: Document
    listed: str  # the key whose rows are the table

    def __getitem__(self, key: str) -> Any:
        return self.found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def table(self) -> Any:
        """The rows as a polars frame; times of UTC nanoseconds as times."""
        import polars as pl

        frame = pl.DataFrame(self.found[self.listed], infer_schema_length=None)
        times = [name for name in frame.columns if name.endswith("_ns")]
        cast = [pl.col(name).cast(pl.Datetime("ns", "UTC")) for name in times]
        return frame.with_columns(cast).rename({name: name.removesuffix("_ns") for name in times})

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.found)

    def text(self, width: int = 100, color: bool = False) -> str:
        """For a terminal."""
        from hft.reports.governance.summary import text

        return text(self.document, width, color)

    def __repr__(self) -> str:
        return self.text()


def asof(time: Any, *, root: str | Path | None = None, now: Any = None) -> Answer:
    """What was live at a time, with weight, limits hash and signers; the time needs a zone.

    Raises: ConfigError for a time without a zone.

    >>> import hft
    >>> hft.alpha.asof("2026-01-05T16:00Z")["alphas"]
    []
    """
    from hft.governance.trace.page import asof_document

    found = trace.asof(time, root, now=now)
    return Answer(found, asof_document(found), "alphas")


def why(alpha_id: str, *, root: str | Path | None = None, now: Any = None) -> Answer:
    """The chain from the first trial to the last canary row, each link with hash and page.

    Raises: ValidationError for an id that nothing is known of.

    >>> import hft
    >>> hft.alpha.why("demo")["links"][0]["kind"]
    'trial'
    """
    from hft.governance.trace.page import why_document

    found = trace.why(alpha_id, root, now=now)
    return Answer(found, why_document(found), "links")


def inventory(*, root: str | Path | None = None, now: Any = None) -> Answer:
    """Every model with tier, people, last validation, expiry and open findings.

    >>> import hft
    >>> [model["alpha_id"] for model in hft.alpha.inventory()["models"]]
    ['demo']
    """
    from hft.governance.trace.page import inventory_document

    found = trace.inventory(root, now=now)
    return Answer(found, inventory_document(found), "models")


def ledger(
    family: str | None = None,
    *,
    since: Any = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Answer:
    """Trials, repeats, N, effective N, hurdle and heads, and whether the ledger is whole.

    `family` and `since` narrow what is listed, never what counts.

    >>> import hft
    >>> book = hft.alpha.ledger()
    >>> book["trials"] >= 12, book["problems"]
    (True, [])
    """
    from hft.governance.ledger.check import anchored_heads
    from hft.governance.ledger.overview import overview
    from hft.governance.ledger.page import document

    desk = open_desk(root, now=now)
    since_ns = None if since is None else moment_ns(since, "since")
    rows = list(desk.auditor.rows())
    found = overview(desk.ledger, family=family, since_ns=since_ns, anchors=anchored_heads(rows))
    return Answer(found.to_dict(), document(found), "families")


def vault(
    alpha_id: str | None = None,
    *,
    reason: str = "",
    key: str | Path | None = None,
    scorecard: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Any:
    """One signed look at the vault split for a reason; without an alpha the budgets.

    Raises: GovernanceError when the budget is spent, PromotionError when code or data moved.

    >>> import hft
    >>> hft.alpha.vault()["budgets"]
    []
    """
    if alpha_id is None:
        return _budgets(root, now)
    from hft.api.vault import look

    if not reason.strip():
        raise GovernanceError("a look at the vault needs a reason")
    return look(alpha_id, reason=reason, key=key, scorecard=scorecard, root=root, now=now)


def _budgets(root: str | Path | None, now: Any) -> Answer:
    from hft.governance.ledger.page import budgets_document
    from hft.governance.vault import budgets

    desk = open_desk(root, now=now)
    found = budgets(desk.looked_rows(), desk.settings.alpha_vault_looks)
    rows = [one.to_dict() for one in found]
    return Answer({"budgets": rows}, budgets_document(rows), "budgets")


__all__ = ["Answer", "asof", "inventory", "ledger", "vault", "why"]
