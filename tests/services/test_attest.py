"""The control pack passes on this gateway, and finds one that lacks a control."""

from typing import Any

import pytest

from hft.core.codes import Reason
from hft.services.attest.bench import Bench
from hft.services.attest.pack import CONTROLS
from hft.services.attest.report import Control, Seen, attest

pytestmark = pytest.mark.nojit
# Control -> what is taken from its gateway.
BROKEN = {
    "order quantity": "symbols.X.max_order_size",
    "order notional": "risk.max_order_notional",
    "price collar": "risk.price_band_ticks",
    "reference age": "risk.reference_max_age_ms",
    "position with working orders": "max_position_size",
    "credit of the firm": "HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL",
    "credit of a strategy": "strategies.a.max_notional",
    "intraday loss": "max_daily_loss",
    "credit of an instrument": "risk_limits.max_notional",
    "drawdown": "storm_guard.drawdown_pct",
    "decision latency": "storm_guard.latency_ms",
    "feed gap": "instruments.X.feed_gap_s",
    "amend and cancel rates": "risk_limits.orders_per_second",
    "all violations, headroom": "symbols.X.max_order_size",
    "one closed reason list": "symbols.X.max_order_size",
    "order rate": "risk_limits.orders_per_second",
    "repeated execution": "risk.repeated_execution_count",
    "restricted instrument": "symbols.X.restricted",
    "permission of an alpha": "HFT_GATEWAY_REQUIRE_PROMOTION",
    "cancels pass, and are seen": "risk_limits.orders_per_second",
    "outcome unknown": "max_position_size",
    "limits swapped": "risk_limits.orders_per_second",
}


def test_every_control_passes_with_evidence_of_both_sides() -> None:
    found = attest(CONTROLS, Bench)
    assert len(found) == len({one.control.name for one in found}) >= 20
    for one in found:
        assert one.ok, one.evidence
        assert any(step.wanted == Reason.OK for step in one.seen)
        assert any(step.wanted != Reason.OK for step in one.seen)


@pytest.mark.parametrize("name", BROKEN)
def test_a_control_that_was_taken_away_is_found_and_no_other(name: str) -> None:
    def without(limits: dict[str, Any]) -> Bench:
        return Bench({key: value for key, value in limits.items() if key != BROKEN[name]})

    found = {one.control.name: one for one in attest(CONTROLS, without)}
    same = {other for other, key in BROKEN.items() if key == BROKEN[name]}
    assert not found[name].ok and "not " in found[name].evidence
    touched = {one.control.name for one in found.values() if not one.ok}
    of_two = {"reference age", "market data sanity", "all violations, headroom"}
    assert touched <= same | of_two


class Deaf(Bench):
    """A gateway that hears no operator, lease, promotion or key."""

    def say(self, *said: Any) -> None:
        pass

    def order(self, *asked: Any, **more: int) -> Reason:
        return super().order(*asked, **{k: v for k, v in more.items() if not k.startswith("key")})


@pytest.mark.parametrize(
    "name",
    [
        *("kill switch", "risk-reducing only", "duplicate order", "one leader", "outcome unknown"),
        *("venue disconnected", "stop by a person"),
    ],
)
def test_a_gateway_that_does_not_hear_fails(name: str) -> None:
    found = {one.control.name: one for one in attest(CONTROLS, Deaf)}
    assert not found[name].ok


class Stiff(Bench):
    """A gateway that stays under its first limits."""

    def swap(self, limits: dict[str, Any]) -> bool:
        return True


def test_limits_that_are_swapped_and_not_in_force_are_found() -> None:
    found = {one.control.name: one for one in attest(CONTROLS, Stiff)}
    assert [name for name, one in found.items() if not one.ok] == ["limits swapped"]


def test_a_control_that_shows_one_side_or_raises_does_not_pass() -> None:
    def one_side(make: Any) -> Any:
        yield Seen("nothing", Reason.OK, Reason.OK)

    def raises(make: Any) -> Any:
        raise RuntimeError("no bench")

    found = attest([Control("a", "", one_side), Control("b", "", raises)], Bench)
    assert [one.ok for one in found] == [False, False]
    assert found[1].evidence == "RuntimeError: no bench"
