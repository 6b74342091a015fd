"""What a candidate is worth: position rule, fees, folds, pool, by a plain second reading."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hft.research.expressions.evaluate import evaluate
from hft.research.expressions.expression import parse, standardised
from hft.research.search.folds import directions, purged
from hft.research.search.market import Market
from hft.research.search.measure import measure
from tests.research.search.markets import market

TEXTS = (
    "a",
    "-a",
    "zscore(a)",
    "ts_mean(a, 5) - b",
    "rank(b)",
    "ts_rank(vol, 10)",
    "a * rank(vol)",
    "rank(rank(a))",
    "ts_corr(a, vol, 20)",
)


def positions(signal: np.ndarray, threshold: float) -> list[float]:
    """The rule of the contract, row by row."""
    held, found = 0.0, []
    for value in signal:
        held = 1.0 if value > threshold else -1.0 if value < -threshold else held
        found.append(held)
    return found


def by_hand(text: str, place: Market, threshold: float) -> tuple[list[float], list[float]]:
    """Gross and fee of each session, with plain loops."""
    gross, fee = ([0.0] * len(place.days) for _ in range(2))
    for lo, hi in zip(place.starts[:-1], place.starts[1:], strict=True):
        columns = {name: place.table[k, lo:hi] for k, name in enumerate(place.fields)}
        before = 0.0
        signal = evaluate([standardised(parse(text))], columns)[0]
        for t, held in enumerate(positions(signal, threshold), start=lo):
            gross[place.session[t]] += before * place.earned[t]
            fee[place.session[t]] += abs(held - before) * place.cost[t]
            before = held
    return gross, fee


def mean_position_held(text: str, place: Market, threshold: float) -> np.ndarray:
    """What each block's mean position of each name earns by session, held through the block."""
    found = np.zeros(len(place.days))
    for lo, hi in zip(place.starts[:-1], place.starts[1:], strict=True):
        columns = {name: place.table[k, lo:hi] for k, name in enumerate(place.fields)}
        held = positions(evaluate([standardised(parse(text))], columns)[0], threshold)
        before, session = np.array([0.0, *held[:-1]]), place.session[lo:hi]
        for fold in purged(len(place.days)):
            mine = (session >= fold.first) & (session < fold.stop)
            for t in np.flatnonzero(mine):
                found[session[t]] += before[mine].mean() * place.earned[lo + t]
    return found


def sharpe(returns: list[float]) -> float:
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((one - mean) ** 2 for one in returns) / (len(returns) - 1)
    return mean / math.sqrt(variance) * math.sqrt(252)


@pytest.mark.parametrize("names", [1, 3])
def test_figures_are_those_of_the_rule_done_by_hand(names: int) -> None:
    place = market(edge=0.5, cost=1e-4, names=names)
    folds = purged(40)
    for text, one in zip(TEXTS, measure([parse(t) for t in TEXTS], place), strict=True):
        gross, fee = by_hand(text, place, 0.3)
        side = directions(np.array(gross), folds)
        net = [d * g - f for d, g, f in zip(side, gross, fee, strict=True)]
        assert one.scored.net == pytest.approx(net, rel=1e-9, abs=1e-15), text
        assert one.scored.sharpe_oos == pytest.approx(sharpe(net), rel=1e-9), text
        held = mean_position_held(text, place, 0.3)
        part = sum(side * held) / 40 / np.std(net, ddof=1) * math.sqrt(252)
        assert one.scored.sharpe_held == pytest.approx(part, rel=1e-9, abs=1e-9), text
        left = one.scored.sharpe_oos - max(0.0, part)
        assert one.scored.score == pytest.approx(left, rel=1e-9), text


def test_the_rule_is_the_one_of_the_vector_engine() -> None:
    from hft.research.backtest import Rules, held

    place = market()
    signal = evaluate([standardised(parse("a - b"))], dict(zip("ab", place.table, strict=False)))[0]
    assert held(signal, Rules(threshold=0.3)).tolist() == positions(signal, 0.3)


def test_with_few_sessions_figures_are_of_steps() -> None:
    place = market(sessions=6, rows=200, edge=0.5, cost=1e-4)
    one = measure([parse("a")], place)[0].scored
    signal = evaluate([standardised(parse("a"))], {"a": place.table[0]})[0]
    held = np.array(positions(signal, 0.3))
    before = np.concatenate([[0.0], held[:-1]])
    gross = np.array(by_hand("a", place, 0.3)[0])
    side = directions(gross, purged(6))[place.session]
    steps = side * before * place.earned - np.abs(held - before) * place.cost
    assert one.sharpe_oos == pytest.approx(steps.mean() / steps.std() * math.sqrt(252), rel=1e-9)


def test_neither_the_company_nor_blocks_nor_memory_change_a_figure() -> None:
    place = market(edge=0.2, cost=1e-5, pool=np.ones((1, 1200)) * np.arange(1200))
    every = [parse(text) for text in TEXTS]
    together = measure(every, place)
    assert [measure([one], place)[0] for one in every] == together
    assert measure(every[::-1], place)[::-1] == together
    assert measure(every, place, block=64) == together
    assert measure(every, place, cache_mb=0.05) == together


def test_an_edge_is_found_and_its_opposite_is_the_same_candidate() -> None:
    place = market(edge=1.0)
    straight, mirrored, noise = measure([parse("a"), parse("-a"), parse("b")], place)
    assert straight.scored.sharpe_oos > 5 and straight.scored.passed
    assert mirrored.scored.net == straight.scored.net
    assert mirrored.path == straight.path != noise.path


def test_the_direction_is_never_chosen_on_the_sessions_it_is_judged_on() -> None:
    for fold in purged(40, horizon_ns=2 * 86_400_000_000_000):
        near = slice(max(0, fold.first - 3), fold.stop + 3)
        assert not fold.train[near].any()
    judged = [k for fold in purged(40) for k in range(fold.first, fold.stop)]
    assert judged == list(range(40))
    gross = np.ones(40)
    gross[:8] = -100.0  # the first fold loses; the others together gain
    assert (directions(gross, purged(40))[:8] == 1).all()


@pytest.mark.parametrize("sessions", [1, 2, 3, 4, 5, 9, 11, 234])
def test_every_session_is_judged_once_however_few_there_are(sessions: int) -> None:
    judged = [k for fold in purged(sessions) for k in range(fold.first, fold.stop)]
    assert judged == list(range(sessions))


def test_similarity_to_the_pool_costs_and_copies_never_pass() -> None:
    plain = market(edge=1.0)
    signal = np.nan_to_num(evaluate([standardised(parse("a"))], {"a": plain.table[0]})[0])
    copy = market(edge=1.0, pool=np.array([-signal, np.zeros_like(signal)]))
    alone, beside = measure([parse("a")], plain)[0].scored, measure([parse("a")], copy)[0].scored
    assert beside.correlation_pool_max == pytest.approx(1.0)
    assert beside.score == pytest.approx(alone.score - 0.25)
    assert alone.passed and not beside.passed
    rng = np.random.Generator(np.random.Philox(1))
    other = rng.normal(size=signal.size) + signal
    mixed = measure([parse("a")], market(edge=1.0, pool=other[None]))[0].scored
    assert mixed.correlation_pool_max == pytest.approx(np.corrcoef(signal, other)[0, 1], rel=1e-6)


def test_proxy_returns_never_pass() -> None:
    one = measure([parse("a")], market(edge=1.0, proxy=True))[0].scored
    assert one.score is not None and one.sharpe_oos > 0.5
    assert not one.passed and "proxy" in one.reason


def test_what_never_trades_has_no_score_and_says_so() -> None:
    flat, gone = measure([parse("a * 0"), parse("vol / 0")], market())
    for one in (flat, gone):
        assert one.scored.score is None and not one.scored.passed
        assert one.scored.reason == "never trades" and one.scored.net == ()


def test_fees_are_paid_for_every_change() -> None:
    free, dear = (measure([parse("a")], market(cost=c))[0].scored for c in (0.0, 1e-3))
    lost = free.net_total - dear.net_total
    assert lost == pytest.approx(dear.turnover * 1200 * 1e-3, rel=1e-6)


ALWAYS_LONG = ("a", "log1p(a)", "ts_sum(a, 50)", "zscore(a * a)", "-a", "decay_linear(a, 9)")


def drifting(seed: int, drift: float, sessions: int = 60) -> Market:
    """Returns with a drift and no more; column a rises, b is noise that nothing follows."""
    place = market(sessions=sessions, seed=seed)
    table = place.table.copy()
    table[0] = np.arange(1.0, table.shape[1] + 1.0)
    return replace(place, table=table, earned=place.earned + drift)


@pytest.mark.parametrize("sessions", [12, 60])
@pytest.mark.parametrize("drift", [-3e-4, 3e-4])
def test_holding_what_drifts_is_no_alpha(drift: float, sessions: int) -> None:
    """Long from the first rows on (or short where it falls): a Sharpe ratio, and no skill."""
    for seed in range(8):
        place = drifting(seed, drift, sessions)
        for text, one in zip(
            ALWAYS_LONG, measure([parse(t) for t in ALWAYS_LONG], place), strict=True
        ):
            scored = one.scored
            assert scored.sharpe_oos is not None and scored.sharpe_oos > 0.5, (text, seed)
            assert not scored.passed and abs(scored.score or 9.0) < 0.2, (text, seed, scored)
            assert scored.reason == "earns what holding its mean position earns"


def test_being_mostly_long_while_prices_rise_is_worth_what_its_timing_is() -> None:
    """b says short in every tenth row at random: what is left of a high Sharpe ratio is luck."""
    figures = []
    for seed in range(40):
        place = drifting(seed, 3e-4)
        table = place.table.copy()
        rng = np.random.Generator(np.random.Philox([seed, 1]))
        table[1] = np.where(rng.random(table.shape[1]) < 0.1, -10.0, 1.0)
        scored = measure([parse("b")], replace(place, table=table))[0].scored
        figures.append((scored.sharpe_oos, scored.sharpe_held, scored.score))
    raw, held, left = np.median(np.array(figures, float), axis=0)
    assert raw > 10 and held > 10
    assert abs(left) < 1.0, "half of them gained by their timing, half lost"


def test_a_skill_in_a_rising_market_still_passes() -> None:
    place = market(edge=1.0)
    up = replace(place, earned=place.earned + 3e-4)
    one = measure([parse("a")], up)[0].scored
    assert one.passed and one.sharpe_oos > 5 and one.score > 5
