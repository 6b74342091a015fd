"""What a command's arrival is noted as, when its order has ended while it was on its way."""

from hft.core.codes import IntentType, Side, StepKind
from hft.venue.model import Latency, VenueModel
from tests.small_world import LEVEL, opening, play

BUY, SELL = Side.BUY.value, Side.SELL.value


def test_a_late_cancel_is_noted_under_its_own_side_when_another_order_has_the_slot() -> None:
    """The buy fills at once; its answer overtakes the cancel, and a sell takes the freed slot."""
    bought: list[int] = []

    def buy(view, order):  # type: ignore[no-untyped-def]
        bought.append(order.new(BUY, 110, 1))

    def cancel(view, order):  # type: ignore[no-untyped-def]
        order.cancel(bought[0])

    def sell(view, order):  # type: ignore[no-untyped-def]
        order.new(SELL, 130, 1)

    rows = [*opening(1, {100: 5}, {110: 5}), (60, LEVEL, 0, 100, 6)]
    legs = {"entry": Latency(base_ns=10), "cancel": Latency(base_ns=10)}
    legs["response"] = Latency(base_ns=5)
    played = play(rows, {10: buy, 22: cancel, 30: sell}, venue=VenueModel(legs))
    assert played.engine.trading.gw.orders[0]["side"] == SELL, "the sell has the buy's slot"
    arrivals = played.steps[played.steps["kind"] == StepKind.ARRIVAL]
    noted = [(int(a["code"]), int(a["order_id"]), int(a["side"])) for a in arrivals]
    kinds = IntentType.NEW.value, IntentType.CANCEL.value
    assert (kinds[1], bought[0], BUY) in noted
    assert [side for kind, _, side in noted if kind == kinds[0]] == [BUY, SELL]
