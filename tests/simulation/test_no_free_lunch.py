"""No free lunch: doing nothing costs nothing, and trading at random loses what trading costs."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import hft
from hft.gateway.limits import Limits
from hft.runs.ingest import synthetic
from hft.tape.dataset import Tapes

EVENTS = 30_000


@pytest.fixture
def tapes(sim_seed: int, tmp_path: Path) -> Tapes:
    return synthetic(seed=sim_seed, out=tmp_path / "market", events=EVENTS)


@hft.strategy(every="1s")
def nothing(view, order, p, s):  # type: ignore[no-untyped-def]
    """Look, and do nothing."""
    if view.book_valid and view.bid_lots < 0:
        order.quote(0, view.bid_tick, 1)


@hft.strategy(every="20s", params={"seed": 1}, state={"x": 0})
def coin(view, order, p, s):  # type: ignore[no-untyped-def]
    """Be long or short one lot, as a coin says; go there at the market."""
    if not view.book_valid:
        return
    s["x"] = ((s["x"] + p["seed"]) * 1_103_515_245 + 12_345) % 2_147_483_648
    order.target(1 if (s["x"] >> 16) % 2 == 0 else -1)


def test_a_strategy_that_does_nothing_has_zero_of_everything(tapes, tmp_path):
    run = hft.replay(tapes, nothing, limits="research", out=tmp_path / "runs")
    totals = run.totals
    assert totals["wakes"] > 1_000
    assert totals["events"] == tapes.rows
    counted = ("decisions", "refused", "orders", "fills", "lost_intents", "injected_faults")
    assert {name: totals[name] for name in counted} == dict.fromkeys(counted, 0)
    money = ("qty", "realized_money", "unrealized_money", "fees_money")
    assert all(row[name] == 0 for row in totals["positions"] for name in money)
    assert run.fills.height == 0 and run.orders.height == 0
    assert run.equity["net"].unique().to_list() == [0.0]


def test_a_coin_loses_its_fees_and_the_half_spreads_it_crosses(tapes, sim_seed, tmp_path):
    """What is left after costs is the luck of holding, within four of its standard deviations."""
    venue = hft.Venue(fees={"maker_bps": 0, "taker_bps": 2})
    one = coin.with_params({"seed": sim_seed + 1})
    run = hft.replay(tapes, one, venue=venue, limits=Limits.off(), out=tmp_path / "runs")
    fills = run.fills
    assert fills.height > 300 and (fills["liquidity"] == "TAKER").all()
    instrument = run.names.instruments[0]
    worth = float(instrument.lot) * float(instrument.multiplier)
    sign = pl.when(pl.col("side") == "BUY").then(1.0).otherwise(-1.0)
    crossed = fills.select(((pl.col("price") - pl.col("mid")) * sign * pl.col("lots")).sum()).item()
    costs = crossed * worth + fills["fee"].sum()
    assert crossed > 0
    position = run.totals["positions"][0]
    units = position["realized_money"] + position["unrealized_money"] - position["fees_money"]
    net = units / 10**run.names.digits
    # Luck: a lot held over each move of the mid from fill to fill.
    moves = np.diff(fills["mid"].to_numpy()) * worth
    luck = 4 * np.sqrt((moves**2).sum())
    assert net < 0
    assert abs(net + costs) < luck
