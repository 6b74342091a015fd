"""A signal followed through the gateway: what it earns, what it pays, and that it is the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import hft
from hft.core.errors import ConfigError, DataError
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.research.backtest import Rules, held
from hft.research.backtest import run as vector
from hft.research.data.assembly import assemble
from hft.research.data.dataset import ResearchData
from hft.research.data.tapes import from_tapes
from hft.research.execution.job import checked, clock_of
from hft.research.execution.latency import SIM_P95, LatencyProfile, profile_of
from hft.research.execution.simulation import How, Replayed, Stress, replay_alpha, runner, stressed
from hft.runs.ingest import write_feeds
from hft.tape.dataset import Tapes

SECOND = 1_000_000_000
MS = 1_000_000


def book_rows(tapes: Tapes) -> ResearchData:
    """A row at each change of the touch."""
    frame: Any = hft.features(tapes, ["mid_tick"], clock="book").drop_nulls().collect()
    tick = float(tapes[0].instrument.tick)
    priced = frame.with_columns((pl.col("mid_tick") * tick).alias("mid"))
    return replace(assemble({"tapes": priced}, {}, "book"), kind="tapes", tapes=tapes)


class Market:
    """An hour of a synthetic market with rows by the clock or by the book."""

    def __init__(self, tapes: Tapes, clock: str, folder: Path) -> None:
        self.tapes, self.folder = tapes, folder
        self.data = book_rows(tapes) if clock == "book" else from_tapes(tapes, clock)
        self.ts, self.price = self.data.ts_ns, self.data.price

    def follow(self, signal: np.ndarray, rules: Rules | None = None, **given: Any) -> Replayed:
        given = {"limits": hft.Limits.research(), "folder": self.folder} | given
        return replay_alpha(self.data, signal, rules or Rules(), **given)

    def noise(self, seed: int = 3) -> np.ndarray:
        return np.random.Generator(np.random.Philox(seed)).standard_normal(len(self.ts))

    def foreseen(self, ahead_ns: int, ticks: int) -> np.ndarray:
        """Which way the mid moves by so many ticks or more so far ahead: what nobody can know."""
        later = np.searchsorted(self.ts, self.ts + ahead_ns, side="right") - 1
        move = (self.price[later] - self.price) / float(self.tapes[0].instrument.tick)
        return np.sign(move) * (np.abs(move) > ticks - 0.25)


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    feed = synthesize(5, events=60_000, span_ns=3_600 * SECOND)
    return write_feeds([feed], tmp_path_factory.mktemp("tape"), DecodeOptions(format="synthetic"))


@pytest.fixture(scope="module")
def seconds(tapes: Tapes, tmp_path_factory: pytest.TempPathFactory) -> Market:
    return Market(tapes, "1s", tmp_path_factory.mktemp("seconds"))


@pytest.fixture(scope="module")
def book(tapes: Tapes, tmp_path_factory: pytest.TempPathFactory) -> Market:
    return Market(tapes, "book", tmp_path_factory.mktemp("book"))


def test_without_latency_and_fees_it_holds_what_the_vector_engine_holds(seconds: Market) -> None:
    signal = seconds.noise()
    free = Rules(threshold=1.2, taker_bps=0.0)
    done = seconds.follow(signal, free, stress=Stress(latency=0.0))
    wanted = vector(seconds.data, signal, free)
    assert done.fills > 300
    assert done.backtest.position.tolist() == wanted.position.tolist()
    assert done.backtest.turnover == pytest.approx(wanted.turnover)
    half_spread = 0.5 * float(seconds.tapes[0].instrument.tick)
    paid = wanted.net.sum() - done.net
    assert paid > 0.5 * half_spread * done.traded, "each trade crosses the spread"
    assert done.fees == 0.0


def test_equity_at_rows_is_that_of_the_engine_at_the_same_moments(seconds: Market) -> None:
    done = seconds.follow(seconds.noise(), Rules(threshold=1.0))
    samples = done.names[0].run.equity
    times = samples["ts"].dt.epoch("ns").to_numpy()
    at = np.searchsorted(seconds.ts, times)
    same = (at < len(seconds.ts)) & (seconds.ts[np.minimum(at, len(seconds.ts) - 1)] == times)
    assert same.sum() > 3_000
    ours = np.cumsum(done.backtest.net)[at[same]]
    assert ours == pytest.approx(samples["net"].to_numpy()[same], abs=1e-6)


def test_the_same_call_gives_the_same_digest_and_opens_the_sealed_run(
    seconds: Market, tmp_path: Path
) -> None:
    signal = seconds.noise(4)
    first, again = (seconds.follow(signal) for _ in range(2))
    elsewhere = seconds.follow(signal, folder=tmp_path)
    assert first.paths == again.paths != elsewhere.paths
    assert first.to_dict() == again.to_dict() == elsewhere.to_dict()
    assert first.backtest.net.tolist() == elsewhere.backtest.net.tolist()
    assert first.names[0].run.verify().same
    other = signal.copy()
    other[100] = -3.0 * np.sign(other[100])
    assert seconds.follow(other).digest != first.digest


def test_a_signal_of_zero_or_of_nothing_trades_nothing(seconds: Market) -> None:
    for signal in (np.zeros(len(seconds.ts)), np.full(len(seconds.ts), np.nan)):
        done = seconds.follow(signal)
        assert (done.fills, done.refused, done.net, done.fees, done.traded) == (0, 0, 0, 0, 0)
        assert done.refused_share is None
        assert not done.backtest.net.any()


def test_a_random_signal_loses_about_its_costs(seconds: Market) -> None:
    half_spread = 0.5 * float(seconds.tapes[0].instrument.tick)
    dear = Rules(threshold=0.5, taker_bps=1.0)
    runs = [seconds.follow(seconds.noise(seed), dear) for seed in range(3)]
    for done in runs:
        volume = done.traded * np.median(seconds.price)
        assert done.fees == pytest.approx(volume * 1e-4, rel=0.02)
    net = sum(done.net for done in runs)
    costs = sum(done.fees + done.traded * half_spread for done in runs)
    assert net == pytest.approx(-costs, rel=0.35)


def test_higher_fees_cost_what_they_say_and_a_rebate_is_never_enlarged(seconds: Market) -> None:
    signal = seconds.noise(6)
    base, double = (seconds.follow(signal, stress=Stress(fees=k)) for k in (1.0, 2.0))
    assert double.fees == pytest.approx(2 * base.fees, rel=1e-4), "to the unit of money"
    assert double.backtest.gross.tolist() == base.backtest.gross.tolist()
    by_rules = seconds.follow(signal, Rules(cost=2.0))
    assert by_rules.digest == double.digest, "the cost of the rules is the same thing"
    rules, maker = Rules(threshold=1.0), How(execution="maker")
    base, double = (
        seconds.follow(signal, rules, how=maker, stress=Stress(fees=k)) for k in (1.0, 2.0)
    )
    assert base.fills > 50
    assert base.fees == double.fees < 0
    fills = base.names[0].run.fills
    assert fills["liquidity"].cast(pl.String).unique().to_list() == ["MAKER"]


def test_latency_takes_a_fast_signal_apart(book: Market) -> None:
    signal = book.foreseen(3 * SECOND, ticks=2)
    stresses = {str(k): Stress(latency=k) for k in (0.0, 10.0, 60.0, 200.0)}
    given: Any = {"limits": hft.Limits.research(), "folder": book.folder}
    runs = stressed(book.data, signal, Rules(), stresses, **given).values()
    gross = [float(run.backtest.gross.sum()) / run.traded for run in runs]
    assert gross[0] > gross[1] > gross[2] > gross[3], gross
    assert gross[1] > 0 > gross[2], "3 s of foresight pays with 0.4 s of latency, not with 2 s"


def test_orders_leave_at_the_rows_and_fills_come_a_round_trip_later(seconds: Market) -> None:
    done = seconds.follow(seconds.noise(7))
    legs = SIM_P95.legs()
    fills = done.names[0].run.fills
    late = (fills["ts"] - fills["exch_ts"]).dt.total_nanoseconds()
    assert late.unique().to_list() == [legs["response"]]
    sent = fills["exch_ts"].dt.epoch("ns").to_numpy() - legs["entry"]
    assert np.isin(sent, seconds.ts).all()


def test_a_wider_spread_is_charged_to_who_crosses_it(seconds: Market) -> None:
    signal = seconds.noise(8)
    base, wide = (seconds.follow(signal, stress=Stress(spread=k)) for k in (1.0, 3.0))
    summary = seconds.tapes[0].summary
    more = float(summary["spread_ticks_median"]) * float(seconds.tapes[0].instrument.tick)
    assert base.net - wide.net == pytest.approx(base.traded * more, rel=0.02)


def test_a_silent_feed_is_survived_with_a_bounded_position(seconds: Market) -> None:
    start = int(seconds.ts[600])
    gap = Stress(gap_ns=(start, start + 300 * SECOND))
    done = seconds.follow(seconds.noise(9), stress=gap)
    assert np.abs(done.backtest.position).max() <= 1.0
    assert done.digest != seconds.follow(seconds.noise(9)).digest


def test_units_scale_lots_and_leave_points_as_they_are(seconds: Market) -> None:
    signal = seconds.noise(11)
    one, three = (seconds.follow(signal, how=How(unit_lots=k)) for k in (1, 3))
    lots = [int(run.names[0].run.fills["lots"].sum()) for run in (one, three)]
    assert lots[1] == 3 * lots[0]
    assert three.fees == pytest.approx(one.fees, rel=1e-3)
    assert three.backtest.position.tolist() == one.backtest.position.tolist()
    half = seconds.follow(signal, Rules(max_position=0.5), how=How(unit_lots=4))
    assert np.abs(half.backtest.position).max() == 0.5
    double = seconds.follow(signal, Rules(unit=2.0))
    assert set(np.unique(double.backtest.position)) == {-2.0, 0.0, 2.0}


def test_a_limit_that_refuses_shows_in_the_result(seconds: Market) -> None:
    small = hft.Limits.research().replace(max_position_size=1)
    done = seconds.follow(seconds.noise(12), limits=small, how=How(unit_lots=2))
    assert done.refused > 0 and done.fills == 0
    assert sum(done.names[0].refusals.values()) == done.refused
    assert done.refused_share == 1.0


def test_it_stands_in_for_the_vector_engine(seconds: Market) -> None:
    signal = seconds.noise(13)
    run = runner(seconds.data, limits=hft.Limits.research(), folder=seconds.folder)
    for threshold in (0.5, 1.5):
        rules = Rules(threshold=threshold)
        assert run(signal, rules).net.sum() == seconds.follow(signal, rules).net
        assert np.abs(held(signal, rules)).max() == 1.0


def test_names_of_a_panel_trade_alone_and_add_up(tapes: Tapes, tmp_path: Path) -> None:
    other = synthesize(6, events=20_000, span_ns=1_200 * SECOND, symbol="OTHER")
    both = tapes + write_feeds([other], tmp_path / "other", DecodeOptions(format="synthetic"))
    data = from_tapes(both, "1s")
    assert data.symbols == ("OTHER", "SYNTH")
    signal = np.random.Generator(np.random.Philox(2)).standard_normal(len(data))
    given: Any = {"limits": hft.Limits.research(), "folder": tmp_path / "runs"}
    whole = replay_alpha(data, signal, Rules(), **given)
    assert [one.symbol for one in whole.names] == ["OTHER", "SYNTH"]
    assert whole.digest not in {one.digest for one in whole.names}
    net = 0.0
    for symbol, at in data.groups():
        one = replace(data.of(symbol), tapes=both.select(symbols=[symbol]))
        alone = replay_alpha(one, signal[at], Rules(), **given)
        assert whole.backtest.net[at].tolist() == alone.backtest.net.tolist()
        net += alone.net
    assert whole.net == pytest.approx(net)


def test_rows_without_tapes_or_with_a_lag_are_refused_in_a_sentence(seconds: Market) -> None:
    signal = seconds.noise()
    with pytest.raises(DataError, match="no tapes stand behind"):
        replay_alpha(
            replace(seconds.data, tapes=None),
            signal,
            Rules(),
            limits=hft.Limits.research(),
            folder=seconds.folder,
        )
    with pytest.raises(DataError, match="3 values for"):
        seconds.follow(signal[:3])
    with pytest.raises(ConfigError, match="lag"):
        seconds.follow(signal, Rules(lag=1))
    for rules in (Rules(unit=0.5), Rules(max_position=0.3), Rules(unit=1.5)):
        with pytest.raises(ConfigError, match="whole number of lots"):
            seconds.follow(signal, rules)


@pytest.mark.parametrize(
    ("ts", "price", "said"),
    [
        ([3, 2, 1], [1.0] * 3, "row 2 is earlier"),
        ([1, 2, 3], [1.0] * 3, "span of the tapes"),
        ([1, 2, 3], [1.0] * 2, "give as many"),
        (None, [np.nan] * 3, "no price"),
    ],
)
def test_rows_that_do_not_fit_are_refused_in_a_sentence(
    seconds: Market, ts: Any, price: list[float], said: str
) -> None:
    times = seconds.ts[:3] if ts is None else ts
    with pytest.raises(DataError, match=said):
        checked(times, [0.0] * 3, price, seconds.tapes)


def test_a_profile_gives_legs_whose_round_trips_are_what_it_states() -> None:
    legs = SIM_P95.legs()
    local = 250_000
    for leg, ack in (("entry", 36), ("amend", 43), ("cancel", 47)):
        assert legs[leg] + legs["response"] == local + ack * MS
    assert SIM_P95.legs(1.5)["cancel"] == round(1.5 * legs["cancel"])
    assert profile_of(SIM_P95.name) is SIM_P95
    with pytest.raises(ConfigError, match="sim_p95"):
        profile_of("none")
    with pytest.raises(ConfigError, match="round trip"):
        LatencyProfile("odd", 0, 40, 10, 40)


def test_rows_by_the_clock_are_told_from_rows_by_events() -> None:
    assert clock_of(np.array([10, 20, 30, 60]) * SECOND) == 10 * SECOND
    assert clock_of(np.array([0, 7, 20, 33, 50])) == 0
    assert clock_of(np.array([5, 5])) == 0


@pytest.mark.slow
def test_real_bitcoin_is_followed_and_the_run_verifies(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "binance_raw_btc_20240808" / "spot_btcusdt_20240808.gz"
    tapes = hft.ingest(str(source), tmp_path / "btc", clock_fix=True)
    data = from_tapes(tapes, "1s")
    signal = data.field("imbalance_5")
    done = replay_alpha(
        data, signal, Rules(), limits=hft.Limits.research(), folder=tmp_path / "replay"
    )
    assert done.fills > 10 and done.fees > 0
    run = done.names[0].run
    assert run.verify().same
    times = run.equity["ts"].dt.epoch("ns").to_numpy()
    exact = np.isin(times, data.ts_ns)
    at = np.searchsorted(data.ts_ns, times[exact])
    assert exact.sum() > 300
    ours = np.cumsum(done.backtest.net)[at] * float(tapes[0].instrument.lot)
    assert ours == pytest.approx(run.equity["net"].to_numpy()[exact], abs=1e-6)


@pytest.mark.slow
def test_an_inverse_contract_earns_points_of_its_price(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "binance_raw_btc_20240808" / "cm_btcusd_perp_20240808.gz"
    tapes = hft.ingest(str(source), tmp_path / "btc", clock_fix=True)
    assert tapes[0].instrument.kind == "inverse"
    data = from_tapes(tapes, "1s")
    signal = np.where(np.arange(len(data)) < len(data) // 2, 1.0, -1.0)
    signal[0] = 0.0  # the tape is not a second old there: nobody is awake yet
    free = Rules(taker_bps=0.0)
    limits = hft.Limits.research().replace(**{"risk.max_order_notional": 1_000_000})
    done = replay_alpha(data, signal, free, limits=limits, folder=tmp_path / "replay")
    wanted = vector(data, signal, free)
    assert done.refused == 0 and done.traded == 3
    run = done.names[0].run
    fills = run.fills
    decided = np.searchsorted(data.ts_ns, fills["exch_ts"].dt.epoch("ns").to_numpy()) - 1
    signed = np.where(fills["side"].cast(pl.String) == "BUY", 1, -1) * fills["lots"].to_numpy()
    slipped = (signed * (fills["price"].to_numpy() - data.price[decided])).sum()
    assert done.net == pytest.approx(wanted.net.sum() - slipped, rel=0.01)
    coins = float(run.equity["net"][-1])
    size = float(tapes[0].instrument.multiplier)
    assert done.net == pytest.approx(coins * data.price[0] ** 2 / size, rel=0.05)
