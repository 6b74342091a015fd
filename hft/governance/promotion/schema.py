"""The keys of a promotion file, in order, with the type of each; unknown and missing keys refused.

A leaf is a function that returns what is wrong with a value, or nothing. Rules that tie several
keys together are in `document`.
"""

import itertools
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from hft.core.errors import PromotionError

Leaf = Callable[[Any], str]

PROFILES = ("standard", "tier1", "base")
VERDICTS = ("PASS", "FAIL", "INSUFFICIENT")
STATES = ("canary", "escalated", "graduated", "rolled_back")
ACTIONS = ("hold", "escalate", "rollback", "graduate")
EVIDENCE = ("runs", "asserted")
ALPHA_ID = re.compile(r"[a-z0-9_]+")
HEX = re.compile(r"[0-9a-f]{4,64}")


def text(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else "is not a text"


def flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "is neither true nor false"


def count(value: Any) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return "" if good else "is not a whole number of at least 0"


def number(value: Any) -> str:
    return "" if isinstance(value, float) and math.isfinite(value) else "is not a decimal number"


def positive(value: Any) -> str:
    return number(value) or ("" if value >= 0 else "is below 0")


def fraction(value: Any) -> str:
    return number(value) or ("" if 0 <= value <= 1 else "is not between 0 and 1")


def day(value: Any) -> str:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return "is not a date like 2026-12-21"
    return "" if isinstance(value, str) and len(value) == 10 else "is not a date like 2026-12-21"


def digest(value: Any) -> str:
    return "" if isinstance(value, str) and HEX.fullmatch(value) else "is not a hash"


def alpha_id(value: Any) -> str:
    return "" if isinstance(value, str) and ALPHA_ID.fullmatch(value) else "is not an alpha id"


def one_of(*names: str) -> Leaf:
    return lambda value: "" if value in names else f"is none of {', '.join(names)}"


def optional(leaf: Leaf) -> Leaf:
    return lambda value: "" if value is None else leaf(value)


def ladder(value: Any) -> str:
    if not isinstance(value, list) or not value or any(fraction(step) for step in value):
        return "is not a list of fractions"
    rising = all(low < high for low, high in itertools.pairwise(value))
    return "" if rising and value[0] > 0 else "does not rise from step to step"


HEAD: dict[str, Any] = {"seq": count, "hash": digest}
SIGNATURE: dict[str, Any] = {"name": text, "sig": text}


def heads(value: Any) -> str:
    """Ledger heads by writer, in the order of their names."""
    if not isinstance(value, Mapping):
        return "is not a mapping of writers"
    for name, head in value.items():
        if not isinstance(name, str) or not isinstance(head, Mapping) or list(head) != list(HEAD):
            return "is not {<writer_id>: {seq: .., hash: ..}}"
        wrong = count(head["seq"]) or digest(head["hash"])
        if wrong:
            return f"of {name} {wrong}"
    return "" if list(value) == sorted(value) else "is not sorted by writer"


SCHEMA: dict[str, Any] = {
    "config_version": text,
    "parent_config_version": optional(text),
    "alpha_id": alpha_id,
    "enabled": flag,
    "weight": fraction,
    "profile": one_of(*PROFILES),
    "owner": text,
    "validator": text,
    "self_approved": flag,
    "expiry_review_date": day,
    "forced": flag,
    "source_commit": text,
    "run_id": text,
    "hashes": {
        **dict.fromkeys(("config", "data", "code", "thresholds", "scorecard"), digest),
        "limits": optional(digest),
        "bundle": digest,
        "memo": digest,
        "unseen": optional(digest),
    },
    "heads": {"audit": HEAD, "ledger": heads},
    "trust": text,
    "scorecard_snapshot": {
        **dict.fromkeys(
            ("sharpe_oos", "max_drawdown", "turnover", "correlation_pool_max"), optional(number)
        ),
        "pool_empty": flag,
        "n_trials": count,
        "n_effective": optional(positive),
    },
    "thresholds": dict.fromkeys(
        ("min_sharpe_oos", "max_abs_drawdown", "max_turnover", "max_correlation"), number
    ),
    "readiness": {
        **dict.fromkeys(("gate_c", "gate_d", "gate_e"), one_of(*VERDICTS)),
        "evidence": one_of(*EVIDENCE),
        "shadow_sessions": optional(count),
        "drift_alerts": optional(count),
        "execution_reject_rate": optional(fraction),
    },
    "guardrails": dict.fromkeys(
        ("max_live_slippage_bps", "max_live_drawdown_contribution", "max_execution_error_rate"),
        positive,
    ),
    "canary": {
        "ladder": ladder,
        "max_weight": fraction,
        "state": one_of(*STATES),
        "last_action": optional(one_of(*ACTIONS)),
        "last_ts_ns": optional(count),
    },
    "rollback": {
        "trigger": dict.fromkeys(
            (
                "live_slippage_bps_gt",
                "live_drawdown_contribution_gt",
                "execution_error_rate_gt",
            ),
            positive,
        ),
        "action": {"set_weight_to_zero": flag, "open_incident": flag},
    },
    "signatures": {"owner": SIGNATURE, "validator": SIGNATURE, "state": SIGNATURE},
}


# A graduated promotion has no rollback, which `document` holds it to; older files lack the others.
MAY_LACK = ("rollback", "trust", "hashes.unseen")


def conform(data: Any, source: str) -> None:
    """Every key present, none unknown, each of its type. Raises: PromotionError naming the key."""
    if not isinstance(data, Mapping):
        raise PromotionError(f"{source}: is not a mapping of keys; a promotion file has {_keys()}")
    _conform(data, SCHEMA, source, "")


def _conform(data: Mapping[str, Any], schema: Mapping[str, Any], source: str, at: str) -> None:
    unknown = [key for key in data if key not in schema]
    if unknown:
        raise PromotionError(f"{source}: {at}{unknown[0]}: unknown key; remove it")
    for key, expected in schema.items():
        if key not in data:
            if f"{at}{key}" in MAY_LACK:
                continue
            raise PromotionError(f"{source}: {at}{key}: is missing")
        value = data[key]
        if isinstance(expected, Mapping):
            if not isinstance(value, Mapping):
                raise PromotionError(f"{source}: {at}{key}: is not a mapping of keys")
            _conform(value, expected, source, f"{at}{key}.")
            continue
        wrong = expected(value)
        if wrong:
            raise PromotionError(f"{source}: {at}{key}: {value!r} {wrong}")


def ordered(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same data with the keys in the order of the schema."""
    return _ordered(data, SCHEMA)


def _ordered(data: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, expected in schema.items():
        if key not in data:
            continue
        inner = isinstance(expected, Mapping) and isinstance(data[key], Mapping)
        found[key] = _ordered(data[key], expected) if inner else data[key]
    return found | {key: value for key, value in data.items() if key not in schema}


def _keys() -> str:
    return ", ".join(SCHEMA)
