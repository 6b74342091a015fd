"""The pool against numpy, scipy and pandas, and its edges."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import hft
from hft.api.pool import look
from hft.core.errors import ConfigError, DataError
from hft.research.experiments import Series
from hft.research.pool import (
    Member,
    marginal,
    matrix,
    pool_correlation_max,
    read_pool,
    redundant,
    weights,
)
from hft.research.pool.marginal import diversification
from hft.research.pool.matrix import ranked
from hft.research.pool.members import align
from tests.research.pool.pools import NOON, SECOND, draws, kept, pool_of


def test_both_matrices_are_those_of_numpy_and_pandas() -> None:
    signals = draws(500, 4)
    signals[:, 1] = 0.8 * signals[:, 0] + 0.2 * signals[:, 1]
    signals[:, 2] = np.round(signals[:, 2])  # ties
    found = matrix(pool_of(signals))
    assert found.pearson == pytest.approx(np.corrcoef(signals, rowvar=False), abs=1e-12)
    frame = pd.DataFrame(signals)
    assert found.spearman == pytest.approx(frame.corr("spearman").to_numpy(), abs=1e-12)
    assert found.to_dict()["matrix"] == found.to_dict()["pearson_matrix"]
    assert found.sample_length == 500 and found.undefined == ()


@given(arrays(np.float64, (12, 3), elements=st.floats(-1e6, 1e6)))
def test_any_numbers_give_a_symmetric_matrix_within_bounds(signals: np.ndarray) -> None:
    found = matrix(pool_of(signals))
    for table in (found.pearson, found.spearman):
        assert (np.abs(table) <= 1.0).all() and np.isfinite(table).all()
        assert table.tolist() == table.T.tolist() and np.diag(table).tolist() == [1.0] * 3
    for k in range(3):
        assert ranked(signals)[:, k].tolist() == scipy.stats.rankdata(signals[:, k]).tolist()


def test_scale_does_not_matter_even_where_squares_would_overflow() -> None:
    signals = draws(100, 2)
    base = matrix(pool_of(signals)).pearson[0, 1]
    for factor in (1e-200, 1e150):
        assert matrix(pool_of(signals * factor)).pearson[0, 1] == pytest.approx(base)


def test_a_signal_that_does_not_move_has_correlation_zero_and_a_flag() -> None:
    signals = draws(50, 3)
    signals[:, 1] = 0.1
    found = matrix(pool_of(signals))
    assert found.pearson[0, 1] == found.spearman[0, 1] == 0.0
    assert found.undefined == (("a0", "a1"), ("a1", "a2"))
    assert matrix(pool_of(signals[:1])).pearson.tolist() == np.eye(3).tolist()


def test_members_are_aligned_by_time_else_by_the_shortest_length() -> None:
    early = Member("a", Series(np.arange(5.0), np.arange(5)))
    late = Member("b", Series(np.arange(10.0, 15.0), np.arange(2, 7)))
    both = align([late, early])
    assert both.aligned_by == "time" and both.ts_ns is not None
    assert both.ts_ns.tolist() == [2, 3, 4]
    assert both.signals.T.tolist() == [[2, 3, 4], [10, 11, 12]]
    bare = Member("c", Series(np.arange(3.0)))
    cut = align([early, bare, late])
    assert (cut.aligned_by, cut.sample_length) == ("length", 3)
    assert cut.signals[:, 1].tolist() == [10, 11, 12]
    far = Member("d", Series(np.ones(2), np.array([100, 101])))
    apart = align([early, late, far])
    assert apart.alpha_ids == ("a", "b") and list(apart.left_out) == ["d"]


def test_a_long_member_that_nobody_meets_does_not_put_the_others_out_of_the_pool() -> None:
    minutes = np.arange(50)
    flow = Member("flow", Series(np.arange(50.0), minutes))
    queue = Member("queue", Series(np.arange(50.0), minutes))
    panel = Member("panel", Series(np.ones(200), np.arange(1000, 1200)))
    found = align([panel, flow, queue])
    assert found.alpha_ids == ("flow", "queue") and found.sample_length == 50
    assert dict(found.left_out) == {"panel": "shares no time with the others"}
    alone = align([panel, flow])
    assert alone.alpha_ids == ("panel",), "of as many, the one with the longest member"


def test_values_that_are_no_numbers_count_as_zero_and_are_counted() -> None:
    signals = draws(20, 2)
    signals[3, 0], signals[4, 0], signals[5, 1] = np.nan, np.inf, -np.inf
    pool = pool_of(signals)
    assert pool.bad_values == {"a0": 2, "a1": 1}
    assert pool.signals[3, 0] == pool.signals[4, 0] == pool.signals[5, 1] == 0.0


def test_the_newest_run_with_signals_speaks_and_a_broken_one_is_named(tmp_path: Path) -> None:
    kept(tmp_path, "a", [1.0, 2.0, 3.0])
    kept(tmp_path, "a", [3.0, 2.0, 1.0], at=NOON + SECOND)
    kept(tmp_path, "b", [1.0, 2.0, 3.0])
    pool = read_pool(tmp_path)
    assert pool.signals[:, 0].tolist() == [3.0, 2.0, 1.0]
    for path in (tmp_path / "runs").glob("*/signals.npy"):
        if json.loads((path.parent / "meta.json").read_text())["alpha_id"] == "b":
            path.write_bytes(b"torn")
    pool = read_pool(tmp_path)
    assert pool.alpha_ids == ("a",) and "signals.npy" in pool.left_out["b"]
    with pytest.raises(DataError, match=r"'z'.*there are a, b"):
        read_pool(tmp_path, ("z",))


def test_redundant_pairs_include_the_threshold_and_come_closest_first() -> None:
    signals = np.array([[1.0, 1.0, -1.0, 1.0], [0.0, 0.0, 0.0, 1.0], [-1.0, -1.0, 1.0, -1.0]])
    found = matrix(pool_of(signals))
    pairs = redundant(found, 1.0)
    assert [(one.alpha_a, one.alpha_b) for one in pairs] == [
        ("a0", "a1"),
        ("a0", "a2"),
        ("a1", "a2"),
    ]
    assert pairs[1].correlation == pytest.approx(-1.0)
    exact = float(found.pearson[0, 3])
    assert len(redundant(found, exact)) == 6, "the threshold itself is redundant"
    assert redundant(found, 0.5, "spearman")[0].to_dict()["metric"] == "spearman"
    with pytest.raises(ConfigError, match="kendall"):
        redundant(found, 0.5, "kendall")


def test_each_method_gives_the_weights_of_its_formula() -> None:
    signals, returns = draws(400, 3), draws(400, 1, 9)[:, 0]
    returns = returns + 0.3 * signals[:, 0] - 0.1 * signals[:, 2]
    pool = pool_of(signals)
    z = scipy.stats.zscore(signals)
    ic = np.array([np.corrcoef(signals[:, k], returns)[0, 1] for k in range(3)])
    mean_variance = np.linalg.inv(np.cov(z, rowvar=False) + 1e-6 * np.eye(3)) @ ic
    ridge = np.linalg.lstsq(
        np.vstack([z, np.sqrt(0.1) * np.eye(3)]), np.append(returns, np.zeros(3)), rcond=None
    )[0]
    wanted = {
        "equal_weight": np.ones(3),
        "ic_weighted": ic,
        "mean_variance": mean_variance,
        "ridge": ridge,
    }
    for method, values in wanted.items():
        found = weights(pool, method, returns=returns)
        assert found.values == pytest.approx(values / np.abs(values).sum(), abs=1e-10), method
        assert np.abs(found.values).sum() == pytest.approx(1.0)
        earned = (z @ found.values) * returns
        assert found.sharpe == pytest.approx(earned.mean() / earned.std(ddof=1))
        assert found.returns == "given"


def test_without_returns_weights_are_equal_and_say_so() -> None:
    pool = pool_of(draws(50, 2))
    for method in ("equal_weight", "ic_weighted", "ridge"):
        found = weights(pool, method)
        assert found.values.tolist() == [0.5, 0.5]
        assert (found.returns, found.ic, found.sharpe) == ("none", None, None)
    assert np.abs(weights(pool, "mean_variance").values).sum() == pytest.approx(1.0)


def test_duplicates_do_not_break_any_method() -> None:
    signals = draws(60, 1)
    twice = pool_of(np.column_stack([signals, signals, np.zeros(60)]))
    for method in ("equal_weight", "ic_weighted", "mean_variance", "ridge"):
        found = weights(twice, method, returns=signals[:, 0])
        assert np.isfinite(found.values).all()
        assert np.abs(found.values).sum() == pytest.approx(1.0)


def test_wrong_options_and_an_empty_pool_are_said(tmp_path: Path) -> None:
    pool = pool_of(draws(10, 2))
    with pytest.raises(ConfigError, match="magic"):
        weights(pool, "magic")
    with pytest.raises(ConfigError, match="ridge-alpha"):
        weights(pool, ridge_alpha=0.0)
    with pytest.raises(DataError, match="3 returns for 10"):
        weights(pool, returns=[1, 2, 3])
    with pytest.raises(DataError, match="empty"):
        weights(read_pool(tmp_path))
    with pytest.raises(DataError, match="'z'"):
        marginal(pool, "z")


def test_the_uplift_of_a_good_stranger_is_large_and_of_a_copy_none() -> None:
    noise = draws(1000, 3, 3)
    returns = 0.01 * noise
    returns[:, 1] = returns[:, 0]
    signals = draws(1000, 3)
    market = draws(1000, 1, 5)[:, 0] * 1e-3
    signals[:, 0] += 0.05 * market / 1e-3
    signals[:, 1] = signals[:, 0]
    signals[:, 2] += 0.2 * market / 1e-3
    returns[:, 2] += 0.002
    pool = pool_of(signals, returns, market)
    pair = pool.without("a2")
    copy = marginal(pair, "a1")
    assert (copy.uplift, copy.passed, copy.measure) == (pytest.approx(0.0), False, "sharpe")
    assert copy.facts["correlation"] == pytest.approx(1.0) and copy.facts["closest"] == "a0"
    assert copy.facts["vif"] is None, "it is spanned"
    stranger = marginal(pool.without("a1"), "a2")
    assert stranger.uplift > 0.3 and stranger.passed
    z = scipy.stats.zscore(signals)
    moved = np.append(market[:-1], 0.0)
    earned = (z[:, 0] * moved, z[:, [0, 2]].mean(axis=1) * moved)
    sharpe = [one.mean() / one.std(ddof=1) for one in earned]
    assert stranger.uplift == pytest.approx((sharpe[1] - sharpe[0]) / abs(sharpe[0]))
    assert stranger.facts["spanning_t"] > 3 and stranger.facts["vif"] == pytest.approx(1, abs=0.05)


def test_without_returns_the_uplift_is_of_diversification() -> None:
    signals = draws(300, 3)
    signals[:, 1] = signals[:, 0]
    pool = pool_of(signals)
    c = np.corrcoef(signals, rowvar=False)
    w = np.array([1 / 4, 1 / 4, 1 / 2])  # copies share one weight
    wanted = 1 - sum(abs(c[i, j]) * w[i] * w[j] for i in range(3) for j in range(i + 1, 3))
    assert diversification(signals, w) == pytest.approx(wanted)
    found = marginal(pool, "a2")
    assert found.measure == "diversification" and found.base == pytest.approx(0.75)
    assert found.uplift == pytest.approx((wanted - 0.75) / 0.75)


def test_the_first_alpha_passes_and_a_pool_without_a_sharpe_gives_the_sign() -> None:
    first = marginal(pool_of(draws(30, 1)), "a0")
    assert (first.uplift, first.passed, first.reason) == (1.0, True, "no_existing_pool")
    market = draws(50, 1, 3)[:, 0] * 0.01
    signals = np.column_stack([np.ones(50), market])
    nothing = marginal(pool_of(signals, market=market), "a1")
    assert nothing.base is None and nothing.uplift == 1.0
    worse = marginal(pool_of(-signals, market=market), "a1")
    assert worse.uplift == -1.0 and not worse.passed


def test_the_largest_correlation_is_taken_on_shared_rows_and_never_with_itself(
    tmp_path: Path,
) -> None:
    assert pool_correlation_max([1.0, 2.0], tmp_path).empty
    assert pool_correlation_max([1.0, 2.0], tmp_path).value == 0.0
    values = draws(100, 3)
    times = np.arange(100) * SECOND
    kept(tmp_path, "near", -values[20:, 0] + 0.1 * values[20:, 1], times[20:])
    kept(tmp_path, "far", values[:, 2], times)
    kept(tmp_path, "own", values[:, 0], times)
    kept(tmp_path, "flat", np.ones(100), times)
    found = pool_correlation_max(values[:, 0], tmp_path, ts_ns=times, alpha_id="own")
    exact = np.corrcoef(values[20:, 0], -values[20:, 0] + 0.1 * values[20:, 1])[0, 1]
    assert (found.against, found.empty) == ("near", False)
    assert found.value == pytest.approx(abs(exact))
    assert found.undefined == ("flat",) and found.all is not None and found.all["flat"] == 0.0
    assert pool_correlation_max(values[:, 0], tmp_path, ts_ns=times).value == 1.0


def test_a_look_keeps_result_and_page_and_the_same_pool_gives_the_same_page(
    tmp_path: Path,
) -> None:
    values = draws(80, 2)
    times = np.arange(80) * SECOND
    for k, name in enumerate(("ofi", "micro")):
        equity = 1e6 * np.cumprod(1 + 0.001 * values[:, k] + 0.0005)
        kept(tmp_path, name, values[:, k], times, equity=equity)
    pages = []
    for k, view in enumerate(("matrix", "redundant", "optimize", "marginal", "marginal")):
        seen = look(tmp_path, view, alpha_id="ofi", now_ns=NOON + k * SECOND)
        stored = json.loads((seen.folder / "pool.json").read_text())
        assert stored["view"] == view and (seen.folder / "manifest.json").is_file()
        pages.append((seen.folder / "report.html").read_text())
        assert "http" not in pages[-1].replace("http://www.w3.org", "")
    assert pages[3] == pages[4] != pages[0]
    again = hft.alpha.pool("redundant", base_dir=tmp_path)
    assert again.to_json() == [] and "redundant pairs: 0" in repr(again)
    with pytest.raises(ConfigError, match="nonsense"):
        hft.alpha.pool("nonsense", base_dir=tmp_path)
    assert str(tmp_path) not in pages[0]
