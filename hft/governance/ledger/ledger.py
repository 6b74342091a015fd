"""The trial ledger of a workspace: every evaluation on data that counts, one chain for each writer.

It decides what is a repeat and what counts towards N. Appending is its only way to change anything:
return vectors first, then the rows, both durable before they are acknowledged. It never reads a
clock, never deletes, and never writes another writer's file.
"""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from hft.core.errors import JournalError, ValidationError
from hft.governance.ledger import family as families
from hft.governance.ledger.check import Heads, Problem, check
from hft.governance.ledger.family import DAYS_PER_YEAR, FamilyView, Price
from hft.governance.ledger.registry import exchange, reached
from hft.governance.ledger.union import SUFFIX, Union, chain_files
from hft.governance.ledger.vectors import Vectors
from hft.governance.ledger.writer import writer_id
from hft.research.trial import Trial
from hft.storage.chain import GENESIS, Chain, Head

RETURNS = "returns"
VIEWS_MAX = 16


class Recorded(NamedTuple):
    """What became of one trial: its id, whether it was known, its row and that row's hash."""

    trial_id: str
    repeat: bool
    seq: int
    hash: str


class Ledger:
    """The ledger in one folder, written as one writer and read as the union of all.

    Threads and processes of one writer may share it; a copy sent to another process reads anew.
    Raises: JournalError when the disk or a chain is damaged, Busy when another process holds the
    lock for long.
    """

    def __init__(self, folder: Path, writer: str, registry: Path | None = None) -> None:
        self.folder, self.writer, self.registry = folder, writer, registry
        self.chain = Chain(folder / f"{writer}{SUFFIX}")
        self._union = Union(folder)
        self._vectors = Vectors(folder / RETURNS)
        self._views: dict[tuple[str, ...], FamilyView] = {}
        self._one_at_a_time = threading.RLock()

    def __reduce__(self) -> tuple[type["Ledger"], tuple[Path, str, Path | None]]:
        return type(self), (self.folder, self.writer, self.registry)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        writer: str | None = None,
        registry: str | Path | None = None,
    ) -> "Ledger":
        """The ledger in `folder`, which need not exist yet; this host, user and checkout writes.

        `registry`: a folder that a desk shares, whose trials count here, too.
        """
        folder = Path(folder)
        shared = None if registry is None else Path(registry)
        return cls(folder, writer or writer_id(folder), shared)

    def append(self, trials: Sequence[Trial], now_ns: int) -> list[Recorded]:
        """Record trials as they run; they are durable when this returns.

        A trial known before is recorded again as a repeat and counts once.
        """
        if not trials:
            return []
        rows = [trial.to_row(self.writer, now_ns) for trial in trials]
        self._vectors.write(trials)
        with self._one_at_a_time:
            known = self._refreshed().ids()
            appended = self.chain.append(rows)
            self._shared()
        recorded, mine = [], set()
        for at, row in enumerate(rows):
            trial = row["trial_id"]
            repeat = trial in known or trial in mine
            recorded.append(Recorded(trial, repeat, appended.first_seq + at, appended.hashes[at]))
            mine.add(trial)
        return recorded

    @property
    def is_readable(self) -> bool:
        """Whether no chain is broken; `verify` says which."""
        return not any(self._refreshed().broken())

    def trials(
        self,
        *,
        family: str | None = None,
        label_family: str | None = None,
        interval: tuple[int, int] | None = None,
        since_ns: int | None = None,
    ) -> pl.DataFrame:
        """Unique trials of all writers in the order of recording, with the count of `repeats`.

        Raises: JournalError where a chain is broken: a part of the trials is no count.
        """
        frame = self._unique()
        if family is not None:
            frame = frame.filter(pl.col("family") == family)
        if label_family is not None:
            frame = frame.filter(pl.col("label_family") == label_family)
        if since_ns is not None:
            frame = frame.filter(pl.col("ts_ns") >= since_ns)
        return frame if interval is None else frame.filter(_overlap(interval))

    def vectors(self, trial_ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Net returns per period by trial id, as far as they are there whole."""
        ids = list(trial_ids)
        frame = self._unique().filter(pl.col("trial_id").is_in(ids))
        by_trial = dict(frame.select("trial_id", "returns_sha256").iter_rows())
        found = self._vectors.read(by_trial.values())
        return {
            trial: found[by_trial[trial]].returns
            for trial in dict.fromkeys(ids)
            if by_trial.get(trial) in found
        }

    def heads(self) -> dict[str, dict[str, int | str]]:
        """The newest row of each writer's chain, as it is anchored: {writer: {seq, hash}}.

        Of a chain whose end is damaged the newest row before the damage: that it is damaged is a
        decision's content, and must not keep the decision from being recorded.
        """
        heads = {path.stem: self._head(path) for path in chain_files(self.folder)}
        return {
            writer: {"seq": head.seq, "hash": head.hash}
            for writer, head in sorted(heads.items())
            if head.seq
        }

    def _refreshed(self) -> Union:
        with self._one_at_a_time:
            self._shared()
            return self._union.refresh()

    def _unique(self) -> pl.DataFrame:
        with self._one_at_a_time:
            self._shared()
            return self._union.refresh().unique()

    def reachable(self) -> None:
        """Raises: Unavailable where the registry of the desk is away, without touching a file."""
        if self.registry is not None:
            reached(self.registry)

    def _shared(self) -> None:
        """Raises: Unavailable, JournalError where the registry of the desk cannot be reckoned."""
        if self.registry is not None:
            exchange(self.folder, self.registry, RETURNS)

    def _head(self, path: Path) -> Head:
        try:
            return Chain(path).head()
        except JournalError:
            chain = self._refreshed().chains.get(path.stem)
            return chain.head if chain is not None else Head(0, GENESIS)

    def verify(
        self, anchors: Heads | Iterable[Heads] = (), *, vectors: bool = True
    ) -> list[Problem]:
        """Everything that is wrong, given heads kept elsewhere; empty when it is whole."""
        return check(self.folder, anchors, vectors=vectors)

    def family(
        self,
        family: str | None = None,
        interval: tuple[int, int] | None = None,
        *,
        label_family: str | None = None,
    ) -> FamilyView:
        """The trials that share label and data, with vectors, effective N and variance.

        N of a gate is `label_family` and `interval` together; `family` narrows it for display.
        """
        trials = self.trials(family=family, label_family=label_family, interval=interval)
        key, repeats = tuple(trials["trial_id"]), trials["repeats"].sum()
        seen = self._views.get(key)
        if seen is None or seen.repeats != repeats:
            seen = families.view(trials, self._vectors.read(trials["returns_sha256"]))
            with self._one_at_a_time:
                while len(self._views) >= VIEWS_MAX:
                    del self._views[next(iter(self._views))]
                self._views[key] = seen
        return seen

    def price(
        self,
        *,
        family: str,
        label_family: str,
        interval: tuple[int, int],
        n_obs: int,
        trial_ids: Sequence[str] | None = None,
        new: int = 1,
        periods_per_year: float = DAYS_PER_YEAR,
    ) -> Price:
        """What the next trials cost, before they run.

        Name them by `trial_ids` (those known are repeats and cost nothing), or say how many are
        `new`. `n_obs` is how many periods they have.
        """
        if new < 0:
            raise ValidationError(f"price of {new} trials: at least 0")
        seen = self.family(label_family=label_family, interval=interval)
        if trial_ids is not None:
            new = len(set(trial_ids) - self._union.ids())
        return families.price(seen, family, new, n_obs, periods_per_year)


def _overlap(interval: tuple[int, int]) -> pl.Expr:
    """Rows whose data shares time with [start, end); an empty span counts as one instant."""
    start, end = interval
    own_end = pl.max_horizontal(pl.col("data_end_ns"), pl.col("data_start_ns") + 1)
    return (pl.col("data_start_ns") < max(end, start + 1)) & (own_end > start)
