"""A policy's own two quotes in Gate C: the replay does what the episode did, and nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.api import research
from hft.api.validation import validate
from hft.core.errors import ConfigError, DataError, ValidationError
from hft.gateway.limits import Limits
from hft.governance.ledger.ledger import Ledger
from hft.governance.promotion.parity import stream
from hft.governance.promotion.verdicts import read
from hft.research.alphas.fitted import declare
from hft.research.alphas.manifest import FittedFile
from hft.research.backtest import Rules
from hft.research.data.tapes import from_tapes
from hft.research.execution.job import How
from hft.research.execution.latency import SIM_P95
from hft.research.execution.simulation import replay_alpha
from hft.research.rl.episode import Market
from hft.research.rl.policy import ArrayPolicy
from hft.research.rl.quotes import Quotes, quotes_of
from hft.research.rl.quoting import ACTIONS, FEATURES, Quoting
from hft.research.rl.training import play
from hft.research.worker.roster import find
from hft.research.workspace import Workspace
from hft.runs.ingest import open_tapes
from hft.runs.result import Run
from hft.runs.venues import Venue
from hft.tape.dataset import Tapes

EXAMPLE = Path(__file__).resolve().parents[3] / "research" / "rl" / "market_making" / "alpha"


def policy() -> ArrayPolicy:
    """Leans against its inventory and with the imbalance, close to the touch."""
    weights = np.zeros((len(FEATURES), len(ACTIONS)))
    weights[0] = (-0.6, 0.6)
    weights[1] = (0.4, -0.4)
    return ArrayPolicy(((weights, np.full(len(ACTIONS), 1.0)),))


def replayed(tapes: Tapes, folder: Path, **given: Any) -> Any:
    data = from_tapes(tapes, "1s")
    how = How(execution="quotes", maker_bps=0.0, quotes=Quotes(policy(), Quoting(1, 5, 4)), **given)
    # The signal says the opposite of everything: it must not matter.
    signal = np.where(np.arange(len(data)) % 2 == 0, 1.0, -1.0)
    return replay_alpha(data, signal, Rules(), limits=Limits(), folder=folder, how=how)


def test_the_replay_earns_what_the_episode_earned(tapes: Tapes, tmp_path: Path) -> None:
    done = replayed(tapes, tmp_path)
    (one,) = done.names
    config = one.run.manifest["config"]
    span = (config["start_ns"], config["end_ns"])
    fees = {"maker_bps": "0.0000", "taker_bps": "0.2000"}
    market = Market(tapes, Limits(), Venue(SIM_P95.legs(1.0), fees=fees), quoting=Quoting(1, 5, 4))
    episode = play(market, policy(), span)
    assert one.fills == episode.episode.counts["fills"] > 10
    assert one.run.metrics.get_value("net") == pytest.approx(episode.net, abs=1e-9)
    size = done.backtest
    assert size.position.max() > 0 > size.position.min() and np.abs(size.position).max() <= 5


def test_the_lots_of_a_promotion_multiply_the_quotes(tapes: Tapes, tmp_path: Path) -> None:
    one, three = replayed(tapes, tmp_path), replayed(tapes, tmp_path, unit_lots=3)
    lots = three.names[0].run.fills["lots"]
    assert lots.max() == 3 and one.names[0].run.fills["lots"].max() == 1
    assert np.abs(three.backtest.position).max() <= 5


def test_quotes_and_execution_go_together(tapes: Tapes) -> None:
    with pytest.raises(ConfigError, match="do not go together"):
        How(execution="quotes")
    with pytest.raises(ConfigError, match="do not go together"):
        How(quotes=Quotes(policy()))

    class Odd:
        quotes = "two"

    with pytest.raises(ValidationError, match="`quotes` is str"):
        quotes_of(Odd())
    assert quotes_of(object()) is None


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, tapes: Tapes) -> Path:
    """A workspace with the example's alpha around a policy that was not trained."""
    root = tmp_path_factory.mktemp("quotes") / "desk"
    research.init(root)
    folder = root / "research" / "alphas" / "rl_quotes"
    shutil.copytree(EXAMPLE, folder)
    policy().save(folder / "policy.npz")
    declare(folder, [FittedFile("policy.npz", "nothing")])
    shutil.copytree(tapes[0].path.parent, root / "tapes")
    settings = root / "config" / "default.yaml"
    on, off = "HFT_ALPHA_AUDIT_ENABLED: true", "HFT_ALPHA_AUDIT_ENABLED: false"
    settings.write_text(settings.read_text().replace(on, off))
    return root


def judge(root: Path, **given: Any) -> Any:
    chosen = {"profile": "base", "skip_gate_b_tests": True, "set": {"gate_b.runs_min": 1.0}}
    data = given.pop("data", root / "tapes")
    return validate("rl_quotes", str(data), root=root, **(chosen | given))


def test_gate_c_judges_the_quotes_and_counts_one_trial(desk: Path) -> None:
    done = judge(desk)
    found = {check.id: check for check in done.gate("C").checks}
    assert read(done.path).options.execution == "quotes"
    assert Ledger.open(desk / "research" / "ledger").trials()["trial_id"].to_list() == [
        done.trial_id
    ]
    assert found["replay_fills"].value > 10 and not found["plateau"].applicable
    runs = desk / "research" / "experiments" / "replays" / "rl_quotes" / "runs"
    played = [json.dumps(Run.open(path).manifest["config"]) for path in runs.iterdir()]
    assert played and all('"weights"' in one and '"threshold"' not in one for one in played)
    assert judge(desk).trial_id == done.trial_id


def test_a_policy_that_quotes_is_not_judged_without_a_queue(desk: Path) -> None:
    before = len(Ledger.open(desk / "research" / "ledger").trials())
    with pytest.raises(DataError, match="'rl_quotes' quotes, and only a replay has a queue"):
        judge(desk, engine="vector")
    table = desk / "rows.parquet"
    from_tapes(open_tapes(desk / "tapes"), "1s").frame.write_parquet(table)
    with pytest.raises(DataError, match="'rl_quotes' quotes, which needs tapes"):
        judge(desk, data=table)
    assert len(Ledger.open(desk / "research" / "ledger").trials()) == before


def test_in_shadow_the_policy_quotes_too(desk: Path, tapes: Tapes, tmp_path: Path) -> None:
    alpha = find(Workspace(desk), "rl_quotes")
    (path,) = stream(alpha, tapes, Rules(), limits=Limits(), folder=tmp_path)
    run = Run.open(path)
    assert {"bid", "ask"} <= set(run.series.columns) and run.totals["fills"] > 10
