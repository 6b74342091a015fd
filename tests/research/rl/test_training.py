"""From training to a run that can be promoted: it learns, is counted once, judged and found."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.api.desk import open_desk
from hft.api.rl import log_rl_run as log_rl_run_at_the_desk
from hft.api.rl import ready
from hft.core.errors import ConfigError, DataError, PromotionError
from hft.governance.ledger.ledger import Ledger
from hft.governance.training import Training, log_rl_run, newest_run, policy_sha256
from hft.governance.verdict import Verdict
from hft.research.experiments import list_runs
from hft.research.rl.episode import Market
from hft.research.rl.policy import ArrayPolicy
from hft.research.rl.quotes import Quotes
from hft.research.rl.training import CrossEntropy, cross_entropy, play, scored_on
from hft.runs.execute import execute
from hft.runs.result import as_run

SECOND = 1_000_000_000
NOON = 1_800_000_000_000_000_000
UNTRAINED = ArrayPolicy.zeros(9, 2)


def spans(market: Market) -> list[tuple[int, int]]:
    first, last = market.tapes.span
    third = (last - first) // 3
    return [(first + k * third, first + (k + 1) * third) for k in range(3)]


@pytest.fixture(scope="module")
def trained(market: Market) -> Any:
    how = CrossEntropy(rounds=4, population=10, seed=1)
    return cross_entropy(UNTRAINED, scored_on(market, spans(market)[:2]), how)


def training(market: Market, **changes: Any) -> Training:
    base: dict[str, Any] = {
        "alpha_id": "rl_quotes",
        "config": {"rounds": 4, "shape": [9, 2]},
        "data_hash": market.tapes[0].sha256,
        "code_hash": "c" * 64,
        "interval": spans(market)[2],
        "seed": 1,
    }
    return Training(**(base | changes))


def test_training_beats_the_untrained_policy_and_repeats_to_the_last_bit(
    market: Market, trained: Any
) -> None:
    score = scored_on(market, spans(market)[:2])
    assert score(trained.policy) > score(UNTRAINED) + 0.02
    assert trained.history[-1][0] > trained.history[0][0]
    small = CrossEntropy(rounds=1, population=4, seed=1)
    short = scored_on(market, [(market.tapes.span[0], market.tapes.span[0] + 120 * SECOND)])
    once, again = (cross_entropy(UNTRAINED, short, small).policy for _ in range(2))
    assert once.flat().tobytes() == again.flat().tobytes()
    with pytest.raises(ConfigError, match="population"):
        CrossEntropy(population=3)


def test_the_policy_in_a_sealed_run_does_what_it_did_in_the_episode(
    market: Market, trained: Any, tmp_path: Path
) -> None:
    span = spans(market)[2]
    done = play(market, trained.policy, span)
    strategy = Quotes(trained.policy, market.quoting, market.every_ns).strategy()
    run = as_run(execute, market.job(strategy, span, 0), out=tmp_path)
    assert run.digest == done.digest == done.episode.sealed(tmp_path / "played").digest
    assert run.verify().same
    assert run.metrics.get_value("net") == pytest.approx(done.net, abs=1e-9)
    bids = np.arctanh(run.series["bid"].to_numpy())
    assert np.isfinite(bids).all() and len(bids) == len(done.rewards)


def logged(market: Market, chosen: ArrayPolicy, root: Path, **given: Any) -> Any:
    done = play(market, chosen, spans(market)[2])
    run = done.episode.sealed(root / "sealed")
    ledger = Ledger.open(root / "ledger")
    base: dict[str, Any] = {
        "record_trial": lambda trial: ledger.append([trial], NOON)[0],
        "now_ns": NOON,
        "ts_ns": done.ts_ns,
        "policy": chosen,
        "run": run,
    }
    asked = given.pop("training", training(market))
    rewards = given.pop("rewards", done.rewards)
    return log_rl_run(root / "experiments", asked, rewards, done.positions, **(base | given))


def test_a_logged_run_is_one_trial_an_experiment_and_a_gate_report(
    market: Market, trained: Any, tmp_path: Path
) -> None:
    found = logged(market, trained.policy, tmp_path)
    assert found.gate.gate == "RL"
    by_id = {check.id: check for check in found.gate.checks}
    assert by_id["sealed_run"].verdict is by_id["deterministic"].verdict is Verdict.PASS
    (kept,) = list_runs(tmp_path / "experiments").runs
    assert kept.meta["gate_status"] == {"RL": found.gate.verdict.value}
    assert kept.backtest_report["policy_sha256"] == policy_sha256(trained.policy)
    card = kept.scorecard
    done = play(market, trained.policy, spans(market)[2])
    sharpe = done.rewards.mean() / done.rewards.std(ddof=1) * np.sqrt(252)
    assert card["sharpe_oos"] == pytest.approx(sharpe)
    assert card["turnover"] == pytest.approx(np.abs(np.diff(done.positions)).mean())
    equity = kept.equity
    assert equity is not None and equity.values == pytest.approx(1e6 + np.cumsum(done.rewards))
    assert (card["pool_empty"], card["correlation_pool_max"]) == (True, 0.0)
    ledger = Ledger.open(tmp_path / "ledger")
    assert ledger.trials().height == 1
    again = logged(market, trained.policy, tmp_path, now_ns=NOON + SECOND)
    assert again.recorded.repeat and Ledger.open(tmp_path / "ledger").trials().height == 1
    other = training(market, seed=2)
    logged(market, trained.policy, tmp_path, training=other, now_ns=NOON + 2 * SECOND)
    assert Ledger.open(tmp_path / "ledger").trials().height == 2


def test_a_run_of_a_workspace_is_in_its_ledger_and_its_audit(
    market: Market, trained: Any, tmp_path: Path
) -> None:
    (tmp_path / "config" / "strategy_promotions").mkdir(parents=True)
    done = play(market, trained.policy, spans(market)[2])
    found = log_rl_run_at_the_desk(
        training(market),
        done.rewards,
        done.positions,
        root=tmp_path,
        policy=trained.policy,
        run=done.episode.sealed(tmp_path / "sealed"),
    )
    desk = open_desk(tmp_path)
    rows = [row for row in desk.auditor.rows() if row["table"] == "alpha_gate_log"]
    assert len(rows) == 1
    told = json.dumps(rows[0], default=str)
    for part in (
        '"RL"',
        found.experiment.run_id,
        found.gate.evidence_digest,
        found.recorded.trial_id,
    ):
        assert part in told
    assert desk.ledger.trials().height == 1
    assert newest_run(desk.workspace.experiments, "rl_quotes").run_id == found.experiment.run_id


def test_rewards_that_the_sealed_run_did_not_earn_fail_the_gate(
    market: Market, trained: Any, tmp_path: Path
) -> None:
    done = play(market, trained.policy, spans(market)[2])
    found = logged(market, trained.policy, tmp_path, rewards=done.rewards + 1.0)
    assert found.gate.verdict is Verdict.FAIL
    assert "the rewards say" in found.gate.reason


def test_what_nobody_showed_is_insufficient_with_a_list(
    market: Market, trained: Any, tmp_path: Path
) -> None:
    found = logged(market, trained.policy, tmp_path, policy=None, run=None)
    assert found.gate.verdict in (Verdict.INSUFFICIENT, Verdict.FAIL)
    assert set(found.gate.missing) >= {
        "a sealed run of the evaluation",
        "the policy as arrays",
    }
    short = log_rl_run(
        tmp_path / "short",
        training(market),
        np.ones(3),
        np.ones(3),
        record_trial=lambda trial: None,
        now_ns=NOON,
    )
    assert short.gate.verdict is not Verdict.PASS
    assert any("17 more steps" in text for text in short.gate.missing)
    with pytest.raises(DataError, match="2 signals for 3 rewards"):
        log_rl_run(
            tmp_path,
            training(market),
            np.ones(3),
            np.ones(2),
            record_trial=lambda trial: None,
            now_ns=NOON,
        )


def test_the_trial_is_counted_before_anything_is_written(
    market: Market, trained: Any, tmp_path: Path
) -> None:
    def full(trial: Any) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        logged(market, trained.policy, tmp_path, record_trial=full)
    assert list_runs(tmp_path / "experiments").runs == ()


def test_only_a_run_that_passed_and_was_validated_since_is_ready(
    market: Market, tmp_path: Path
) -> None:
    base = tmp_path / "research" / "experiments"
    (tmp_path / "config" / "strategy_promotions").mkdir(parents=True)
    with pytest.raises(PromotionError, match="no reinforcement-learning run"):
        ready("rl_quotes", root=tmp_path)
    logged(market, UNTRAINED, tmp_path / "research", policy=None)
    with pytest.raises(PromotionError, match=r"gate RL of run .* is (INSUFFICIENT|FAIL)"):
        ready("rl_quotes", root=tmp_path)
    run = newest_run(base, "rl_quotes")
    meta = dict(run.meta) | {"gate_status": {"RL": "PASS"}}
    (run.path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(PromotionError, match="there is none"):
        ready("rl_quotes", root=tmp_path)
    for stamp, good in (("20200101T000000Z_0", False), ("20990101T000000Z_0", True)):
        folder = base / "validations" / "rl_quotes" / stamp
        folder.mkdir(parents=True)
        (folder / "scorecard.json").write_text("{}")
        if good:
            assert ready("rl_quotes", root=tmp_path).run_id == run.run_id
        else:
            with pytest.raises(PromotionError, match="20200101"):
                ready("rl_quotes", root=tmp_path)
