"""What the page of a canary says is what was decided, day by day, from the same rows."""

from dataclasses import replace
from datetime import date

import pytest
from promotion_world import DAY_NS, START_NS, World, evidence, profile, returns, sessions

from hft.api.canary import evaluate
from hft.api.outcome import Outcome
from hft.governance.canary.decide import decide, not_found
from hft.governance.canary.history import History
from hft.governance.canary.page import document
from hft.governance.promotion.changes import changes
from hft.governance.promotion.claim import Claim, claim_of
from hft.governance.promotion.document import Promotion
from hft.reports.governance.evidence import CanaryProcess
from hft.reports.governance.pages import canary_page

FIRST = date(2026, 11, 3)
NOW_NS = START_NS + 60 * DAY_NS
PAST = History(weights=((date(2026, 11, 2), 0.01),))


@pytest.fixture
def canary(world: World) -> Promotion:
    world.promoted()
    found = world.file().promotion
    assert found is not None
    return found


@pytest.fixture(scope="module")
def claim() -> Claim:
    found = claim_of(returns(1, 3.0), 1e6, quantile=0.99, slippage=(1.0, 1.1, 0.9, 1.05))
    assert found is not None
    return found


def shown(canary: Promotion, claim: Claim, **more: object) -> tuple[object, object, str]:
    rows = evidence(sessions(FIRST, 40, weight=0.01, seed=3, **more))  # type: ignore[arg-type]
    rules = profile("standard")
    decision = decide(canary, rows, rules, now_ns=NOW_NS, claim=claim, history=PAST)
    doc = document(decision, canary, evidence=rows, claim=claim, past=PAST, profile=rules)
    return decision, doc, canary_page(doc)


def process(doc: object) -> CanaryProcess:
    found = doc.pictures[0]  # type: ignore[attr-defined]
    assert isinstance(found, CanaryProcess)
    return found


def test_the_last_day_of_every_series_is_the_figure_that_was_decided_on(
    canary: Promotion, claim: Claim
) -> None:
    decision, doc, _ = shown(canary, claim, rejects=1)
    figures, drawn = decision.figures, process(doc)  # type: ignore[attr-defined]
    assert len(drawn.ts_ns) == 40
    assert drawn.e_value[-1] == pytest.approx(figures["e_adverse"], rel=1e-9)
    assert drawn.rollback == pytest.approx(figures["e_rollback"])
    assert drawn.mu_low[-1] == pytest.approx(figures["mean_low"], rel=1e-9)
    assert drawn.mu_high[-1] == pytest.approx(figures["mean_high"], rel=1e-9)
    unit = figures["slippage_model"]
    assert drawn.slippage_low[-1] * unit == pytest.approx(figures["slippage_low"], rel=1e-9)
    assert drawn.slippage_high[-1] * unit == pytest.approx(figures["slippage_high"], rel=1e-9)
    assert drawn.rejects_low[-1] <= 1 / 200 <= drawn.rejects_high[-1]


def test_a_series_up_to_a_day_does_not_know_the_days_after_it(
    canary: Promotion, claim: Claim
) -> None:
    rules, rows = profile("standard"), sessions(FIRST, 40, weight=0.01, seed=3)
    made = []
    for count in (25, 40):
        given = evidence(rows[:count])
        decision = decide(canary, given, rules, now_ns=NOW_NS, claim=claim, history=PAST)
        made.append(
            process(
                document(decision, canary, evidence=given, claim=claim, past=PAST, profile=rules)
            )
        )
    for name in ("e_value", "mu", "mu_low", "slippage_high", "rejects_high", "weight"):
        assert getattr(made[0], name) == pytest.approx(getattr(made[1], name)[:25])


def test_the_page_says_the_decision_first_and_the_same_bytes_again(
    canary: Promotion, claim: Claim
) -> None:
    decision, _, page = shown(canary, claim)
    assert decision.action in ("escalate", "hold")  # type: ignore[attr-defined]
    assert page == shown(canary, claim)[2]
    assert decision.evidence_digest in page  # type: ignore[attr-defined]


def test_a_rollback_is_red_and_names_its_reason(canary: Promotion, claim: Claim) -> None:
    decision, _, page = shown(canary, claim, slippage=9.0)
    assert decision.action == "rollback"  # type: ignore[attr-defined]
    assert 'section class="verdict fail"' in page and "to 0: " in page


def test_without_rows_the_page_says_what_is_missing_instead_of_drawing(
    canary: Promotion, claim: Claim
) -> None:
    decision = decide(canary, None, profile("standard"), now_ns=NOW_NS, claim=claim)
    doc = document(decision, canary, profile=profile("standard"))
    page = canary_page(doc)
    assert doc.pictures == () and "it needs session rows" in page
    assert 'section class="verdict wait"' in page and decision.missing[0] in page


def test_the_life_of_the_promotion_is_drawn_from_the_journal(
    world: World, canary: Promotion, claim: Claim
) -> None:
    recorded = changes(world.office().audit.rows())
    decision = decide(canary, None, profile("standard"), now_ns=NOW_NS, claim=claim)
    doc = document(decision, canary, changes=recorded)
    assert [one.kind for one in doc.pictures] == ["condition_timeline"]
    assert "approve" in canary_page(doc)


def test_a_damaged_row_is_left_out_of_the_series(canary: Promotion, claim: Claim) -> None:
    rows = sessions(FIRST, 12, weight=0.01, seed=3)
    rows[5] = replace(rows[5], wrong="its digest does not verify")
    rules, given = profile("standard"), evidence(rows)
    decision = decide(canary, given, rules, now_ns=NOW_NS, claim=claim, history=PAST)
    doc = document(decision, canary, evidence=given, claim=claim, past=PAST, profile=rules)
    assert len(process(doc).ts_ns) == 11


def test_an_unknown_alpha_still_has_a_page() -> None:
    assert "no enabled promotion" in canary_page(document(not_found("nobody")))


def asked(world: World, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    world.propose("base")
    world.approve()
    monkeypatch.setenv("HFT_ALPHA_REHEARSAL", "true")
    typed = {"slippage_bps": 9.0, "drawdown_contribution": 0.0, "execution_error_rate": 0.0}
    return evaluate("queue_imbalance", typed=typed, root=world.root, now="2026-11-10T00:00:00Z")


def test_every_evaluation_keeps_its_page_named_by_its_evidence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asked(world, monkeypatch)
    assert done.decided.action == "rollback" and done.page is not None
    assert done.page.parent.name == done.decided.evidence_digest[:16]
    page = done.page.read_text(encoding="utf-8")
    assert page == canary_page(done.document) and "slippage" in page
    assert done.to_json()["page"] == str(done.page)
    assert "Roll back" in done._repr_html_() and "<script" not in done._repr_html_()


def test_a_page_that_cannot_be_written_never_undoes_a_decision(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.workspace.experiments / "canary"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    done = asked(world, monkeypatch)
    assert done.decided.action == "rollback" and done.page is None
    assert "the page was not written" in done.notice
