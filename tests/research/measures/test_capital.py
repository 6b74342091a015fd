"""Limits of money are shares of the target capital: a contract's own price, or what is declared."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hft.core.errors import ValidationError
from hft.governance.profile import Profile
from hft.governance.promotion.integration import Candidate
from hft.governance.promotion.integration import measure as measure_d
from hft.research.alphas.manifest import AlphaManifest
from hft.research.backtest import Rules, capital_of, run
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.measures.measurement import Options, measure


@pytest.fixture(scope="module")
def data() -> ResearchData:
    return load(planted(0.0, days=100, seed=3), horizon_ns=60_000_000_000)


def signal(data: ResearchData) -> np.ndarray:
    return np.random.Generator(np.random.Philox(1)).standard_normal(len(data))


def test_a_contract_stands_on_its_own_price_unless_the_manifest_says_otherwise(
    data: ResearchData,
) -> None:
    price = float(np.median(data.price))
    assert capital_of(data, Rules()) == price
    assert capital_of(data, Rules(unit=3.0)) == 3 * price
    assert capital_of(data, Rules(unit=3.0), 50.0) == 150.0
    two = pl.concat([data.frame.with_columns(symbol=pl.lit(name)) for name in ("a", "b")])
    assert capital_of(load(two), Rules()) == 2 * price


def test_the_manifest_says_capital_and_lots_and_nothing_that_is_no_money() -> None:
    plain = {"hypothesis": "h", "formula": "f"}
    assert AlphaManifest("mine", **plain).capital_a_contract is None  # type: ignore[arg-type]
    told = AlphaManifest("mine", **plain, target_capital=1e6, target_lots=20)  # type: ignore[arg-type]
    assert told.capital_a_contract == 50_000
    for wrong in ({"target_capital": 0.0}, {"target_capital": float("nan")}, {"target_lots": -1}):
        with pytest.raises(ValidationError, match="a finite number above 0"):
            AlphaManifest("mine", **plain, **wrong)  # type: ignore[arg-type]


def test_drawdown_and_stress_are_of_the_target_capital_beside_those_of_a_contract(
    data: ResearchData,
) -> None:
    price = float(np.median(data.price))
    found = measure(data, signal(data), Options(horizon_ns=data.horizon_ns))
    outside = found.test.part(slice(found.split[1], None))
    equity = price + np.cumsum(outside.net)
    peak = np.maximum(np.maximum.accumulate(equity), price)
    assert found.figures["max_drawdown"] == pytest.approx(float(((equity - peak) / peak).min()))
    assert found.figures["max_drawdown_contract"] == pytest.approx(found.config.drawdown)
    assert found.drawdown < 1000 * found.config.drawdown < 0, "they bind: 1 000 000 never did"
    assert found.figures["capital"] == pytest.approx(price)
    assert found.stress.stressed.at_capital < 1000 * found.stress.stressed.drawdown
    half = measure(data, signal(data), Options(horizon_ns=data.horizon_ns, capital=price / 2))
    assert half.drawdown < 1.5 * found.drawdown
    assert half.figures["sharpe"] == found.figures["sharpe"], "a ratio has no capital"


def test_leverage_in_the_manifest_moves_the_configuration_and_its_absence_does_not() -> None:
    assert "capital" not in Options().to_dict()
    assert Options(capital=50.0).hash != Options().hash


def test_losses_of_gate_d_are_of_the_target_capital(data: ResearchData) -> None:
    values = {"gate_d.drawdown_min": -0.2}
    daily = np.where(data.session % 2 == 0, 1.0, -1.0)
    candidate = Candidate(data, daily, Rules(), 10**6, 0.01)
    own, borrowed = (
        measure_d(one, [], Profile("standard", values))
        for one in (candidate, replace(candidate, a_contract=5.0))
    )
    test = run(data, daily, Rules())
    for name, loss in own.stress_loss.items():
        assert loss is not None and loss > 900 * abs(test.drawdown), name
        worse = borrowed.stress_loss[name]
        assert worse is not None and worse > 5 * loss, name
    assert borrowed.drawdown_probability is not None and own.drawdown_probability is not None
    assert borrowed.drawdown_probability > own.drawdown_probability
