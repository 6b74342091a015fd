"""Who is in the pool: the newest signals of each alpha, on common rows.

Rows are common by time where every member has times, else the shortest length from the start is
taken. A value that is no number counts as 0 and is counted. The most members that share times are
the pool; one that shares none with them is left out and named, never aligned by force.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hft.core.errors import DataError
from hft.research.experiments import Experiment, Series, latest

ALONE = "shares no time with the others"


@dataclass(frozen=True, eq=False)
class Member:
    """An alpha's signals, the returns of its equity where it kept one of the same length, and the
    price of its rows (None where it kept none, or has several names)."""

    alpha_id: str
    signals: Series
    returns: np.ndarray | None = None
    run_id: str = ""
    price: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Pool:
    """Members on common rows: `signals` is rows x members, `returns` and `market` the same or None.

    `returns` are what each member's own equity earned; `market` is what the price of its rows did
    from a common row to the next, which is what weights are found by. `without_market` are those
    that kept no price: one of them is enough for `market` to be None.
    `aligned_by` is "time" or "length"; `bad_values` counts what was no number, by alpha.
    """

    alpha_ids: tuple[str, ...]
    signals: np.ndarray
    returns: np.ndarray | None
    ts_ns: np.ndarray | None
    aligned_by: str
    bad_values: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    market: np.ndarray | None = None
    without_market: tuple[str, ...] = ()

    @property
    def sample_length(self) -> int:
        return len(self.signals)

    @property
    def empty(self) -> bool:
        return not self.alpha_ids

    def without(self, alpha_id: str) -> "Pool":
        """The pool without one member; its rows stay as they are."""
        keep = [k for k, name in enumerate(self.alpha_ids) if name != alpha_id]
        return replace(
            self,
            alpha_ids=tuple(self.alpha_ids[k] for k in keep),
            signals=self.signals[:, keep],
            returns=None if self.returns is None else self.returns[:, keep],
            market=None if self.market is None else self.market[:, keep],
        )


def read_members(
    experiments: Path,
    alpha_ids: Sequence[str] | None = None,
    refused: Callable[[Member], str] = lambda member: "",
) -> tuple[list[Member], dict[str, str]]:
    """The newest signals of each alpha (or of those named), and why some cannot be read; `refused`
    says why one may not be.

    Raises: DataError for a named alpha without signals.
    """
    newest = latest(experiments, with_signals=True)
    for name in alpha_ids or ():
        if name not in newest:
            known = ", ".join(newest) or "none"
            raise DataError(f"alpha {name!r}: no run of it kept signals; there are {known}")
    found: list[Member] = []
    broken: dict[str, str] = {}
    for name, run in newest.items():
        if alpha_ids is not None and name not in alpha_ids:
            continue
        try:
            member = _member(run)
        except DataError as error:
            broken[name] = str(error)
            continue
        if why := refused(member):
            broken[name] = why
        else:
            found.append(member)
    return found, broken


def read_pool(
    experiments: Path,
    alpha_ids: Sequence[str] | None = None,
    refused: Callable[[Member], str] = lambda member: "",
) -> Pool:
    """The members of `read_members` on common rows."""
    found, broken = read_members(experiments, alpha_ids, refused)
    pool = align(found)
    return replace(pool, left_out=dict(pool.left_out) | broken)


def align(members: Sequence[Member]) -> Pool:
    """Members on common rows, in the order of their ids."""
    given = sorted(members, key=lambda one: one.alpha_id)
    timed = [one for one in given if one.signals.ts_ns is not None]
    if len(timed) == len(given):
        return _by_time(given)
    length = min(len(one.signals.values) for one in given)
    rows = [np.arange(length)] * len(given)
    return _stacked(given, rows, None, "length", {})


def _by_time(given: list[Member]) -> Pool:
    """Rows whose time every member has; of a time seen twice, the last value."""
    kept, common = _together(given)
    left_out = {one.alpha_id: ALONE for one in _longest_first(given) if one not in kept}
    kept.sort(key=lambda one: one.alpha_id)
    rows = [np.searchsorted(_times(one), common, side="right") - 1 for one in kept]
    return _stacked(kept, rows, common, "time", left_out)


def _together(given: list[Member]) -> tuple[list[Member], np.ndarray]:
    """The most members that share times, and those times; of as many, with the longest member.

    Each member in turn is the one that the others, longest first, have to meet: the longest alone
    may be the one that nobody meets, such as a daily panel among alphas on minutes.
    """
    ordered = _longest_first(given)
    times = {one.alpha_id: np.unique(_times(one)) for one in ordered}
    best: tuple[list[Member], np.ndarray] = ([], np.zeros(0, np.int64))
    placed: set[str] = set()
    for seed in ordered:
        if seed.alpha_id in placed:
            continue
        kept, common = [seed], times[seed.alpha_id]
        for one in ordered:
            shared = np.intersect1d(common, times[one.alpha_id], assume_unique=True)
            if one is not seed and len(shared):
                kept.append(one)
                common = shared
        placed |= {one.alpha_id for one in kept}
        if len(kept) > len(best[0]):
            best = (kept, common)
    return best


def _longest_first(given: list[Member]) -> list[Member]:
    return sorted(given, key=lambda one: (-len(one.signals.values), one.alpha_id))


def _times(one: Member) -> np.ndarray:
    assert one.signals.ts_ns is not None
    return one.signals.ts_ns


def _stacked(
    given: list[Member],
    rows: Sequence[np.ndarray],
    ts_ns: np.ndarray | None,
    aligned_by: str,
    left_out: Mapping[str, str],
) -> Pool:
    columns: list[np.ndarray] = [
        one.signals.values[at] for one, at in zip(given, rows, strict=True)
    ]
    bad = {
        one.alpha_id: int((~np.isfinite(column)).sum())
        for one, column in zip(given, columns, strict=True)
    }
    length = 0 if not columns else len(columns[0])
    signals = np.column_stack(columns) if columns else np.zeros((0, 0))
    earned = [
        None if one.returns is None else one.returns[at]
        for one, at in zip(given, rows, strict=True)
    ]
    moved = [
        None if one.price is None else returns_of(one.price[at])
        for one, at in zip(given, rows, strict=True)
    ]
    return Pool(
        tuple(one.alpha_id for one in given),
        np.where(np.isfinite(signals), signals, 0.0).reshape(length, len(given)),
        _whole(earned),
        ts_ns,
        aligned_by,
        {name: count for name, count in bad.items() if count},
        dict(left_out),
        {one.alpha_id: one.run_id for one in given},
        _whole(moved),
        tuple(one.alpha_id for one in given if one.price is None),
    )


def _whole(columns: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """The columns side by side; None where one is missing."""
    known = [column for column in columns if column is not None]
    return np.column_stack(known) if known and len(known) == len(columns) else None


def _member(run: Experiment) -> Member:
    signals, equity = run.signals, run.equity
    if signals is None or not len(signals.values):
        raise DataError(f"{run.path}: its signals are empty")
    returns = None
    if equity is not None and len(equity.values) == len(signals.values):
        returns = returns_of(equity.values)
    if signals.ts_ns is not None and (np.diff(signals.ts_ns) < 0).any():
        raise DataError(f"{run.path}: its signals go back in time")
    price, market = None, run.market
    if market is not None and len(market.values) == len(signals.values):
        price = market.values
    return Member(run.alpha_id, signals, returns, run.run_id, price)


def returns_of(level: np.ndarray) -> np.ndarray:
    """Change of an equity or a price from each row to the next, relative; 0 for the last and where
    undefined.

    A signal of a row earns from that row on, so the two stand beside each other.
    """
    with np.errstate(all="ignore"):
        change = np.diff(level) / np.abs(level[:-1])
    return np.concatenate([np.where(np.isfinite(change), change, 0.0), [0.0]])
