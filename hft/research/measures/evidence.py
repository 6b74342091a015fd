"""What a track record proves once every try is counted: DSR, PSR, PBO, SPA, haircut, HAC t.

Per-period figures inside; annual ones are named so. `None` means undefined and is never a pass.
Thresholds live elsewhere; here are only figures, and what history or Sharpe ratio would change
them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from hft.research.backtest import DAYS_A_YEAR
from hft.research.measures.sweep import Sweep
from hft.statistics.deflated import (
    deflated_sharpe,
    expected_maximum,
    hurdle,
    min_backtest_length,
)
from hft.statistics.hac import hac_t
from hft.statistics.multiplicity import haircut
from hft.statistics.overfitting import Cscv, cscv
from hft.statistics.selection import NotInstalled, Spa, spa
from hft.statistics.sharpe import autocorrelations, effective_length, moments, sharpe
from hft.statistics.track import min_track_record, psr, sharpe_needed

CONVENTION = "2012"
YEAR_ROOT = sqrt(DAYS_A_YEAR)
LIKELY = 0.8


@dataclass(frozen=True)
class Tries:
    """What the ledger says about all trials on this data and label."""

    n: int
    effective: float
    variance: float
    sharpes: tuple[float, ...] = ()  # per period, of all trials with returns
    vectors: Mapping[str, np.ndarray] | None = None  # of other code, on the very days judged
    left_out: int = 0  # vectors of these rows whose days are others or not known


@dataclass(frozen=True, eq=False)
class Evidence:
    """The figures of Gate C that depend on how often was tried."""

    n: int
    effective: float  # independent periods that autocorrelation leaves of them
    sharpe: float | None
    skew: float | None
    kurtosis: float | None
    tries: Tries
    hurdle: float  # per period
    dsr: float | None
    psr: float | None
    track_days: float | None  # MinTRL against the benchmark
    backtest_years: float | None  # MinBTL at the Sharpe ratio observed
    hac_t: float | None
    haircut_sharpe: float | None  # annual, BHY
    haircut_share: float | None
    haircut_floor: float | None  # annual, Bonferroni
    pbo: Cscv | None
    pbo_configs: int
    pbo_reason: str
    spa: Spa | NotInstalled | None
    dsr_days: float | None  # periods until the same Sharpe ratio would reach the level
    dsr_days_likely: float | None  # until it does with LIKELY, where it is the true one
    dsr_sharpe: float | None  # annual Sharpe ratio that would reach it now


@dataclass(frozen=True)
class Levels:
    """What the figures are asked for; a level that a profile leaves out has its standard value."""

    dsr: float = 0.95
    psr: float = 0.95
    benchmark_annual: float = 0.5
    configs_min: int = 10
    blocks: int = 16
    spa_reps: int = 1000
    seed: int = 42


def weigh(
    returns: np.ndarray,
    sweep: Sweep,
    tries: Tries,
    levels: Levels,
    horizon_periods: int,
) -> Evidence:
    """The figures for the alpha's own returns, its sweep and everything tried so far."""
    n = len(returns)
    found = moments(returns) if n > 2 else None
    sr = sharpe(returns) if n > 2 else None
    skew, kurtosis = (found.skew, found.kurtosis) if found else (None, None)
    length = effective_length(returns) if n > 2 else float(n)
    stretch = n / length if length > 0 else 1.0  # periods for each independent one
    effective = max(tries.effective, 1.0)
    benchmark = levels.benchmark_annual / YEAR_ROOT
    annual = None if sr is None else sr * YEAR_ROOT
    level = hurdle(effective, tries.variance)
    cut = _haircut(returns, annual, tries) if annual is not None else (None, None, None)
    pbo, configs, reason = _pbo(returns, tries, levels, horizon_periods)
    return Evidence(
        n=n,
        effective=length,
        sharpe=sr,
        skew=skew,
        kurtosis=kurtosis,
        tries=tries,
        hurdle=level,
        dsr=deflated_sharpe(sr, length, skew, kurtosis, effective, tries.variance),
        psr=psr(sr, length, skew, kurtosis, benchmark),
        track_days=_times(min_track_record(sr, skew, kurtosis, benchmark, levels.psr), stretch),
        backtest_years=None if annual is None else min_backtest_length(effective, annual),
        hac_t=hac_t(returns, horizon=max(horizon_periods, 1)).t if n > 2 else None,
        haircut_sharpe=cut[0],
        haircut_share=cut[1],
        haircut_floor=cut[2],
        pbo=pbo,
        pbo_configs=configs,
        pbo_reason=reason,
        # The variance takes time as the square of the rows, and steps are not judged by it.
        spa=_spa(sweep, levels) if n >= 20 and sweep.basis == "daily" else None,
        dsr_days=_times(min_track_record(sr, skew, kurtosis, level, levels.dsr), stretch),
        dsr_days_likely=_times(
            min_track_record(sr, skew, kurtosis, level, levels.dsr, power=LIKELY), stretch
        ),
        dsr_sharpe=_annual(
            sharpe_needed(length, skew or 0.0, kurtosis or 3.0, level, levels.dsr)
            if n > 2
            else None
        ),
    )


def curve(evidence: Evidence, counts: Sequence[int]) -> list[float | None]:
    """The deflated Sharpe ratio had so many independent trials been run."""
    return [
        deflated_sharpe(
            evidence.sharpe,
            evidence.effective,
            evidence.skew,
            evidence.kurtosis,
            count,
            evidence.tries.variance,
        )
        for count in counts
    ]


def days_of_history(evidence: Evidence) -> int | None:
    """Days that the MinBTL asks for; None when the Sharpe ratio is not above 0."""
    years = evidence.backtest_years
    return None if years is None else ceil(years * DAYS_A_YEAR)


def sharpe_for_history(evidence: Evidence) -> float | None:
    """The annual Sharpe ratio at which this history is long enough for so many trials."""
    if evidence.n < 1:
        return None
    return expected_maximum(max(evidence.tries.effective, 1.0)) / sqrt(evidence.n / DAYS_A_YEAR)


def _times(value: float | None, by: float) -> float | None:
    return None if value is None else value * by


def _annual(value: float | None) -> float | None:
    return None if value is None else value * YEAR_ROOT


def _pbo(
    returns: np.ndarray, tries: Tries, levels: Levels, horizon_periods: int
) -> tuple[Cscv | None, int, str]:
    """PBO over competing ideas: the alpha beside one trial of each other code, on the same days.

    Variants of one code rise and fall together, so that the winner among them has no rank to lose:
    whether their top is a plateau is asked elsewhere. The higher of all ideas and of those that
    gained, or of the best where too few did: what loses on purpose ranks below every winner.
    """
    n, columns, known = len(returns), [returns], {returns.tobytes()}
    for vector in (tries.vectors or {}).values():
        if len(vector) == n and vector.tobytes() not in known:
            known.add(vector.tobytes())
            columns.append(vector)
    if len(columns) < levels.configs_min:
        one = "idea" if len(columns) == 1 else "ideas"
        told = (
            f"{len(columns)} {one} of different code on these days, it takes {levels.configs_min}"
        )
        return None, len(columns), told
    purge = max(horizon_periods - 1, 0)
    if n < levels.blocks * (purge + 2):
        return None, len(columns), f"{n} periods are too few for {levels.blocks} blocks"
    found = [cscv(np.column_stack(columns), levels.blocks, purge)]
    best = sorted(columns, key=lambda one: -(sharpe(one) or 0.0))
    best = best[: max(levels.configs_min, sum(one.mean() > 0 for one in columns))]
    if len(best) < len(columns):
        found.append(cscv(np.column_stack(best), levels.blocks, purge))
    worst = max((one for one in found if one is not None), key=lambda one: one.pbo, default=None)
    return worst, len(columns), ""


def _spa(sweep: Sweep, levels: Levels) -> Spa | NotInstalled | None:
    """Does the alpha beat cash? The sweep is the selection it came from."""
    columns = [sweep.matrix[:, k] for k in sorted({*sweep.distinct, sweep.base})]
    moving = [column for column in columns if np.std(column) > 0]
    if not moving:
        return None
    return spa(np.column_stack(moving), reps=levels.spa_reps, seed=levels.seed)


def _haircut(
    returns: np.ndarray, annual: float, tries: Tries
) -> tuple[float | None, float | None, float | None]:
    """Annual Sharpe left after BHY, the share lost, and what Bonferroni would leave."""
    n = len(returns)
    # Reversal would annualise to more than the root of time; a haircut may only take away.
    rho = max(float(autocorrelations(returns, 1)[0]), 0.0) if n > 3 else 0.0
    others = [value * YEAR_ROOT for value in tries.sharpes]
    # The ledger holds this trial already; it is added where it does not.
    own = haircut(annual, n, others or [annual], "by", rho=rho)
    floor = haircut(annual, n, max(tries.n, 1), "bonferroni", rho=rho)
    return own.adjusted, own.haircut, floor.adjusted
