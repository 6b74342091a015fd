"""What a trial costs: how many were tried on overlapping data and label, and the hurdle they make.

N counts every unique trial; effective N clusters their return vectors, because the cells of one
sweep are hardly more than one try. A trial without usable returns counts in N and clusters with
nothing. The price of the next trial takes it as unlike all others: its returns are not known yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np
import polars as pl

from hft.governance.ledger.vectors import Vector

DAYS_PER_YEAR = 252.0
DAY_NS = 86_400_000_000_000
RETURN_MAX = 1e100
ROUNDING = 0.005  # of a hurdle in words


@dataclass(frozen=True)
class FamilyView:
    """The trials that share data and label: their number, and what they are worth as tries.

    `effective` is the largest of ONC clusters, participation ratio and unlike trials, so that a
    sweep never lowers the hurdle of what stands beside it; trials of a re-entry after a rollback
    are counted beside those before it, however alike. `variance` is that of the per-period Sharpe
    ratios by the method of the count, not below the sampling variance 1 / (T - 1) while they are
    few (`floored`); None when no trial has returns.
    `vectors` are by trial id, in the order of recording, an id's other returns as `id~sha256`;
    `days` are the periods of those that were given with their times, daily ones as whole days;
    `missing` names trials whose vector is not there.
    """

    n: int
    repeats: int
    effective: float
    variance: float | None
    floored: bool
    periods_per_year: float
    trials: pl.DataFrame = field(repr=False)
    vectors: Mapping[str, np.ndarray] = field(repr=False)
    missing: tuple[str, ...]
    days: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def hurdle(self) -> float | None:
        """The annual Sharpe ratio that the best of these is expected to show by luck."""
        return self.hurdle_at(self.effective)

    def hurdle_at(self, effective: float) -> float | None:
        """The same for another count."""
        if self.variance is None:
            return None
        return annual_hurdle(effective, self.variance, self.periods_per_year)


@dataclass(frozen=True)
class Price:
    """What the next trials cost, before they run; `new` of them are not in the ledger yet.

    How alike they will be and how widely their Sharpe ratios scatter, nobody knows before they
    ran: said are the least hurdle (all like what was tried, at the scatter of luck) and the one
    where all are unlike it at the scatter so far. There is no most. `paid` says what came of it.
    """

    family: str
    number: int  # of the last of them within its family
    n: int  # on this data and label, all families, before
    new: int
    effective: float
    hurdle_before: float  # and after, where each is like one that was tried
    hurdle_after: float  # where each is unlike all others
    variance: float  # of the per-period Sharpe ratios, that both assume
    floored: bool = True  # it is the variance of luck, which is the least
    least: float = 0.0  # the hurdle of what was tried so far, had it scattered as luck does

    @property
    def line(self) -> str:
        """One line for a person, such as `trial 18 of family ofi, effective N 6.2, ...`."""
        others = self.n + self.new - self.number
        pool = f" ({others} more on this data and label)" if others > 0 else ""
        tried = (
            f"effective N {self.effective:.1f}" if self.n else "the first on this data and label"
        )
        head = f"of family {self.family}{pool}, {tried}, hurdle SR"
        if not self.new:
            return f"repeat, one of {self.number} trials {head} {self.hurdle_before:.2f}, no charge"
        return f"{self._which} {head} {self.hurdle_before:.2f} -> {self._range}"

    @property
    def _which(self) -> str:
        first = self.number - self.new + 1
        return f"trial {first}" if self.new == 1 else f"trials {first} to {self.number}"

    @property
    def _range(self) -> str:
        """The hurdles that may come of it, and on what they hang."""
        if self.n + self.new < 2:
            return f"{self.hurdle_after:.2f}"  # the best of one is no choice
        scatter = "luck does" if self.floored else "those so far"
        return (
            f"{self.least:.2f} or more ({self.hurdle_after:.2f} where all are unlike each other "
            f"and scatter as {scatter}, the wider the higher)"
        )

    def paid(self, seen: FamilyView) -> str:
        """What came of it, by the view that holds these trials and judges them."""
        head = f"{self._which} of family {self.family} counted" if self.new else "repeat, no charge"
        if seen.hurdle is None or seen.variance is None:
            return f"{head}: none has returns that vary, and there is no hurdle yet"
        line = f"{head}: effective N {seen.effective:.1f}, hurdle SR {seen.hurdle:.2f}"
        usual = self.hurdle_before - ROUNDING <= seen.hurdle <= self.hurdle_after + ROUNDING
        if not self.new or usual:
            return line
        wide = sqrt(seen.variance / self.variance) if self.variance else 1.0
        than = "luck" if self.floored else "before"
        return f"{line}, since the Sharpe ratios scatter {wide:.2f} times as wide as {than}"

    def to_dict(self) -> dict[str, float | int | str]:
        """JSON-ready."""
        return {
            "family": self.family,
            "number": self.number,
            "n": self.n,
            "new": self.new,
            "effective": self.effective,
            "hurdle_before": self.hurdle_before,
            "hurdle_least": self.least,
            "hurdle_after": self.hurdle_after,
            "line": self.line,
        }


def annual_hurdle(effective: float, variance: float, periods_per_year: float) -> float:
    """Expected maximum of `effective` worthless trials, annual; 0 for fewer than one."""
    from hft.statistics.deflated import hurdle

    return hurdle(max(effective, 1.0), variance) * sqrt(periods_per_year)


def view(trials: pl.DataFrame, vectors: Mapping[str, Vector]) -> FamilyView:
    """The view of these unique trials; `vectors` by the hash of their returns."""
    found: dict[str, Vector] = {}
    entries: dict[int, list[Vector]] = {}
    missing = []
    entry_of = pl.col("reentry") if "reentry" in trials.columns else pl.lit(0)
    rows = trials.select("trial_id", "returns_sha256", entry_of).iter_rows()
    for trial, sha, entry in rows:
        if sha not in vectors:
            missing.append(trial)
            continue
        vector = vectors[sha]
        found[trial if trial not in found else f"{trial}~{sha[:8]}"] = vector
        if _has_spread(vector.returns):
            entries.setdefault(entry, []).append(vector)
    usable = [vector for vector in found.values() if _has_spread(vector.returns)]
    effective, variance, floored = _effective(usable)
    if len(entries) > 1:
        # However alike, what is shown again after a rollback is tried again.
        effective = max(effective, sum(_effective(one)[0] for one in entries.values()))
    n = len(trials)
    rates = [vector.periods_per_year for vector in usable]
    return FamilyView(
        n=n,
        repeats=int(trials["repeats"].sum()) if n else 0,
        effective=min(float(n), max(effective, 1.0)) if n else 0.0,
        variance=variance,
        floored=floored,
        periods_per_year=float(np.median(rates)) if rates else DAYS_PER_YEAR,
        trials=trials,
        vectors={trial: vector.returns for trial, vector in found.items()},
        missing=tuple(missing),
        days={
            trial: as_days(vector.periods_ns)
            for trial, vector in found.items()
            if vector.periods_ns is not None
        },
    )


def price(
    seen: FamilyView, family: str, new: int, n_obs: int, periods_per_year: float = DAYS_PER_YEAR
) -> Price:
    """What `new` more trials of `family` with `n_obs` periods cost beside those seen."""
    number = seen.trials.filter(pl.col("family") == family).height + new
    variance = seen.variance if seen.variance is not None else sampling_variance(n_obs)
    rate = seen.periods_per_year if seen.n else periods_per_year
    longest = max([n_obs, *map(len, seen.vectors.values())])
    return Price(
        family=family,
        number=number,
        n=seen.n,
        new=new,
        effective=seen.effective,
        hurdle_before=annual_hurdle(seen.effective, variance, rate),
        hurdle_after=annual_hurdle(seen.effective + new, variance, rate),
        variance=variance,
        floored=seen.floored or seen.variance is None,
        least=annual_hurdle(seen.effective, min(variance, sampling_variance(longest)), rate),
    )


def sampling_variance(n_obs: float) -> float:
    """Variance of the estimated Sharpe ratio of a worthless series of this length."""
    return 1.0 / max(n_obs - 1.0, 1.0)


def _has_spread(returns: np.ndarray) -> bool:
    """Whether a Sharpe ratio can be made of it: not constant, and no square that overflows."""
    if len(returns) <= 3:
        return False
    low, high = float(returns.min()), float(returns.max())
    return low < high and low > -RETURN_MAX and high < RETURN_MAX


def _effective(usable: list[Vector]) -> tuple[float, float | None, bool]:
    """Effective number, variance of the per-period Sharpe ratios, whether that is floored.

    Vectors that cannot be laid side by side are counted as unlike each other.
    """
    if not usable:
        return 0.0, None, False
    from hft.statistics.distinct import distinct_trials
    from hft.statistics.trials import effective_trials

    matrices = aligned(usable)
    unlike, used = distinct_trials(*matrices), 0.0
    if unlike.count < sum(map(_most, matrices)):
        found = [effective_trials(matrix) for matrix in matrices]
        used = sum(one.used for one in found)
        if len(found) == 1 and used >= unlike.count:
            return used, found[0].variance, found[0].floored
    # Count and variance by one method: each trial with the weight it is counted with.
    floor = sampling_variance(float(np.median([len(matrix) for matrix in matrices])))
    spread = unlike.variance or 0.0
    floored = spread < floor
    return max(used, unlike.count), floor if floored else spread, floored


def _most(matrix: np.ndarray) -> int:
    """The most that ONC and the participation ratio can find: beyond it they need not be asked."""
    from hft.statistics.trials import GATHERED, LARGE

    periods, trials = matrix.shape
    return max(GATHERED, periods) if trials > LARGE else trials


def aligned(vectors: list[Vector]) -> list[np.ndarray]:
    """Matrices of periods x trials: one of all vectors with times, one for each other length.

    A trial's own mean stands where it has no period: it then neither adds to a correlation nor
    moves its Sharpe ratio down, so what is not known never makes trials alike.
    """
    timed = [vector for vector in vectors if vector.periods_ns is not None]
    lengths: dict[int, list[np.ndarray]] = {}
    for vector in vectors:
        if vector.periods_ns is None:
            lengths.setdefault(len(vector.returns), []).append(vector.returns)
    matrices = [np.column_stack(columns) for _, columns in sorted(lengths.items())]
    return ([_by_time(timed)] if timed else []) + matrices


def as_days(times: Any) -> np.ndarray:
    """Times of daily periods as days: the first tick of a day is not the same on every clock."""
    times = np.asarray(times)
    days = times // DAY_NS
    daily = len(days) > 1 and (np.diff(days) > 0).all()
    return days * DAY_NS if daily else times


def _by_time(vectors: list[Vector]) -> np.ndarray:
    times = [as_days(vector.periods_ns) for vector in vectors]
    first = times[0]
    if all(one is first or np.array_equal(one, first) for one in times):
        return np.column_stack([vector.returns for vector in vectors])
    every = np.unique(np.concatenate(times))
    matrix = np.empty((len(every), len(vectors)))
    for column, (vector, own) in enumerate(zip(vectors, times, strict=True)):
        matrix[:, column] = vector.returns.mean()
        matrix[np.searchsorted(every, own), column] = vector.returns
    return matrix
