"""The rows of the audit: tables, columns, types, and what may stand in them.

It decides whether a row may be recorded and what its evidence digest is. A value is brought into
the one form that journal and database share; nothing is filled in but empty texts. The DDL is in
`schema`.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hft.core.errors import DataError
from hft.storage.chain import canonical

Kind = Literal["text", "json", "int", "flag", "float"]

SCHEMA_VERSION = 1
REHEARSED = " (rehearsal)"  # behind the person in rows of a workspace whose clock is set
SQL_TYPE: dict[Kind, str] = {
    "text": "String",
    "json": "String",
    "int": "Int64",
    "flag": "UInt8",
    "float": "Float64",
}


@dataclass(frozen=True)
class Column:
    """One own column; `words` are the only texts allowed where there are any."""

    name: str
    kind: Kind = "text"
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of the database `audit`: own columns, order key, which may be null is `float`."""

    name: str
    order: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def full_name(self) -> str:
        """As SQL names it."""
        return f"audit.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Every column in the order of the table."""
        own = tuple(column.name for column in self.columns)
        return (*(name for name, _ in COMMON), *own, JOURNAL_ID)

    @property
    def column_types(self) -> tuple[str, ...]:
        """The SQL type of each of `column_names`."""
        own = tuple(SQL_TYPE[column.kind] for column in self.columns)
        return (*(kind for _, kind in COMMON), *own, "String")


# First in every table.
COMMON: tuple[tuple[str, str], ...] = (
    ("seq", "UInt64"),
    ("ts", "Int64"),
    ("event_ts", "Int64"),
    ("row_hash", "String"),
    ("prev_hash", "String"),
    ("schema_version", "UInt16"),
    ("actor", "String"),
    ("key_fp", "String"),
    ("keys_hash", "String"),
    ("limits_hash", "String"),
    ("ledger_heads", "String"),
)
# Last in every table: several workspaces may deliver to one server, each counting its own seq.
JOURNAL_ID = "journal_id"

# What the evidence digest leaves out: order, time, person, chain, and what names a single run.
NOT_EVIDENCE = frozenset(
    (
        *("seq", "ts", "actor", "row_hash", "prev_hash", "journal_id", "schema_version"),
        *("key_fp", "keys_hash", "ledger_heads", "run_id", "signature", "evidence_digest"),
    )
)


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


def _of(kind: Kind, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names)


def _word(name: str, *words: str) -> Column:
    return Column(name, "text", words)


GATES = ("A", "B", "C", "D", "E", "F", "RL")
CONTROL_KINDS = (
    "policy",
    "breaker",
    "kill",
    "limits",
    "promotion",
    "reset",
    "lease",
    "reconcile",
    "retire",
    "keys",
    "anchor",
    "look",
    "refused",
)
CANARY_ACTIONS = ("hold", "escalate", "rollback", "graduate")
OVERRIDE_KINDS = (
    *("force", "self_approval", "asserted", "waiver"),
    *("vault_look", "vault_refused", "vault_budget"),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "orders_log",
            ("strategy_id", "ts", "symbol"),
            (
                *_text("strategy_id"),
                *_of("int", "intent_id"),
                *_text("order_id", "symbol"),
                _word("action", "NEW", "AMEND", "CANCEL", "FORCE_FLAT"),
                *_of("int", "price"),
                *_text("price_text"),
                *_of("int", "qty"),
                *_text("side", "status", "broker_msg"),
                *_of("int", "latency_us"),
                *_text("reason"),
                *_of("int", "fence"),
            ),
        ),
        Table(
            "risk_log",
            ("strategy_id", "ts"),
            (
                *_text("strategy_id"),
                *_of("int", "intent_id"),
                *_text("check_name"),
                *_of("flag", "approved"),
                *_text("reason"),
                *_of("float", "threshold", "value"),
            ),
        ),
        Table(
            "guardrail_log",
            ("strategy_id", "ts"),
            (*_text("strategy_id", "old_state", "new_state"), *_of("float", "pnl_drawdown")),
        ),
        Table(
            "control_log",
            ("ts",),
            (
                *_text("scope"),
                _word("kind", *CONTROL_KINDS),
                *_text("old_state", "new_state", "cause"),
                *_of("json", "evidence"),
            ),
        ),
        Table(
            "alpha_gate_log",
            ("alpha_id", "ts"),
            (
                *_text("alpha_id", "run_id"),
                _word("gate", *GATES),
                *_of("flag", "passed"),
                _word("verdict", "PASS", "FAIL", "INSUFFICIENT"),
                *_of("json", "missing"),
                *_text("trial_id", "config_hash", "thresholds_hash", "profile", "convention"),
                *_text("evidence_digest"),
                *_of("json", "details"),
            ),
        ),
        Table(
            "alpha_promotion_log",
            ("alpha_id", "ts"),
            (
                *_text("alpha_id", "run_id"),
                *_of("flag", "approved"),
                _word("stage", "freeze", "propose", "countersign", "approve", "renew"),
                *_of("flag", "forced", "self_approved"),
                *_text("bundle_sha256", "signature"),
                *_of("flag", "gate_d_passed", "gate_e_passed"),
                *_of("float", "canary_weight"),
                *_text("config_hash"),
                *_of("json", "reasons", "scorecard"),
                *_text("yaml_sha256"),
            ),
        ),
        Table(
            "alpha_canary_log",
            ("alpha_id", "ts"),
            (
                *_text("alpha_id"),
                _word("action", *CANARY_ACTIONS),
                *_of("float", "old_weight", "new_weight"),
                *_text("reason"),
                *_of("json", "checks"),
                _word("evidence", "runs", "csv", "asserted"),
                *_of("flag", "applied"),
                *_text("signature"),
            ),
        ),
        Table(
            "override_log",
            ("ts",),
            (
                _word("kind", *OVERRIDE_KINDS),
                *_text("alpha_id", "subject", "reason", "signature"),
            ),
        ),
    )
}


def table_of(name: str) -> Table:
    """A table by its name, with or without `audit.`. Raises: DataError listing the names."""
    found = TABLES.get(name.removeprefix("audit."))
    if found is None:
        raise DataError(f"{name}: is no audit table; the tables are {', '.join(TABLES)}")
    return found


def own_values(table: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    """The own columns of a row in their stored form.

    Texts and JSON may be left out (empty); a number, a flag and a word of a list must be given.
    Raises: DataError naming table and column.
    """
    known = {column.name for column in table.columns}
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise DataError(f"{table.full_name}: {unknown[0]}: is no column of this table")
    return {column.name: _value(table, column, given) for column in table.columns}


def evidence_digest(table: Table, row: Mapping[str, Any]) -> str:
    """SHA-256 of what was decided: the row without seq, time, person, chain and run."""
    kept = {name: value for name, value in row.items() if name not in NOT_EVIDENCE}
    return hashlib.sha256(canonical({"table": table.name, **kept})).hexdigest()


def json_text(value: Any) -> str:
    """Canonical JSON of a mapping or list; NaN and infinity become null."""
    return canonical({"": finite(value)}).decode()[4:-1]


def finite(value: Any) -> Any:
    """The same value with null for every number that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _value(table: Table, column: Column, given: Mapping[str, Any]) -> Any:
    where = f"{table.full_name}: {column.name}"
    if column.name not in given:
        if column.words or column.kind not in ("text", "json"):
            raise DataError(f"{where}: is missing; give it")
        return ""
    value = given[column.name]
    match column.kind:
        case "json":
            return value if isinstance(value, str) else json_text(value)
        case "text":
            return _checked_text(value, column, where)
        case "float":
            return _checked_float(value, where)
        case "flag":
            if value not in (0, 1):
                raise DataError(f"{where}: {value!r} is neither true nor false")
            return int(value)
    return checked_int(value, where)


def _checked_text(value: Any, column: Column, where: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{where}: {value!r} is not a text")
    if column.words and value not in column.words:
        raise DataError(f"{where}: {value!r} is none of {', '.join(column.words)}")
    return str(value)


def _checked_float(value: Any, where: str) -> float | None:
    """A number that does not exist is null here and NaN in the database."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{where}: {value!r} is not a number")
    number = float(value)
    return number if math.isfinite(number) else None


def checked_int(value: Any, where: str) -> int:
    """An integer of 64 bits with sign. Raises: DataError."""
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise DataError(f"{where}: {value!r} is not an integer of 64 bits")
    return int(value)
