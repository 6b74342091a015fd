"""The end-to-end studies in small: an oracle, a ladder, a noise alpha; broken promises show."""

from functools import partial
from pathlib import Path

import pytest

from benchmarks import governance_ladder as ladder
from benchmarks import governance_lives as lives
from benchmarks import governance_oracles as oracles
from benchmarks import governance_product as product
from benchmarks import governance_study
from hft.governance.profile import Profile
from hft.settings import read_profile


@pytest.fixture(scope="module")
def standard() -> Profile:
    return Profile.from_dict(read_profile("standard"), "standard")


def test_oracles_stop_at_gate_a_though_they_would_have_shown_a_fortune() -> None:
    found = governance_study.QUICK["oracles"]()
    assert found.held
    assert [row[2] for row in found.rows] == ["A", "none"]
    assert all(float(row[1]) > 50 for row in found.rows)
    assert "prefix_invariance" in found.rows[0][3]
    assert found.rows[1][3] == "refused by its walls"


@pytest.mark.slow
def test_an_oracle_that_gate_a_lets_by_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(oracles.OUTRIGHT, "trailing_mean", oracles.HONEST["trailing_mean"])
    monkeypatch.delitem(oracles.HONEST, "trailing_mean")
    assert not product.look_ahead(days=20, names=("trailing_mean",)).held


def test_absent_recordings_are_left_out_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_TEST_DATA", str(tmp_path))
    found = product.short_history()
    assert found.held and found.rows == ()
    assert "were left out: " in found.notes[-1] and "qqq_micro_bars_1m" in found.notes[-1]


@pytest.mark.soak
def test_a_short_recorded_history_is_insufficient_with_a_shopping_list(shared_data: Path) -> None:
    found = product.short_history()
    assert found.held and found.rows[0][2] == "INSUFFICIENT"
    assert "more days" in found.notes[-1]


def test_worthless_lives_do_not_pass_and_the_table_says_why() -> None:
    found = lives.worthless(lives=6)
    assert found.held and all("0 / 6" in row[3] for row in found.rows)


@pytest.mark.soak
def test_the_command_has_the_verdicts_of_the_study() -> None:
    assert lives.by_command(lives=2).held


@pytest.mark.soak
def test_two_workspaces_leave_the_same_evidence() -> None:
    found = governance_study.QUICK["same"]()
    assert found.held and {row[1] for row in found.rows} == {"equal"}
    assert any("report.html" in row[0] for row in found.rows)


def test_the_claim_itself_walks_the_ladder_before_its_promotion_expires(standard: Profile) -> None:
    claim = ladder.claimed(3.0, 1)
    life = ladder.walk(standard, claim, 3.0, ladder.like_the_claim(claim), 1)
    assert life.end == "graduated" and life.rungs == [0.01, 0.05, 0.2, 0.5]
    assert life.days <= ladder.promotion(standard, 3.0).expiry.toordinal() - (
        ladder.APPROVED.toordinal()
    )
    assert life.sessions >= 3 * 10 + 15


def test_a_canary_that_loses_is_rolled_back_and_one_without_an_edge_never_graduates(
    standard: Profile,
) -> None:
    claim = ladder.claimed(3.0, 1)
    walk = partial(ladder.walk, standard, claim, 3.0)
    assert walk(ladder.drawn(claim, 1, -4.0), 1).end == "rollback"
    assert all(walk(ladder.drawn(claim, k, 0.0), k).end != "graduated" for k in range(2, 6))


def test_many_rejects_are_put_down_to_the_guardrail(standard: Profile) -> None:
    claim = ladder.claimed(3.0, 1)
    life = ladder.walk(standard, claim, 3.0, ladder.like_the_claim(claim), 1, rejects=0.03)
    assert (life.end, life.cause) == ("rollback", "guardrail")
    assert 1 < life.sessions <= 10, "as soon as it is shown, which one session does not do"
