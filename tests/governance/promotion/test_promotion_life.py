"""A promotion from proposal to file: who may sign, what is checked again, what stays unwritten."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from promotion_world import ALPHA, START_NS, World, portfolio, profile, shadow

from hft.audit.keys import Keys
from hft.core.errors import ConfigError, GovernanceError, PromotionError
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.ledger.ledger import Ledger
from hft.governance.promotion.document import Promotion
from hft.governance.promotion.promotions import read
from hft.governance.promotion.signatures import effective
from hft.research.trial import Trial


def test_a_proposal_and_an_approval_by_two_people_make_a_file_that_counts(world: World) -> None:
    done = world.promoted()
    assert done.approved and done.path == world.workspace.promotions / "20261102" / f"{ALPHA}.yaml"
    office = world.office()
    found = effective(world.file(), world.keys, world.now_ns, office.recorded())
    assert (found.weight, found.code) == (0.01, "")
    promotion = world.file().promotion
    assert promotion is not None and promotion.data["validator"] == "bob"
    assert promotion.expiry.isoformat() == "2027-05-01"
    stages = [(row["stage"], row["approved"]) for row in world.rows("alpha_promotion_log")]
    assert stages == [("propose", 1), ("approve", 1)]
    assert world.rows("alpha_promotion_log")[-1]["yaml_sha256"] == promotion.sha256


def test_the_same_file_is_read_back_byte_for_byte(world: World) -> None:
    done = world.promoted()
    assert done.path is not None
    content = done.path.read_bytes()
    assert Promotion.from_bytes(content, "again").text.encode() == content


@pytest.mark.parametrize("gate", ["A", "B", "C"])
def test_every_gate_of_the_validation_must_have_passed(world: World, gate: str) -> None:
    proposal = world.propose(validated=world.validate(fails=gate))
    assert not proposal.accepted and proposal.reasons[0].startswith(f"{gate} FAIL")


@pytest.mark.parametrize(
    ("under", "wanted", "accepted"),
    [
        ("base", "standard", False),
        ("standard", "tier1", False),
        ("", "base", False),
        ("base", "base", True),
        ("tier1", "standard", True),
    ],
)
def test_a_validation_under_a_lenient_profile_is_no_evidence_for_a_strict_one(
    world: World, under: str, wanted: str, accepted: bool
) -> None:
    world.rooted = True
    proposal = world.propose(wanted, validated=world.validate(under=under))
    assert proposal.accepted is accepted
    assert accepted or "was judged under" in proposal.reasons[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sharpe_oos": 0.5}, "sharpe_oos"),
        ({"turnover": 3.0}, "turnover"),
        ({"correlation_pool_max": None, "pool_empty": False}, "correlation"),
    ],
)
def test_a_failing_scorecard_is_refused_with_reports_rows_and_no_bundle(
    world: World, changed: dict[str, object], said: str
) -> None:
    proposal = world.propose(validated=world.validate(**changed))
    assert not proposal.accepted and proposal.weight == 0.0
    assert any(said in reason for reason in proposal.reasons)
    names = {path.name for path in proposal.folder.iterdir()}
    reports = {f"{name}.json" for name in ("integration_report", "shadow_report")}
    assert names == {*reports, "promotion_decision.json", "report.html"}
    assert world.rows("alpha_promotion_log")[-1]["approved"] == 0
    assert not world.workspace.promotions.exists()
    with pytest.raises(PromotionError, match="nobody proposed"):
        world.approve()


def test_absent_evidence_is_insufficient_and_says_what_would_do(world: World) -> None:
    absent = dict.fromkeys(
        ("sessions", "decisions", "drift_alerts", "reject_rate", "reject_rate_p95", "identical")
    )
    proposal = world.propose(shadow=shadow(evidence="", **absent))
    assert not proposal.accepted
    assert proposal.gate_e.verdict == "INSUFFICIENT"
    assert any("--shadow-runs" in text for text in proposal.missing)
    counts = {check.id: check.value for check in proposal.gate_e.checks}
    assert counts["drift_alerts"] is None  # never 0


def test_too_few_sessions_is_a_shopping_list(world: World) -> None:
    proposal = world.propose(shadow=shadow(sessions=12, decisions=300))
    assert {"8 more shadow sessions", "200 more shadow decisions"} <= set(proposal.missing)


def test_force_needs_a_reason_stays_on_the_lowest_rung_and_ends_in_five_days(world: World) -> None:
    with pytest.raises(GovernanceError, match="--reason"):
        world.propose(shadow=shadow(drift_alerts=2), force=True)
    world.pass_days(0.1)
    proposal = world.propose(
        validated=world.validate(2), shadow=shadow(drift_alerts=2), force=True, reason="venue moves"
    )
    assert proposal.forced and proposal.weight == 0.02
    assert world.rows("override_log")[-1]["kind"] == "force"
    assert not world.workspace.promotions.exists()  # approval is still needed
    done = world.approve()
    assert done.approved and done.expiry == "2026-11-07"
    promotion = world.file().promotion
    assert promotion is not None and promotion.data["forced"] and promotion.max_weight == 0.02


def test_a_longer_expiry_than_five_days_is_refused_for_a_forced_one(world: World) -> None:
    with pytest.raises(ConfigError, match="5 days"):
        world.propose(shadow=shadow(drift_alerts=1), force=True, reason="x", expiry_days=30)


def test_the_owner_cannot_approve_under_another_name_key_or_on_the_same_machine(
    world: World,
) -> None:
    world.propose()
    for name, user, said in (
        ("ann", "bob", "the key is the owner's"),
        ("bob", "ann", "operating-system user"),
        ("cyd", "cyd", "no role validator"),
    ):
        done = world.approve(name, os_user=user)
        assert not done.approved and any(said in text for text in done.objections)
    refusals = [row for row in world.rows("alpha_promotion_log") if row["stage"] == "approve"]
    assert [row["approved"] for row in refusals] == [0, 0, 0]
    assert not world.workspace.promotions.exists()
    assert world.approve("bob").approved


def test_the_author_of_the_last_commit_cannot_approve(world: World) -> None:
    git = ["git", "-C", str(world.root)]
    subprocess.run([*git, "init", "-q"], check=True)
    (world.workspace.alphas / ALPHA / "impl.py").write_text("x = 1\n")
    subprocess.run([*git, "add", "research"], check=True)
    by = ["-c", "user.name=B. Other", "-c", "user.email=BOB@desk.example"]
    subprocess.run([*git, *by, "commit", "-qm", "x"], check=True)
    world.propose()
    done = world.approve()
    assert not done.approved and "last commit" in done.objections[0]


def test_self_approval_exists_under_base_only_and_is_an_override(world: World) -> None:
    world.propose(owner="dan")
    assert not world.approve("dan").approved
    world.pass_days(1)
    world.propose("base", validated=world.validate(2), owner="dan")
    done = world.approve("dan")
    assert done.approved and done.self_approved and done.weight == 0.02
    assert world.rows("override_log")[-1]["kind"] == "self_approval"
    found = effective(world.file(), world.keys, world.now_ns, world.office().recorded())
    assert found.weight == 0.02


@pytest.mark.parametrize("name", ["code", "config", "data", "limits", "scorecard", "simulator"])
def test_what_moved_since_the_proposal_is_named(world: World, name: str) -> None:
    world.propose()
    done = world.approve(**{name: "9" * 64})
    assert not done.approved
    assert len(done.objections) == 1 and "moved since the proposal" in done.objections[0]
    done = world.approve(**{name: None})
    assert "cannot be read any more" in done.objections[0]


def test_a_bundle_older_than_two_weeks_is_refused(world: World) -> None:
    world.propose()
    world.pass_days(14.5)
    assert "days old" in world.approve().objections[0]


def test_a_bundle_that_was_edited_or_signed_by_nobody_is_refused(world: World) -> None:
    proposal = world.propose()
    path = proposal.folder / "bundle.json"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"weight":0.01', b'"weight":0.5'))
    done = world.approve()
    assert not done.approved and any("signature" in text for text in done.objections)
    path.write_bytes(b" " + content)
    with pytest.raises(PromotionError, match="edited"):
        world.approve()
    path.write_bytes(content)
    (proposal.folder / "promotion_decision.json").unlink()
    assert any("no signature" in text for text in world.approve().objections)


def test_a_ledger_that_lost_rows_since_the_proposal_is_found(world: World) -> None:
    world.validate(seed=3)
    world.pass_days(0.1)
    world.propose()
    chain = next(world.workspace.ledger.glob("*.jsonl"))
    chain.write_bytes(b"".join(chain.read_bytes().splitlines(keepends=True)[:1]))
    done = world.approve()
    assert not done.approved and any("ledger" in text for text in done.objections)


def test_trials_added_since_are_put_into_the_hurdle_again(world: World) -> None:
    world.propose(validated=world.validate(sharpe=0.6))
    ledger = Ledger.open(world.workspace.ledger)
    rng = np.random.Generator(np.random.Philox(5))
    interval = (START_NS - 10**15, START_NS)
    trials = [
        Trial(
            *(ALPHA, "ofi", "forward_1d", f"variant {k}", interval, "c", "d", "e"),
            *(0.002 * rng.standard_normal(1000), 252.0, "search", 1),
        )
        for k in range(120)
    ]
    ledger.append(trials, world.now_ns)
    done = world.approve()
    assert not done.approved
    assert "with 121 trials" in done.objections[0] and "deflated" in done.objections[0]


def test_a_bundle_is_approved_once(world: World) -> None:
    world.promoted()
    done = world.approve()
    assert not done.approved and any("approved before" in text for text in done.objections)


def test_an_empty_or_absent_memo_is_refused_before_anything_is_checked(world: World) -> None:
    world.propose()
    (world.root / "memo.md").write_text("  \n")
    with pytest.raises(PromotionError, match="empty"):
        world.approve()


def test_a_renewal_keeps_state_and_weight_and_needs_both_signatures(world: World) -> None:
    world.promoted()
    before = world.file().promotion
    assert before is not None
    world.pass_days(100)
    world.propose(validated=world.validate(seed=2), renews=before.sha256)
    done = world.approve()
    assert done.approved and done.stage == "renew", done.objections
    after = world.file().promotion
    assert after is not None and after.expiry > before.expiry
    assert after.weight == before.weight and after.state == before.state
    assert world.rows("control_log")[-1]["cause"] == "renew"


def test_an_expired_file_that_was_edited_is_not_renewed(world: World) -> None:
    world.promoted()
    world.pass_days(200)
    file = world.file()
    assert file.promotion is not None and file.promotion.expired(world.now_ns)
    edited = file.promotion.replace(weight=0.5, canary={"state": "escalated"})
    file.path.write_text(edited.text)
    counts = effective(world.file(), world.keys, world.now_ns, world.office().recorded())
    assert counts.code == "UNSIGNED_PROMOTION"
    world.propose(validated=world.validate(seed=2), renews=edited.sha256)
    world.pass_days(1 / 24)
    done = world.approve()
    assert not done.approved and "does not count" in " ".join(done.objections)


def test_a_live_alpha_is_not_approved_a_second_time_but_renewed(world: World) -> None:
    first = world.propose()
    world.pass_days(1 / 24)
    world.propose(validated=world.validate(seed=2))
    assert world.approve(bundle=first.bundle_sha256).approved
    assert any("--renew" in text for text in world.approve().objections)
    with pytest.raises(PromotionError, match="is live until 2027-05-01; renew it"):
        world.propose(validated=world.validate(seed=3))


def test_the_profile_may_not_be_loosened_by_a_proposal(world: World) -> None:
    with pytest.raises(ConfigError, match="looser"):
        profile("standard").replace({"gate_d.sharpe_oos_min": 0.1})


def test_files_that_are_edited_expired_disabled_or_copied_count_as_nothing(world: World) -> None:
    done = world.promoted()
    assert done.path is not None
    office, good = world.office(), done.path.read_text()

    def code(now_ns: int = world.now_ns) -> str:
        file = read(world.workspace.promotions).file(ALPHA)
        assert file is not None
        found = effective(file, world.keys, now_ns, office.recorded())
        assert (found.weight > 0) == (found.code == "")
        assert found.reason or not found.code
        return found.code

    assert code() == ""
    assert code(world.now_ns + 181 * 86_400_000_000_000) == "EXPIRED"
    done.path.write_text(good.replace("weight: 0.01", "weight: 0.05", 1))
    assert code() == "UNSIGNED_PROMOTION"
    done.path.write_text(good + "# a comment\n")
    assert code() == "UNREADABLE_PROMOTION"
    done.path.write_text(good.replace("profile: standard\n", ""))
    assert code() == "UNAUDITED_PROMOTION"
    done.path.write_text(good)
    later = world.workspace.promotions / "20261201" / done.path.name
    later.parent.mkdir()
    later.write_text(good.replace("0.05, ", ""))
    assert code() != ""  # the newest date speaks, even when it does not count


def test_an_older_version_of_the_file_put_back_is_not_the_recorded_one(world: World) -> None:
    done = world.promoted()
    assert done.path is not None
    old = done.path.read_bytes()
    world.pass_days(1)
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "drill")
    apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))
    done.path.write_bytes(old)  # every signature in it is good
    found = effective(world.file(), world.keys, world.now_ns, world.office().recorded())
    assert found.code == "UNAUDITED_PROMOTION" and found.weight == 0.0


def test_a_revoked_key_no_longer_carries_a_promotion(world: World) -> None:
    world.promoted()
    rows = world.workspace.keys.read_text().replace("revoked: null", "revoked: true")
    keys = Keys.from_bytes(rows.encode())
    assert effective(world.file(), keys, world.now_ns).code == "UNSIGNED_PROMOTION"


def test_gate_d_allows_moderate_correlation_only_with_a_significant_spanning_alpha(
    world: World,
) -> None:
    live = portfolio(
        live=("other",),
        pnl_correlation_max=0.6,
        pnl_correlation_with="other",
        tail_correlation_max=0.2,
        vif=1.5,
        spanning_t=2.7,
        orthogonal_ic_t=3.0,
        marginal_probability=0.9,
    )
    validated = world.validate()
    refused = world.propose(validated=validated, portfolio=live)
    assert [reason for reason in refused.reasons if "spanning t of 3" in reason]
    for correlation, spanning_t, accepted in (
        (0.6, 3.2, True),
        (0.71, 9.0, False),
        (0.4, 2.6, True),
    ):
        world.pass_days(0.01)
        tried = replace(live, pnl_correlation_max=correlation, spanning_t=spanning_t)
        assert world.propose(validated=validated, portfolio=tried).accepted is accepted
