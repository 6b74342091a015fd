"""How the venue was simulated, in words: from the settings that the run's manifest keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

QUEUES = {
    "risk_averse": "risk averse: only trades move us up",
    "prob_log": "probability of a cancel ahead, logarithmic",
    "prob_sqrt": "probability of a cancel ahead, square root",
    "prob_power": "probability of a cancel ahead, power",
    "fifo": "exact, order by order, where the tape has order ids",
}
CHANCES = ("reject", "lost_ack", "late_ack", "duplicate_ack")
WINDOWS = {"down_ns": "venue down", "gap_ns": "feed silent"}
FILLS = {
    "capped": "capped by what the tape shows",
    "whole": "whole: an order fills at once, however large",
}
TAKEN = {
    "stays": "what we took stays taken until its level falls",
    "restated": "what we took is back when its level is stated again, as if refilled at once",
}


# The default needs no word.
CROSSED = {"restated": "back when the tape states them again, not when what crossed them goes"}


def mode_words(
    venue: Mapping[str, Any],
    inexact: Sequence[str] = (),
    charged: Mapping[str, tuple[Any, Any]] | None = None,
) -> dict[str, str]:
    """Latency, queue, fills and fees of a venue's settings.

    `inexact`: the instruments whose tape has no order ids, where no queue could be exact;
    `charged`: what each instrument pays as maker and as taker, in bps, the venue's fees included.
    """
    words = {"latency": _latency(venue.get("latency", {}))}
    if "queue" in venue:
        queue = venue["queue"]
        own = isinstance(queue, dict)
        words["queue"] = f"own model {queue['name']}" if own else QUEUES.get(queue, str(queue))
        if queue == "fifo" and inexact:
            words["queue"] += f" (not {', '.join(inexact)}: {QUEUES['risk_averse']})"
    if "fills" in venue:
        words["fills"] = FILLS.get(str(venue["fills"]), str(venue["fills"]))
        if venue["fills"] == "capped" and venue.get("taken") in TAKEN:
            words["fills"] += f", and {TAKEN[venue['taken']]}"
    if venue.get("crossed") in CROSSED:
        words["crossed levels"] = CROSSED[venue["crossed"]]
    words["fees"] = _fees(venue.get("fees") or {}) or _own_fees(charged or {})
    return words


def fault_words(faults: Mapping[str, Any]) -> str:
    """The injected faults that can happen at all; empty for none."""
    said = []
    for name, value in faults.items():
        if name in CHANCES and value:
            said.append(f"{name.replace('_', ' ')} {value:g} of messages")
        elif name in WINDOWS and value and value[1] > value[0]:
            said.append(f"{WINDOWS[name]} for {(value[1] - value[0]) / 1e9:g} s")
    return ", ".join(said)


def _own_fees(charged: Mapping[str, tuple[Any, Any]]) -> str:
    """What the instruments themselves name; that is nothing for many."""
    said = {
        name: f"maker {maker} bps, taker {taker} bps" for name, (maker, taker) in charged.items()
    }
    for name, (maker, taker) in charged.items():
        if not maker and not taker:
            said[name] = "none"
    if set(said.values()) == {"none"}:
        return "none: neither the venue nor the instrument names any"
    if len(set(said.values())) == 1:
        return f"the instrument's own: {next(iter(said.values()))}"
    each = ", ".join(f"{name} {text}" for name, text in said.items())
    return f"the instruments' own: {each}" if each else "the instrument's own"


def _fees(fees: Mapping[str, Any]) -> str:
    said = [
        f"{key.removesuffix('_bps')} {value} bps" for key, value in fees.items() if "bps" in key
    ]
    said += [f"{value} {key.replace('_', ' ')}" for key, value in fees.items() if "bps" not in key]
    return ", ".join(said)


def _latency(legs: Mapping[str, Mapping[str, Any]]) -> str:
    said = {name: _leg(leg) for name, leg in legs.items()}
    if not said or set(said.values()) == {"0 ms"}:
        return "none: orders and answers arrive at once"
    if len(set(said.values())) == 1 and len(said) == 4:
        return f"{next(iter(said.values()))} each way"
    return ", ".join(f"{name} {text}" for name, text in said.items())


def _leg(leg: Mapping[str, Any]) -> str:
    kind, base = leg.get("kind", "constant"), _ms(leg.get("base_ns", 0))
    if kind == "uniform":
        return f"{base} to {_ms(leg['base_ns'] + leg['spread_ns'])}, seeded"
    if kind == "sampled":
        return f"{len(leg['table'])} samples, seeded"
    if kind == "interpolated":
        return f"recorded, {len(leg['table']) // 2} points"
    return base


def _ms(ns: int) -> str:
    return f"{ns / 1e6:g} ms"
