"""Measuring what Gate D asks: against the live alphas, at size, and when the market turns.

The candidate and every live alpha are run on the candidate's own data, so that days match. A
figure that cannot be measured stays None with a note saying why; the gate judges, not this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hft.core.errors import HftError
from hft.governance.gates.d import Portfolio
from hft.governance.profile import Profile
from hft.governance.promotion.capacity import Engine, carried
from hft.research.backtest import Backtest, Rules, annual_sharpe, capital_of, run
from hft.research.data.dataset import ResearchData
from hft.research.measures.stress import late_rows
from hft.statistics.bootstrap import block_length
from hft.statistics.capacity import best_participation, break_even_participation
from hft.statistics.drawdown import drawdown_test
from hft.statistics.information import ic_by_chunk
from hft.statistics.marginal import addition
from hft.statistics.redundancy import correlations, spanning, tail_correlations, vif

DAYS_MIN = 60  # fewer common days: nothing is compared
YEAR = 252
VOLUMES = ("volume", "trade_vol", "qty")


@dataclass(frozen=True, eq=False)
class Candidate:
    """What is measured: its data, signal and rules, and the capital it is launched with.

    Units: `latency_ns` decision to fill; `launch_weight` of the initial equity; `a_contract` the
    capital of a contract in points of price, None for its own price.
    """

    data: ResearchData
    signal: np.ndarray
    rules: Rules
    latency_ns: int
    launch_weight: float
    engine: Engine | None = None  # where tapes stand behind the data
    a_contract: float | None = None

    @property
    def capital(self) -> float:
        """What the full position stands on: losses are shares of it."""
        return capital_of(self.data, self.rules, self.a_contract)


@dataclass(frozen=True, eq=False)
class Live:
    """A live alpha on the candidate's data; `signal` None where it cannot run there."""

    alpha_id: str
    signal: np.ndarray | None
    reason: str = ""


def measure(
    candidate: Candidate,
    live: Sequence[Live],
    profile: Profile,
    *,
    feature_set_version: str | None = None,
    seed: int = 42,
) -> Portfolio:
    """Every figure of Gate D that this data can give."""
    test = run(candidate.data, candidate.signal, candidate.rules)
    notes: dict[str, str] = {}
    found = Portfolio(
        live=tuple(sorted(one.alpha_id for one in live)), feature_set_version=feature_set_version
    )
    found = _compared(found, candidate, test, live, notes, seed)
    found = _at_size(found, candidate, test, profile, notes)
    found = replace(
        found,
        cost_retention=_retention(test, notes),
        drawdown_probability=_drawdown(test, candidate.capital, profile, notes, seed),
    )
    stress, unbounded = _stressed(candidate, test, profile, notes)
    found = replace(found, stress_loss=stress, unbounded=unbounded, notes=notes)
    return found if candidate.engine is None else _by_replay(found, candidate, test, profile)


def _by_replay(
    found: Portfolio, candidate: Candidate, test: Backtest, profile: Profile
) -> Portfolio:
    """What the replay knows better; where it cannot run, a note says why."""
    assert candidate.engine is not None
    factors = {
        "spread": _factor(profile, "stress_spread_factor", 3.0),
        "latency": _factor(profile, "stress_latency_factor", 5.0),
    }
    launch = float(test.traded.sum()) / max(len(test.days), 1) * candidate.launch_weight
    try:
        return carried(
            found,
            candidate.data,
            candidate.engine,
            launch,
            factors,
            _bound(candidate),
            _gross_sharpe(test),
            candidate.capital,
        )
    except HftError as error:
        return replace(found, notes={**found.notes, "replay": str(error)})


def _compared(
    found: Portfolio,
    candidate: Candidate,
    test: Backtest,
    live: Sequence[Live],
    notes: dict[str, str],
    seed: int,
) -> Portfolio:
    ids = ("pnl_correlation", "tail_correlation", "vif", "spanning_t", "orthogonal_ic_t")
    unable = [one for one in live if one.signal is None]
    if not live:
        return found
    if unable:
        words = f"live alpha {unable[0].alpha_id} cannot run on this data: {unable[0].reason}"
        notes |= dict.fromkeys((*ids, "marginal_probability"), words)
        return found
    if len(test.days) < DAYS_MIN:
        words = f"{len(test.days)} days are too few to compare; {DAYS_MIN} would do"
        notes |= dict.fromkeys((*ids, "marginal_probability"), words)
        return found
    signals = [one.signal for one in live if one.signal is not None]
    pool = np.column_stack(
        [run(candidate.data, signal, candidate.rules).daily for signal in signals]
    )
    closest, tail = correlations(test.daily, pool), tail_correlations(test.daily, pool)
    at = closest.against
    return replace(
        found,
        pnl_correlation_max=closest.magnitude,
        pnl_correlation_with="" if at is None else live[at].alpha_id,
        tail_correlation_max=tail.magnitude,
        vif=vif(test.daily, pool),
        spanning_t=_spanning(test.daily, pool, notes),
        orthogonal_ic_t=_orthogonal(candidate, signals, notes),
        marginal_probability=_marginal(test.daily, pool, notes, seed),
    )


def _spanning(daily: np.ndarray, pool: np.ndarray, notes: dict[str, str]) -> float | None:
    try:
        return spanning(daily, pool).t
    except ValueError as error:
        notes["spanning_t"] = f"the live alphas do not span: {error}"
        return None


def _orthogonal(
    candidate: Candidate, signals: Sequence[np.ndarray], notes: dict[str, str]
) -> float | None:
    """HAC t of the rank IC of what the signal says beyond the live signals."""
    label = candidate.data.labels(candidate.data.horizon_ns)
    others = np.nan_to_num(np.column_stack(signals), nan=0.0)
    rows = np.isfinite(candidate.signal) & np.isfinite(label.value)
    design = np.column_stack([np.ones(int(rows.sum())), others[rows]])
    own = candidate.signal[rows]
    if own.size < 64:
        notes["orthogonal_ic_t"] = f"{own.size} rows with signal and label are too few"
        return None
    solution, *_ = np.linalg.lstsq(design, own, rcond=None)
    steps = max(int(np.median(label.steps[rows])), 1)
    found = ic_by_chunk(own - design @ solution, label.value[rows], horizon=steps).t
    return None if found is None else found.t


def _marginal(
    daily: np.ndarray, pool: np.ndarray, notes: dict[str, str], seed: int
) -> float | None:
    try:
        return addition(daily, pool, seed=seed).probability
    except ValueError as error:
        notes["marginal_probability"] = str(error)
        return None


def _at_size(
    found: Portfolio,
    candidate: Candidate,
    test: Backtest,
    profile: Profile,
    notes: dict[str, str],
) -> Portfolio:
    """Capacity by square-root impact, at the profile's share of daily volume and break-even."""
    ids = ("capacity_multiple", "participation_share")
    volume = _volume(candidate.data)
    if volume is None:
        notes |= dict.fromkeys(ids, f"the data has no traded volume ({', '.join(VOLUMES)})")
        return found
    price = np.abs(candidate.data.price)
    days = max(len(test.days), 1)
    adv = float(np.nansum(volume * price)) / days
    traded = float(np.sum(test.traded * price)) / days
    sigma = _daily_sigma(candidate.data)
    edge = float(test.gross.sum()) / max(float(np.sum(test.traded * price)), 1e-300)
    factor = _factor(profile, "impact_factor", 1.5)
    even = break_even_participation(edge, sigma, factor)
    best = best_participation(edge, sigma, factor)
    if adv <= 0 or traded <= 0 or even is None or best is None:
        notes |= dict.fromkeys(ids, "no volume, no trading or no edge before costs")
        return found
    share = min(_factor(profile, "adv_share", 0.01), even)
    # One unit of the backtest trades `traded` a day; the launch trades that times its weight.
    launch = traded * candidate.launch_weight
    return replace(
        found,
        capacity_multiple=share * adv / launch,
        participation_share=launch / adv / best,
    )


def _volume(data: ResearchData) -> np.ndarray | None:
    for name in VOLUMES:
        try:
            return np.nan_to_num(data.field(name), nan=0.0)
        except HftError:
            continue
    return None


def _daily_sigma(data: ResearchData) -> float:
    """Daily volatility of the price, over all names."""
    found = []
    for _, rows in data.groups():
        price, session = data.price[rows], data.session[rows]
        last = np.flatnonzero(np.append(session[1:] != session[:-1], True))
        closes = price[last]
        if len(closes) > 2:
            found.append(float(np.std(np.diff(np.log(np.maximum(closes, 1e-300))), ddof=1)))
    return float(np.mean(found)) if found else 0.0


def _retention(test: Backtest, notes: dict[str, str]) -> float | None:
    """Net over gross Sharpe ratio."""
    before, after = _gross_sharpe(test), test.sharpe()
    if before is None or after is None or before <= 0:
        notes["cost_retention"] = "the Sharpe ratio before costs is not above 0"
        return None
    return after / before


def _gross_sharpe(test: Backtest) -> float | None:
    """Annual Sharpe ratio before costs."""
    gross = test.gross / test.initial_equity if test.basis == "step" else test.daily_gross
    return annual_sharpe(gross, test.basis)


def _drawdown(
    test: Backtest, capital: float, profile: Profile, notes: dict[str, str], seed: int
) -> float | None:
    """How likely a year's drawdown passes the limit, resampled from the claimed days."""
    if len(test.days) < DAYS_MIN:
        notes["drawdown_probability"] = f"{len(test.days)} days of {DAYS_MIN}"
        return None
    limit = abs(float(profile.number("gate_d.drawdown_min")))
    block = block_length(test.daily)
    daily = test.daily * (test.initial_equity / capital)
    return drawdown_test(daily, length=YEAR, block=block, seed=seed).exceeds(limit)


def _stressed(
    candidate: Candidate, test: Backtest, profile: Profile, notes: dict[str, str]
) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """The deepest loss, a share of the target capital, in each scenario."""
    cost = _factor(profile, "stress_spread_factor", 3.0)
    times = _factor(profile, "stress_volatility_factor", 3.0)
    late = late_rows(
        candidate.data, candidate.latency_ns, _factor(profile, "stress_latency_factor", 5.0)
    )
    cases: Mapping[str, Backtest] = {
        "volatility": replace(test, gross=test.gross * times),
        "spread": replace(test, fee=test.fee + _spread_cost(candidate, test, cost - 1.0, notes)),
        "gap": _silent(candidate, test),
        "latency": run(
            candidate.data,
            candidate.signal,
            replace(candidate.rules, lag=candidate.rules.lag + late),
        ),
    }
    unbounded = [name for name, one in cases.items() if _largest(one) > _bound(candidate) + 1e-9]
    losses: dict[str, float | None] = {
        name: abs(one.drawdown_at(candidate.capital)) for name, one in cases.items()
    }
    return losses, tuple(unbounded)


def _bound(candidate: Candidate) -> float:
    """The largest position that the rules allow."""
    return candidate.rules.max_position


def _largest(test: Backtest) -> float:
    return float(np.abs(test.position).max(initial=0.0))


def _spread_cost(
    candidate: Candidate, test: Backtest, more: float, notes: dict[str, str]
) -> np.ndarray:
    """What crossing a wider spread costs beyond the plain run: half of it a contract traded."""
    try:
        wide = candidate.data.field("ask_px") - candidate.data.field("bid_px")
    except HftError:
        notes["stress_spread_basis"] = "the data has no quotes: the fees are widened instead"
        return test.fee * more
    return np.nan_to_num(np.maximum(wide, 0.0), nan=0.0) / 2 * test.traded * (more + 1.0)


def _silent(candidate: Candidate, test: Backtest) -> Backtest:
    """The feed is silent through the session that hurts most: what was held stays held."""
    worst: Backtest = test
    price = candidate.data.price
    deepest = 0.0
    for day in test.days:
        rows = np.flatnonzero(test.session == day)
        if rows[0] == 0 or candidate.data.panel:
            continue
        held = test.position[rows[0] - 1]
        earned = held * (price[rows[-1]] - price[rows[0] - 1])
        change = earned - float(test.net[rows].sum())
        if change < deepest:
            deepest = change
            gross, fee = test.gross.copy(), test.fee.copy()
            gross[rows], fee[rows] = 0.0, 0.0
            path = price[np.concatenate([[rows[0] - 1], rows])]
            gross[rows] = held * np.diff(path)
            worst = replace(test, gross=gross, fee=fee)
    return worst


def _factor(profile: Profile, name: str, plain: float) -> float:
    """A factor of the profile; base leaves some out, and its figures are shown only."""
    value = profile.values.get(f"gate_d.{name}")
    return plain if value is None else float(value)
