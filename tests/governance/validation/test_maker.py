"""`--execution maker`: an alpha that quotes is judged by its replays, and by nothing else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from validation_world import made_desk

from hft.api.validation import validate
from hft.core.errors import ConfigError, DataError
from hft.governance.ledger.ledger import Ledger
from hft.governance.promotion.verdicts import read
from hft.governance.validation.trials import config_hash
from hft.research.data.planted import write
from hft.research.data.planted_tapes import write_tapes
from hft.research.measures.measurement import Options

pytestmark = pytest.mark.usefixtures("shared_judgements")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = made_desk(tmp_path_factory.mktemp("maker") / "desk")
    write_tapes(root / "data" / "tapes", 0.3, days=1, seed=1)
    return root


def judge(root: Path, **given: Any) -> Any:
    chosen = {"profile": "base", "skip_gate_b_tests": True, "set": {"gate_b.runs_min": 1.0}}
    data = given.pop("data", root / "data" / "tapes")
    return validate("mine", str(data), root=root, **(chosen | given))


@pytest.fixture(scope="module")
def taken(desk: Path) -> Any:
    return judge(desk)


@pytest.fixture(scope="module")
def made(desk: Path) -> Any:
    return judge(desk, execution="maker")


def test_a_makers_figures_are_those_of_its_replay(desk: Path, made: Any) -> None:
    validated = read(made.path)
    assert validated.options.execution == "maker"
    card = made.scorecard.values
    folder = desk / "research" / "experiments" / "replays" / "mine" / "runs"
    assert len(list(folder.iterdir())) >= 12
    shown = {check.id: check.value for check in made.gate("C").checks}
    assert shown["sharpe_oos"] == pytest.approx(card["sharpe_oos"])
    assert shown["replay_fills"] > 0


def test_taking_and_making_are_other_trials_with_other_returns(
    desk: Path, taken: Any, made: Any
) -> None:
    assert taken.trial_id != made.trial_id
    ledger = Ledger.open(desk / "research" / "ledger")
    vectors = ledger.vectors([taken.trial_id, made.trial_id])
    assert len(ledger.trials()) == 24
    assert not np.array_equal(vectors[taken.trial_id], vectors[made.trial_id])
    assert taken.scorecard.values["sharpe_oos"] != made.scorecard.values["sharpe_oos"]


def test_a_fill_at_the_touch_pays_the_makers_fee(desk: Path, made: Any, taken: Any) -> None:
    again = judge(desk, execution="maker", maker_bps=1.5)
    assert again.trial_id not in (made.trial_id, taken.trial_id)
    net = {c.id: c.value for c in again.gate("C").checks}["replay_net"]
    rebated = {c.id: c.value for c in made.gate("C").checks}["replay_net"]
    assert net < rebated


def test_the_execution_is_in_the_hash_only_where_it_moves_figures(taken: Any) -> None:
    plain = Options()
    assert replace(plain, maker_bps=9.0).hash == plain.hash
    assert replace(plain, execution="maker").hash != plain.hash
    assert (
        replace(plain, execution="maker", maker_bps=9.0).hash
        != replace(plain, execution="maker").hash
    )
    assert config_hash(replace(plain, maker_bps=9.0)) == config_hash(plain)
    assert config_hash(replace(plain, execution="maker")) != config_hash(plain)
    told = json.loads((taken.path / "manifest.json").read_text())["options"]
    assert "execution" not in told and "maker_bps" not in told


def test_the_same_validation_again_has_the_same_figures(desk: Path, made: Any) -> None:
    again = judge(desk, execution="maker")
    key = "measures_digest"
    assert again.scorecard.values[key] == made.scorecard.values[key]
    assert again.trial_id == made.trial_id


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"execution": "broker"}, ConfigError, "taker, maker"),
        ({"execution": "maker", "engine": "vector"}, ConfigError, "only a replay has"),
    ],
)
def test_what_cannot_be_made_is_refused(
    desk: Path, given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        judge(desk, **given)


def test_a_maker_on_a_table_of_rows_is_refused_before_it_counts(desk: Path) -> None:
    write(desk / "data" / "bars", 0.05, days=3, seed=1)
    before = len(Ledger.open(desk / "research" / "ledger").trials())
    with pytest.raises(DataError, match="--execution maker needs tapes"):
        judge(desk, data=desk / "data" / "bars", execution="maker")
    assert len(Ledger.open(desk / "research" / "ledger").trials()) == before
