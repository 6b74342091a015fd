"""One promotion: that an alpha may trade, how much, until when, on whose word.

Immutable. It says what each signature covers and holds the rules that tie keys together; whether a
signature is good, and what the weight counts as now, is in `signatures`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from hft.core.errors import ConfigError, PromotionError
from hft.governance.promotion import schema
from hft.governance.promotion.text import dump
from hft.storage.chain import canonical
from hft.storage.strict_yaml import load_yaml

# What the canary may change: the approval signature does not cover it, the state signature does.
MOVING = ("weight", "enabled", "signatures", "rollback")
LOWEST_RUNG = 0.02  # the most that profile base, a forced or a self-approved promotion may carry


@dataclass(frozen=True)
class Promotion:
    """A promotion file's content, checked."""

    data: Mapping[str, Any]

    @classmethod
    def from_data(cls, data: Mapping[str, Any], source: str = "promotion") -> "Promotion":
        """Check types and rules. Raises: PromotionError naming file and key."""
        schema.conform(data, source)
        found = cls(schema.ordered(data))
        wrong = found._inconsistent()
        if wrong:
            raise PromotionError(f"{source}: {wrong}")
        return found

    @classmethod
    def from_bytes(cls, content: bytes, source: str) -> "Promotion":
        """The promotion in a file's bytes, which must be the canonical ones.

        Raises: PromotionError; an edited file is one whose bytes nobody here wrote.
        """
        try:
            text = content.decode("utf-8")
            data = load_yaml(text, source)
        except (ConfigError, UnicodeDecodeError) as error:
            words = str(error) if isinstance(error, ConfigError) else f"{source}: is not UTF-8"
            raise PromotionError(words) from None
        found = cls.from_data(data, source)
        if found.text != text:
            at = _first_difference(found.text, text)
            raise PromotionError(
                f"{source}: line {at}: was edited by hand; only `hft alpha approve` and "
                "`hft alpha canary` write promotion files"
            )
        return found

    def replace(self, **changes: Any) -> "Promotion":
        """The promotion with other values; mappings are merged, None removes `rollback`."""
        data = dict(self.data)
        for key, value in changes.items():
            if key == "rollback" and value is None:
                data.pop(key, None)
            elif isinstance(value, Mapping) and isinstance(data.get(key), Mapping):
                data[key] = {**data[key], **value}
            else:
                data[key] = value
        return Promotion.from_data(data)

    @cached_property
    def text(self) -> str:
        """The file, byte for byte."""
        return dump(self.data)

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def approval_payload(self) -> bytes:
        """What owner and validator stand for: all but weight, enabled, moving state, signatures."""
        kept = {key: value for key, value in self.data.items() if key not in MOVING}
        canary = {k: v for k, v in self.data["canary"].items() if k in ("ladder", "max_weight")}
        # A graduated file has no rollback block; it was approved with the one below.
        return canonical({**kept, "canary": canary, "rollback": self._rollback_block()})

    @property
    def state_payload(self) -> bytes:
        """What the last writer stands for: the whole file without signatures."""
        return canonical({key: value for key, value in self.data.items() if key != "signatures"})

    def _rollback_block(self) -> dict[str, Any]:
        given = self.data.get("rollback")
        return dict(given) if given is not None else rollback_block(self.data["guardrails"])

    @property
    def alpha_id(self) -> str:
        return str(self.data["alpha_id"])

    @property
    def enabled(self) -> bool:
        return bool(self.data["enabled"])

    @property
    def weight(self) -> float:
        return float(self.data["weight"])

    @property
    def profile(self) -> str:
        return str(self.data["profile"])

    @property
    def state(self) -> str:
        return str(self.data["canary"]["state"])

    @property
    def ladder(self) -> tuple[float, ...]:
        return tuple(self.data["canary"]["ladder"])

    @property
    def max_weight(self) -> float:
        return float(self.data["canary"]["max_weight"])

    @property
    def expiry(self) -> date:
        """The last day (UTC) on which the weight counts."""
        return date.fromisoformat(self.data["expiry_review_date"])

    @property
    def trigger(self) -> Mapping[str, float]:
        """Metrics above these roll back at once: rollback.trigger, else the guardrails."""
        if "rollback" in self.data:
            return dict(self.data["rollback"]["trigger"])
        return dict(rollback_block(self.data["guardrails"])["trigger"])

    def expired(self, now_ns: int) -> bool:
        """Is the review date over, in UTC?"""
        return utc_date(now_ns) > self.expiry

    def next_step(self) -> float | None:
        """The ladder step above the weight; None at the top."""
        return next((step for step in self.ladder if step > self.weight + 1e-12), None)

    def _inconsistent(self) -> str:
        data, canary = self.data, self.data["canary"]
        lowest = data["profile"] == "base" or data["forced"] or data["self_approved"]
        graduated = canary["state"] == "graduated"
        out = canary["state"] == "rolled_back"
        rules = {
            "weight: is above canary.max_weight": data["weight"] > canary["max_weight"],
            "canary.max_weight: is above the ladder": canary["max_weight"] > canary["ladder"][-1],
            f"canary.max_weight: is above {LOWEST_RUNG}, the lowest rung, which base, forced and "
            "self-approved promotions keep to": lowest and canary["max_weight"] > LOWEST_RUNG,
            "self_approved: is possible under profile base only": data["self_approved"]
            and data["profile"] != "base",
            "validator: is the owner; another person approves": data["validator"] == data["owner"]
            and not data["self_approved"],
            "readiness.evidence: asserted is possible under profile base only": data["readiness"][
                "evidence"
            ]
            == "asserted"
            and data["profile"] != "base",
            "rollback: is missing": "rollback" not in data and not graduated,
            "weight: a rolled-back promotion carries none": out
            and (data["weight"] > 0 or data["enabled"]),
        }
        return next((words for words, broken in rules.items() if broken), "")


def rollback_block(guardrails: Mapping[str, float]) -> dict[str, Any]:
    """The rollback block that approval writes for these guardrails."""
    return {
        "trigger": {
            "live_slippage_bps_gt": guardrails["max_live_slippage_bps"],
            "live_drawdown_contribution_gt": guardrails["max_live_drawdown_contribution"],
            "execution_error_rate_gt": guardrails["max_execution_error_rate"],
        },
        "action": {"set_weight_to_zero": True, "open_incident": True},
    }


def utc_date(now_ns: int) -> date:
    """The UTC calendar day of a time."""
    return datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).date()


def _first_difference(wanted: str, found: str) -> int:
    pairs = zip(wanted.splitlines(), found.splitlines(), strict=False)
    for number, (left, right) in enumerate(pairs, start=1):
        if left != right:
            return number
    return min(wanted.count("\n"), found.count("\n")) + 1
