"""Gate D on tapes: capacity, turnover and stress are what the gateway and the book let through."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hft
from hft.core.errors import DataError
from hft.governance.gates.d import Portfolio, evaluate
from hft.governance.promotion.capacity import SIZES, capacity, carried, curve, worst_silence
from hft.governance.promotion.integration import Candidate, measure
from hft.research.backtest import Backtest, Rules
from hft.research.data.dataset import ResearchData
from hft.research.data.planted_tapes import write_tapes
from hft.research.data.tapes import from_tapes
from hft.research.execution.simulation import How, Replayed, Stress, replay_alpha
from tests.promotion_world import profile

FACTORS = {"spread": 3.0, "latency": 5.0}


class Planted:
    """Three sessions whose next minute is known: an alpha that earns, on 5000 lots a side."""

    def __init__(self, folder: Path) -> None:
        tapes = write_tapes(folder / "tapes", 0.5, days=3, seed=2)
        self.data, self.folder = from_tapes(tapes, "60s"), folder
        ahead = np.append(np.diff(self.data.price), 0.0)
        self.signal = np.sign(ahead)
        self.rules = Rules(taker_bps=0.0)
        self.calls: list[tuple[int, Stress]] = []

    def engine(self, unit_lots: int, stress: Stress) -> Replayed:
        self.calls.append((unit_lots, stress))
        return replay_alpha(
            self.data,
            self.signal,
            self.rules,
            limits=hft.Limits.research(),
            folder=self.folder / "replays",
            how=How(unit_lots=unit_lots),
            stress=stress,
        )

    def portfolio(self, **changed: Any) -> Portfolio:
        candidate = Candidate(self.data, self.signal, self.rules, 10**6, 0.01, self.engine)
        return measure(replace(candidate, **changed), [], profile("standard"))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return Planted(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def found(planted: Planted) -> Portfolio:
    return planted.portfolio()


def test_the_curve_ends_where_the_book_gives_no_more_or_nothing_is_earned(planted: Planted) -> None:
    sizes = curve(planted.engine)
    assert [one.unit_lots for one in sizes] == list(SIZES[: len(sizes)])
    assert all(one.net > 0 for one in sizes[:-1])
    one, two = sizes[0], sizes[1]
    assert two.lots == pytest.approx(2 * one.lots) and two.net == pytest.approx(2 * one.net)
    assert capacity(sizes) == max(one.lots for one in sizes if one.net > 0)


def test_a_signal_that_loses_carries_nothing(planted: Planted) -> None:
    def wrong(unit_lots: int, stress: Stress) -> Replayed:
        done = planted.engine(unit_lots, stress)
        test = replace(done.backtest, gross=-np.abs(done.backtest.gross))
        return replace(done, backtest=test)

    sizes = curve(wrong)
    assert len(sizes) == 1 and capacity(sizes) == 0.0
    told = carried(Portfolio(), planted.data, wrong, 1.0, FACTORS, 5.0, 1.0, 100.0)
    assert told.capacity_multiple == 0.0


def test_the_smaller_of_the_two_capacities_decides(planted: Planted) -> None:
    multiple = carried(
        Portfolio(), planted.data, planted.engine, 1.0, FACTORS, 5.0, 1.0, 100.0
    ).capacity_multiple
    assert multiple is not None
    for law in (multiple / 2, multiple * 2):
        told = carried(
            Portfolio(capacity_multiple=law),
            planted.data,
            planted.engine,
            1.0,
            FACTORS,
            5.0,
            1.0,
            100.0,
        )
        assert told.capacity_multiple == min(law, multiple)
        assert told.capacity_by == {"square_root": law, "replay": multiple}


def test_every_stress_is_a_replay_but_volatility(planted: Planted, found: Portfolio) -> None:
    asked = {
        name
        for _, one in planted.calls
        for name in ("latency", "spread")
        if getattr(one, name) != 1.0
    }
    assert asked == {"latency", "spread"}
    assert any(one.gap_ns != (0, 0) for _, one in planted.calls)
    assert set(found.stress_loss) == {"volatility", "spread", "gap", "latency"}
    base = planted.engine(1, Stress()).backtest
    wide = planted.engine(1, Stress(spread=3.0)).backtest
    assert wide.net.sum() < base.net.sum()
    price = float(np.median(planted.data.price))
    assert found.stress_loss["spread"] == abs(wide.drawdown_at(price))
    assert not found.unbounded


def test_turnover_and_retention_are_those_of_the_fills(planted: Planted, found: Portfolio) -> None:
    base = planted.engine(1, Stress()).backtest
    assert found.turnover == base.turnover > 0
    assert found.replay_digest == planted.engine(1, Stress()).digest
    result = evaluate({"turnover": 0.0}, replace(found, turnover=3.0), profile("standard"))
    (check,) = [one for one in result.checks if one.id == "turnover"]
    assert check.value == 3.0 and check.verdict == "FAIL"


def test_without_tapes_the_vector_figures_stay(planted: Planted) -> None:
    plain = planted.portfolio(engine=None)
    assert plain.turnover is None and plain.capacity_curve == () and not plain.replay_digest


def test_a_replay_that_cannot_run_leaves_the_vector_figures_and_a_note(planted: Planted) -> None:
    def broken(unit_lots: int, stress: Stress) -> Replayed:
        raise DataError("tapes: are gone")

    told = planted.portfolio(engine=broken)
    plain = planted.portfolio(engine=None)
    assert told.notes["replay"] == "tapes: are gone"
    assert (told.stress_loss, told.turnover) == (plain.stress_loss, None)


def test_the_silence_is_where_holding_on_costs_most(planted: Planted) -> None:
    data: ResearchData = planted.data
    rows = len(data)
    position, gross = np.ones(rows), np.zeros(rows)
    test = Backtest(position, gross, gross, gross, data.session, data.ts_ns)
    start, end = worst_silence(data, test)
    first, last = np.searchsorted(data.ts_ns, [start, end])
    edges = np.append(np.linspace(0, rows - 1, 21).astype(int)[:-1], rows)
    falls = [data.price[b - 1] - data.price[a] for a, b in itertools.pairwise(edges)]
    assert data.price[last] - data.price[first] == min(falls) < 0
