"""Every attack of this folder is stopped by what it says, or earns what noise earns.

All of them run against the installed command, on years, by `make attacks`; here on weeks. Of those
that evidence alone stops one is judged whole, the others by the signal that counts: the one of
an honest alpha, whatever else they tried.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from attack_world import (
    Attack,
    answers_to,
    attacks,
    install,
    outcome_of,
    passed_noise,
    stole,
    workspace,
)
from table import table

from hft.api.validation import validate
from hft.audit.journal import read
from hft.core.errors import HftError
from hft.governance.ledger.ledger import Ledger
from hft.research.alphas.recount import confirmed
from hft.research.data.load import load
from hft.research.data.planted import write
from hft.research.worker import walls
from hft.research.worker.client import WorkerAlpha

pytestmark = pytest.mark.skipif(bool(walls.missing()), reason=f"no walls: {walls.missing()}")
ALL = {one.name: one for one in attacks()}
# Whole validations that go through to Gate C cost seconds each: this one stands for the others.
WHOLE = ("forged_expression",)
QUICK = [one for one in ALL.values() if one.is_noise and one.name not in WHOLE]
JUDGED = [one for one in ALL.values() if one not in QUICK]
# One of each kind in the test command; all of them, which take minutes, by `make soak`.
SAMPLE = (
    *("answers_by_date", "answers_in_a_file", "control_characters", "ends_the_process"),
    *("forged_words", "frame_above", "hides_what_it_tried", "manifest_by_process", "path_as_name"),
    *("thread_bomb", "tie_game", "answers_by_count", "kills_the_judge", "scratch_notes"),
)
# What a rule says of prices alone earns here; these say something else.
OTHERWISE = (
    *("answers_by_count", "days_from_prices", "patched_memory", "smallest_numbers", "time_bomb"),
)


def sampled(found: list[Attack]) -> list[Any]:
    return [
        pytest.param(one, id=one.name, marks=[] if one.name in SAMPLE else [pytest.mark.soak])
        for one in found
    ]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = workspace(tmp_path_factory.mktemp("attacks") / "desk")
    write(root / "data" / "noise", 0.0, days=24, seed=11)
    return root


@pytest.fixture(scope="module")
def answers(desk: Path) -> dict[str, str]:
    return answers_to(desk / "data" / "noise")


@pytest.fixture(autouse=True)
def _alone(desk: Path) -> Iterator[None]:
    """One attack at a time in the workspace: a command looks at every alpha there is."""
    yield
    for folder in (desk / "research" / "alphas").glob("[a-z]*"):
        shutil.rmtree(folder)


@pytest.mark.parametrize("attack", sampled(JUDGED))
def test_an_attack_ends_as_the_page_says(
    attack: Attack, desk: Path, answers: dict[str, str]
) -> None:
    install(attack, desk, answers)
    before = len(list(read(desk / ".state" / "audit")))
    gates, refused = [], ""
    try:
        found = validate(attack.name, str(desk / "data" / "noise"), root=desk)
        gates = [gate.to_dict() for gate in found.gates]
    except HftError as error:
        refused = str(error)
    said = outcome_of(gates, refused)
    assert attack.fits(said, weeks=True), f"{attack.stopped_by} was to stop it: {said}"
    assert not passed_noise(gates) and not stole(attack, said)
    assert len(list(read(desk / ".state" / "audit"))) > before, "no audit row"


@pytest.mark.parametrize("attack", sampled(QUICK))
def test_an_attack_that_nothing_stops_gains_nothing(
    attack: Attack, desk: Path, answers: dict[str, str]
) -> None:
    install(attack, desk, answers)
    data = load(str(desk / "data" / "noise"))
    data = data.with_frame(data.frame.head(1_200))
    with WorkerAlpha(desk / "research" / "alphas" / attack.name) as alpha:
        signal = confirmed(alpha, data)
    if attack.name not in OTHERWISE:
        mean = data.frame["mid"].diff().rolling_mean(30).fill_null(0.0).sign().to_numpy()
        assert np.array_equal(signal, mean)


def test_a_look_that_ends_in_a_refusal_is_a_trial(desk: Path, answers: dict[str, str]) -> None:
    attack = ALL["smuggles_rows"]
    install(attack, desk, answers)
    with pytest.raises(HftError, match="raised ValueError") as caught:
        validate(attack.name, str(desk / "data" / "noise"), root=desk)
    assert len(str(caught.value)) <= 600
    trials = Ledger.open(desk / "research" / "ledger").trials(family=attack.name)
    assert trials.height == 1


def test_there_are_enough_attacks_and_the_page_lists_them() -> None:
    assert len(ALL) >= 45
    page = Path(__file__).parents[2] / "docs" / "attacks.md"
    assert page.read_text() == table(), "python tests/attacks/table.py docs/attacks.md"
