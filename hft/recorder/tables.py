"""The tables that are recorded: their columns on disk and in the database, and who may be dropped.

Prices are ticks, quantities lots, times ns since the epoch, money units of the settlement currency;
words stand beside codes. `writer_id` and `wal_seq` name a row for good: the database has them too.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import pyarrow as pa

from hft.core.errors import DataError

DATABASE_TYPES = {"int": "Int64", "word": "LowCardinality(String)", "text": "String"}
ARROW_TYPES = {"int": pa.int64(), "word": pa.string(), "text": pa.string()}
IDENTITY = (("writer_id", "LowCardinality(String)"), ("wal_seq", "UInt64"))


@dataclass(frozen=True)
class Table:
    """One topic. What is never droppable makes the gateway degrade before a row of it is lost."""

    name: str
    droppable: bool
    columns: tuple[tuple[str, str], ...]  # name, kind

    @cached_property
    def schema(self) -> pa.Schema:
        """Its rows on disk."""
        return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in self.columns])

    @property
    def column_types(self) -> dict[str, str]:
        """Its columns in the database, by name."""
        kinds = {name: DATABASE_TYPES[kind] for name, kind in self.columns}
        return {**dict(IDENTITY), **kinds}


def _table(name: str, droppable: bool, columns: str) -> Table:
    """Columns as words; one that ends in $ is a word, in $$ a text, else a number."""
    found = []
    for one in columns.split():
        kind = {0: "int", 1: "word", 2: "text"}[one.count("$")]
        found.append((one.rstrip("$"), kind))
    return Table(name, droppable, tuple(found))


_STEP = "session$ seq ts strategy$ symbol$ "
_ORDER = _STEP + "event$ order_id cmd_id side$ price qty "
TABLES: Mapping[str, Table] = MappingProxyType(
    {
        one.name: one
        for one in (
            _table("orders", False, _ORDER + "ignored"),
            _table("fills", False, _ORDER + "fill_id fee_money liquidity$ ignored"),
            _table(
                "decisions",
                False,
                _STEP + "intent_id target_id intent$ order_type$ tif$ side$ price qty "
                "reason$ reason_code cmd_id measured bound",
            ),
            _table("risk", False, _STEP + "intent_id check_name$ reason_code measured bound"),
            _table(
                "guardrails",
                False,
                _STEP + "guard$ scope$ target state cause$ measured bound",
            ),
            _table("control", False, _STEP + "kind$ target value"),
            _table("data_loss", False, "ts table$ rows reason$"),
            _table("wakes", True, _STEP + "cause$ wake intents lost"),
            _table("latency", True, _STEP + "leg$ order_id cmd_id ns"),
            _table(
                "market_data",
                True,
                "session$ seq symbol$ exch_ts local_ts kind side price qty order_id flags",
            ),
        )
    }
)
LOSS = TABLES["data_loss"]
_SHAPE = ";".join(f"{one.name}:{one.columns}" for one in TABLES.values())
# Names these rows in a segment; another one where a column changes.
SCHEMA = b"rec-" + hashlib.sha256(_SHAPE.encode()).hexdigest()[:12].encode()


def table_of(name: str) -> Table:
    """Raises: DataError for a table that is not recorded."""
    if name not in TABLES:
        raise DataError(f"{name!r} is no table of the recorder; one of {', '.join(TABLES)}")
    return TABLES[name]
