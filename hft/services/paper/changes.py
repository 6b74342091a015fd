"""What changes a session while it runs, besides the tape: operators, promotions, limits.

Each change is one control input, which the journal has before it is heard, and an audit row.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hft.core.errors import ConfigError
from hft.runs.controls import PPM, Control
from hft.services.promotions import POLL_S, Weight

_MODE = {0: "normal", 1: "degrade", 2: "halt"}
LATE = "written_to_in_force_ms"  # from a file to when nothing decided before it is left
_AUDITED = {
    "kill": "kill",
    "reset": "reset",
    "mode": "policy",
    "degraded": "policy",
    "promotion": "policy",
}


@dataclass(frozen=True)
class Change:
    """A control input whose time is not set, and what an audit row says of it.

    Units: `since_ns` UTC, when whoever wants it wrote it down; 0 where nobody knows. `kind` "" is
    not audited; `said` "" is not told.
    """

    control: Control
    kind: str = ""
    scope: str = ""
    before: str = ""
    after: str = ""
    cause: str = ""
    since_ns: int = 0
    said: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def told(self, late_ns: int | None) -> str:
        """The sentence for a person."""
        after = "" if late_ns is None else f"; in force {late_ns / 1e9:.3f} s after it was written"
        return f"{self.said}: {self.before} -> {self.after} ({self.cause}){after}"

    def row(self, session: str, where: Mapping[str, Any], late_ns: int | None) -> dict[str, Any]:
        """The own columns of its row in `control_log`."""
        more = {} if late_ns is None else {LATE: round(late_ns / 1e6, 3)}
        return {
            "scope": self.scope or session,
            "kind": self.kind,
            "old_state": self.before,
            "new_state": self.after,
            "cause": self.cause,
            "evidence": {**where, **self.evidence, **more},
        }


def change_of(control: Control) -> Change:
    """What an operator asked for, as a change. Raises: ConfigError for a reset without a cause."""
    if control.kind == "reset" and not control.cause.strip():
        raise ConfigError("cause: a reset says why, for the audit; ask again with --cause TEXT")
    scope = control.strategy or control.symbol or control.scope
    after = control.kind
    if control.kind == "mode":
        after = f"mode {_MODE[control.value]}"
    elif control.kind in ("degraded", "promotion"):
        after = f"{control.kind} {control.value}"
    kind = _AUDITED.get(control.kind, "")
    return Change(control, kind, scope, after=after, cause=control.cause or "asked")


def no_limits(path: str) -> Change:
    """Where no keys are. Raises: ConfigError."""
    raise ConfigError(
        f"{path}: nobody can stand for limits here: the session was begun outside of a workspace, "
        "whose config/keys.yaml says who may sign; begin it in one (`hft init`)"
    )


class WatchedPromotions:
    """What a folder of promotions says now, where it is not what it said before.

    `strategies` says which strategy trades which alpha. The first look says all of it.
    """

    def __init__(
        self,
        look: Callable[[], list[Weight]],
        strategies: Mapping[str, str],
        *,
        clock_s: Callable[[], float] = time.monotonic,
        poll_s: float = POLL_S,
    ) -> None:
        self._look, self._strategies = look, dict(strategies)
        self._clock_s, self._poll_s = clock_s, poll_s
        self._due_s: float | None = None
        self._said: dict[str, int] = {}

    def __call__(self) -> list[Change]:
        """The changes since the last look; none before the next one is due."""
        now_s = self._clock_s()
        if self._due_s is not None and now_s < self._due_s:
            return []
        self._due_s = now_s + self._poll_s
        found = []
        for weight in self._look():
            before = self._said.get(weight.alpha_id)
            if before != weight.ppm:
                self._said[weight.alpha_id] = weight.ppm
                found.append(self._change(weight, before))
        return found

    def _change(self, weight: Weight, before: int | None) -> Change:
        is_silenced = weight.ppm == 0 and bool(before)
        return Change(
            Control(0, "promotion", weight.ppm, strategy=self._strategies[weight.alpha_id]),
            "policy",
            weight.alpha_id,
            "weight not known" if before is None else f"weight {before / PPM:g}",
            f"weight {weight.ppm / PPM:g}",
            weight.reason or weight.code or "promotion file",
            0 if before is None else weight.changed_ns,
            f"{weight.alpha_id} is silenced" if is_silenced else f"{weight.alpha_id}",
            {"code": weight.code},
        )
