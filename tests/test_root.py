"""`import hft`: exactly the promised names, each loaded on first use."""

import pytest

import hft
from hft.core.codes import OrderType, Side, Tif

FUNCTIONS = {"Limits", "Venue", "ingest", "load", "replay", "runs", "strategy", "tapes"}
CONSTANTS = {
    "BUY": Side.BUY,
    "SELL": Side.SELL,
    "GTC": Tif.GTC,
    "IOC": Tif.IOC,
    "FOK": Tif.FOK,
    "DAY": Tif.DAY,
    "GTD": Tif.GTD,
    "GTX": Tif.GTX,
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
}


def test_the_root_offers_these_names_and_no_more() -> None:
    assert set(hft.__all__) == FUNCTIONS | set(CONSTANTS)
    assert set(hft.__all__) <= set(dir(hft))


@pytest.mark.nojit
@pytest.mark.parametrize("name", sorted(CONSTANTS))
def test_a_constant_is_the_member_of_its_enum(name: str) -> None:
    assert getattr(hft, name) is CONSTANTS[name]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_loads_and_explains_itself(name: str) -> None:
    assert getattr(hft, name).__doc__


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no name 'repaly'.*replay"):
        hft.repaly  # noqa: B018
