"""Weights by the market's returns: who gets which sign, copies, members without prices."""

from pathlib import Path

import numpy as np
import pytest

from hft.core.errors import ConfigError, DataError
from hft.research.experiments import Series
from hft.research.pool import Member, marginal, read_pool, weights
from hft.research.pool.members import align
from tests.research.pool.pools import NOON, SECOND, draws, kept, pool_of, priced


def informed(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Seven signals of which the first knows a little of the market's next return."""
    market = draws(rows, 1, 8)[:, 0] * 1e-3
    signals = draws(rows, 7, 9)
    signals[:, 0] += 0.1 * market / 1e-3
    return signals, market


def losses(signals: np.ndarray, market: np.ndarray) -> np.ndarray:
    """What members earn whose fees are larger than any edge: all lose alike, and the more they
    trade the more."""
    position = np.sign(signals)
    traded = np.abs(np.diff(position, axis=0, prepend=0.0))
    return np.asarray(position * market[:, None] - 1e-3 * traded)


@pytest.mark.parametrize("method", ["ic_weighted", "mean_variance", "ridge"])
def test_the_only_alpha_that_knows_the_market_gets_the_largest_weight_with_its_own_sign(
    method: str,
) -> None:
    signals, market = informed()
    pool = pool_of(signals, losses(signals, market), market)
    found = weights(pool, method)
    assert found.returns == "market" and found.ic is not None
    exact = [np.corrcoef(signals[:-1, k], market[:-1])[0, 1] for k in range(7)]
    assert found.ic == pytest.approx(exact, abs=1e-3)
    assert found.values[0] == max(found.values, key=abs) > 0.2
    added = marginal(pool, "a0", method=method)
    assert added.passed and added.uplift > 0.5 and added.returns == "market"


def test_no_alpha_loses_its_sign_without_a_word() -> None:
    signals, market = informed()
    signals[:, 1] = -signals[:, 0] + 0.5 * draws(4000, 1, 10)[:, 0]
    found = weights(pool_of(signals, market=market), "ic_weighted")
    turned = [name for name, value in zip(found.alpha_ids, found.values, strict=True) if value < 0]
    assert "a1" in turned
    assert [note.split()[0] for note in found.notes] == turned
    (said,) = [note for note in found.notes if note.startswith("a1")]
    assert (
        found.ic is not None and f"its IC with the market's returns is {found.ic[1]:+.4f}" in said
    )
    assert not weights(pool_of(signals, market=market)).notes, "equal weights keep every sign"


def test_a_hedge_is_told_as_one_though_its_own_ic_is_above_zero() -> None:
    signals, market = informed()
    signals[:, 1] = 0.8 * signals[:, 0] + draws(4000, 1, 12)[:, 0]
    signals[:, 1] -= 0.04 * market / 1e-3
    found = weights(pool_of(signals[:, :2], market=market), "mean_variance")
    assert found.ic is not None and found.ic[1] > 0 > found.values[1]
    assert "it goes with a0" in found.notes[0] and "hedges it" in found.notes[0]
    assert (weights(pool_of(signals[:, :2], market=market), "ic_weighted").values > 0).all()


@pytest.mark.parametrize("method", ["equal_weight", "ic_weighted", "mean_variance", "ridge"])
def test_exact_copies_are_told_and_share_the_weight_of_one(method: str) -> None:
    signals, market = informed()
    alone = weights(pool_of(signals, market=market), method)
    doubled = np.column_stack([signals, 3.0 * signals[:, 0] + 1.0])
    found = weights(pool_of(doubled, market=market), method)
    assert found.values[0] == pytest.approx(found.values[7])
    assert found.values[0] + found.values[7] == pytest.approx(alone.values[0])
    assert found.values[1:7] == pytest.approx(alone.values[1:])
    assert found.sharpe == pytest.approx(alone.sharpe)
    assert any("a0 and a7 say exactly the same and share one weight" in n for n in found.notes)


def test_members_without_prices_are_named_where_weights_would_need_them(tmp_path: Path) -> None:
    signals, market = informed(300)
    times = np.arange(300) * SECOND
    kept(tmp_path, "new", signals[:, 0], times, market=priced(market))
    kept(tmp_path, "old", signals[:, 1], times)
    found = weights(read_pool(tmp_path), "ic_weighted")
    assert found.returns == "none" and found.values.tolist() == [0.5, 0.5]
    assert "(old: validate again" in found.notes[0]
    kept(tmp_path, "old", signals[:, 1], times, at=NOON + SECOND, market=priced(market))
    assert weights(read_pool(tmp_path), "ic_weighted").returns == "market"


def test_members_of_two_markets_are_weighed_each_by_its_own_and_ridge_refuses() -> None:
    here, there = draws(2000, 1, 1)[:, 0] * 1e-3, draws(2000, 1, 2)[:, 0] * 1e-3
    times = np.arange(2000) * SECOND
    members = [
        Member(name, Series(moved / 1e-3 + draws(2000, 1, seed)[:, 0], times), price=priced(moved))
        for name, moved, seed in (("a", here, 3), ("b", there, 4))
    ]
    found = weights(align(members), "ic_weighted")
    assert found.values == pytest.approx([0.5, 0.5], abs=0.03)
    with pytest.raises(ConfigError, match="several; use --method mean_variance"):
        weights(align(members), "ridge")
    assert (weights(align(members), "mean_variance").values > 0.4).all()


@pytest.mark.parametrize("method", ["ic_weighted", "mean_variance", "ridge"])
def test_weights_that_are_no_numbers_are_refused_in_one_sentence(method: str) -> None:
    signals = draws(50, 2)
    with pytest.raises(DataError, match=r"1e.308 under a0 .* is none"):
        weights(pool_of(signals), method, returns=np.where(signals[:, 0] > 0, 1e308, -1e308))
