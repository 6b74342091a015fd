"""Latency profiles: how long orders take, as a round trip per request, and as legs of a venue.

A profile states what was measured from outside (our own time, then request to acknowledgement);
the simulated venue wants the way there and the way back. Pure data; nothing here reads a clock.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hft.core.errors import ConfigError

US, MS = 1_000, 1_000_000


@dataclass(frozen=True)
class LatencyProfile:
    """Time from a decision to its acknowledgement, by request. Units: ns.

    `live_uplift` is how much slower live is than the profile; it is the latency of the stress, not
    of the base run.
    """

    name: str
    local_ns: int
    submit_ns: int
    modify_ns: int
    cancel_ns: int
    live_uplift: float = 1.0

    def __post_init__(self) -> None:
        for name in ("local_ns", "submit_ns", "modify_ns", "cancel_ns"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ConfigError(f"latency profile {self.name}: {name} is no whole ns >= 0")
        if min(self.submit_ns, self.modify_ns, self.cancel_ns) < self.back_ns:
            raise ConfigError(
                f"latency profile {self.name}: a modify or cancel is acknowledged in less than "
                "half the time of a submit; the way back would take longer than the round trip"
            )

    @property
    def back_ns(self) -> int:
        """The way back, common to all requests: half of a submit's round trip."""
        return self.submit_ns // 2

    def legs(self, factor: float = 1.0) -> dict[str, int]:
        """The legs of `hft.Venue(latency=...)` in ns, all of them `factor` times as long.

        Our own time comes on top of the way there, so that a submit is acknowledged
        local + submit after the decision.
        """
        there = {"entry": self.submit_ns, "amend": self.modify_ns, "cancel": self.cancel_ns}
        legs = {leg: self.local_ns + ack - self.back_ns for leg, ack in there.items()}
        return {leg: round(ns * factor) for leg, ns in (legs | {"response": self.back_ns}).items()}

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; what a scorecard keeps as `latency_profile`."""
        return asdict(self)


SIM_P95 = LatencyProfile("sim_p95_v2026-02-26", 250 * US, 36 * MS, 43 * MS, 47 * MS, 1.5)
PROFILES: Mapping[str, LatencyProfile] = {SIM_P95.name: SIM_P95}


def profile_of(name: str) -> LatencyProfile:
    """A profile by name. Raises: ConfigError listing those there are."""
    if name not in PROFILES:
        raise ConfigError(f"latency profile {name!r} is not one of {', '.join(sorted(PROFILES))}")
    return PROFILES[name]
