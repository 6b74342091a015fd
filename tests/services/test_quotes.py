"""A quote is one of version 1, or it is refused, counted and told, and nothing else happens."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.errors import ConfigError
from hft.services.quotes import MINUTE_NS, Quote, QuoteGuard

TOLD: list[str] = []
GOOD = {"code": "X", "bid_price": 99.5, "ask_price": "100.5"}


def guard(**given: Any) -> QuoteGuard:
    TOLD.clear()
    return QuoteGuard(lambda _, said: TOLD.append(said), lambda: 7, **given)


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        SimpleNamespace(**GOOD),
        {"Code": "X", "bid_price": [99.5, 99], "ask_price": [100.5, 101]},
    ],
)
def test_mappings_and_objects_with_both_prices_are_quotes(said: Any) -> None:
    found = guard().read(said)
    assert found == Quote("X", Decimal("99.5"), Decimal("100.5"), None, None)


def test_a_close_is_enough_and_prices_are_exact() -> None:
    found = guard().read({"code": "X", "close": 0.1, "volume": 3})
    assert found == Quote("X", None, None, Decimal("0.1"), Decimal(3))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ((), "empty call"),
        ((None,), "missing payload"),
        (("TIC/v1/FOP",), "missing payload"),
        (("quotes:X", GOOD), "topic-like first argument"),
        (({"code": "X", "bid_price": 1},), "unknown shape"),
        (({"bid_price": 1, "ask_price": 2},), "unknown shape"),
        (({"code": "X", "bid_price": True, "ask_price": 2},), "unknown shape"),
        (({"code": "X", "bid_price": float("nan"), "ask_price": 2},), "unknown shape"),
        ((3,), "unknown shape"),
        (("X",), "unknown shape"),
    ],
)
def test_what_is_no_quote_is_refused_counted_and_told(said: Any, reason: str) -> None:
    gate = guard()
    assert gate.read(*said) is None and gate.read(*said) is None
    assert gate.mismatches == {reason: 2} and [f"a quote was refused: {reason}"] == TOLD


def test_the_same_reason_is_told_once_a_minute() -> None:
    now, told = [0], []
    gate = QuoteGuard(lambda _, said: told.append(said), lambda: now[0])
    for now[0] in (0, MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + 1):
        gate.read()
    assert len(told) == 2 and gate.mismatches["empty call"] == 4


def test_only_a_guard_that_is_not_strict_goes_down_to_version_0_and_once() -> None:
    strict, loose = guard(), guard(strict=False)
    said = ("quotes:X", {"code": "X", "bid_price": 1})
    assert strict.read(*said) is None and strict.version == "v1"
    assert loose.read(*said) == Quote("X", Decimal(1), None, None, None)
    assert loose.read(*said) is not None and loose.version == "v0"
    assert loose.switches == {"v1_to_v0": 1}
    assert loose.read("nothing") is None
    with pytest.raises(ConfigError, match="'v2' is none of"):
        guard(version="v2")


@given(st.lists(st.recursive(st.none() | st.floats() | st.text(), st.lists), max_size=3))
def test_whatever_a_broker_calls_with_nothing_is_raised(said: list[Any]) -> None:
    assert guard().read(*said) is None
    assert guard(strict=False).read(*said) is None
