"""Everything a live gateway knows, and what it has just decided: one NamedTuple of arrays.

What is in it changes by input rows alone. The three rings (commands, steps, the fills of `trading`)
hold what the last rows led to until it is taken; they are no part of a snapshot.
"""

from typing import NamedTuple

import numpy as np

from hft.core.dtypes import ANSWER, INTENT, STEP
from hft.gateway.rows import CANCELS_MAX
from hft.gateway.state import GatewayState
from hft.market.book import NO_ASK, NO_BID
from hft.trading.inputs import OUTBOUND
from hft.trading.state import TradingState
from hft.trading.state import new_state as new_trading

# One row may trip a breaker with orders of the gateway's own, each of which cancels what it
# crosses; what is still beyond this is counted and left out of the ring.
STEPS_MAX = 1 << 15
COMMANDS_MAX = 1 << 14
FILLS_MAX = 1 << 13
MARGIN = 16 * CANCELS_MAX

DESK = np.dtype(
    [
        (name, np.int64)
        for name in (
            "inputs",  # rows applied; the number of the last one
            "now_ns",
            "epoch",  # of the life that decides now; 0 before the first
            "configuration",
            "room",  # commands that may wait for the adapter; as many again to get out
            "queued",  # of the row being applied
            "row_commands",  # it has led to so far
            "steps",  # noted, ever
            "commands",  # decided, ever
            "copies",  # answers that were heard before
            "gaps",  # answers that were not booked since one before them is missing
            "disputed",  # RECONCILED rows that do not fit what was booked
            "strays",  # rows about an order that is not there
            "keeps",  # 1: records go to the rings
            "steps_len",
            "commands_len",
            "steps_lost",
        )
    ],
    align=True,
)
RINGS = ("keeps", "steps_len", "commands_len", "steps_lost")  # not of the state proper

# The last answer heard; `seq` below 0 is -1 - seq, and the next one may be any later one.
SESSION = np.dtype([("session", np.int64), ("seq", np.int64)], align=True)


class DeskState(NamedTuple):
    head: np.ndarray  # DESK[1]
    lanes: np.ndarray  # uint64[2], the running digest of all steps
    names: np.ndarray  # int64[accounts + strategies + instruments], keys; 0 not named yet
    sessions: np.ndarray  # SESSION[account], the last answer heard
    trading: TradingState
    intent: np.ndarray  # INTENT[1]
    answer: np.ndarray  # ANSWER[1]
    commands: np.ndarray  # OUTBOUND rows since they were last taken
    steps: np.ndarray  # STEP rows since they were last taken


def new_state(
    instruments: np.ndarray,
    gateway: GatewayState,
    accounts: int,
    strategies: int,
    *,
    room: int,
    configuration: int,
    lanes: np.ndarray,
) -> DeskState:
    """Flat, empty, nobody named, before its first life."""
    state = DeskState(
        head=np.zeros(1, DESK),
        lanes=lanes,
        names=np.zeros(accounts + strategies + len(instruments), np.int64),
        sessions=np.zeros(accounts, SESSION),
        trading=new_trading(instruments, gateway, strategies, fills_max=FILLS_MAX),
        intent=np.zeros(1, INTENT),
        answer=np.zeros(1, ANSWER),
        commands=np.zeros(COMMANDS_MAX, OUTBOUND),
        steps=np.zeros(STEPS_MAX, STEP),
    )
    state.head[0]["room"] = room
    state.head[0]["configuration"] = configuration
    state.head[0]["keeps"] = 1
    for row in state.trading.touch:
        row["bid_tick"], row["ask_tick"] = NO_BID, NO_ASK
    return state
