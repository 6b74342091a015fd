"""Nobody graduates by leaving bad days out: what was counted once is shown again, nothing lacks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from promotion_world import ALPHA, World, evidence, profile, sessions

from hft.core.errors import JournalError
from hft.governance.canary.apply import apply
from hft.governance.canary.completeness import whole
from hft.governance.canary.decide import CanaryDecision, decide
from hft.governance.canary.history import History, history_of, with_counted
from hft.governance.profile import Profile
from hft.governance.promotion.claim import Claim
from hft.governance.sessions import Session, by_date
from hft.tape.sessions import sessions_of

FIRST = date(2026, 11, 3)  # the promotion is approved the day before, a Monday


def good(count: int = 20) -> list[Session]:
    """Sessions that earn the next rung, each of a run of its own."""
    rows = sessions(FIRST, count, weight=0.01, seed=3, sharpe=4.5)
    return [replace(row, run_digest=f"{k:064x}") for k, row in enumerate(rows)]


def past(world: World) -> History:
    office = world.office("cyd")
    found = history_of(office.changes(ALPHA), world.now_ns)
    return with_counted(found, office.audit.rows(), ALPHA)


def evening(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000_000_000 + 20 * 3_600_000_000_000


def shown(
    world: World,
    rows: Sequence[Session],
    *,
    do: bool = True,
    asked: Profile | None = None,
    **facts: object,
) -> CanaryDecision:
    """Decide on these rows on the evening of the last one; record it."""
    world.now_ns = max(world.now_ns + 1, evening(rows[-1].date))
    file = world.file()
    assert file.promotion is not None
    decision = decide(
        file.promotion,
        evidence(list(rows)),
        asked or profile("standard"),
        now_ns=world.now_ns,
        claim=Claim.of(world.bundle().data["claim"]),
        history=replace(past(world), **facts),  # type: ignore[arg-type]
    )
    if do:
        office = world.office("cyd")
        apply(office, file, decision, person=world.person("cyd"), key=world.key("cyd"))
    return decision


def worst(rows: Sequence[Session], after: int = 0) -> Session:
    return min(rows[after:-1], key=lambda row: row.pnl)


def without(rows: Sequence[Session], *gone: Session) -> list[Session]:
    return [row for row in rows if row not in gone]


def test_all_the_sessions_escalate_so_that_what_follows_is_held_by_what_lacks(world: World) -> None:
    world.promoted()
    assert shown(world, good()).action == "escalate"


def test_a_day_that_was_counted_before_and_is_left_out_holds_with_its_date(world: World) -> None:
    world.promoted()
    rows = good()
    assert shown(world, rows[:9]).action == "hold"
    bad = worst(rows[:9])
    found = shown(world, without(rows, bad), do=False)
    assert found.action == "hold" and found.human
    assert f"not shown: {bad.date}" in found.reason and any(
        str(bad.date) in m for m in found.missing
    )
    assert shown(world, rows).action == "escalate"  # shown again, it counts again


def test_what_a_hold_was_shown_after_a_day_was_left_out_does_not_make_it_forgotten(
    world: World,
) -> None:
    world.promoted()
    rows = good()
    shown(world, rows[:9])
    fewer = without(rows, worst(rows[:9]))
    assert shown(world, fewer[:11]).action == "hold"
    assert shown(world, fewer).action == "hold"


def test_a_day_whose_run_is_another_one_holds(world: World) -> None:
    world.promoted()
    rows = good()
    shown(world, rows[:9])
    bad = worst(rows[:9])
    better = [replace(row, run_digest="e" * 64, pnl=5.0) if row is bad else row for row in rows]
    for _ in range(2):  # the second time the new digest stands in the journal, too
        found = shown(world, better)
        assert found.action == "hold" and "not the one counted before" in found.reason
        assert str(bad.date) in found.reason


def test_of_two_runs_of_a_day_none_can_be_left_out(world: World) -> None:
    world.promoted()
    rows = good()
    loss = replace(rows[4], pnl=-20.0, run_digest="d" * 64)
    both = list(by_date([*rows, loss]))
    assert both[4].digests == (rows[4].run_digest, "d" * 64)
    shown(world, both[:9])
    found = shown(world, rows)
    assert found.action == "hold" and "not the one counted before" in found.reason


def test_the_audit_row_names_every_session_that_was_counted(world: World) -> None:
    world.promoted()
    rows = good()
    decision = shown(world, rows[:9])
    row = world.rows("alpha_canary_log")[-1]
    assert row["checks"]["counted"] == {str(r.date): [r.run_digest] for r in rows[:9]}
    other = [*rows[:8], replace(rows[8], run_digest="c" * 64)]
    world.now_ns -= 1
    assert shown(world, other, do=False).evidence_digest != decision.evidence_digest


def test_days_that_were_never_counted_cannot_be_left_out_either(world: World) -> None:
    world.promoted()
    rows = good()
    losing = sorted(rows[1:-1], key=lambda row: row.pnl)
    one = shown(world, without(rows, losing[0]), do=False)
    assert one.action == "escalate"  # as many holidays as a year has: one of twenty, rounded up
    two = shown(world, without(rows, *losing[:2]), do=False)
    assert two.action == "hold" and "2 of 20 trading days have no session" in two.reason
    assert str(losing[0].date) in two.reason


def test_where_the_table_knows_the_market_every_session_of_it_is_shown(world: World) -> None:
    """20 sessions from 3 November; New York is closed on the 26th, Thanksgiving."""
    world.promoted()
    rows = good(20)
    holiday = [row for row in rows if row.date == date(2026, 11, 26)]
    here = without(rows, *holiday)
    assert shown(world, here, do=False, calendar="XNYS").action == "escalate"
    one = shown(world, without(here, worst(here)), do=False, calendar="XNYS")
    assert one.action == "hold"
    assert f"1 of 19 sessions of XNYS are not shown: {worst(here).date}" in one.reason
    tokyo = shown(world, here, do=False, calendar="XTKS")
    assert tokyo.action == "hold" and "not shown: 2026-11-26" in tokyo.reason
    assert shown(world, without(rows, rows[4]), do=False, calendar="CMES").action == "escalate", (
        "a Globex session begins on the evening before: its rows are of two dates"
    )


def test_a_market_that_the_table_says_is_closed_is_not_late(world: World) -> None:
    """Tokyo is closed from 30 December 2026 to 3 January 2027."""
    world.promoted()
    table = sessions_of("XTKS")
    assert table is not None
    open_on = set(table.days(20261103, 20261230).tolist())
    rows = [row for row in good(42) if int(row.date.strftime("%Y%m%d")) in open_on]
    assert rows[-1].date == date(2026, 12, 30)
    for today, calendar, late in (
        (date(2027, 1, 4), "XTKS", False),
        (date(2027, 1, 6), "XTKS", True),
        (date(2027, 1, 6), None, True),
    ):
        found = whole(evidence(rows), History(calendar=calendar), profile("standard"), today)
        assert [one.words[:5] for one in found] == ["late:"] * late, today


@pytest.mark.parametrize(
    ("gone", "action"), [((3, 4), "escalate"), ((3, 4, 5), "escalate"), ((3, 4, 5, 6), "hold")]
)
def test_from_one_session_to_the_next_are_no_more_trading_days_than_may_be_late(
    world: World, gone: tuple[int, ...], action: str
) -> None:
    """Row 3 is a Friday and row 4 a Monday: without both it is Easter, and no gap."""
    world.promoted()
    rows = good(81)
    assert rows[3].date.weekday() == 4
    left = [row for k, row in enumerate(rows) if k not in gone]
    found = shown(world, left, do=False)
    assert found.action == action, found.reason
    if action == "hold":
        assert f"no session from {rows[3].date} to {rows[6].date}" in found.reason
        assert "5 trading days from one to the next, at most 4" in found.reason


def test_a_profile_that_says_why_lets_a_market_close_for_a_golden_week(world: World) -> None:
    world.promoted()
    rows = good(60)
    first = next(k for k, row in enumerate(rows) if k > 25 and row.date.weekday() == 3)
    left = rows[:first] + rows[first + 6 :]
    held = shown(world, left, do=False)
    assert held.action == "hold" and "at most 4 (canary.late_days_max)" in held.reason
    standard = profile("standard")
    why = "Golden Week: the exchange closes for six trading days"
    closes = {"canary.late_days_max": 7, "canary.absent_share_max": 0.15}
    asian = replace(
        standard, values={**standard.values, **closes}, reasons=dict.fromkeys(closes, why)
    )
    found = shown(world, left, do=False, asked=asian.explained(standard, "standard.yaml"))
    assert found.action == "escalate", found.reason


def test_the_first_days_after_approval_cannot_be_left_out(world: World) -> None:
    world.promoted()
    found = shown(world, good(41)[4:], do=False)
    assert found.action == "hold" and f"no session from {FIRST}" in found.reason


def with_week_ends(rows: Sequence[Session], every: int) -> list[Session]:
    """Sessions on Saturday and Sunday, too, in one week of so many left out."""
    fridays = [row for row in rows[:-1] if row.date.weekday() == 4]
    more = [
        replace(row, date=row.date + timedelta(days=day), run_digest=f"b{day}{k:062x}")
        for k, row in enumerate(fridays)
        if (k + 1) % every
        for day in (1, 2)
    ]
    return sorted([*rows, *more], key=lambda row: row.date)


def test_a_week_end_lacks_where_the_market_mostly_trades_on_it(world: World) -> None:
    world.promoted()
    found = shown(world, with_week_ends(good(60), every=3), do=False)
    assert found.action == "hold" and "trading days have no session" in found.reason


def test_one_session_on_a_sunday_asks_for_no_others(world: World) -> None:
    world.promoted()
    rows = good(60)
    sunday = next(row for row in rows if row.date.weekday() == 0).date - timedelta(days=1)
    rehearsal = replace(rows[5], date=sunday, run_digest="b" * 64)
    traded = sorted([*rows, rehearsal], key=lambda row: row.date)
    assert "no session" not in shown(world, traded, do=False).reason


def test_a_session_that_lies_in_the_workspace_is_shown(world: World) -> None:
    world.promoted()
    rows = good()
    bad = worst(rows)
    found = shown(world, without(rows, bad), do=False, at_hand=((bad.date, "a_run"),))
    assert found.action == "hold" and str(bad.date) in found.reason and "a_run" in found.reason


def test_sessions_of_an_earlier_attempt_are_not_asked_for(world: World) -> None:
    world.promoted()
    rows = good()
    before = FIRST - timedelta(days=30)
    found = shown(
        world, rows, do=False, at_hand=((before, "old"),), counted=(),
    )  # fmt: skip
    assert found.action == "escalate"
    office = world.office()
    values = {"alpha_id": ALPHA, "action": "hold", "old_weight": 0.0, "new_weight": 0.0,
              "reason": "", "evidence": "runs", "applied": True,
              "checks": {"counted": {str(FIRST): ["9" * 64]}}}  # fmt: skip
    office.audit.record("alpha_canary_log", values, now_ns=past(world).began_ns - 1)
    assert past(world).counted == ()
    office.audit.record("alpha_canary_log", values, now_ns=past(world).began_ns + 1)
    assert past(world).counted == ((FIRST, ("9" * 64,)),)


def test_a_row_whose_sessions_cannot_be_read_is_said_not_skipped(world: World) -> None:
    world.promoted()
    values = {"alpha_id": ALPHA, "action": "hold", "old_weight": 0.0, "new_weight": 0.0,
              "reason": "", "evidence": "runs", "applied": True,
              "checks": {"counted": {"someday": []}}}  # fmt: skip
    world.office().audit.record("alpha_canary_log", values, now_ns=world.now_ns)
    with pytest.raises(JournalError, match="audit verify"):
        past(world)


def test_a_left_out_day_never_softens_a_rollback(world: World) -> None:
    world.promoted()
    rows = good()
    shown(world, rows[:9])
    ruin = replace(rows[-1], pnl=-1e6)
    found = shown(world, [*without(rows[:-1], worst(rows[:9])), ruin], do=False)
    assert found.action == "rollback"
