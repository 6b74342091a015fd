"""What a gateway says of itself: the snapshot of contract 3.12, and its numbers for others to read.

It only reads; nothing here is needed for a decision.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hft.metrics.gateway import gateway_tables, mode, unknown_keys
from hft.services.life import ENDINGS, Phase
from hft.services.page import breakers
from hft.services.scoreboard import Scoreboard
from hft.services.service import GatewayService

SERVICE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "phase",  # life.Phase
            "ready",
            "leader",
            "dispatched",
            "unsent",
            "channel_depth",
            "channel_refused",
            "channel_expired",
            "queued",  # commands that wait for the disk
            "undurable",  # records that the disk does not have yet
            "groups",  # syncs
            "sync_ns",  # of all of them together
            "sync_ns_max",
            "callbacks",
            "callbacks_dropped",
            "unbooked_fills",  # of orders that our books have not, in this life
            "unknown_keys",
            "resets",  # of trips, by operators
            "touches",  # of the market, that were heard
            "journal_failed",
        )
    ],
    align=True,
)


def snapshot(service: GatewayService) -> dict[str, Any]:
    """The keys of contract 3.12, and why a life ended where it has."""
    gw = service.desk.trading.gw
    head = gw.head[0]
    tables = gateway_tables(service.desk.trading)
    return {
        "running": service.phase not in (Phase.NEW, *ENDINGS),
        "ready": service.is_ready,
        "phase": service.phase.name.lower(),
        "cause": service.cause,
        "dispatched": service.dispatch.sent,
        "rejected": int(gw.counts.sum() - gw.counts[0]),
        "dedup_hits": int(head["dedup_hits"]),
        "channel_depth": len(service.channel),
        "policy_mode": mode(tables).name,
        "leader_active": service.lease.leads(),
        "fence": service.lease.fence,
        **breakers(tables),
        "unknown_outcomes": int(head["unknown_orders"]),
        "unbooked_fills": service.hearing.unbooked,
        "limits_hash": f"{int(gw.config[0]['limits_hash']):016x}",
    }


class Shown:
    """Writes the numbers of one life into a scoreboard, whenever it is told to."""

    def __init__(
        self, service: GatewayService, path: Path, symbols: list[str], digits: int = 0
    ) -> None:
        self._service = service
        self._own = np.zeros(1, SERVICE)
        desk = service.desk
        tables = {
            "service": self._own,
            "desk": desk.state.head,
            **gateway_tables(desk.trading),
            **service.stages.columns(),
        }
        facts = {
            "accounts": list(desk.accounts),
            "strategies": list(desk.strategies),
            "symbols": list(symbols),
            "digits": digits,
        }
        self.board = Scoreboard(path, tables, facts)

    def write(self, now_ns: int) -> None:
        """Show how it is now."""
        service, row = self._service, self._own[0]
        counters = service.commit.counters
        row["phase"], row["ready"] = service.phase.value, service.is_ready
        row["leader"] = service.lease.leads()
        row["dispatched"], row["unsent"] = service.dispatch.sent, service.dispatch.unsent
        row["channel_depth"] = len(service.channel)
        row["channel_refused"] = service.channel.refused
        row["channel_expired"] = service.channel.expired
        row["queued"], row["undurable"] = service.queued, service.commit.waiting
        row["groups"], row["sync_ns"] = counters.groups, counters.sync_ns
        row["sync_ns_max"] = counters.sync_ns_max
        row["callbacks"] = len(service.callbacks)
        row["callbacks_dropped"] = service.callbacks.dropped
        row["unbooked_fills"] = service.hearing.unbooked
        row["unknown_keys"] = unknown_keys(service.desk.trading.gw)
        row["resets"], row["touches"] = service.stages.resets, service.touches.heard
        row["journal_failed"] = service.phase is Phase.JOURNAL_FAILED
        self.board.write(now_ns)
