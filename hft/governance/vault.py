"""The vault's budget: how often the last data of a market may be looked at, and who did.

Pure: looks are read from audit rows passed in. The budget is of the vault's days in the market, not
of a dataset: other columns, rows or shares of them are the same vault where days and prices overlap
(`Footprint`). It is not of a family either: whoever looked knows the rows, and a family is a word
that the author chooses. A look whose subject cannot be read is counted against every budget, and
one that does not say which days it saw against all of its family, since a look that nobody can
place must not be free.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hft.core.errors import ValidationError
from hft.research.data.footprint import Footprint
from hft.storage.chain_row import NotARow, canonical, parse

TABLE = "override_log"
KIND = "vault_look"
OVERRIDE = "vault_budget"  # a look beyond hft's budget, by a setting: a row of its own
BUDGET = 3  # looks at a vault; more is an override, which is on record
ELSEWHERE = "elsewhere"  # of a row: it is of another workspace's journal
REFUSED = "vault_refused"  # asked for and not given: a row, but no look


@dataclass(frozen=True)
class Look:
    """One look that was taken; `family` and `dataset` are empty when the row does not say."""

    seq: int
    ts_ns: int
    alpha_id: str
    family: str
    dataset: str
    reason: str
    actor: str
    key_fp: str
    rows: Footprint | None = field(default=None, repr=False)
    elsewhere: bool = False  # told by the registry of the desk, of another workspace

    @property
    def place(self) -> str:
        """Where it is on record."""
        return f"audit row {self.seq}{' of another workspace' if self.elsewhere else ''}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the days."""
        return {name: value for name, value in asdict(self).items() if name != "rows"}

    def is_of(self, family: str, dataset: str, rows: Footprint | None) -> bool:
        """Does it count against the budget for these rows, asked for by this family?"""
        if not self.family or self.dataset == dataset:
            return True
        if self.rows is None or rows is None:
            return self.family == family
        return self.rows.same_market(rows)


@dataclass(frozen=True)
class Budget:
    """What is left of a vault; `sentence` says it in words, also when refused."""

    dataset: str
    budget: int
    looks: tuple[Look, ...]

    @property
    def used(self) -> int:
        """Looks taken."""
        return len(self.looks)

    @property
    def left(self) -> int:
        """Looks that may still be taken, never below 0."""
        return max(0, self.budget - self.used)

    @property
    def beyond(self) -> int:
        """Looks that were taken beyond hft's own budget, by an override."""
        return max(0, self.used - BUDGET)

    @property
    def overrides(self) -> bool:
        """Would one more look be beyond hft's own budget?"""
        return self.allowed and self.used >= BUDGET

    @property
    def allowed(self) -> bool:
        """Whether one more look may be taken."""
        return self.used < self.budget

    @property
    def sentence(self) -> str:
        """One sentence for a person."""
        where = f"dataset {self.dataset[:16]}"
        if self.allowed:
            words = f", beyond hft's {BUDGET}: an override, on record" if self.overrides else ""
            return f"vault: {where}: look {self.used + 1} of {self.budget}{words}"
        if not self.budget:
            return f"vault: {where}: refused, the budget is 0 looks (alpha.vault_looks)"
        last = ", ".join(f"{look.alpha_id} ({look.place})" for look in self.looks)
        return (
            f"vault: {where}: refused, all {self.budget} looks are spent: {last}; what was looked "
            "at proves nothing any more, so record new data"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "families": sorted({look.family for look in self.looks}),
            "dataset": self.dataset,
            "budget": self.budget,
            "used": self.used,
            "left": self.left,
            "beyond": self.beyond,
            "allowed": self.allowed,
            "sentence": self.sentence,
            "looks": [look.to_dict() for look in self.looks],
        }


def subject(family: str, dataset: str, rows: Footprint | None = None) -> str:
    """What stands in the `subject` of a look's audit row; `rows` are those of the vault."""
    if not family or not dataset:
        raise ValidationError("a look at the vault names its family and its dataset")
    named: dict[str, Any] = {"dataset": dataset, "family": family}
    if rows is not None:
        named["rows"] = rows.to_dict()
    return canonical(named).decode()


def looks(rows: Iterable[Mapping[str, Any]]) -> list[Look]:
    """The looks among audit rows (as the journal or the database gives them), oldest first."""
    found: dict[tuple[int, str], Look] = {}
    for row in rows:
        inner = row.get("row")
        own = inner if isinstance(inner, Mapping) else row
        if row.get("table", TABLE) != TABLE or own.get("kind") != KIND:
            continue
        look = _look(row, own)
        found[look.seq, str(row.get("row_hash", ""))] = look
    return [look for _, look in sorted(found.items())]


def decide(
    rows: Iterable[Mapping[str, Any]],
    *,
    family: str,
    dataset: str,
    budget: int,
    vault: Footprint | None = None,
) -> Budget:
    """Whether the vault of `dataset` may be looked at once more; `vault` are its rows, `family`
    who asks."""
    mine = [look for look in looks(rows) if look.is_of(family, dataset, vault)]
    return Budget(dataset, budget, tuple(mine))


def budgets(rows: Iterable[Mapping[str, Any]], budget: int) -> list[Budget]:
    """Every dataset whose vault was looked at, with what is left."""
    rows = list(rows)
    known = {look.dataset: look for look in looks(rows)}
    return [
        decide(rows, family=look.family, dataset=dataset, budget=budget, vault=look.rows)
        for dataset, look in sorted(known.items())
    ]


def _look(row: Mapping[str, Any], own: Mapping[str, Any]) -> Look:
    try:
        named = parse(str(own.get("subject", "")).encode(errors="replace"))
        family, dataset = named["family"], named["dataset"]
    except (NotARow, KeyError):
        named, family, dataset = {}, "", ""
    if not (isinstance(family, str) and isinstance(dataset, str) and family and dataset):
        family = dataset = ""
    return Look(
        seq=int(row.get("seq", 0)),
        ts_ns=int(row.get("ts", 0)),
        alpha_id=str(own.get("alpha_id", "")),
        family=family,
        dataset=dataset,
        reason=str(own.get("reason", "")),
        actor=str(row.get("actor", "")),
        key_fp=str(row.get("key_fp", "")),
        rows=Footprint.read(named.get("rows")),
        elsewhere=bool(row.get(ELSEWHERE)),
    )


def table(found: list[Budget], budget: int) -> str:
    """The budgets as text, each with the looks that were taken."""
    if not found:
        return f"nobody looked at a vault yet; the budget is {budget} looks a vault"
    lines = []
    for one in found:
        name = f"dataset {one.dataset[:16]}" if one.dataset else "not readable"
        taken = (
            f"{one.used} looks taken" if one.beyond else f"{one.used} of {one.budget} looks taken"
        )
        over = f", {one.beyond} beyond hft's {BUDGET} by an override" if one.beyond else ""
        lines.append(f"{name}: {taken}{over}, {one.left} left")
        lines += [f"  {look.place}: {_of(look)}, {look.actor}: {look.reason}" for look in one.looks]
    return "\n".join(lines)


def _of(look: Look) -> str:
    return f"{look.alpha_id} of family {look.family}" if look.family else look.alpha_id
