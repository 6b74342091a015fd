"""What the engine has counted when a run ends, for its folder."""

from typing import Any

import numpy as np

from hft.core.codes import Reason
from hft.metrics.gateway import gateway_tables, read_gateway, unknown_keys
from hft.metrics.readings import Readings
from hft.replay.build import Session
from hft.runs.folder.names import RunNames
from hft.venue.state import QUEUE_FIFO


def figures(session: Session, names: RunNames) -> Readings:
    """What a live gateway would show of itself now."""
    found, trading = Readings(), session.engine.trading
    facts = {
        "strategies": list(names.strategies),
        "symbols": names.symbols,
        "digits": names.digits,
    }
    read_gateway(gateway_tables(trading), facts, found)
    found.put("gateway_dedup_unknown", unknown_keys(trading.gw))
    lost = int(session.engine.clock[0]["lost_intents"])
    found.put("gateway_reject_total", lost, Reason.INTENT_BUFFER_FULL.name)
    return found


def totals(session: Session) -> dict[str, Any]:
    """What the engine counted; integers, money in units.

    An intent beyond the 64 of a wake-up never reached the gateway; it is a refused intent all the
    same, as INTENT_BUFFER_FULL.
    """
    clock, trading = session.engine.clock[0], session.engine.trading
    instruments = len(session.sources)
    positions = [
        {
            "strategy_idx": k // instruments,
            "instrument_idx": k % instruments,
            "qty": int(row["qty"]),
            "realized_money": int(row["realized_money"]),
            "unrealized_money": int(row["marked_money"]),
            "fees_money": int(row["fees_money"]),
            "fills": int(row["fills"]),
        }
        for k, row in enumerate(trading.positions)
    ]
    reasons = trading.gw.counts
    counts = {str(c): int(reasons[c]) for c in np.flatnonzero(reasons)}
    lost = int(clock["lost_intents"])
    if lost:
        counts[str(Reason.INTENT_BUFFER_FULL.value)] = lost
    markets = [
        {
            "instrument_idx": i,
            "exact_queue": bool(row["queue"] == QUEUE_FIFO),
            "taken_lots": int(row["took_lots"]),
            "printed_lots": int(row["printed_lots"]),
        }
        for i, row in enumerate(session.engine.venue.markets)
    ]
    return {
        "events": int(clock["rows"]),
        "steps": int(clock["step"]),
        "wakes": int(clock["wakes"]),
        "decisions": int(trading.head[0]["decisions"]) + lost,
        "refused": int(trading.head[0]["refused"]) + lost,
        "orders": int(trading.head[0]["orders"]),
        "lost_intents": lost,
        "fills": sum(row["fills"] for row in positions),
        "injected_faults": int(session.engine.faults[0]["injected"]),
        "reasons": counts,
        "positions": positions,
        "markets": markets,
    }
