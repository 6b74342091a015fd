"""The house of a random market in the words of the engine: limits resolved, controls as rows."""

from types import SimpleNamespace
from typing import Any

from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits, resolve
from hft.runs import prepare
from tests.naive.engine.house import House
from tests.naive.engine.markets import Market


def resolved_keys(market: Market, keys: dict[str, Any]) -> ResolvedLimits:
    """All limits off but those of these keys."""
    limits = Limits.from_dict({**Limits.off().values, **keys}, "house")
    names = [f"actor{k}" for k in range(len(market.actors))]
    figures = [{"first_mid": 100}] * len(market.instruments)
    return resolve(limits, market.instruments, figures, strategies=names)


def said_of(market: Market, house: House) -> dict[str, Any]:
    """What a session takes beside tapes: as a replay of files prepares it."""
    times = [row.local_ts for rows in market.feeds for row in rows]
    job: Any = SimpleNamespace(
        start_ns=market.start_ns,
        end_ns=market.end_ns,
        holdoff_ns=house.holdoff_ns,
        controls=house.controls,
        strategies=[f"actor{k}" for k in range(len(market.actors))],
    )
    return {
        "controls": prepare._controls(job, market.instruments, (min(times), max(times))),
        "limit_changes": [resolved_keys(market, keys) for keys in house.changes],
        "ttl_ns": house.ttl_ns,
    }
