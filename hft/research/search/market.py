"""What a search looks at: feature columns, what each row earns and costs, sessions and the pool.

Plain arrays in one order of rows, name after name and each in time order, so that workers map them
from files. Which column is the return, and which columns look ahead and are refused, is decided
here once.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError, ValidationError
from hft.core.json_text import line, spaced
from hft.research.backtest import INITIAL_EQUITY
from hft.research.data import aliases
from hft.research.expressions.evaluate import table_of
from hft.research.expressions.parse import RELATIVE_WORDS, refused_price
from hft.research.search.trade import Steps

LOOKS_AHEAD = ("fwd", "forward", "future", "label", "target")
SALT_MAX = 1 << 30  # so that a hash over 2^23 rows is a whole number a float64 holds exactly
ARRAYS = ("table", "earned", "cost", "session", "salt", "starts", "pool")


@dataclass(frozen=True, eq=False)
class Market:
    """One search's data; every array is read-only.

    `table` [field, row]; `starts` are the first rows of the names, and the end; `pool` [alpha,
    row]. `days` are the sessions' names, `day_ns` their first times. `returns_used` says what a row
    earns.
    """

    fields: tuple[str, ...]
    table: np.ndarray
    earned: np.ndarray
    cost: np.ndarray
    session: np.ndarray
    starts: np.ndarray
    pool: np.ndarray
    days: tuple[int, ...]
    day_ns: tuple[int, ...]
    interval: tuple[int, int]
    content: str
    returns_used: str
    proxy: bool
    horizon_ns: int = 0

    salt: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.Generator(np.random.Philox(key=20_14))
        object.__setattr__(self, "salt", rng.integers(1, SALT_MAX, self.rows) * 1.0)
        for name in ARRAYS:
            getattr(self, name).setflags(write=False)

    @property
    def rows(self) -> int:
        """Rows of all names."""
        return self.table.shape[1]

    @cached_property
    def steps(self) -> Steps:
        """What rows are worth, as the kernel takes it."""
        return Steps(self.earned, self.cost, self.session, self.salt)

    @cached_property
    def pool_sums(self) -> np.ndarray:
        """Sum and sum of squares of each pool signal, [alpha, 2]."""
        parts = [[one.sum(), (one * one).sum()] for one in self.pool]
        return np.array(parts).reshape(len(self.pool), 2)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything a score depends on."""
        digest = hashlib.sha256(self.content.encode())
        digest.update(spaced([self.fields, self.returns_used, self.days]).encode())
        for name in ("earned", "cost", "session", "starts", "pool"):
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the arrays so that other processes can map them."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            if name != "salt":
                np.save(folder / f"{name}.npy", getattr(self, name))
        rest = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ARRAYS
        }
        (folder / "market.json").write_text(line(rest, finite=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Market":
        """A saved market; its arrays are mapped, not read."""
        rest = json.loads((folder / "market.json").read_text(encoding="utf-8"))
        for name in ("fields", "days", "day_ns", "interval"):
            rest[name] = tuple(rest[name])
        for name in ARRAYS:
            if name != "salt":
                rest[name] = np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))
        return cls(**rest)


def looks_ahead(name: str) -> bool:
    """Whether a name says that the column holds what is only known later."""
    return name.lower().startswith(LOOKS_AHEAD)


def default_fields(columns: Sequence[str], returns_field: str | None) -> tuple[str, ...]:
    """The columns a search may read when none are named."""
    return tuple(
        name
        for name in columns
        if name != returns_field and not refused_price(name) and not looks_ahead(name)
    )


def of_research(
    data: Any,
    fields: Sequence[str] = (),
    *,
    returns_field: str | None = None,
    taker_bps: float = 0.2,
    pool: Mapping[str, np.ndarray] | None = None,
    named: Sequence[str] = (),
) -> Market:
    """The market of research data (`hft.research.data.ResearchData`).

    A field may be given by another name of its column, and is then called as the column. `named`
    are names a template uses: those that only other fields can give are added.
    Raises: ValidationError (exit code 65) for a field that is unknown, a raw price, or looks ahead.
    """
    columns_there = _numeric(data)
    chosen = _called(fields, columns_there) or default_fields(columns_there, returns_field)
    if not fields:
        chosen += _derived(named, data.columns)
    _check(chosen)
    order = np.concatenate([rows for _, rows in data.groups()])
    lengths = [len(rows) for _, rows in data.groups()]
    columns = {name: np.asarray(data.field(name), float)[order] for name in chosen}
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    earned, cost, used = _earnings(data, returns_field, order, starts, taker_bps)
    days, session = np.unique(data.session[order], return_inverse=True)
    signals = list((pool or {}).values())
    beside = np.array([np.asarray(one, float)[order] for one in signals])
    return Market(
        fields=chosen,
        table=np.array(table_of(columns, chosen)),
        earned=earned,
        cost=cost,
        session=session.astype(np.int64),
        starts=starts,
        pool=np.nan_to_num(beside, posinf=0.0, neginf=0.0).reshape(len(signals), len(order)),
        days=tuple(int(day) for day in days),
        day_ns=tuple(data.session_times[0].tolist()),
        interval=(data.interval[0], data.interval[1] + 1),
        content=data.fingerprint,
        returns_used=used,
        proxy=returns_field is None,
        horizon_ns=int(data.horizon_ns),
    )


def _called(names: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """Fields as their columns are called, each once: two names of one column are one field."""
    found = (aliases.column_of(name, columns) or name for name in names)
    return tuple(dict.fromkeys(found))


def _derived(names: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """The quantities named that no column holds and other columns give."""
    missing = (name for name in names if aliases.column_of(name, columns) is None)
    quantities = (aliases.quantity_of(name) for name in missing if not refused_price(name))
    computed = (name for name in quantities if aliases.provides(name, columns))
    return tuple(n for n in dict.fromkeys(computed) if n not in aliases.CLOCK_FIELDS)


def _numeric(data: Any) -> list[str]:
    return [name for name in data.columns if data.frame[name].dtype.is_numeric()]


def _check(fields: Sequence[str]) -> None:
    if not fields:
        raise DataError("there is no field to search; name some with --feature-fields")
    for name in fields:
        if looks_ahead(name):
            raise ValidationError(
                f"field {name!r} says by its name that it is only known later; it cannot be a "
                "feature"
            )
        if refused_price(name):
            raise ValidationError(
                f"field {name!r} is a price level, which is not comparable over time; use a "
                f"field whose name has one of {', '.join(RELATIVE_WORDS)}"
            )
        if not name.isidentifier() or not name.isascii():
            raise ValidationError(f"field {name!r} cannot be written in an expression; rename it")


def _earnings(
    data: Any, returns_field: str | None, order: np.ndarray, starts: np.ndarray, taker_bps: float
) -> tuple[np.ndarray, np.ndarray, str]:
    """What one unit earns at each row from the row before, and what a change costs there."""
    share = taker_bps / 10_000
    level = returns_field is None or refused_price(returns_field) or _is_price(returns_field)
    if returns_field is not None and looks_ahead(returns_field):
        raise ValidationError(
            f"returns field {returns_field!r} says by its name that it looks ahead; give the "
            "return of each row from the row before, or the price itself: hft does the shift"
        )
    if not level:
        returns = np.nan_to_num(np.asarray(data.field(returns_field), float)[order])
        return returns, np.full(len(order), share), f"{returns_field}: return of each row"
    price = np.asarray(data.price if returns_field is None else data.field(returns_field), float)
    price = price[order]
    earned = np.diff(price, prepend=price[:1]) / INITIAL_EQUITY
    earned[starts[:-1]] = 0.0
    used = f"{returns_field}: change of price" if returns_field else "proxy: change of the mid"
    return earned, np.abs(price) * share / INITIAL_EQUITY, used


def _is_price(name: str) -> bool:
    return name.lower() in aliases.PRICE
