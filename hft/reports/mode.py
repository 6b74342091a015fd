"""How the venue was simulated, in words: from the settings that the run's manifest keeps."""

from collections.abc import Mapping
from typing import Any

QUEUES = {
    "risk_averse": "risk averse: only trades move us up",
    "prob_log": "probability of a cancel ahead, logarithmic",
    "prob_sqrt": "probability of a cancel ahead, square root",
    "prob_power": "probability of a cancel ahead, power",
    "fifo": "exact, order by order, where the tape has order ids",
}
FILLS = {
    "capped": "capped by what the tape shows; taken liquidity stays taken",
    "whole": "whole: an order fills at once, however large",
}


def mode_words(venue: Mapping[str, Any]) -> dict[str, str]:
    """Latency, queue, fills and fees of a venue's settings."""
    words = {"latency": _latency(venue.get("latency", {}))}
    if "queue" in venue:
        words["queue"] = QUEUES.get(str(venue["queue"]), str(venue["queue"]))
    if "fills" in venue:
        words["fills"] = FILLS.get(str(venue["fills"]), str(venue["fills"]))
    fees = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in venue.get("fees", {}).items())
    words["fees"] = fees or "the instrument's own"
    return words


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
