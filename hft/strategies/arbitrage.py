"""Cross-venue arbitrage: sell the dearer venue, buy the cheaper, both legs IOC.

view[0] and view[1] are the same asset on two venues with their own grids, so prices are compared in
real units; a persistent basis (spot against perpetual) is tracked and only its excess is traded.
A pair is closed by the opposite excess, not by the return of the basis to its mean.
"""

from hft.core.codes import Tif
from hft.strategies.base import strategy

IOC = Tif.IOC.value


@strategy(
    every="100ms",
    params={
        "edge_bps": 1.0,
        "basis_decay": 0.999,
        "warm_up": 50,
        "lots_0": 1,
        "lots_1": 1,
        "max_pairs": 5,
    },
    state={"basis": 0.0, "wakes": 0, "edge": 0.0},
    track=("basis", "edge"),
    instruments=2,
)
def arbitrage(view, order, p, s):  # type: ignore[no-untyped-def]
    """Trade one pair of legs when the basis leaves its running mean by more than `edge_bps`."""
    if p["lots_0"] < 1 or p["lots_1"] < 1:
        raise ValueError("arbitrage: lots_0 and lots_1 are at least 1")
    first = view[0]
    second = view[1]
    if not first.book_valid or not second.book_valid:
        return
    mid_0 = first.to_price(first.mid_tick)
    mid_1 = second.to_price(second.mid_tick)
    basis = (mid_1 - mid_0) / mid_0 * 1e4
    s["wakes"] += 1
    if s["wakes"] <= p["warm_up"]:
        s["basis"] += (basis - s["basis"]) / s["wakes"]
        return
    s["edge"] = basis - s["basis"]
    s["basis"] = s["basis"] * p["basis_decay"] + basis * (1.0 - p["basis_decay"])
    if first.open_buy + first.open_sell + second.open_buy + second.open_sell > 0:
        return
    # A leg that failed leaves the pair lopsided: the second venue is brought back in line.
    wanted = -(first.position * p["lots_1"]) // p["lots_0"]
    if second.position != wanted:
        order[1].target(wanted)
        return
    # Each leg is priced at the touch it takes; what does not fill at once is gone.
    if s["edge"] > p["edge_bps"] and first.position < p["max_pairs"] * p["lots_0"]:
        order[0].new(0, first.ask_tick, p["lots_0"], IOC)
        order[1].new(1, second.bid_tick, p["lots_1"], IOC)
    elif s["edge"] < -p["edge_bps"] and first.position > -p["max_pairs"] * p["lots_0"]:
        order[0].new(1, first.bid_tick, p["lots_0"], IOC)
        order[1].new(0, second.ask_tick, p["lots_1"], IOC)
