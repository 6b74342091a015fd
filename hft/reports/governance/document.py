"""One governance page as plain data: what the verdict is, why, what is missing, what is drawn.

Commands fill a document; pages, summaries and cards only show it. It holds digest inputs and what
follows from them, never a wall time, a machine, a run_id or a folder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from hft.reports.governance.evidence import Picture

KINDS = (
    *("validation", "search", "pool", "promotion", "canary", "inventory", "overrides"),
    *("asof", "why", "ledger", "vault"),
)
TONES = ("", "good", "bad", "wait", "wide")


@dataclass(frozen=True)
class Fact:
    """One key figure: what it is, its text, what to know about it, and a tone of TONES."""

    label: str
    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first `left` columns are text. `fold` hides it behind its title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    left: int = 1
    fold: bool = False


@dataclass(frozen=True)
class Document:
    """What one command has to show.

    `gates` are `GateResult.to_dict()`; `verdict` and `words` follow from them where they are empty.
    `missing` is the shopping list: the gates' own lists where it is empty. `absent` says per kind
    of picture why it is not drawn. `price` is the line of the ledger.
    """

    title: str
    kind: str = "validation"
    subtitle: str = ""
    verdict: str = ""
    words: str = ""
    notice: str = ""
    price: str = ""
    facts: Sequence[Fact] = ()
    gates: Sequence[Mapping[str, Any]] = ()
    missing: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @classmethod
    def of(cls, doc: "Document | Mapping[str, Any]") -> "Document":
        """A document from one, or from plain data. Raises: ValueError for what it does not know."""
        if isinstance(doc, Document):
            return doc
        unknown = set(doc) - {one.name for one in fields(cls)}
        if unknown:
            raise ValueError(f"document: it has no field {sorted(unknown)[0]!r}")
        given = dict(doc)
        given["facts"] = tuple(_fact(one) for one in given.get("facts") or ())
        given["tables"] = tuple(_table(one) for one in given.get("tables") or ())
        given["pictures"] = tuple(_picture(one) for one in given.get("pictures") or () if one)
        return cls(**{name: value for name, value in given.items() if value is not None})

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; `Document.of` reads it back."""
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        data["facts"] = [vars(one) for one in self.facts]
        data["tables"] = [_plain_table(one) for one in self.tables]
        data["pictures"] = [one.to_json() for one in self.pictures]
        data["gates"] = [dict(gate) for gate in self.gates]
        return (
            data
            | {"missing": list(self.missing), "absent": dict(self.absent)}
            | {"inputs": dict(self.inputs)}
        )


def _fact(one: Any) -> Fact:
    if isinstance(one, Fact):
        return one
    return Fact(**one) if isinstance(one, Mapping) else Fact(*one)


def _table(one: Any) -> Table:
    return one if isinstance(one, Table) else Table(**one)


def _picture(one: Any) -> Picture:
    return one if isinstance(one, Picture) else Picture.from_json(one)


def _plain_table(one: Table) -> dict[str, Any]:
    return vars(one) | {"head": list(one.head), "rows": [list(row) for row in one.rows]}
