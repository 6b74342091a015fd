"""`run.relimit` asks the real gateway again: the same limits say the same, others what changes."""

import pytest

import hft
from hft.core.codes import Reason
from hft.runs.ingest import synthetic
from hft.runs.result import Run

TIGHT = {"max_position_size": 3, "risk.price_band_ticks": 4, "max_daily_loss": 40}


@hft.strategy(every="2s", params={"lots": 1}, state={"n": 0})
def restless(view, order, p, s):
    """Orders of every kind: far and near, in and over the limits, amended and cancelled."""
    s["n"] += 1
    n = s["n"]
    if not view.book_valid:
        return
    side = n % 2
    best = view.bid_tick if side == 0 else view.ask_tick
    away = (n % 7) - 1
    order.new(side, best - away if side == 0 else best + away, 1 + n % 3)
    slot = view.first_order(side)
    if slot >= 0 and n % 3 == 0:
        order.amend(view.order_id(slot), view.order_tick(slot), 1 + n % 4)
    if n % 5 == 0:
        order.cancel_all()
    if n % 11 == 0:
        order.target(0)


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory):
    return synthetic(seed=3, out=tmp_path_factory.mktemp("relimit") / "tapes", events=12_000)


@pytest.fixture(scope="module")
def refused(tapes, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run under limits that refuse for several reasons, and trip."""
    limits = hft.Limits.research().replace(**TIGHT)
    venue = hft.Venue(latency="3ms")
    out = tmp_path_factory.mktemp("runs")
    return hft.replay(tapes, restless, venue=venue, limits=limits, out=out)


def test_the_same_limits_decide_the_same(refused: Run):
    reasons = set(refused.decisions["reason"].cast(str)) - {Reason.OK.name}
    assert len(reasons) >= 3, f"a run of one reason shows little: {reasons}"
    again = refused.relimit(hft.Limits.research().replace(**TIGHT))
    differing = again.decisions.filter(again.decisions["reason"] != again.decisions["new_reason"])
    assert differing.height == 0, differing
    assert again.decisions["measured"].equals(again.decisions["new_measured"])
    assert again.decisions["limit"].equals(again.decisions["new_limit"])


def test_wider_limits_let_pass_what_they_refused_and_tighter_ones_refuse_more(refused: Run):
    wider = refused.relimit(hft.Limits.research().replace(**{**TIGHT, "max_position_size": 1000}))
    position = refused.decisions.filter(refused.decisions["reason"] == "POSITION_LIMIT").height
    assert position > 0
    assert (
        0
        < wider.would_pass
        <= refused.decisions.filter(refused.decisions["reason"] != Reason.OK.name).height
    )
    left = wider.decisions.filter(wider.decisions["new_reason"] == "POSITION_LIMIT").height
    assert left == 0

    tighter = refused.relimit(hft.Limits.research().replace(**{**TIGHT, "max_position_size": 1}))
    assert tighter.would_refuse > 0


def test_a_run_without_a_journal_says_what_to_do(tapes, tmp_path):
    run = hft.replay(tapes, restless, record="summary", out=tmp_path)
    with pytest.raises(Exception, match='record="full"'):
        run.relimit(hft.Limits.research())


def test_a_run_that_lost_too_much_is_not_told_to_widen_its_loss(tapes, tmp_path):
    limits = hft.Limits.research().replace(max_daily_loss=1)
    run = hft.replay(
        tapes,
        restless,
        limits=limits,
        out=tmp_path,
        venue=hft.Venue(fees={"maker_bps": "5", "taker_bps": "50"}),
    )
    first = repr(run).splitlines()[0]
    assert "refused" in first and "max_daily_loss" not in first.split("tried")[-1]
