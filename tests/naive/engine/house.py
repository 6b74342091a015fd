"""Who runs a random market: its limits by their public keys, and what is said to it from outside.

`house_of` draws both: docs/reference/limits.md, docs/reference/controls.md. Times are in ns, so
keys in seconds and milliseconds are tiny fractions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from hft.core.codes import PolicyMode
from hft.runs.controls import PPM, Control

TICK_LOT = Decimal("0.05")  # currency of a lot that moves a tick, of the instruments of markets
SECOND, MILLISECOND = 10**9, 10**6
DAY_NS = 86_400 * SECOND


@dataclass(frozen=True)
class House:
    """Limits beyond `Limits.off()`, controls, and the sizes of what is bounded."""

    keys: dict[str, Any]
    controls: tuple[Control, ...] = ()
    changes: tuple[dict[str, Any], ...] = ()  # the sets of controls of kind limits, in order
    slots: int = 256
    ttl_ns: int = 0
    holdoff_ns: int = 0
    days: tuple[int, ...] | None = None  # when what is daily begins anew; None: at midnight UTC


def seconds(ns: int) -> str:
    return f"{Decimal(ns) / SECOND:f}"


def milliseconds(ns: int) -> str:
    return f"{Decimal(ns) / MILLISECOND:f}"


def money(rng: Random) -> str:
    return f"{TICK_LOT * rng.choice((1, 2, 5, 20, 200)) * rng.randrange(1, 9):f}"


def _loss(rng: Random) -> dict[str, Any]:
    return {"max_daily_loss": money(rng)}


def _storm(rng: Random) -> dict[str, Any]:
    """Some of what makes a storm; the three thresholds in their order."""
    keys: dict[str, Any] = {
        "HFT_STORMGUARD_STORM_COOLDOWN_S": seconds(rng.choice((0, 5, 50))),
        "HFT_STORMGUARD_DE_ESCALATE_N": rng.choice((1, 2, 5)),
    }
    if rng.random() < 0.6:
        keys["HFT_GATEWAY_DEGRADE_ON_STORM"] = False
    draw = rng.random()
    if draw < 0.45:
        losses = sorted(Decimal(money(rng)) for _ in range(3))
        names = ("warm", "storm", "halt")
        for name, loss in zip(names, losses, strict=True):
            if rng.random() < 0.8:
                keys[f"storm_guard.{name}_threshold"] = f"-{loss:f}"
    elif draw < 0.7:
        keys["capital"] = f"{TICK_LOT * rng.choice((100, 1000, 10000)):f}"
        keys["storm_guard.drawdown_pct"] = sorted(
            (-rng.choice((1, 2, 5, 10, 20, 30)) for _ in range(3)), reverse=True
        )
    elif draw < 0.85:
        low = rng.choice((1, 3, 9))
        keys["storm_guard.latency_ms"] = [milliseconds(low), milliseconds(low * 4)]
    else:
        keys["storm_guard.feed_gap_s"] = seconds(rng.choice((3, 10, 40)))
    return keys


def _move(rng: Random) -> dict[str, Any]:
    return {
        "circuit_breaker_threshold": rng.choice(("0.005", "0.01", "0.05")),
        "breaker.window_s": seconds(rng.choice((10, 60, 300))),
        "breaker.reset_after_s": seconds(rng.choice((5, 40))),
    }


def _sizes(rng: Random) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    if rng.random() < 0.7:
        keys["max_position_size"] = rng.choice((3, 10, 40, 400))
        keys["breaker.reset_after_s"] = seconds(rng.choice((5, 40)))
    if rng.random() < 0.5:
        keys["symbols.I0.max_order_size"] = rng.choice((2, 9, 30))
    return keys


def _rates(rng: Random) -> dict[str, Any]:
    return {f"risk_limits.orders_per_{rng.choice(('second', 'minute'))}": rng.choice((1, 5, 20))}


def _deadline(rng: Random) -> dict[str, Any]:
    return {"HFT_COMMAND_DEADLINE_MS": milliseconds(rng.choice((2, 10)))}


def _alphas(rng: Random) -> dict[str, Any]:
    return {"HFT_GATEWAY_REQUIRE_PROMOTION": True, "strategies.actor0.alpha_id": "alpha"}


def _uncritical(rng: Random) -> dict[str, Any]:
    return {f"strategies.actor{rng.randrange(2)}.critical": False}


KINDS: tuple[Callable[[Random], dict[str, Any]], ...] = (
    *(_loss, _loss, _loss, _storm, _storm, _move, _sizes, _sizes, _rates, _deadline, _alphas),
    _uncritical,
)


def _keys(rng: Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for draw in dict.fromkeys(rng.sample(KINDS, rng.randrange(4))):
        found |= draw(rng)
    if rng.random() < 0.2:
        found["breaker.close_on_trip"] = False
    if rng.random() < 0.2:
        found["degraded.limit_factor"] = rng.choice(("0.1", "0.3", "0.9"))
    return found


def house_of(rng: Random, actors: int, instruments: int, span: tuple[int, int]) -> House:
    """The house of a market whose rows are of this span."""
    keys = _keys(rng)
    made = _Draw(rng, keys, actors, instruments)
    first, last = span
    times = sorted(rng.randrange(first - 20, last + 20) for _ in range(rng.randrange(7)))
    controls: list[Control] = []
    for at_ns in times:
        controls += made.some(max(0, at_ns))
    if first < DAY_NS < last and rng.random() < 0.7:  # a new day, and a person looks at the old one
        controls += made.reset(DAY_NS + rng.choice((0, 1, 5, 20)), DAY_NS)
        if "max_daily_loss" not in keys:
            keys["max_daily_loss"] = money(rng)
    controls.sort(key=lambda one: one.at_ns)
    return House(
        keys,
        tuple(controls),
        tuple(dict(one.limits) for one in controls if one.limits is not None),
        slots=rng.choice((4, 16, 32)) if rng.random() < 0.3 else 256,
        ttl_ns=rng.choice((0, 1)),
        holdoff_ns=rng.choice((5, 40)) if rng.random() < 0.05 else 0,
    )


class _Draw:
    """Draws one thing that is said at a time, and what takes it back later."""

    def __init__(self, rng: Random, keys: dict[str, Any], actors: int, instruments: int) -> None:
        self.rng, self.keys = rng, keys
        self.actors, self.instruments = actors, instruments
        self.fence = 1

    def some(self, at_ns: int) -> list[Control]:
        rng = self.rng
        later = at_ns + rng.choice((0, 3, 20, 60, 200))
        if at_ns % 16 == 5:  # our own process; not drawn, so that other markets stay as they were
            return list(getattr(self, ("down", "stop", "end")[at_ns // 16 % 3])(at_ns, later))
        kinds = ["mode", "mode", "degraded", "kill", "kill", "lease", "latency", "limits"]
        kinds += ["promotion"] * (3 if "HFT_GATEWAY_REQUIRE_PROMOTION" in self.keys else 1)
        kinds += ["latency"] * (3 * ("HFT_COMMAND_DEADLINE_MS" in self.keys))
        kinds += ["reset"] * (5 * ("max_daily_loss" in self.keys))
        return list(getattr(self, rng.choice(kinds))(at_ns, later))

    def mode(self, at_ns: int, later: int) -> list[Control]:
        who = self.rng.choice(("", "", self._who()))
        value = self.rng.choice((int(PolicyMode.DEGRADE), int(PolicyMode.HALT)))
        found = [Control(at_ns, "mode", value, strategy=who)]
        return [*found, Control(later, "mode", 0, strategy=who)]

    def degraded(self, at_ns: int, later: int) -> list[Control]:
        return [Control(at_ns, "degraded", 1), Control(later, "degraded", 0)]

    def kill(self, at_ns: int, later: int) -> list[Control]:
        scope = self.rng.choice(("global", "account", "strategy", "symbol", "byte"))
        found = [Control(at_ns, "kill", 1, **self._scoped(scope))]
        if self.rng.random() < 0.7:
            found.append(Control(later, "reset", 0, found[0].scope, *_names(found[0])))
        return found

    def reset(self, at_ns: int, later: int) -> list[Control]:
        return [Control(at_ns, "reset", 0, "global")]

    def promotion(self, at_ns: int, later: int) -> list[Control]:
        weight = self.rng.choice((0, PPM // 2, PPM, PPM // 50))
        return [Control(at_ns, "promotion", weight, strategy=self._who())]

    def lease(self, at_ns: int, later: int) -> list[Control]:
        self.fence += 1
        lost = Control(at_ns, "lease", 0, held=0)
        return [lost, Control(later, "lease", self.fence, held=1)]

    def latency(self, at_ns: int, later: int) -> list[Control]:
        value = self.rng.choice((1, 5, 12, 40))
        found = [Control(at_ns, "latency", value)]
        return [*found, Control(later, "latency", 0)] if self.rng.random() < 0.5 else found

    def stop(self, at_ns: int, later: int) -> list[Control]:
        return [Control(at_ns, "stop"), Control(later, "mode", 0)]

    def end(self, at_ns: int, later: int) -> list[Control]:
        return [Control(later, "end")]

    def down(self, at_ns: int, later: int) -> list[Control]:
        return [Control(at_ns, "down", max(at_ns + 1, later))]

    def limits(self, at_ns: int, later: int) -> list[Control]:
        keys = _keys(self.rng)
        if self.rng.random() < 0.4:  # smaller than what may be held by now
            keys |= {"max_position_size": self.rng.choice((1, 2, 5))}
        if self.rng.random() < 0.3:
            keys |= {"max_daily_loss": f"{TICK_LOT * self.rng.choice((1, 4)):f}"}
        for name in [name for name in keys if name.startswith("risk_limits.orders")]:
            del keys[name]  # within a run a rate may not be raised
        keys.pop("breaker.window_s", None)  # nor the window be lengthened
        kept = ("risk_limits.", "breaker.window_s")
        keys |= {name: self.keys[name] for name in self.keys if name.startswith(kept)}
        return [Control(at_ns, "limits", limits=keys)]

    def _who(self) -> str:
        return f"actor{self.rng.randrange(self.actors)}"

    def _scoped(self, scope: str) -> dict[str, str]:
        names = {"strategy": self._who(), "symbol": f"I{self.rng.randrange(self.instruments)}"}
        return {"scope": scope} | ({scope: names[scope]} if scope in names else {})


def _names(control: Control) -> tuple[str, str]:
    return control.strategy, control.symbol
