"""What the venue's rule about crossed levels changes for an order."""

import pytest
from small_world import LEVEL, Row, opening, play

from hft.core.codes import Tif
from hft.venue.model import VenueModel

SELL = 1


@pytest.mark.nojit
@pytest.mark.parametrize(("crossed", "price"), [("returns", 100), ("restated", 98)])
def test_a_seller_meets_the_bid_that_was_crossed_unless_it_has_to_be_stated_again(
    crossed: str, price: int
) -> None:
    book = opening(10, {98: 5, 100: 7}, {102: 4})
    rows: list[Row] = [*book, (20, LEVEL, 1, 99, 1), (30, LEVEL, 1, 99, 0), (90, LEVEL, 0, 50, 1)]
    script = {40: lambda view, order: order.new(SELL, 98, 2, Tif.IOC)}
    played = play(rows, script, venue=VenueModel(crossed=crossed))
    assert [row[2:4] for row in played.venue_fills()] == [(price, 2)]
