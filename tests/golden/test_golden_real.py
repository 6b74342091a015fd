"""Recorded market days through the gateway: enough orders, honest money, the committed digest."""

from collections.abc import Callable
from fractions import Fraction

import ledger
import polars as pl
import pytest
from market_days import CASES, SOURCES, Case
from simulation import conservation, volume
from simulation.conservation import Frames, complaints

import hft
from hft.runs.regression.outcome import Outcome, text_of
from hft.runs.result import Run
from hft.strategies.registry import shipped
from hft.tape.dataset import Tapes

pytestmark = [pytest.mark.data, pytest.mark.slow]

BY_NAME = [pytest.param(case, id=case.name) for case in CASES]
Runner = Callable[[Case], Run]


@pytest.mark.parametrize("case", BY_NAME)
def test_a_recorded_day_trades_both_sides_and_gives_the_committed_digest(
    case: Case, golden_run: Runner, checked: Callable[[Case], Outcome]
):
    get = golden_run(case).metrics.get_value
    found = checked(case)
    assert found.ok, f"{text_of(found)}\nif it should move, `make bless` and say why"
    assert get("orders") >= 100
    assert get("buys") > 0 and get("sells") > 0
    assert get("refused") < 0.5 * get("decisions")


@pytest.mark.parametrize("case", BY_NAME)
def test_the_money_of_a_day_is_cash_plus_marks_less_fees(case: Case, golden_run: Runner):
    run = golden_run(case)
    names = run.names
    for k, (symbol, instrument) in enumerate(zip(names.symbols, names.instruments, strict=True)):
        fills = run.fills.filter(pl.col("symbol") == symbol)
        last = run.equity.filter((pl.col("symbol") == symbol) & pl.col("mid").is_not_null()).tail(1)
        half_ticks = round(2 * last["mid"].item() / float(instrument.tick))
        mid = Fraction(half_ticks, 2) * Fraction(instrument.tick)
        position = run.totals["positions"][k]
        earned = position["realized_money"] + position["unrealized_money"]
        assert earned == ledger.gross(instrument, names.digits, fills, mid)


@pytest.mark.parametrize("case", BY_NAME)
def test_a_day_loses_nothing_makes_nothing_and_knows_nothing_early(
    case: Case, dataset: Callable[[str], Tapes], golden_run: Runner
):
    tapes = hft.tapes([dataset(name) for name in case.datasets], symbols=case.symbols)
    # The last row's profit is not of the last row's moment yet; see the simulation's own test.
    later = (conservation.marks_are_of_their_moment,)
    checks = [one for one in (*conservation.CHECKS, *volume.CHECKS) if one not in later]
    assert complaints(Frames.of(golden_run(case), tapes), checks) == []


@pytest.mark.parametrize("case", BY_NAME)
def test_every_fee_is_the_tariff_of_its_fill(case: Case, golden_run: Runner):
    run = golden_run(case)
    per_lot = Fraction(case.fees.get("per_lot", "0"))
    scale = 10**run.names.digits
    by_symbol = dict(zip(run.names.symbols, run.names.instruments, strict=True))
    owed = 0
    columns = ("symbol", "price_tick", "lots", "liquidity", "fee")
    for symbol, price_tick, lots, liquidity, fee in run.fills.select(columns).iter_rows():
        instrument = by_symbol[symbol]
        price = price_tick * Fraction(instrument.tick)
        due = ledger.bps_fee(instrument, run.names.digits, price, lots, liquidity == "MAKER")
        due += int(per_lot * lots * scale)
        assert round(fee * scale) == due
        owed += due
    assert owed == sum(row["fees_money"] for row in run.totals["positions"])


@pytest.mark.parametrize("case", BY_NAME)
def test_resting_orders_fill_at_their_price_and_crossing_ones_no_worse(
    case: Case, golden_run: Runner
):
    run = golden_run(case)
    asked = run.orders.select("order_id", limit="price_tick")
    fills = run.fills.join(asked, on="order_id", how="left")
    assert fills["limit"].null_count() == 0
    maker = fills.filter(pl.col("liquidity") == "MAKER")
    assert (maker["price_tick"] == maker["limit"]).all()
    # Momentum and the second leg of the arbitrage send market orders, which have no price of their
    # own to be held to.
    if case.strategy != "momentum":
        limited = fills.filter(pl.col("symbol") == run.names.symbols[0])
        sign = pl.when(pl.col("side") == "BUY").then(1).otherwise(-1)
        beyond = (pl.col("price_tick") - pl.col("limit")) * sign
        assert limited.filter(beyond > 0).height == 0


def test_quoting_of_the_future_begins_after_its_pre_open(golden_run: Runner):
    case = next(case for case in CASES if case.name == "es_two_sided")
    run = golden_run(case)
    assert run.fills["ts"].min().isoformat() > "2023-12-25T23:00:00"  # type: ignore[union-attr]
    assert "exact" in run.mode["queue"]


def test_five_days_of_one_share_are_one_run(dataset: Callable[[str], Tapes], golden_run: Runner):
    tapes = dataset("bac")
    assert len(tapes) == 5 and tapes.symbols == ("BAC",)
    case = next(case for case in CASES if case.name == "bac_week")
    run = golden_run(case)
    assert run.totals["events"] == tapes.rows
    assert run.fills["ts"].dt.date().n_unique() == 5


def test_an_inverse_contract_can_be_traded_under_the_default_limits(dataset, tmp_path):
    """Its notionals are dollars and its capital is coins; compared as such, all was refused."""
    venue = hft.Venue.binance_coinm()
    maker = shipped("market_making").with_params({"lots": 20, "max_inventory": 200})
    run = hft.replay(dataset("coinm"), maker, venue=venue, out=tmp_path / "runs")
    refused = run.decisions.filter(pl.col("reason_code") != 0)
    assert run.totals["orders"] >= 100 and refused.height < run.decisions.height / 2
    assert "MAX_NOTIONAL_EXCEEDED" not in run.refusals["reason"].to_list()


@pytest.mark.parametrize("name", ["coinm", "spot"])
def test_a_recording_carried_over_midnight_does_not_depend_on_the_order_of_its_files(
    name: str, dataset: Callable[[str], Tapes], shared_data, tmp_path
):
    files, options = SOURCES[name]
    tapes = dataset(name)
    again = hft.ingest([shared_data / file for file in reversed(files)], tmp_path / "b", **options)
    assert [tape.sha256 for tape in again] == [tape.sha256 for tape in tapes]
    midnight = 1_723_161_600_000_000_000
    assert tapes.span[0] < midnight < tapes.span[1]
