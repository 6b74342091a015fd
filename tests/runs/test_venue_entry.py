"""What a venue says of itself in a manifest and in the key of a run."""

from typing import Any

import pytest

from hft.core.errors import ConfigError
from hft.runs.venues import Venue

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize("fee", [0.5, "0.5", "0.50", "5e-1", "+0.5"])
def test_one_fee_is_one_entry_however_it_is_written(fee: Any) -> None:
    entry = Venue(fees={"maker_bps": fee, "taker_bps": 100}).to_dict()
    assert entry["fees"] == {"maker_bps": "0.5", "taker_bps": "100"}
    assert Venue.from_dict(entry).to_dict() == entry


@pytest.mark.parametrize("fee", [0, 0.0, -0.0, "0", "0.00", "-0"])
def test_a_fee_of_nothing_has_no_sign_and_no_places(fee: Any) -> None:
    assert Venue(fees={"per_lot": fee}).to_dict()["fees"] == {"per_lot": "0"}


def test_another_fee_is_another_entry() -> None:
    entries = [Venue(fees={"maker_bps": fee}).to_dict()["fees"] for fee in (0.1, 0.10001)]
    assert entries[0] != entries[1]


@pytest.mark.parametrize("latency", [5, 0.005, {"entry": 5}, ("uniform", 5, 1)])
def test_a_latency_without_a_unit_is_refused(latency: Any) -> None:
    with pytest.raises(ConfigError, match="has no unit, and a number is ns; write"):
        Venue(latency=latency)
    assert Venue(latency=5_000_000).to_dict() == Venue(latency="5ms").to_dict()


def test_the_name_of_a_venue_is_no_latency() -> None:
    with pytest.raises(ConfigError, match=r"venue of its own: hft.Venue.binance_usdm\(\)"):
        Venue("binance_usdm")
