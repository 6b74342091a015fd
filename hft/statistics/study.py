"""Does the statistics core keep its promises: simulated firms, alphas and canaries, with counts.

Each study is a function that returns a `Study`: rows ready for a table, and whether the claim held.
Everything is drawn from a seed, every share comes with its count and binomial interval. Judges only
the core of Gate C (DSR, HAC t, PSR, PBO) and the three processes of the canary; the gates around
them only refuse more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from scipy.special import betaincinv

from hft.statistics.betting import bernoulli_log_e
from hft.statistics.deflated import deflated_sharpe
from hft.statistics.hac import hac_t
from hft.statistics.overfitting import cscv
from hft.statistics.sequential import adverse, normal_mixture_bound
from hft.statistics.series import generator
from hft.statistics.sharpe import effective_length, moments
from hft.statistics.track import psr
from hft.statistics.trials import effective_trials

DAYS, YEAR, VOLATILITY = 1008, 252, 0.01
DSR, T, PSR, PBO = 0.95, 3.0, 0.95, 0.20
PSR_BENCHMARK = 0.5 / sqrt(YEAR)
# PBO says nothing about fewer configurations than this.
CONFIGURATIONS = 10


@dataclass(frozen=True, slots=True)
class Share:
    """A count of many, with its 95 % Clopper-Pearson interval."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share."""
        return self.count / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the true share."""
        k, n = self.count, self.of
        low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, 0.025))
        high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 0.975))
        return low, high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count} / {self.of} = {self.value:.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True, slots=True)
class Study:
    """One question, its answer as rows, and whether the promise held."""

    title: str
    claim: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    held: bool
    seed: int
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Core:
    """What the core of Gate C says about one alpha of a ledger."""

    dsr: float | None
    t: float | None
    psr: float | None
    pbo: float | None  # None: not applicable

    @property
    def checks(self) -> tuple[bool, bool, bool, bool]:
        """DSR, t, PBO and PSR passed; an inapplicable PBO passes."""
        return (
            self.dsr is not None and self.dsr >= DSR,
            self.t is not None and self.t >= T,
            self.pbo is None or self.pbo <= PBO,
            self.psr is not None and self.psr >= PSR,
        )

    @property
    def passed(self) -> bool:
        """All of them."""
        return all(self.checks)


def panel(
    rng: np.random.Generator, columns: int, sharpe_annual: float = 0.0, days: int = DAYS
) -> np.ndarray:
    """Daily returns of unrelated alphas (Student's t with 5 degrees); the first has the Sharpe."""
    returns = rng.standard_t(5, (days, columns)) / sqrt(5.0 / 3.0) * VOLATILITY
    returns[:, 0] += sharpe_annual / sqrt(YEAR) * VOLATILITY
    return returns


def judge(ledger: np.ndarray, which: Sequence[int], blocks: int = 16) -> list[Core]:
    """The core's answer for some alphas of a ledger of return vectors, all of it counted."""
    trials = effective_trials(ledger)
    enough = ledger.shape[1] >= CONFIGURATIONS
    found = cscv(ledger, blocks) if enough else None
    answers = []
    for column in which:
        m = moments(ledger[:, column])
        n = effective_length(ledger[:, column])
        answers.append(
            Core(
                dsr=deflated_sharpe(m.sharpe, n, m.skew, m.kurtosis, trials.used, trials.variance),
                t=hac_t(ledger[:, column]).t,
                psr=psr(m.sharpe, n, m.skew, m.kurtosis, PSR_BENCHMARK),
                pbo=None if found is None else found.pbo,
            )
        )
    return answers


def best(ledger: np.ndarray) -> int:
    """The column a researcher would pick."""
    return int(np.argmax(ledger.mean(axis=0) / ledger.std(axis=0, ddof=1)))


def noise_factory(ledgers: int = 50, alphas: int = 20, seed: int = 1) -> Study:
    """A thousand worthless alphas: how many pass, judged at once and judged as they come."""
    at_end, coming, winners = 0, 0, 0
    for ledger in range(ledgers):
        returns = panel(generator(seed, ledger), alphas)
        whole = judge(returns, range(alphas))
        at_end += sum(core.passed for core in whole)
        winners += whole[best(returns)].passed
        for n in range(1, alphas + 1):
            coming += judge(returns[:, :n], [n - 1])[0].passed
    total = ledgers * alphas
    shares = (Share(at_end, total), Share(coming, total), Share(winners, ledgers))
    names = (
        "every alpha, its whole ledger known",
        "every alpha, when it came (the first has no rivals, PBO from the tenth on)",
        "the best alpha of each ledger",
    )
    return Study(
        title=f"A noise factory: {total} worthless alphas in {ledgers} ledgers of {alphas}",
        claim="at most 1 % are promoted",
        columns=("judged", "promoted (95 % interval)"),
        rows=tuple((name, str(share)) for name, share in zip(names, shares, strict=True)),
        held=shares[0].value <= 0.01 and shares[1].value <= 0.01,
        seed=seed,
    )


def planted(
    panels: int = 300, sharpe_annual: float = 3.0, alphas: int = 20, seed: int = 2
) -> Study:
    """One real alpha among worthless ones: how often does it pass?"""
    checks = np.zeros((panels, 4), dtype=bool)
    for i in range(panels):
        returns = panel(generator(seed, i), alphas, sharpe_annual)
        checks[i] = judge(returns, [0])[0].checks
    passed = Share(int(checks.all(axis=1).sum()), panels)
    names = (f"DSR >= {DSR}", f"HAC t >= {T}", f"PBO <= {PBO}", f"PSR(0.5) >= {PSR}")
    rows = [(name, str(Share(int(checks[:, k].sum()), panels))) for k, name in enumerate(names)]
    return Study(
        title=f"A planted alpha of true Sharpe {sharpe_annual} among {alphas}, {DAYS} days",
        claim="the statistics of Gate C pass in at least 85 % of panels",
        columns=("check", "passed (95 % interval)"),
        rows=(*rows, ("all four", str(passed))),
        held=passed.value >= 0.85,
        seed=seed,
    )


def grid(
    sharpes: Sequence[float] = (1.0, 2.0, 3.0, 4.0, 6.0),
    trials: Sequence[int] = (1, 3, 10),
    years: Sequence[int] = (1, 2, 4, 8),
    panels: int = 100,
    seed: int = 7,
) -> Study:
    """One real alpha among so many trials over so many years: how often does the core pass?"""
    rows = []
    for case, (truth, alphas) in enumerate((s, n) for s in sharpes for n in trials):
        shares = []
        for year in years:
            days = year * YEAR
            drawn = (
                panel(generator(seed, case, year, i), alphas, truth, days) for i in range(panels)
            )
            shares.append(Share(sum(judge(one, [0])[0].passed for one in drawn), panels))
        rows.append((f"{truth:g}", str(alphas), *(brief(share) for share in shares)))
    return Study(
        title=f"The core by true Sharpe ratio, trials and years, {panels} panels each",
        claim="a table to plan with, no promise",
        columns=("true Sharpe", "trials", *(f"{year} year{'s'[: year != 1]}" for year in years)),
        rows=tuple(rows),
        held=True,
        seed=seed,
        notes=(
            f"DSR, HAC t, PSR and, from {CONFIGURATIONS} trials on, PBO; the other trials are "
            "worthless and unlike. Daily returns of Student's t with 5 degrees.",
        ),
    )


def brief(share: Share) -> str:
    """A share with its interval in whole percent, for narrow tables."""
    low, high = share.interval
    return f"{share.value:.0%} ({low:.0%} to {high:.0%})"


@dataclass(frozen=True, slots=True)
class Canaries:
    """What is true of simulated canaries; at the edge each null holds only just."""

    name: str
    mean_share: float  # of the claimed mean
    slippage_share: float  # of the modelled slippage
    reject_rate: float
    fat: bool = False  # P&L with Student's t instead of the normal


CLAIM = Canaries("the claim holds", 1.0, 1.0, 0.004)
FAT = Canaries("the claim holds, Student's t with 5 degrees", 1.0, 1.0, 0.004, True)
EDGE = Canaries("at the edge: 0.25 of the mean, slippage 2 x model, 2 % rejects", 0.25, 2.0, 0.02)
EDGE_FAT = Canaries("the same edge, Student's t with 5 degrees", 0.25, 2.0, 0.02, True)


def canaries(
    cases: Sequence[Canaries] = (CLAIM, FAT, EDGE, EDGE_FAT),
    count: int = 1000,
    days: int = 250,
    seed: int = 4,
    alpha: float = 0.01,
) -> Study:
    """Harmless canaries looked at every day: how many are rolled back by statistics alone?

    The claim is an annual Sharpe ratio of 2; sigma0 is the true daily sd (unfrozen inflation would
    only help), slippage a tenth as wide as its mean a day, 40 decisions a day.
    """
    rows, held = [], True
    for number, case in enumerate(cases):
        hits = np.array(
            [_rolled_back(generator(seed, number, i), case, days, alpha) for i in range(count)]
        )
        each = [Share(int(hits[:, k].sum()), count) for k in range(3)]
        over_all = Share(int(hits.any(axis=1).sum()), count)
        rows.append((case.name, *(str(share) for share in (*each, over_all))))
        held = held and each[0].value <= alpha and over_all.value <= 3 * alpha
    return Study(
        title=f"{count} harmless canaries of {days} days, looked at daily",
        claim="statistical rollback of at most 1 % by the P&L process and 3 % by all three",
        columns=("truth", "P&L", "slippage", "rejects", "any of the three"),
        rows=tuple(rows),
        held=held,
        seed=seed,
    )


def _rolled_back(
    rng: np.random.Generator, case: Canaries, days: int, alpha: float
) -> tuple[bool, bool, bool]:
    mu0 = 2.0 / sqrt(YEAR)
    shock = rng.standard_t(5, days) / sqrt(5.0 / 3.0) if case.fat else rng.standard_normal(days)
    pnl = shock + case.mean_share * mu0
    by_pnl = adverse(pnl, 0.25 * mu0, 1.0).e_max >= 1.0 / alpha
    slippage = case.slippage_share + 0.1 * rng.standard_normal(days)
    n = np.arange(1, days + 1)
    low = np.cumsum(slippage) / n - 0.1 * normal_mixture_bound(n, alpha, 25.0) / n
    rejects = np.cumsum(rng.binomial(40, case.reject_rate, days))
    # The lower bound is above 2 % exactly where the rate is above it and its e-value at 1 / alpha.
    above = np.flatnonzero(rejects > 0.02 * 40 * n)
    by_rejects = any(
        bernoulli_log_e(int(rejects[d]), int(40 * n[d]), 0.02) >= np.log(1.0 / alpha) for d in above
    )
    return by_pnl, bool((low > 2.0).any()), by_rejects


def operating_characteristics(
    cases: Sequence[tuple[float, int]] = (
        (0.0, 20),
        (1.5, 20),
        (2.0, 20),
        (2.5, 20),
        (3.0, 20),
        (0.0, 200),
    ),
    panels: int = 150,
    seed: int = 14,
) -> Study:
    """Pass shares of the best of N when one of them is real: the table of the thresholds."""
    rows, noise = [], []
    for case, (truth, alphas) in enumerate(cases):
        answers = []
        for i in range(panels):
            returns = panel(generator(seed, case, i), alphas, truth)
            answers.append(judge(returns, [best(returns)])[0])
        checks = np.array([core.checks for core in answers])
        quantiles = np.quantile([core.pbo or 0.0 for core in answers], [0.05, 0.5, 0.95])
        every = Share(int(checks.all(axis=1).sum()), panels)
        if truth == 0.0:
            noise.append(every)
        rows.append(
            (
                f"{truth:g} of {alphas}",
                *(f"{share:.2f}" for share in checks.mean(axis=0)),
                str(every),
                " / ".join(f"{q:.2f}" for q in quantiles),
            )
        )
    return Study(
        title=f"Operating characteristics: the best of N, {DAYS} days, {panels} panels each",
        claim="the best of N worthless alphas passes in at most 2 % of panels",
        columns=(
            "true Sharpe of one",
            f"DSR >= {DSR}",
            f"t >= {T:g}",
            f"PBO <= {PBO}",
            f"PSR(0.5) >= {PSR}",
            "all four (95 % interval)",
            "PBO 5 / 50 / 95 %",
        ),
        rows=tuple(rows),
        held=all(share.value <= 0.02 for share in noise),
        seed=seed,
        notes=("DSR binds: t and PSR alone let many winners of 200 worthless alphas by.",),
    )
