"""What a scoreboard's numbers say: one page, alike of a live gateway and of a session on paper.

It holds the keys of contract 3.12 and what a person who watches wants beside them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hft.core.codes import Reason
from hft.gateway.rows import GuardCause
from hft.metrics.gateway import Tables, mode
from hft.services.life import Phase
from hft.services.scoreboard import Seen


def page(seen: Seen) -> dict[str, Any]:
    """The page. Units: money in currency, quantities in lots, times ns."""
    tables, facts = seen.tables, seen.facts
    head, config = tables["gateway"][0], tables["config"][0]
    found: dict[str, Any] = {
        "wall_ns": seen.ts_ns,
        "pid": seen.pid,
        "running": True,
        "dispatched": int(tables["trading"][0]["orders"]),
        "rejected": int(tables["reasons"].sum() - tables["reasons"][0]),
        "dedup_hits": int(head["dedup_hits"]),
        "channel_depth": 0,
        "queued": 0,
        "policy_mode": mode(tables).name,
        "leader_active": bool(head["leader"]),
        "fence": int(head["fence"]),
        "tripped": _tripped(tables, facts),
        **breakers(tables),
        "unknown_outcomes": int(head["unknown_orders"]),
        "limits_hash": f"{int(config['limits_hash']):016x}",
        "decisions": int(tables["reasons"].sum()),
        "working": int(head["live_orders"]),
        "fills": int(tables["positions"]["fills"].sum()),
        "refused": _refused(tables["reasons"]),
        "exposure": _exposure(tables, facts),
        "positions": _positions(tables, facts),
    }
    if "service" in tables:
        found |= _of_service(tables["service"][0])
    if "session" in tables:
        found |= _of_session(tables["session"][0], facts)
    return found


def breakers(tables: Tables) -> dict[str, bool]:
    """Is one tripped, and does one stay so until somebody resets it?"""
    tripped = tables["breakers"]["tripped"] != 0
    latched = tables["breakers"]["latched"] != 0
    return {"breaker_tripped": bool(tripped.any()), "kill_latched": bool((tripped & latched).any())}


def _tripped(tables: Tables, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is tripped: of what, why, and does it hold until somebody resets it?"""
    accounts = [f"account {k}" for k in range(int(tables["config"][0]["n_accounts"]))]
    strategies = len(tables["strategies"])
    names = [*facts["strategies"], *("" for _ in range(strategies - len(facts["strategies"])))]
    scopes = ["all", *accounts, *names, *facts["symbols"]]
    rows = zip(scopes, tables["breakers"], strict=False)
    return [
        {"of": of, "cause": GuardCause(int(row["cause"])).name, "latched": bool(row["latched"])}
        for of, row in rows
        if row["tripped"]
    ]


def _refused(counts: np.ndarray) -> dict[str, int]:
    """Refusals by reason, the most first."""
    codes = [int(code) for code in np.flatnonzero(counts) if code]
    codes.sort(key=lambda code: -int(counts[code]))
    return {Reason(code).name: int(counts[code]) for code in codes}


def _exposure(tables: Tables, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is held and reserved against its limit; None where there is none."""
    unit = 10.0 ** int(facts["digits"])
    head, config = tables["gateway"][0], tables["config"][0]

    def one(of: str, held: int, limit: int) -> dict[str, Any]:
        return {"of": of, "held": held / unit, "limit": limit / unit if limit > 0 else None}

    total = int(head["reserved_money"] + head["settled_money"])
    found = [one("all", total, int(config["global_notional_max"]))]
    for name, row in zip(facts["strategies"], tables["strategies"], strict=False):
        held = int(row["reserved_money"] + row["settled_money"])
        found.append(one(name, held, int(row["notional_max"])))
    return [
        *found,
        one("loss today", max(0, -int(head["pnl_money"])), int(config["daily_loss_max"])),
    ]


def _positions(tables: Tables, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    names, symbols = facts["strategies"], facts["symbols"]
    unit = 10.0 ** int(facts["digits"])
    found = []
    for k, row in enumerate(tables["positions"]):
        s, i = divmod(k, len(symbols))
        if row["fills"] and s < len(names):
            limit = tables["limits"][i]
            found.append(
                {
                    "strategy": names[s],
                    "symbol": symbols[i],
                    "qty": int(row["qty"]),
                    "limit": int(limit["long_max"] if row["qty"] >= 0 else limit["short_max"]),
                    "fills": int(row["fills"]),
                    "pnl": int(row["realized_money"] + row["marked_money"] - row["fees_money"])
                    / unit,
                }
            )
    return found


def _of_service(row: Any) -> dict[str, Any]:
    return {
        "dispatched": int(row["dispatched"]),
        "channel_depth": int(row["channel_depth"]),
        "queued": int(row["queued"]),
        "undurable": int(row["undurable"]),
        "leader_active": bool(row["leader"]),
        "ready": bool(row["ready"]),
        "unbooked_fills": int(row["unbooked_fills"]),
        "phase": Phase(int(row["phase"])).name.lower(),
    }


def _of_session(row: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    ending = facts["endings"][int(row["ending"])]
    return {
        "running": not ending,
        "session": facts["session"],
        "ending": ending,
        "life": int(row["life"]),
        "tape_ns": int(row["tape_ns"]),
        "behind_ns": int(row["behind_ns"]),
        "speed": int(row["speed_e3"]) / 1000,
        "queued": int(row["held"]),
        "dead_ns": int(row["dead_ns"]),
        "inputs": int(row["inputs"]),
    }
