"""What a venue says of itself in a manifest and in the key of a run."""

from inspect import signature
from typing import Any

import pytest

from hft.core.errors import ConfigError
from hft.runs.venues import PRESETS, Venue, written

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


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_takes_fields_by_name_and_keeps_the_others(name: str) -> None:
    made = getattr(Venue, name)(latency="8ms", fees={"taker_bps": 4})
    own = getattr(Venue, name)()
    changed = {"latency": made.to_dict()["latency"], "fees": {"taker_bps": "4"}}
    assert made.to_dict() == own.to_dict() | changed
    assert {leg["base_ns"] for leg in made.to_dict()["latency"].values()} == {8_000_000}
    mapping = {"preset": name, "latency": "8ms", "fees": {"taker_bps": 4}}
    assert written(mapping).to_dict() == made.to_dict()


def test_a_field_that_no_venue_has_is_answered_with_the_one_that_was_meant() -> None:
    for made in (lambda: Venue.cme(latecy="1ms"), lambda: written({"latecy": "1ms"})):
        with pytest.raises(ConfigError, match=r"'latecy' is none of .*did you mean 'latency'"):
            made()


def test_a_preset_that_is_given_as_the_latency_beside_another_is_answered_with_the_call() -> None:
    says = r"hft.Venue.binance_usdm\(latency='5ms', queue='fifo'\)"
    with pytest.raises(ConfigError, match=says):
        Venue("binance_usdm", latency="5ms", queue="fifo")
    assert Venue.binance_usdm(latency="5ms", queue="fifo").queue == "fifo"
    assert next(iter(signature(Venue).parameters)) == "latency"
