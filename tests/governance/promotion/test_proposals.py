"""What may be proposed at all: on which validation, when something is live, with which numbers."""

from typing import Any

import polars as pl
import pytest
from promotion_desk import ALPHA, PlantedDesk

from hft.core.errors import ConfigError, PromotionError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_judgements")]


def test_the_newest_validation_on_files_is_promoted_when_a_frame_was_judged_since(
    judged: PlantedDesk,
) -> None:
    on_files = judged.validation.name
    frame = pl.read_parquet(judged.root / "data" / "planted" / "bars.parquet")
    judged.validate(11, frame, skip_gate_b_tests=True, set={"gate_b.runs_min": 1})
    on_frame = judged.validation.name
    assert on_frame != on_files
    done = judged.promote(12)
    assert done.decided.accepted and f"newest on files is promoted: {on_files}" in done.notice
    with pytest.raises(PromotionError, match="frame in memory"):
        judged.promote(13, scorecard=judged.validation / "scorecard.json")


def test_what_is_live_is_renewed_or_ended_but_not_proposed_again(judged: PlantedDesk) -> None:
    judged.promote()
    assert judged.approve().decided.approved
    with pytest.raises(PromotionError, match=r"--renew.* or end it first with .*rollback"):
        judged.promote(13)
    assert judged.promote(14, renew=True).decided.accepted
    assert judged.approve(15).decided.stage == "renew"


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"guardrails": {"max_live_slippage_bps": float("inf")}}, "--max-live-slippage-bps: inf"),
        ({"guardrails": {"max_execution_error_rate": float("nan")}}, "--max-execution-error-rate"),
        ({"guardrails": {"max_live_slippage_bps": -1.0}}, "--max-live-slippage-bps: -1"),
        ({"guardrails": {"max_slippage": 1.0}}, "guardrails: 'max_slippage' is none of"),
        ({"expiry_days": 99_999_999}, "--expiry-days: 99999999"),
    ],
)
def test_a_number_that_no_promotion_can_hold_is_refused_by_the_name_of_its_option(
    judged: PlantedDesk, given: dict[str, Any], option: str
) -> None:
    with pytest.raises(ConfigError, match=option):
        judged.promote(**given)
    assert not (judged.root / "research" / "experiments" / "promotions" / ALPHA).exists()
