"""Power: the market has the edge it says, lives are judged by the gates, the command answers."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hft.api import research
from hft.api.power import power as ask
from hft.cli.app import app
from hft.core.errors import ConfigError
from hft.governance.ledger.ledger import Ledger
from hft.governance.power import life
from hft.governance.power.life import Rivals, live
from hft.governance.power.market import Alpha, drawn, lean, persistent, signal_of
from hft.governance.power.power import power
from hft.governance.profile import Profile
from hft.governance.validation import validate
from hft.research.backtest import run
from hft.research.trial import LABEL_FAMILY, Trial
from hft.settings import read_profile

STANDARD = Profile.from_dict(read_profile("standard"), "standard")
DAYS = 504


@pytest.mark.parametrize(("sharpe", "fee"), [(0.0, 0.2), (2.0, 0.0), (3.0, 0.5)])
def test_the_market_has_the_true_sharpe_ratio_that_it_says(sharpe: float, fee: float) -> None:
    """Over 300 years of drawn lives, net of the fees, within three standard errors."""
    alpha, found = Alpha(taker_bps=fee), []
    for k in range(300):
        market = drawn(252, lean(sharpe, alpha), (9, k))
        found.append(market.daily(signal_of(market.flow, alpha.memory), alpha.rules))
    daily = np.concatenate(found)
    realised = daily.mean() / daily.std() * np.sqrt(252)
    assert realised == pytest.approx(sharpe, abs=3 * np.sqrt(252 / daily.size) + 0.02)


def test_the_drawn_returns_are_those_of_the_engine() -> None:
    market, alpha = drawn(60, 0.05, (1, 2)), Alpha()
    signal = signal_of(market.flow, alpha.memory)
    test = run(market.data, signal, alpha.rules)
    assert market.daily(signal, alpha.rules) == pytest.approx(test.daily * test.initial_equity)


def test_persistent_days_lean_on_each_other_and_have_no_edge() -> None:
    market = persistent(2016, 0.4, (1, 3))
    days = np.diff(np.log(market.mid[np.unique(market.session, return_index=True)[1]]))
    assert np.corrcoef(days[1:], days[:-1])[0, 1] == pytest.approx(0.4, abs=0.07)


def test_the_verdict_is_that_of_the_function_that_validate_calls() -> None:
    assert life.judge is validate.judge


def test_a_true_edge_passes_and_its_life_is_the_same_again() -> None:
    alpha = Alpha()
    first, again = (live(drawn(1008, lean(6.0, alpha), (4, 1)), alpha, STANDARD) for _ in range(2))
    assert first.passed and first.stopping == ()
    assert [gate.evidence_digest for gate in first.gates] == [
        gate.evidence_digest for gate in again.gates
    ]


def test_what_the_t_refuses_is_refused_by_the_gates() -> None:
    alpha = Alpha()
    for k in range(4):
        market = drawn(DAYS, lean(0.0, alpha), (5, k))
        assert not live(market, alpha, STANDARD).gates
        whole = live(market, alpha, STANDARD, hopeless=False)
        assert not whole.passed
        assert len(whole.gates) < 3 or "C hac_t" in whole.stopping


def test_two_hundred_other_trials_raise_the_hurdle_of_a_life() -> None:
    alpha = Alpha()
    market = drawn(DAYS, lean(3.0, alpha), (6, 2))
    noise = 0.01 * np.random.default_rng(1).standard_normal((DAYS, 199))
    alone, beside = (
        live(market, alpha, STANDARD, rivals, hopeless=False)
        for rivals in (Rivals(), Rivals(noise))
    )
    dsr = [
        next(check.value for check in one.gates[2].checks if check.id == "dsr")
        for one in (alone, beside)
    ]
    assert dsr[0] > 0.95 > dsr[1]


def test_more_days_and_a_higher_sharpe_ratio_pass_more_often() -> None:
    found = power(STANDARD, sharpes=(1.0, 4.0), days=(252, 1008), lives=6)
    chances = {(one.sharpe, one.days): one.passed.count for one in found.chances}
    assert chances[4.0, 1008] == 6 and chances[1.0, 252] == 0
    assert chances[4.0, 1008] >= chances[4.0, 252] and chances[4.0, 1008] >= chances[1.0, 1008]
    assert "stopped most by" in found.text() and "No trial was counted" in found.text()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trials": 0}, "--trials 0"),
        ({"days": (20,)}, "--days 20"),
        ({"taker_bps": -0.1}, "--taker-bps"),
        ({"sharpes": (90.0,)}, "--sharpe 90"),
        ({"lives": 0}, "--lives 0"),
    ],
)
def test_what_cannot_be_drawn_is_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        power(STANDARD, **{"lives": 1, **given})  # type: ignore[arg-type]


def test_the_command_answers_in_json_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["alpha", "power", "--sharpe", "3", "--days", "252", "--lives", "2", "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)["chances"]
    assert (found["sharpe"], found["days"], found["lives"]) == (3.0, 252, 2)
    assert 0.0 <= found["low"] <= found["chance"] <= found["high"] <= 1.0
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_family_brings_what_the_ledger_has_tried_of_it(tmp_path: Path) -> None:
    research.init(tmp_path)
    with pytest.raises(ConfigError, match="the ledger has no trial of it"):
        ask("ofi", root=tmp_path, lives=1)
    random = np.random.default_rng(3)
    Ledger.open(tmp_path / "research" / "ledger").append(
        [trial(number, 0.01 * random.standard_normal(252)) for number in range(30)], 1
    )
    given = {"root": tmp_path, "sharpe": (3.0,), "days": (252,), "lives": 3}
    beside, alone = ask("ofi", **given), ask(**given)
    assert beside.beside.startswith("30 trials of family ofi so far, worth 30.0")
    assert beside.chances[0].passed.count <= alone.chances[0].passed.count
    assert dict(beside.chances[0].stopping).get("C dsr", 0) > 0, "thirty trials raise the hurdle"


def trial(number: int, returns: np.ndarray) -> Trial:
    return Trial(
        alpha_id=f"other_{number}",
        family="ofi",
        label_family=LABEL_FAMILY,
        canonical=f"number {number}",
        interval=(0, 1),
        config_hash="c",
        data_hash="d",
        code_hash="c",
        returns=returns,
        periods_per_year=252.0,
        source="validate",
        seed=1,
        periods_ns=np.arange(len(returns)) * 86_400_000_000_000,
    )


def test_a_word_that_is_no_number_is_wrong_use() -> None:
    assert CliRunner().invoke(app, ["alpha", "power", "--sharpe", "high"]).exit_code == 2
