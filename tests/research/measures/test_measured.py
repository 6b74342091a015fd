"""Figures of a validation: what a planted edge and noise show, and what cannot be carried."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from hft.governance.validation.trials import periods_of
from hft.research.backtest import Rules
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.measures import folds
from hft.research.measures.evidence import Levels, Tries, curve, sharpe_for_history, weigh
from hft.research.measures.information import information
from hft.research.measures.measurement import Measured, Options, _ratio_and_variance, measure
from hft.research.measures.stress import late_rows
from hft.research.measures.sweep import GRID
from hft.research.search.market import of_research
from hft.statistics.folds import combinatorial
from hft.statistics.hac import hac_t
from hft.statistics.information import ic_by_date
from hft.statistics.multiplicity import haircut
from hft.statistics.overfitting import cscv
from hft.statistics.permutation import circular_p
from hft.statistics.sharpe import effective_length, moments, sharpe, sharpe_se
from hft.statistics.track import min_track_record, psr

BAR = 60_000_000_000


def lean(data: ResearchData) -> np.ndarray:
    """The planted predictor, scaled to thresholds."""
    flow, decay = data.field("ofi"), float(np.exp(-0.1))
    found, top, size = np.zeros(len(data)), 0.0, 0.0
    for row, value in enumerate(flow):
        top, size = decay * top + value, decay * size + abs(value)
        found[row] = top / size if size > 0 else 0.0
    return found


def test_trials_that_lose_on_purpose_do_not_lower_the_pbo() -> None:
    rng = np.random.Generator(np.random.Philox(5))
    matrix = rng.normal(0.0, 0.01, (504, 12))
    swept = SimpleNamespace(matrix=matrix, distinct=tuple(range(12)), base=0, basis="daily")
    rivals = {f"rival {k}": matrix[:, k] for k in range(1, 12)}
    losing = {f"{k}": rng.normal(-0.001, 0.01, 504) for k in range(24)}

    def pbo(vectors: dict[str, np.ndarray]) -> float:
        tries = Tries(12 + len(vectors), 12.0, 1 / 503, (), vectors)
        found = weigh(matrix[:, 0], swept, tries, Levels(spa_reps=20), 1).pbo  # type: ignore[arg-type]
        assert found is not None
        return found.pbo

    assert pbo(rivals) > 0.2
    assert pbo({**rivals, **losing}) >= pbo(rivals) - 0.05


@pytest.fixture(scope="module")
def edge() -> Measured:
    data = load(planted(0.05, days=260, seed=3))
    return measure(data, lean(data), Options(horizon_ns=BAR, latency_ns=36_250_000))


@pytest.fixture(scope="module")
def noise() -> Measured:
    data = load(planted(0.0, days=260, seed=3))
    return measure(data, lean(data), Options(horizon_ns=BAR))


def test_a_planted_edge_is_seen_and_noise_is_not(edge: Measured, noise: Measured) -> None:
    assert edge.information.days is not None and noise.information.days is not None
    assert edge.information.days.t.t > 5 > abs(noise.information.days.t.t)  # type: ignore[union-attr]
    assert edge.information.permutation_p == 0.001
    assert noise.information.permutation_p > 0.05  # type: ignore[operator]
    assert edge.test.sharpe() > 2 > noise.test.sharpe()  # type: ignore[operator]


def test_the_sweep_has_the_whole_grid_and_the_alphas_own_threshold(edge: Measured) -> None:
    levels = [one.rules.threshold for one in edge.sweep.configs]
    assert levels == sorted({*GRID, 0.3}) and len(levels) == 12
    assert edge.config.rules.threshold == 0.3
    assert edge.sweep.matrix.shape == (260, 12)


def test_thresholds_beyond_the_signal_are_one_behaviour() -> None:
    data = load(planted(0.05, days=30, seed=1))
    signs = np.sign(lean(data))
    found = measure(data, signs, Options(horizon_ns=BAR))
    assert len(found.sweep.distinct) == 1


def test_equal_inputs_have_equal_digests_and_other_ones_have_not(edge: Measured) -> None:
    again = measure(edge.data, edge.signal, edge.options)
    assert again.digest == edge.digest
    nudged = edge.signal.copy()
    nudged[1000] = -nudged[1000] + 0.9
    assert measure(edge.data, nudged, edge.options).digest != edge.digest
    other = Options(horizon_ns=BAR, latency_ns=36_250_000, seed=43)
    assert measure(edge.data, edge.signal, other).digest != edge.digest


def test_more_cost_never_helps_and_the_curve_starts_free(edge: Measured) -> None:
    sharpes = [value for _, value in edge.stress.cost]
    assert edge.stress.cost[0][0] == 0.0
    assert all(cheap > dear for cheap, dear in pairwise(sharpes))


def test_latency_below_the_spacing_of_rows_delays_nothing(edge: Measured) -> None:
    assert late_rows(edge.data, 36_250_000, 1.5) == 0
    assert late_rows(edge.data, BAR, 1.5) == 0
    assert late_rows(edge.data, 2 * BAR, 1.5) == 1


def test_folds_are_not_made_of_too_few_sessions() -> None:
    data = load(planted(0.05, days=12, seed=1))
    found = measure(data, lean(data), Options(horizon_ns=BAR))
    assert found.basis == "step" and found.paths is None and found.anchored is None
    assert found.figures["cpcv_median"] is None


def test_a_fold_is_judged_on_sessions_it_did_not_choose_on() -> None:
    """The best column in every training set is the worst outside: choosing must show it."""
    random = np.random.default_rng(0)
    rows = 120
    start = np.arange(rows) * 10
    matrix = random.standard_normal((rows, 2)) * 0.01
    blocks = np.arange(rows) // 20
    matrix[:, 0] += np.where(blocks % 2 == 0, 0.05, -0.05)
    walk = folds.walk(matrix, start, start + 5, 5)
    assert walk is not None
    assert walk.first == (20, 40, 60, 80, 100)
    assert walk.chosen[0] == 0 and walk.out_of_sample[0] < 0  # type: ignore[operator]


def test_paths_cover_every_session_once(edge: Measured) -> None:
    assert edge.paths is not None
    assert edge.paths.splits == 45 and edge.paths.returns.shape == (9, 260)
    assert np.isfinite(edge.paths.returns).all()


def test_the_hurdle_rises_with_the_tries_and_the_evidence_falls(edge: Measured) -> None:
    few = weigh(edge.returns, edge.sweep, Tries(12, 2.0, 1 / 259), Levels(), 1)
    many = weigh(edge.returns, edge.sweep, Tries(500, 400.0, 1 / 259), Levels(), 1)
    assert many.hurdle > few.hurdle
    assert many.dsr < few.dsr  # type: ignore[operator]
    assert sharpe_for_history(many) > sharpe_for_history(few)  # type: ignore[operator]
    assert many.haircut_floor <= few.haircut_floor  # type: ignore[operator]
    drawn = [value for value in curve(few, [1, 10, 100]) if value is not None]
    assert drawn == sorted(drawn, reverse=True) and len(drawn) == 3


def test_family_trials_of_other_lengths_do_not_enter_the_overfitting_matrix(
    edge: Measured,
) -> None:
    alone = weigh(edge.returns, edge.sweep, Tries(12, 2.0, 1 / 259), Levels(), 1)
    other = {"short": np.ones(10), "same": edge.returns[::-1].copy()}
    more = weigh(edge.returns, edge.sweep, Tries(14, 3.0, 1 / 259, (), other), Levels(), 1)
    assert more.pbo_configs == alone.pbo_configs + 1


def test_a_silent_signal_has_no_figures_but_no_error_either() -> None:
    data = load(planted(0.0, days=40, seed=2))
    found = measure(data, np.full(len(data), np.nan), Options(horizon_ns=BAR))
    assert found.figures["sharpe_oos"] is None and found.figures["turnover"] == 0.0
    evidence = weigh(found.returns, found.sweep, Tries(1, 1.0, 1 / 39), Levels(), 1)
    assert evidence.sharpe is None and evidence.dsr is None and evidence.pbo is None
    assert found.paths is not None, "there are sessions enough for paths"
    assert found.figures["cpcv_median"] is None and found.figures["cpcv_low"] is None


def test_sessions_of_two_time_zones_have_each_their_own_interval() -> None:
    """Tokyo's day begins before New York's of the day before has ended."""
    at = 1_704_200_000_000_000_000 + BAR * np.arange(5)
    rows = {
        "ts": at,
        "session": [20240102, 20240103, 20240102, 20240103, 20240103],
        "symbol": ["N", "T", "N", "T", "N"],
        "price": [1.0, 2.0, 1.1, 2.1, 1.2],
        "ofi": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
    data = load(pl.DataFrame(rows))
    begin, end = folds.intervals(data, 5)
    assert begin.tolist() == at[[0, 1]].tolist() and end.tolist() == (at[[2, 4]] + 5).tolist()
    found = measure(data, np.ones(5), Options(horizon_ns=BAR))
    assert periods_of(found).tolist() == at[[0, 1]].tolist(), "a trial's periods are these days"
    assert of_research(data, ["ofi"]).day_ns == tuple(at[[0, 1]].tolist())


def test_overlapping_labels_of_a_panel_are_no_independent_evidence() -> None:
    """Twelve names, a slow signal of noise and labels of 40 rows: neighbours share 39 of them."""
    random, rows, names = np.random.Generator(np.random.Philox(8)), 640, 12
    level = np.exp(0.01 * np.cumsum(random.standard_normal((rows, names)), axis=0))
    at = 1_704_200_000_000_000_000 + BAR * np.repeat(np.arange(rows), names)
    symbol = np.tile([f"n{k:02}" for k in range(names)], rows)
    data = load(pl.DataFrame({"ts": at, "symbol": symbol, "price": level.ravel()}))
    slow = np.cumsum(random.standard_normal((rows, names)), axis=0).ravel()
    found = information(data, slow, 40 * BAR, 19, 1).days
    assert found is not None and found.horizon == 40
    apart = ic_by_date(data.ts_ns, slow, data.labels(40 * BAR).value)
    assert found.t is not None and apart.t is not None
    assert found.t.lags >= 39 and abs(found.t.t or 0.0) < 0.8 * abs(apart.t.t or 0.0)


def test_the_planted_rows_are_a_function_of_their_seed() -> None:
    assert planted(0.1, days=5, seed=1).equals(planted(0.1, days=5, seed=1))
    assert not planted(0.1, days=5, seed=1).equals(planted(0.1, days=5, seed=2))
    frame = planted(0.1, days=5, seed=1)
    assert frame.height == 5 * 390 and frame["ts"].is_sorted()
    assert (frame["ask_px"] > frame["bid_px"]).all()


def test_the_planted_correlation_is_what_was_asked_for() -> None:
    data = load(planted(0.3, days=100, seed=1))
    forward = data.labels(BAR).value
    signal = lean(data)
    usable = np.isfinite(forward)
    assert np.corrcoef(signal[usable], forward[usable])[0, 1] == pytest.approx(0.3, abs=0.02)


def test_a_year_is_judged_by_what_was_planned(edge: Measured) -> None:
    assert edge.worst_year is not None
    years = edge.test.days // 10_000
    sd = edge.returns.std(ddof=1) * np.sqrt(252)
    worst = min(edge.returns[years == year].sum() for year in set(years.tolist()))
    assert edge.worst_year == pytest.approx(worst / sd)


def test_rows_of_large_moves_and_the_others_make_up_the_regimes(edge: Measured) -> None:
    assert set(edge.regimes["sharpe"]) == {"high_vol", "low_vol"}
    tiny = load(pl.DataFrame({"ts": [1, 2, 3], "mid": [1.0, 2.0, 3.0]}))
    assert measure(tiny, np.ones(3), Options()).regimes["sharpe"] == {}


def test_the_rules_are_part_of_the_configurations_hash() -> None:
    assert Options().hash != Options(rules=Rules(threshold=0.4)).hash
    assert len(Options().hash) == 16


def test_days_that_lean_on_each_other_are_fewer_than_they_are_many() -> None:
    """DSR, PSR and the days to come are those of the length that autocorrelation leaves."""
    random = np.random.Generator(np.random.Philox(17))
    drift, noise = 0.0011, 0.01 * random.standard_normal(1008)
    leaning = np.zeros(1008)
    for k in range(1, 1008):
        leaning[k] = 0.4 * leaning[k - 1] + noise[k]
    returns = drift + leaning - leaning.mean()
    swept = SimpleNamespace(
        matrix=returns[:, None], distinct=(0,), base=0, basis="daily", configs=()
    )
    tries, levels = Tries(5, 5.0, 1 / 1007), Levels(spa_reps=20)
    found = weigh(returns, swept, tries, levels, 1)  # type: ignore[arg-type]
    m, length = moments(returns), effective_length(returns)
    assert found.effective == length < 600
    benchmark = levels.benchmark_annual / np.sqrt(252)
    for own, level in ((found.psr, benchmark), (found.dsr, found.hurdle)):
        assert own == psr(m.sharpe, length, m.skew, m.kurtosis, level)
        assert own < psr(m.sharpe, 1008, m.skew, m.kurtosis, level)  # type: ignore[operator]
    for days, level in ((found.track_days, benchmark), (found.dsr_days, found.hurdle)):
        plain = min_track_record(m.sharpe, m.skew, m.kurtosis, level)
        assert days == pytest.approx(plain * 1008 / length)  # type: ignore[operator]
    plain_t = weigh(returns, swept, tries, levels, 20).hac_t  # type: ignore[arg-type]
    assert plain_t == hac_t(returns, horizon=20).t != found.hac_t


def test_reversal_gives_a_haircut_no_rebate() -> None:
    random = np.random.Generator(np.random.Philox(18))
    noise = 0.01 * random.standard_normal(505)
    returns = 0.001 + noise[1:] - 0.5 * noise[:-1]
    swept = SimpleNamespace(matrix=returns[:, None], distinct=(0,), base=0, basis="daily")
    found = weigh(returns, swept, Tries(9, 9.0, 1 / 503), Levels(spa_reps=20), 1)  # type: ignore[arg-type]
    annual = (found.sharpe or 0.0) * np.sqrt(252)
    assert found.haircut_floor == haircut(annual, 504, 9, "bonferroni").adjusted
    assert found.haircut_sharpe == haircut(annual, 504, [annual]).adjusted


def test_the_gap_counts_the_error_of_both_halves_and_their_independent_days(
    edge: Measured,
) -> None:
    end, begin = edge.split
    parts = [edge.test.part(rows).daily for rows in (slice(0, end), slice(begin, None))]
    ratios, squares = [], []
    for part in parts:
        m = moments(part)
        ratios.append(m.sharpe or 0.0)
        error = sharpe_se(m.sharpe, effective_length(part), m.skew, m.kurtosis)
        squares.append((error or 0.0) ** 2)
    assert edge.gap == pytest.approx((ratios[0] - ratios[1]) / np.sqrt(sum(squares)))
    leaning = np.repeat(np.random.Generator(np.random.Philox(3)).normal(0.001, 0.01, 100), 3)
    inside = _ratio_and_variance(leaning)
    assert inside is not None and effective_length(leaning) < 150
    m = moments(leaning)
    plain = sharpe_se(m.sharpe, 300, m.skew, m.kurtosis)
    assert inside[1] > 1.5 * (plain or 0.0) ** 2


def test_labels_of_days_are_purged_from_the_blocks_of_the_overfitting_matrix() -> None:
    matrix = np.random.Generator(np.random.Philox(5)).normal(0.0, 0.01, (504, 12))
    swept = SimpleNamespace(matrix=matrix, distinct=(0,), base=0, basis="daily")
    rivals = {f"rival {k}": matrix[:, k] for k in range(1, 12)}
    tries = Tries(12, 12.0, 1 / 503, (), rivals)
    pbo = weigh(matrix[:, 0], swept, tries, Levels(spa_reps=20), 6).pbo  # type: ignore[arg-type]
    whole, purged = cscv(matrix, 16), cscv(matrix, 16, 5)
    best = sorted(matrix.T, key=lambda one: -(sharpe(one) or 0.0))[:10]
    few = cscv(np.column_stack(best), 16, 5)
    assert pbo is not None and whole is not None and purged is not None and few is not None
    assert pbo.pbo == max(purged.pbo, few.pbo) and purged.pbo != whole.pbo


def test_the_error_of_a_fold_is_that_of_its_own_days() -> None:
    walk = folds.Walk((1.0, -2.0, 0.5, 1.0, 1.0), (), (), (0.01,) * 100, (0, 20, 40, 60, 80))
    assert walk.error == pytest.approx(np.sqrt(252 / 20))
    assert walk.worst_t == pytest.approx(-2.0 / np.sqrt(252 / 20))


def test_days_just_behind_a_tested_block_do_not_choose() -> None:
    """A hundredth of the time is left out behind each block, beside the labels that reach in."""
    matrix = np.random.Generator(np.random.Philox(9)).normal(0.0, 0.01, (400, 6))
    start = 86_400_000_000_000 * np.arange(400)
    found = folds.paths(matrix, start, start + 1, 10, 2)
    assert found is not None

    def by_hand(embargo_ns: int) -> np.ndarray:
        splits = combinatorial(start, start + 1, 10, 2, embargo_ns)
        chosen = [matrix[one.test, folds.best(matrix[one.train])] for one in splits]
        return splits.assemble(chosen)

    embargo = int(399 * 86_400_000_000_000 * 0.01)
    assert np.array_equal(found.returns, by_hand(embargo))
    assert not np.array_equal(found.returns, by_hand(0))


def test_shifts_of_the_null_and_lags_of_the_t_are_as_long_as_the_label(edge: Measured) -> None:
    data, signal = edge.data, edge.signal
    week = information(data, signal, 5 * 86_400_000_000_000, 19, 1)
    assert week.days is not None and week.days.horizon == 5
    random = np.random.Generator(np.random.Philox(21))
    labels = data.labels(60 * BAR)
    usable = np.isfinite(labels.value)
    reach = int(np.median(labels.steps[usable]))
    smooth = np.convolve(random.standard_normal(len(data)), np.ones(400), "same")
    found = information(data, smooth, 60 * BAR, 199, 3)
    far, near = (
        circular_p(smooth[usable], labels.value[usable], reps=199, min_shift=shift, seed=3)
        for shift in (reach, 1)
    )
    assert reach > 10 and found.permutation_p == far != near
