"""What a proposal may wish for: thresholds that are tighter, guardrails that are numbers."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from hft.core.errors import ConfigError
from hft.governance.profile import Profile
from hft.governance.promotion.proposal import GUARDRAILS

# Flags that tighten a profile: option of `promote` -> threshold.
TIGHTEN = {
    "min_shadow_sessions": "gate_e.sessions_min",
    "max_execution_reject_rate": "gate_e.reject_rate_max",
    "min_sharpe_oos": "gate_d.sharpe_oos_min",
    "max_abs_drawdown": "gate_d.drawdown_min",
    "max_turnover": "gate_d.turnover_max",
    "max_correlation": "gate_d.correlation_pool_max",
}
TYPED = ("shadow_sessions", "drift_alerts", "execution_reject_rate")


def known(given: Mapping[str, Any] | None, names: Collection[str], what: str) -> Mapping[str, Any]:
    """Raises: ConfigError for a name that is none of the options."""
    for name in given or {}:
        if name not in names:
            raise ConfigError(f"{what}: {name!r} is none of {', '.join(names)}")
    return dict(given or {})


def guardrails(given: Mapping[str, float] | None) -> dict[str, float]:
    """All of them, those given in the place of hft's. Raises: ConfigError naming the option."""
    for name, value in known(given, GUARDRAILS, "guardrails").items():
        if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
            raise ConfigError(
                f"--{name.replace('_', '-')}: {value!r} is not a finite number of at least 0"
            )
    return {**GUARDRAILS, **(given or {})}


def tightened(given: Mapping[str, Any]) -> dict[str, Any]:
    """Thresholds by their keys; a drawdown is a loss, whatever sign it was typed with."""
    found = {}
    for option, value in given.items():
        if value is None:
            continue
        key = TIGHTEN[option]
        found[key] = -abs(value) if key.endswith("drawdown_min") else value
    return found


def assert_typed_allowed(given: Mapping[str, Any], profile: Profile) -> None:
    """Raises: ConfigError for typed counts under another profile than base."""
    typed = [name for name in TYPED if given.get(name) is not None]
    if typed and not profile.lenient:
        raise ConfigError(
            f"--{typed[0].replace('_', '-')}: typed counts are accepted under profile base only; "
            "give sealed run folders with --shadow-runs"
        )
