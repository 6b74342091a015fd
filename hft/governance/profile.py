"""A profile: the thresholds that gates decide by, as versioned data with a hash.

The files are `config/governance/<name>.yaml`; flags may only tighten a profile other than `base`.
A threshold that is null is not asked for under that profile. A file that is looser than the one of
its name that came with hft says why, key by key, under `looser`.
"""

import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hft.core.errors import ConfigError
from hft.storage.chain import canonical

NAMES = ("standard", "tier1", "base")
# Keys that only `base` reads: what they ask warns and never decides, and a file may leave them out.
ADVICE = (
    "gate_a.metadata_tier_min",
    "gate_c.series_level",
    "gate_c.series_draws",
    "gate_c.series_nonzero_min",
    "gate_c.series_survivors_min",
    "gate_c.series_survivors_uncorrected_min",
    "gate_c.bds_p_min",
    "gate_f.parity_seconds_max",
    "gate_f.regression_max",
)
REASONS = "looser"
NO_BOUNDS = ("profile", REASONS)


@dataclass(frozen=True)
class Profile:
    """Thresholds by dotted key, such as `gate_c.dsr_min`.

    `changed` are those that flags set, `reasons` why the file is looser in a key, `loosened` a
    sentence for each such key; the hash is of name and values only.
    """

    name: str
    values: Mapping[str, Any]
    changed: Mapping[str, Any] = field(default_factory=dict, compare=False)
    reasons: Mapping[str, str] = field(default_factory=dict, compare=False)
    loosened: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], source: str, known: Collection[str] = ()
    ) -> "Profile":
        """The profile in a file's mapping; `known` are the thresholds it must state, each and no
        other. Raises: ConfigError naming file and key.
        """
        name = data.get("profile")
        if name not in NAMES:
            is_ = "is missing; write one" if name is None else f"{name!r} is none"
            raise ConfigError(f"{source}: profile: {is_} of {', '.join(NAMES)}")
        values: dict[str, Any] = {}
        for section, entries in data.items():
            if section in NO_BOUNDS:
                continue
            if not isinstance(entries, Mapping):
                values[section] = entries
                continue
            values |= {f"{section}.{key}": value for key, value in entries.items()}
        for key, value in values.items():
            _checked(key, value, source)
        if known:
            _complete(values, known, source)
        return cls(str(name), values, reasons=_reasons(data.get(REASONS, {}), values, source))

    def looser_than(
        self, other: "Profile", sections: Collection[str] = ()
    ) -> list[tuple[str, Any, Any]]:
        """Key, value here and value there wherever this profile asks less than the other.

        `sections` narrow it (`gate_a`). A key that is no bound may not differ at all; advice may.
        """
        found = []
        for key, there in other.values.items():
            section, _, name = key.partition(".")
            if not name or key in ADVICE or (sections and section not in sections):
                continue
            here = self.values.get(key)
            if not _tightens(key, there, here):
                found.append((key, here, there))
        return found

    def explained(self, shipped: "Profile", source: str) -> "Profile":
        """The profile with a sentence for each key in which it is looser than the one shipped.

        Raises: ConfigError for a key without a reason; `base` may be anything.
        """
        sentences = []
        for key, here, there in [] if self.lenient else self.looser_than(shipped):
            reason = self.reasons.get(key)
            if not reason:
                raise ConfigError(
                    f"{source}: {key}: {here!r} is looser than the {there!r} of hft's profile "
                    f"{self.name}; take it back, or write why under `{REASONS}:` as `{key}: REASON`"
                )
            sentences.append(f"{key} is {here!r} instead of {there!r}: {reason}")
        return replace(self, loosened=tuple(sentences))

    def get(self, key: str) -> Any:
        """The value of a key; None where the profile does not ask. Raises: ConfigError."""
        if key not in self.values and key not in ADVICE:
            raise ConfigError(f"profile {self.name}: no threshold {key!r}")
        return self.values.get(key)

    def number(self, key: str) -> float:
        """A threshold that every profile has. Raises: ConfigError when it is null."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"profile {self.name}: {key}: {value!r} is not a number")
        return float(value)

    @property
    def hash(self) -> str:
        """SHA-256 of name and thresholds; it goes into every audit row."""
        content = {"profile": self.name, "values": dict(self.values)}
        return hashlib.sha256(canonical(content)).hexdigest()

    @property
    def lenient(self) -> bool:
        """Is this the profile for short tapes and teaching?"""
        return self.name == "base"

    def replace(self, changes: Mapping[str, Any], source: str = "--set") -> "Profile":
        """The profile with changed thresholds; only tighter ones outside `base`.

        Raises: ConfigError for an unknown key, another type, or a looser value.
        """
        values = dict(self.values)
        for key, value in changes.items():
            old = self._known(key, source)
            if isinstance(value, bool) != isinstance(old, bool) or (
                isinstance(old, int | float) and not isinstance(value, int | float)
            ):
                raise ConfigError(f"{source}: {key}: {value!r} is of another kind than {old!r}")
            _checked(key, value, source)
            if not self.lenient and key in ADVICE:
                raise ConfigError(
                    f"{source}: {key}: is advice, which only the profile base gives; "
                    "leave it out or use --profile base"
                )
            if not self.lenient and not _tightens(key, old, value):
                raise ConfigError(
                    f"{source}: {key}: {value!r} is looser than the profile's {old!r}; "
                    f"a flag only tightens the profile {self.name}"
                )
            values[key] = value
        return replace(self, values=values, changed={**self.changed, **changes})

    def _known(self, key: str, source: str) -> Any:
        if key not in self.values and key not in ADVICE:
            raise ConfigError(f"{source}: {key}: no such threshold{_meant(key, self.values)}")
        return self.values.get(key)


def _reasons(given: Any, values: Mapping[str, Any], source: str) -> dict[str, str]:
    """Raises: ConfigError for a key that is no threshold, or a reason that is no text."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"{source}: {REASONS}: is not a mapping of threshold to reason")
    for key, reason in given.items():
        if key not in values:
            raise ConfigError(f"{source}: {REASONS}: {key}: no such threshold{_meant(key, values)}")
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(f"{source}: {REASONS}: {key}: {reason!r} is no reason; write why")
    return {str(key): str(reason).strip() for key, reason in given.items()}


def _meant(key: str, known: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(key, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _checked(key: str, value: Any, source: str) -> None:
    """Only numbers decide: text and NaN compare as nothing. Raises: ConfigError."""
    for one in value if isinstance(value, list | tuple) else (value,):
        if one is not None and not (isinstance(one, int | float) and math.isfinite(one)):
            raise ConfigError(f"{source}: {key}: {one!r} is no number; null is not asked for")


def _complete(values: Mapping[str, Any], known: Collection[str], source: str) -> None:
    for key in values:
        if key not in known and key not in ADVICE:
            raise ConfigError(f"{source}: {key}: no such threshold{_meant(key, known)}")
    for key in known:
        if key not in values and key not in ADVICE:
            raise ConfigError(f"{source}: {key}: is missing; null says that it is not asked for")


def _tightens(key: str, old: Any, new: Any) -> bool:
    """Is the new value at least as strict? Keys end in _min or _max; others may not move."""
    if old is None or old == new:
        return True
    if not isinstance(new, int | float):
        return False
    if key.endswith("_min"):
        return bool(new >= old)
    if key.endswith("_max"):
        return bool(new <= old)
    return False
