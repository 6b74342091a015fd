"""Seeded faults between us and the venue, so that a strategy meets them before its owner does."""

from hft.core.codes import IntentType
from hft.core.jit import kernel
from hft.core.seeds import PURPOSE_FAULT, draw
from hft.replay.state import Engine

_NEW = IntentType.NEW.value


@kernel
def refuses(engine: Engine, kind: int, ts: int) -> bool:
    """Is the venue down for this command, or does it reject this order? Mutates: engine.faults."""
    fault = engine.faults[0]
    if fault["down_from_ns"] <= ts < fault["down_until_ns"]:
        fault["injected"] += 1
        return True
    return kind == _NEW and _strikes(engine, fault["reject_e6"], 1)


@kernel
def _strikes(engine: Engine, chance_e6: int, purpose: int) -> bool:
    if chance_e6 == 0:
        return False
    fault = engine.faults[0]
    value = draw(fault["seed"], PURPOSE_FAULT, purpose, fault["draws"])
    fault["draws"] += 1
    hit = value % 1_000_000 < chance_e6
    if hit:
        fault["injected"] += 1
    return hit
