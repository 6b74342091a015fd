"""What we know while we trade: gateway, touch, positions, and the records of what was filled.

It knows no venue. Whoever wires it (a replay to the simulated venue, a service to an adapter) says
with a `Wiring` where an approved command goes and where each step is noted.
"""

from typing import Any, NamedTuple

import numpy as np

from hft.core.dtypes import DECISION, FILL, INTENT, TOUCH
from hft.gateway.rows import CANCELS_MAX
from hft.gateway.state import GatewayState
from hft.portfolio.positions import POSITION

HEAD = np.dtype(
    [
        (name, np.int64)
        for name in (
            "next_id",  # next intent id
            "listened",  # instruments from 0 that some strategy listens to; the rest are idle
            "decisions",
            "refused",
            "orders",  # NEW commands sent
            "keeps_fills",  # 1: every fill is a row of `fills`
            "fills_len",
        )
    ],
    align=True,
)


class TradingState(NamedTuple):
    head: np.ndarray  # HEAD[1]
    gw: GatewayState
    instruments: np.ndarray  # INSTRUMENT[instrument]
    touch: np.ndarray  # TOUCH[instrument], the market as we have heard it
    positions: np.ndarray  # POSITION[strategy * instruments + instrument]
    own: np.ndarray  # INTENT rows that tripped breakers ask for; CANCELS_MAX
    crossed: np.ndarray  # INTENT rows that take own orders out of the way of one; CANCELS_MAX
    stash: np.ndarray  # DECISION[1]
    fills: np.ndarray  # FILL rows since they were last taken


class Wiring(NamedTuple):
    """What trading reaches outside itself. In a kernel, the functions are `core.jit.passed` ones.

    `send(outside, order, decision, kind, reduces, now_ns)` hands an approved command out. Returns:
    a `Reason`; for one that is not OK it writes the decision's `measured` and `limit`.
    `note(outside, step)` journals a STEP row, which does not outlive the call.
    """

    outside: Any
    send: Any
    note: Any


def new_state(
    instruments: np.ndarray, gateway: GatewayState, strategies: int, *, fills_max: int
) -> TradingState:
    """Flat and empty. Units: `instruments` are INSTRUMENT rows; `fills_max` 0 keeps no fills."""
    state = TradingState(
        head=np.zeros(1, HEAD),
        gw=gateway,
        instruments=np.array(instruments),
        touch=np.zeros(len(instruments), TOUCH),
        positions=np.zeros(strategies * len(instruments), POSITION),
        own=np.zeros(CANCELS_MAX, INTENT),
        crossed=np.zeros(CANCELS_MAX, INTENT),
        stash=np.zeros(1, DECISION),
        fills=np.zeros(max(1, fills_max), FILL),
    )
    head = state.head[0]
    head["next_id"] = 1
    head["listened"] = len(instruments)
    head["keeps_fills"] = int(fills_max > 0)
    return state
