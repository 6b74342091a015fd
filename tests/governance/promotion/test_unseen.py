"""Approval shows the frozen code rows that its author never had: an answer key earns nothing."""

import hashlib
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from promotion_desk import ALPHA, DAYS, PlantedDesk, at
from promotion_world import UNSEEN, profile

import hft
from hft.audit.keys import Keys
from hft.audit.signed_rows import check_rows
from hft.cli.app import run
from hft.core.errors import DataError, GovernanceError
from hft.governance.promotion.unseen import AFTER, KEPT, Look, objections
from hft.governance.vault import looks
from hft.research.data.planted import write
from hft.storage.strict_yaml import load_yaml

pytestmark = pytest.mark.usefixtures("shared_judgements")
LATER = 160 * 24  # hours: rows were recorded meanwhile
AFTERWARDS, BEFORE = date(2025, 1, 6), date(2019, 1, 7)


def shown(sessions: int = 60, gap: float | None = 0.3) -> Look:
    return Look(AFTER, "e" * 64, sessions, 20250106, 20250401, 5.0, 4.8, gap)


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        (None, r"asks for one look at rows that the author never had: give --unseen DATA"),
        (shown(sessions=19), "19 sessions 20250106 to 20250401.*at least 20 sessions"),
        (shown(gap=None), "nothing can be compared"),
        (shown(gap=2.34), r"2.34 standard errors below\): at most 2.33 are allowed"),
    ],
)
def test_standard_wants_unseen_rows_that_bear_the_claim_out(
    look: Look | None, sentence: str
) -> None:
    (said,) = objections(look, profile("standard"))
    assert re.search(sentence, said)
    assert objections(look, profile("base")) == []


def test_what_bears_the_claim_out_is_no_objection_and_tier1_wants_more_of_it() -> None:
    assert objections(shown(sessions=20, gap=2.33), profile("standard")) == []
    assert objections(shown(sessions=20, gap=-5.0), profile("tier1"))
    assert objections(UNSEEN, profile("tier1")) == []


def freeze(desk: PlantedDesk, hour: int) -> None:
    """Bob's word that the code is as it is."""
    bob = desk.root / ".state" / "people" / "bob"
    hft.alpha.freeze(ALPHA, key=bob, root=desk.root, now=at(hour))


@pytest.fixture(scope="module")
def asking(planted_desk: PlantedDesk, tmp_path_factory: pytest.TempPathFactory) -> PlantedDesk:
    """Profile base of a workspace that asks for unseen rows as standard does; judged, proposed."""
    made = planted_desk.copy(tmp_path_factory.mktemp("asking") / "desk")
    file = made.root / "config" / "governance" / "base.yaml"
    text = file.read_text().replace("unseen_sessions_min: null", "unseen_sessions_min: 20")
    file.write_text(text.replace("unseen_gap_max: null", "unseen_gap_max: 2.33"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
        assert made.validate().passed
        freeze(made, 11)
        assert made.promote(LATER).decided.accepted
    return made


@pytest.fixture
def proposed(asking: PlantedDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlantedDesk:
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    return asking.copy(tmp_path / "desk")


def rows(desk: PlantedDesk, edge: float, start: date, days: int = 30, seed: int = 7) -> list[str]:
    folder = desk.root.parent / "of_bob"
    write(folder, edge, days=days, seed=seed, start=start)
    return [str(folder)]


def test_without_unseen_rows_nothing_is_approved(proposed: PlantedDesk) -> None:
    heard: list[str] = []
    done = proposed.approve(LATER + 1, tell=heard.append).decided
    assert not done.approved and "give --unseen DATA" in done.objections[0]
    assert heard == [], "nothing is loaded or measured before that is said"


def test_what_promote_says_to_type_next_is_what_approve_asks_for(
    proposed: PlantedDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(proposed.root)
    typed = ["--shadow-sessions", "10", "--drift-alerts", "0", "--execution-reject-rate", "0"]
    words = ["promote", ALPHA, "--profile", "base", *typed]
    assert run(["alpha", "--now", at(LATER + 1), *words]) == 0
    told = capsys.readouterr().out
    assert "has 20 sessions that the author never had (DATA), and runs" in told
    told = told[told.index("hft alpha approve") :].splitlines()[0].strip()
    assert told == f"hft alpha approve {ALPHA} --memo memo.md --unseen DATA --key THEIR_KEY"
    (data,) = rows(proposed, 0.1, AFTERWARDS)
    Path("memo.md").write_text("Checked; a planted market.\n")
    given = {"DATA": data, "THEIR_KEY": ".state/people/bob"}
    line = [given.get(word, word) for word in told.split()[2:]]
    assert run(["alpha", "--now", at(LATER + 2), *line]) == 0


def test_rows_recorded_after_the_code_was_frozen_bear_a_true_claim_out(
    proposed: PlantedDesk,
) -> None:
    done = proposed.approve(LATER + 1, unseen=rows(proposed, 0.1, AFTERWARDS)).decided
    assert done.approved, done.objections
    assert "recorded after the code was frozen: 30 sessions" in done.unseen
    (kept,) = (proposed.root / "research/experiments/promotions" / ALPHA).glob("*/unseen.json")
    signed = load_yaml(done.path.read_text(), "file")["hashes"]["unseen"]
    assert signed == hashlib.sha256(kept.read_bytes()).hexdigest()
    assert not looks(proposed_rows(proposed)), "nobody had these rows: no look at a vault"


def test_without_a_freeze_by_a_validator_no_rows_are_later_ones(
    proposed: PlantedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hft.governance.promotion.freeze.STAGE", "countersign")
    monkeypatch.setenv("HFT_ALPHA_VAULT_LOOKS", "0")
    with pytest.raises(GovernanceError, match="the budget is 0 looks"):
        proposed.approve(LATER + 1, unseen=rows(proposed, 0.1, AFTERWARDS))


def test_an_alpha_that_earns_nothing_on_unseen_rows_is_refused(proposed: PlantedDesk) -> None:
    done = proposed.approve(LATER + 1, unseen=rows(proposed, 0.0, AFTERWARDS)).decided
    assert not done.approved
    assert "standard errors below): at most 2.33 are allowed" in done.objections[0]


def test_rows_that_the_validator_kept_cost_a_look_at_a_vault(
    proposed: PlantedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = rows(proposed, 0.1, BEFORE)
    monkeypatch.setenv("HFT_ALPHA_VAULT_LOOKS", "0")
    with pytest.raises(GovernanceError, match="the budget is 0 looks"):
        proposed.approve(LATER + 1, unseen=kept)
    monkeypatch.delenv("HFT_ALPHA_VAULT_LOOKS")
    done = proposed.approve(LATER + 1, unseen=kept).decided
    assert done.approved and KEPT in done.unseen
    (look,) = looks(proposed_rows(proposed))
    assert look.alpha_id == ALPHA
    found = check_rows(proposed_rows(proposed), Keys.read(proposed.root / "config" / "keys.yaml"))
    assert found == [], "the validator signs for the look"


def test_a_look_that_fell_short_is_on_record_whatever_else_is_refused(
    proposed: PlantedDesk,
) -> None:
    """Whoever moves a threshold meanwhile gets no second look at other rows."""
    file = proposed.root / "config" / "governance" / "base.yaml"
    text = file.read_text()
    file.write_text(text.replace("unseen_gap_max: 2.33", "unseen_gap_max: 2.3"))
    first = proposed.approve(LATER + 1, unseen=rows(proposed, 0.0, AFTERWARDS)).decided
    assert "unseen_gap_max was 2.33 at the proposal" in first.objections[0]
    file.write_text(text)
    shutil.rmtree(proposed.root.parent / "of_bob")
    again = proposed.approve(LATER + 2, unseen=rows(proposed, 0.1, AFTERWARDS)).decided
    assert "this code was shown some before and earned less" in again.objections[0]


def test_rows_that_it_was_judged_on_are_not_unseen(proposed: PlantedDesk) -> None:
    with pytest.raises(DataError, match="was used in this workspace before the code was frozen"):
        proposed.approve(LATER + 1, unseen=[str(proposed.root / "data" / "planted")])


def test_rows_it_was_judged_on_are_not_unseen_under_later_dates(proposed: PlantedDesk) -> None:
    with pytest.raises(DataError, match="was used in this workspace, under another date"):
        proposed.approve(LATER + 1, unseen=rows(proposed, 0.1, AFTERWARDS, DAYS, seed=1))


def test_rows_from_a_time_that_is_not_yet_were_recorded_by_nobody(proposed: PlantedDesk) -> None:
    with pytest.raises(DataError, match="which is not yet; nobody has recorded such rows"):
        proposed.approve(LATER + 1, unseen=rows(proposed, 0.1, date(2025, 6, 2)))


def test_code_that_fell_short_on_unseen_rows_is_not_shown_others_until_it_fits(
    proposed: PlantedDesk,
) -> None:
    assert not proposed.approve(LATER + 1, unseen=rows(proposed, 0.0, AFTERWARDS)).decided.approved
    (path,) = (proposed.root / "research" / "alphas" / ALPHA).glob("impl.py")
    path.write_text(path.read_text() + "# looked at again\n")
    shutil.rmtree(proposed.root.parent / "of_bob")
    again = proposed.approve(LATER + 2, unseen=rows(proposed, 0.1, AFTERWARDS)).decided
    assert not again.approved
    assert "this code was shown some before and earned less" in again.objections[0]


def test_too_few_rows_are_neither_shown_nor_paid_for(proposed: PlantedDesk) -> None:
    with pytest.raises(DataError, match="has 19 sessions, at least 20 are asked for"):
        proposed.approve(LATER + 1, unseen=rows(proposed, 0.1, BEFORE, 19))
    assert not looks(proposed_rows(proposed))


def proposed_rows(desk: PlantedDesk) -> list[dict[str, object]]:
    from hft.api.desk import open_desk

    return list(open_desk(desk.root).auditor.rows())
