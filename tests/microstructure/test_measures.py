"""Each measure agrees with its definition written out trade by trade, and with known numbers."""

import numpy as np
import pytest
from naive import microstructure as naive
from scipy import stats

from hft.microstructure import buckets, flow, pin, spreads
from hft.microstructure.trades import FLAG, QUOTE, TICK, UNKNOWN, Mids, Trades, sides

SECOND = 1_000_000_000


def market(seed: int, count: int = 3000, seconds: int = 900) -> Trades:
    random = np.random.Generator(np.random.Philox(seed))
    ts = np.sort(random.integers(0, seconds * SECOND, count)) + 1_700_000_000 * SECOND
    side = np.where(random.random(count) < 0.1, 0, np.sign(random.standard_normal(count)))
    # Runs of one side, as large orders make them.
    side = np.repeat(side[: count // 3 + 1], 3)[:count].astype(np.int64)
    price = 100 + np.cumsum(random.integers(-1, 2, count)) * 0.01
    qty = random.integers(1, 40, count).astype(float)
    return Trades(ts, price, qty, side, np.zeros(count, np.int64), np.full(count, 20231114))


def rows(trades: Trades) -> list[naive.Trade]:
    columns = (trades.ts_ns, trades.price, trades.qty, trades.side)
    return [(int(t), float(p), float(q), int(s)) for t, p, q, s in zip(*columns, strict=True)]


def samples(trades: Trades, step: int = 13) -> tuple[np.ndarray, np.ndarray]:
    first, last = trades.ts_ns[0] // SECOND, trades.ts_ns[-1] // SECOND
    at = np.arange(first, last + 2, step) * SECOND
    return at, np.full(len(at), 20231114)


def same(values: np.ndarray, expected: list[float | None]) -> None:
    wanted = np.array([np.nan if one is None else one for one in expected])
    assert np.allclose(values, wanted, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert np.isfinite(wanted).sum() > 5, "nothing was compared"


@pytest.mark.parametrize("seed", range(3))
def test_measures_over_time_are_what_their_definition_says(seed: int) -> None:
    trades = market(seed)
    known = rows(trades)
    at, session = samples(trades)
    same(flow.vpin_seconds(trades, at, session), [naive.vpin_seconds(known, t) for t in at])
    same(flow.flow_imbalance(trades, at, session), [naive.flow_imbalance(known, t) for t in at])
    short = flow.flow_imbalance(trades, at, session, flow.ROLL_NS)
    same(short, [naive.flow_imbalance(known, t, flow.ROLL_NS) for t in at])
    same(flow.toxicity(trades, at, session), [naive.toxicity(known, t) for t in at])


@pytest.mark.parametrize("seed", range(3))
def test_buckets_split_trades_at_their_edges(seed: int) -> None:
    """The second session's bucket is a 50th of the first session's volume."""
    first, second = market(seed), market(seed + 10)
    later = second.ts_ns + 86_400 * SECOND
    both = Trades(
        *(
            np.concatenate(pair)
            for pair in (
                (first.ts_ns, later),
                (first.price, second.price),
                (first.qty, second.qty),
                (first.side, second.side),
                (first.rule, second.rule),
                (first.session, second.session + 1),
            )
        )
    )
    found = buckets.buckets(both)
    size = float(first.qty.sum()) / 50
    mine = found.session == 20231115
    again = rows(Trades(later, second.price, second.qty, second.side, second.rule, second.session))
    wanted = naive.buckets(again, size)
    assert len(wanted) == mine.sum() > 40
    assert found.ts_ns[mine].tolist() == [ts for ts, _ in wanted]
    assert np.allclose(found.bought[mine], [float(bought) for _, bought in wanted])
    begun = float(first.qty[:500].sum()) / 50
    opening = naive.buckets(rows(first)[500:], begun)
    assert np.allclose(found.bought[~mine], [float(bought) for _, bought in opening])
    value = buckets.vpin(found)
    assert np.isnan(value[:49]).all()
    assert np.isclose(value[49], naive.vpin(opening[:50], begun, 50))


def test_one_sided_trading_has_a_vpin_of_100_and_alternating_trading_of_nothing() -> None:
    trades = market(1)
    bought = Trades(**{**trades.__dict__, "side": np.ones(len(trades), np.int64)})
    assert np.nanmin(buckets.vpin(buckets.buckets(bought))) == pytest.approx(100.0)
    unknown = Trades(**{**trades.__dict__, "side": np.zeros(len(trades), np.int64)})
    assert np.nanmax(buckets.vpin(buckets.buckets(unknown))) == pytest.approx(0.0)


def test_bulk_classification_is_the_normal_share_of_the_price_change() -> None:
    found = buckets.buckets(market(3))
    value = buckets.vpin_bulk(found)
    change = np.diff(found.price, prepend=found.price[:1])
    k = 80
    share = [
        abs(2 * stats.norm.cdf(change[j] / np.std(change[: j + 1])) - 1) * 100
        for j in range(k - 49, k + 1)
    ]
    assert value[k] == pytest.approx(np.mean(share))


def test_kyles_slope_is_ordinary_least_squares() -> None:
    random = np.random.Generator(np.random.Philox(6))
    x = random.standard_normal(200) * 30
    y = 0.02 * x + random.standard_normal(200)
    y[60:95] = np.nan
    found = flow.rolling_slope(x, y)
    for k in range(200):
        low = max(0, k - 49)
        wanted = naive.slope(x[low : k + 1].tolist(), y[low : k + 1].tolist())
        if wanted is None:
            assert np.isnan(found.slope[k])
            continue
        assert (found.slope[k], found.t[k], found.r2[k]) == pytest.approx(wanted, rel=1e-8)
    line = stats.linregress(x[:50], y[:50])
    assert found.slope[49] == pytest.approx(line.slope)
    assert found.t[49] == pytest.approx(line.slope / line.stderr)


def test_kyles_lambda_finds_the_impact_that_was_planted() -> None:
    """Each unit bought moves the mid by 0.003."""
    trades = market(8)
    moved = 100 + 0.003 * np.cumsum(trades.signed)
    mids = Mids(trades.ts_ns, moved, trades.session)
    at, session = samples(trades, 50)
    found = flow.kyle(trades, mids, at, session)
    assert found.slope[-1] == pytest.approx(0.003, rel=1e-6)
    assert found.r2[-1] == pytest.approx(1.0)


def test_kyles_lambda_by_buckets_is_capped_and_needs_ten() -> None:
    found = buckets.buckets(market(9))
    value = buckets.kyle(found)
    assert np.isnan(value[:9]).all() and np.nanmax(value) <= 10.0
    k = 60
    price, signed = found.price[k - 19 : k + 1], found.signed[k - 19 : k + 1]
    covariance = np.cov(np.diff(price), signed[1:])
    expected = min(10.0, abs(covariance[0, 1] / covariance[1, 1]) * 1e4)
    assert value[k] == pytest.approx(expected)


def test_spreads_by_hand() -> None:
    """A buy at 100.02 with the mid at 100.00, which is 100.01 five seconds later."""
    ts = np.array([10, 20]) * SECOND
    trades = Trades(
        ts,
        np.array([100.02, 99.98]),
        np.ones(2),
        np.array([1, -1]),
        np.zeros(2, np.int64),
        np.full(2, 1),
    )
    mids = Mids(np.array([9, 12, 30]) * SECOND, np.array([100.0, 100.01, 100.0]), np.full(3, 1))
    found = spreads.paid(trades, mids)
    assert found.effective == pytest.approx([0.04, 0.06])
    assert found.realised == pytest.approx([0.02, 0.06])
    assert found.impact == pytest.approx([0.02, 0.0])
    at = np.array([14, 15, 26]) * SECOND
    means = spreads.rolling(trades, found, at, np.full(3, 1))
    assert np.isnan(means["realised_spread"][0]), "five seconds are not over"
    assert means["effective_spread"] == pytest.approx([0.04, 0.04, 0.05])
    assert means["realised_spread"][1:] == pytest.approx([0.02, 0.04])
    assert means["effective_spread_bps"][0] == pytest.approx(4.0)


def test_the_side_comes_from_the_flag_then_the_quote_then_the_tick() -> None:
    price = np.array([10.0, 10.2, 10.2, 10.1, 10.1, 10.0])
    mid = np.array([np.nan, 10.1, 10.2, 10.2, 10.1, np.nan])
    flag = np.array([0, -1, 0, 0, 0, 0])
    side, rule = sides(price, mid, flag)
    assert side.tolist() == [0, -1, 1, -1, -1, -1]
    assert rule.tolist() == [UNKNOWN, FLAG, TICK, QUOTE, TICK, TICK]


def test_pin_finds_what_days_were_drawn_from() -> None:
    random = np.random.Generator(np.random.Philox(12))
    days, alpha, delta, mu, rate = 400, 0.4, 0.3, 60.0, 100.0
    news = random.random(days) < alpha
    bad = random.random(days) < delta
    buys = random.poisson(rate + mu * (news & ~bad)).astype(float)
    sells = random.poisson(rate + mu * (news & bad)).astype(float)
    found = pin.estimate(buys, sells)
    assert found is not None
    truth = 100 * alpha * mu / (alpha * mu + 2 * rate)
    assert found.pin == pytest.approx(truth, rel=0.1)
    assert (found.alpha, found.mu) == (pytest.approx(0.4, abs=0.08), pytest.approx(60, rel=0.1))
    at_truth = pin.log_likelihood(alpha, delta, mu, rate, rate, buys, sells)
    assert found.log_likelihood >= at_truth
    assert pin.estimate(buys[:19], sells[:19]) is None


def test_the_likelihood_of_pin_is_the_product_of_its_poissons() -> None:
    buys, sells = np.array([12.0, 30.0, 9.0]), np.array([10.0, 11.0, 28.0])
    alpha, delta, mu, eb, es = 0.3, 0.4, 15.0, 11.0, 10.0
    total = 0.0
    for b, s in zip(buys, sells, strict=True):
        p = stats.poisson.pmf
        total += np.log(
            (1 - alpha) * p(b, eb) * p(s, es)
            + alpha * delta * p(b, eb) * p(s, es + mu)
            + alpha * (1 - delta) * p(b, eb + mu) * p(s, es)
        )
    assert pin.log_likelihood(alpha, delta, mu, eb, es, buys, sells) == pytest.approx(total)
