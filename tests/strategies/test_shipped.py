"""Shipped strategies on a small synthetic market: compiled is plain, and no lunch is free."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_world import LEVEL, finish, opening, session_of

from hft.core.errors import StrategyError
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.gateway.limits import Limits
from hft.runs.check import check
from hft.runs.execute import execute
from hft.runs.ingest import synthetic, write_feeds
from hft.runs.job import Job
from hft.runs.result import Run, as_run
from hft.runs.venues import Venue
from hft.strategies.base import Strategy, strategy
from hft.strategies.registry import SHIPPED, shipped
from hft.tape.dataset import Tapes

EVENTS = 20_000
# A synthetic day has 20 000 messages here, so clocks are slow to keep wake-ups near a thousand.
CLOCK_NS = 60_000_000_000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    return synthetic(seed=3, out=tmp_path_factory.mktemp("market"), events=EVENTS)


@pytest.fixture(scope="module")
def two_markets(tmp_path_factory: pytest.TempPathFactory, market: Tapes) -> Tapes:
    """The same asset on two venues: two seeds under two symbols."""
    feeds = [synthesize(seed, events=EVENTS, symbol=f"V{seed}") for seed in (4, 5)]
    out = tmp_path_factory.mktemp("two")
    return write_feeds(feeds, out, DecodeOptions(format="synthetic", seed=4))


def frame(lazy: Any) -> pl.DataFrame:
    """A frame of the run, read from its folder."""
    return lazy.collect() if isinstance(lazy, pl.LazyFrame) else lazy


def run(
    tapes: Tapes, out: Path, one: Strategy, *, fees: dict[str, Any] | None = None, **given: Any
) -> Run:
    plain = given.pop("plain", False)
    venue = Venue(latency="1ms", fees=fees or {"maker_bps": 1, "taker_bps": 3})
    job = Job(tapes, {one.name: one}, venue, Limits.off(), plain=plain, **given)
    return as_run(execute, job, out=out, fresh=True)


@pytest.mark.parametrize("name", SHIPPED)
def test_compiled_and_plain_are_the_same_run(
    name: str, market: Tapes, two_markets: Tapes, tmp_path: Path
) -> None:
    one = replace(shipped(name), every_ns=CLOCK_NS)
    tapes = two_markets if one.instruments == 2 else market
    compiled = run(tapes, tmp_path / "compiled", one)
    plain = run(tapes, tmp_path / "plain", one, plain=True)
    assert compiled.digest == plain.digest
    assert frame(compiled.decisions).height > 20, "a strategy that says nothing proves nothing"
    assert frame(compiled.fills).equals(frame(plain.fills))
    assert frame(compiled.series).equals(frame(plain.series))


@pytest.mark.parametrize("name", ["two_sided", "market_making"])
def test_another_parameter_is_another_run(name: str, market: Tapes, tmp_path: Path) -> None:
    one = replace(shipped(name), every_ns=CLOCK_NS)
    other = one.with_params({"lots": 3})
    assert run(market, tmp_path, one).digest != run(market, tmp_path, other).digest


def test_a_strategy_that_does_nothing_has_zero_of_everything(market: Tapes, tmp_path: Path) -> None:
    @strategy(every="60s")
    def idle(view, order, p, s):  # type: ignore[no-untyped-def]
        pass

    done = run(market, tmp_path, idle)
    assert frame(done.fills).is_empty() and frame(done.decisions).is_empty()
    assert frame(done.orders).is_empty()
    equity = frame(done.equity)
    assert equity.height > 1_000, "nobody was awake"
    for name in ("position_lots", "realized", "unrealized", "fees", "net"):
        assert equity[name].abs().max() == 0, name


def test_a_random_strategy_loses_about_its_costs(market: Tapes, tmp_path: Path) -> None:
    @strategy(every="30s", state={"x": 12345})
    def coin(view, order, p, s):  # type: ignore[no-untyped-def]
        """A coin decides to be one lot long or short, at market."""
        if view.book_valid:
            s["x"] = (s["x"] * 1103515245 + 12345) % 2147483648
            order.target(1 if (s["x"] // 65536) % 2 == 0 else -1)

    bps = 3
    done = run(market, tmp_path, coin, fees={"maker_bps": 0, "taker_bps": bps})
    fills = frame(done.fills)
    assert fills.height > 800
    side = fills["side"].replace_strict({"BUY": 1.0, "SELL": -1.0}, return_dtype=pl.Float64)
    spread = float(((fills["price"] - fills["mid"]) * side * fills["lots"]).sum())
    fees = float(fills["fee"].sum())
    assert fees == pytest.approx(float((fills["price"] * fills["lots"]).sum()) * bps / 10_000)
    assert spread > 0 and fees > 0
    # What costs do not explain is the position times the moves of the mid: luck of this size.
    moves = fills["mid"].diff().drop_nulls() * fills["position_lots"].head(fills.height - 1)
    luck = float(moves.pow(2).sum() or 0.0) ** 0.5
    net = float(frame(done.equity)["net"][-1])
    assert net < -0.5 * (spread + fees)
    assert abs(net + spread + fees) < 4 * luck


WRONG = [
    ("market_making", {"max_inventory": 0}, "max_inventory is at least 1 lot"),
    ("momentum", {"slow": 300}, "0 < fast <= slow <= 200"),
    ("momentum", {"fast": 60}, "0 < fast <= slow"),
    ("momentum", {"breakout": 50}, "breakout < slow"),
    ("arbitrage", {"lots_0": 0}, "at least 1"),
]


@pytest.mark.parametrize(("name", "params", "sentence"), WRONG)
def test_parameters_that_cannot_work_are_refused_at_the_first_wake_up(
    name: str, params: dict[str, Any], sentence: str, market: Tapes, two_markets: Tapes
) -> None:
    one = replace(shipped(name), every_ns=CLOCK_NS).with_params(params)
    tapes = two_markets if one.instruments == 2 else market
    with pytest.raises(StrategyError, match=f"{sentence}.* at wake-up 1,"):
        check(one, tapes, 5, limits=Limits.off())


def quotes_of(params: dict[str, Any], lots: int) -> tuple[int, int]:
    """Where market making quotes a wide book while it holds `lots`."""
    making = shipped("market_making").with_params(params)
    found: list[tuple[int, int]] = []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 20 and lots:
            order.target(lots)
        if view.now in (25, 26, 27):
            making.body(view, order, p, s)
        if view.now == 40:
            found.append((int(view.working_buy_tick), int(view.working_sell_tick)))

    rows = [*opening(10, {100: 50}, {120: 50}), (30, LEVEL, 0, 60, 1), (99, LEVEL, 0, 50, 1)]
    one = replace(making, body=body, name="held", every_ns=1, track=())
    finish(session_of([rows], [one]))
    return found[0]


def test_inventory_shifts_both_quotes_by_spreads_and_by_ticks() -> None:
    flat = quotes_of({"skew": 0.0}, 0)
    assert flat == (100, 120)
    assert quotes_of({"skew": 0.0}, 5) == flat, "no skew, no shift"
    by_spreads = quotes_of({"skew": 1.0}, 5)  # half of the inventory, half-spread of 10 ticks
    by_ticks = quotes_of({"skew": 0.0, "skew_ticks": 8.0}, 5)
    both = quotes_of({"skew": 1.0, "skew_ticks": 8.0}, 5)
    assert [flat[0] - quotes[0] for quotes in (by_spreads, by_ticks, both)] == [5, 4, 9]
    short = quotes_of({"skew": 0.0, "skew_ticks": 8.0}, -5)
    assert (short[0] - flat[0], short[1] - flat[1]) == (4, 4)
