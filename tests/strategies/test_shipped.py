"""Shipped strategies on a small synthetic market: compiled and plain are one, and no lunch is free."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hft.gateway.limits import Limits
from hft.runs.execute import Job, execute
from hft.runs.ingest import synthetic
from hft.runs.result import Run
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
    from hft.feeds.base import DecodeOptions
    from hft.feeds.synthetic import synthesize
    from hft.runs.ingest import write_feeds

    feeds = [synthesize(seed, events=EVENTS, symbol=f"V{seed}") for seed in (4, 5)]
    out = tmp_path_factory.mktemp("two")
    return write_feeds(feeds, out, DecodeOptions(format="synthetic", seed=4))


def run(
    tapes: Tapes, out: Path, one: Strategy, *, fees: dict[str, Any] | None = None, **given: Any
) -> Run:
    plain = given.pop("plain", False)
    venue = Venue(latency="1ms", fees=fees or {"maker_bps": 1, "taker_bps": 3})
    job = Job(tapes, {one.name: one}, venue, Limits.off(), plain=plain, **given)
    return execute(job, out=out, fresh=True)


@pytest.mark.parametrize("name", SHIPPED)
def test_compiled_and_plain_are_the_same_run(
    name: str, market: Tapes, two_markets: Tapes, tmp_path: Path
) -> None:
    one = replace(shipped(name), every_ns=CLOCK_NS)
    tapes = two_markets if one.instruments == 2 else market
    compiled = run(tapes, tmp_path / "compiled", one)
    plain = run(tapes, tmp_path / "plain", one, plain=True)
    assert compiled.digest == plain.digest
    assert compiled.decisions.collect().height > 20, "a strategy that says nothing proves nothing"
    assert compiled.fills.collect().equals(plain.fills.collect())


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
    figures = {name: metric for name, metric in totals(done).items() if name != "wakes"}
    assert set(figures.values()) == {0}
    assert totals(done)["wakes"] > 1_000
    assert done.fills.collect().is_empty() and done.decisions.collect().is_empty()
    equity = done.equity.collect()
    money = [name for name, kind in equity.schema.items() if kind.is_float() and "price" not in name]
    assert equity.height > 100 and money
    for name in money:
        if not name.startswith(("mid", "bid", "ask", "mark")):
            assert equity[name].fill_null(0).abs().max() == 0.0, name


def totals(done: Run) -> dict[str, int]:
    found = done.manifest["totals"]
    names = ("wakes", "decisions", "refused", "lost_intents", "orders", "fills")
    figures = {name: int(found[name]) for name in names}
    for row in found["positions"]:
        for name in ("lots", "realized_money", "unrealized_money", "fees_money"):
            figures[f"{row['symbol']}.{name}"] = int(row[name])
    return figures


def test_a_random_strategy_loses_about_its_costs(market: Tapes, tmp_path: Path) -> None:
    @strategy(every="30s", state={"x": 12345, "side": 0})
    def coin(view, order, p, s):  # type: ignore[no-untyped-def]
        """A coin decides; one lot is bought or sold at market and turned at the next toss."""
        if not view.book_valid:
            return
        s["x"] = (s["x"] * 1103515245 + 12345) % 2147483648
        order.target(1 if (s["x"] // 65536) % 2 == 0 else -1)

    done = run(market, tmp_path, coin, fees={"maker_bps": 0, "taker_bps": 0})
    free = totals(done)
    fills = done.fills.collect()
    assert fills.height > 800
    # Without fees the cost is the half spread of each fill; what is left over is luck.
    half = (fills["price_tick"] - fills["mid_tick"]).abs() * fills["lots"]
    side = pl.Series([1.0 if str(x).upper().startswith("B") else -1.0 for x in fills["side"]])
    assert ((fills["price_tick"] - fills["mid_tick"]) * side > 0).mean() > 0.95, "takers pay"
    per_tick = 10 ** int(done.manifest["digits"]) * 0.01 if "digits" in done.manifest else None
    assert per_tick is not None
    symbol = market.symbols[0]
    profit = (free[f"{symbol}.realized_money"] + free[f"{symbol}.unrealized_money"]) / per_tick
    cost = float(half.sum())
    moves = fills["mid_tick"].diff().drop_nulls()
    luck = float((moves.pow(2).sum() or 0.0) ** 0.5)
    assert profit < 0
    assert abs(profit + cost) < 4 * luck, (profit, cost, luck)
    paid = run(market, tmp_path, coin, fees={"maker_bps": 0, "taker_bps": 3})
    charged = totals(paid)
    assert charged[f"{symbol}.fees_money"] > 0 and charged["fills"] == free["fills"]
    assert charged[f"{symbol}.realized_money"] == free[f"{symbol}.realized_money"]
