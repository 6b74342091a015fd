"""An instrument's grid is exact and positive, survives its dictionary, and names what is wrong."""

from decimal import Decimal
from typing import Any

import pytest

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument

pytestmark = pytest.mark.nojit


def test_an_instrument_survives_its_dictionary() -> None:
    given = Instrument(
        "ES", Decimal("0.25"), Decimal(1), Decimal(50), max_price=Decimal(99999),
        rate_per_s=5, maker_bps=Decimal("-0.1"), notes=("front",),
    )  # fmt: skip
    assert Instrument.from_dict(given.to_dict()) == given
    assert given.to_dict()["tick"] == "0.25", "decimals are text, never floats"


def test_numbers_given_as_text_or_float_become_exact_decimals() -> None:
    made = Instrument("X", 0.1, "0.001", 1)  # type: ignore[arg-type]
    assert (made.tick, made.lot, made.multiplier) == (Decimal("0.1"), Decimal("0.001"), 1)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"symbol": ""}, "symbol is empty"),
    ({"tick": 0}, "X.tick: 0 must be positive"),
    ({"lot": -1}, "X.lot: -1 must be positive"),
    ({"tick": "nan"}, "X.tick: nan must be finite"),
    ({"multiplier": "ten"}, "X.multiplier: 'ten' is not a decimal number"),
    ({"kind": "quanto"}, "X.kind: 'quanto' is neither linear nor inverse"),
    ({"max_price": 0}, "X.max_price: 0 must be positive"),
    ({"taker_bps": "inf"}, "X.taker_bps: inf must be finite"),
]


@pytest.mark.parametrize(("given", "text"), BAD)
def test_a_field_that_cannot_be_is_refused_by_name(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Instrument(**{"symbol": "X", "tick": Decimal(1), "lot": Decimal(1), **given})
    assert text in str(caught.value)


def test_an_unknown_key_of_a_dictionary_is_refused() -> None:
    with pytest.raises(ConfigError, match="instrument X: unknown key 'ticks'"):
        Instrument.from_dict({"symbol": "X", "ticks": 1})
