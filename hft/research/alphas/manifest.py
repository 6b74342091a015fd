"""What an alpha says about itself before anybody looks at a result.

The manifest is a property of the alpha's class; there is no second copy in a file. Nothing here
decides whether an alpha is good: the structural checks of Gate A read it.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hft.core.errors import ValidationError
from hft.research.alphas.ids import alpha_id

STATUSES = ("DRAFT", "CANDIDATE", "VALIDATED", "PROMOTED", "CANARY", "LIVE", "RETIRED")
TIERS = ("TIER_1", "TIER_2", "TIER_3", "ENSEMBLE", "RL")
COMPLEXITIES = ("O(1)", "O(N)")
TUPLES = ("paper_refs", "data_fields", "known_at", "roles_used", "skills_used")
REQUIRED = ("hypothesis", "formula", "data_fields", "complexity", "owner", "family")


@dataclass(frozen=True)
class FittedFile:
    """A file beside the code: what it was fitted on ("nothing": on no data) and until when."""

    path: str
    fitted_on: str
    fitted_until: str = ""

    def to_dict(self) -> dict[str, str]:
        """JSON-ready."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class AlphaManifest:
    """An alpha's identity, claim and needs. Units: `horizon_ns` nanoseconds, `threshold` of the
    signal, `target_capital` points of price. A threshold that is declared is the one trial of a
    validation: nothing is swept. `target_lots` are the contracts that the target capital carries
    at full position; without a capital each stands on its own price.
    """

    alpha_id: str
    hypothesis: str
    formula: str
    paper_refs: tuple[str, ...] = ()
    data_fields: tuple[str, ...] = ()
    complexity: str = "O(1)"
    status: str = "DRAFT"
    tier: str | None = "ENSEMBLE"
    latency_profile: str | None = None
    feature_set_version: str | None = None
    horizon_ns: int = 0
    owner: str = ""
    family: str = ""
    files: tuple[FittedFile, ...] = ()  # or mappings of its fields
    known_at: tuple[str, ...] = ()  # "field: row" or "field: column of times", of bought-in fields
    threshold: float | None = None  # of the position rule, declared before any row is judged
    target_capital: float | None = None  # what limits of drawdown and stress are shares of
    target_lots: float = 1.0
    # Read under the profile `base` only.
    rust_module: str | None = None
    roles_used: tuple[str, ...] = ()
    skills_used: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in TUPLES:
            value = getattr(self, name)
            texts = (value,) if isinstance(value, str) else tuple(value)
            object.__setattr__(self, name, texts)
        object.__setattr__(self, "files", self._files(self.files))
        for entry in dataclasses.fields(self):
            self._typed(entry.name, getattr(self, entry.name))

    def _files(self, given: Any) -> tuple[FittedFile, ...]:
        """Raises: ValidationError for an entry that is no mapping of texts."""
        found = []
        for entry in (given,) if isinstance(given, dict | FittedFile) else tuple(given):
            told = entry.to_dict() if isinstance(entry, FittedFile) else entry
            try:
                made = FittedFile(**told)
            except TypeError:
                made = FittedFile("", "")
            texts = (made.path, made.fitted_on, made.fitted_until)
            if (
                not all(isinstance(one, str) for one in texts)
                or not made.path
                or not made.fitted_on
            ):
                raise ValidationError(
                    f"alpha {self.alpha_id!r}: manifest: files: {entry!r} is no entry; write "
                    '{"path": "weights.npy", "fitted_on": "data/train", '
                    '"fitted_until": "2024-06-30"}'
                )
            found.append(made)
        return tuple(found)

    def _typed(self, name: str, value: Any) -> None:
        """Raises: ValidationError for a value of another kind."""
        optional = name in ("tier", "latency_profile", "feature_set_version", "rust_module")
        if name == "threshold":
            fine = value is None or (_a_number(value) and 0.0 <= value < float("inf"))
            wanted = "a finite number, 0 or more"
        elif name in ("target_capital", "target_lots"):
            optional_capital = name == "target_capital" and value is None
            fine = optional_capital or (_a_number(value) and 0.0 < value < float("inf"))
            wanted = "a finite number above 0"
        elif name == "horizon_ns":
            fine = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            wanted = "a whole number of ns"
        elif name == "files":
            fine, wanted = True, "entries of files"
        elif name in TUPLES:
            fine, wanted = all(isinstance(one, str) for one in value), "a tuple of texts"
        else:
            fine, wanted = isinstance(value, str) or (optional and value is None), "a text"
        if not fine:
            raise ValidationError(
                f"alpha {self.alpha_id!r}: manifest: {name}: {value!r} is not {wanted}"
            )

    def problems(self) -> list[str]:
        """What keeps the manifest from being complete, a sentence each."""
        found = [
            f"{name} is empty"
            for name in REQUIRED
            if not getattr(self, name) or not str(getattr(self, name)).strip()
        ]
        if self.horizon_ns <= 0:
            found.append("horizon_ns is 0; say over which time the signal should predict")
        try:
            if alpha_id(self.alpha_id) != self.alpha_id:
                found.append(f"alpha_id should be written {alpha_id(self.alpha_id)}")
        except ValidationError as error:
            found.append(str(error))
        if self.status.upper() not in STATUSES:
            found.append(f"status {self.status!r} is none of {', '.join(STATUSES)}")
        return found

    @property
    def capital_a_contract(self) -> float | None:
        """Points of price that a contract stands on; None where the manifest does not say."""
        return None if self.target_capital is None else self.target_capital / self.target_lots

    @property
    def normal_complexity(self) -> str:
        """The complexity without spaces, in upper case: "o( n )" is "O(N)"."""
        return re.sub(r"\s+", "", self.complexity).upper()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "AlphaManifest":
        """A manifest from a mapping. Raises: ValidationError naming an unknown key."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValidationError(f"manifest: no field {unknown[0]!r}; it has {', '.join(known)}")
        return cls(**data)


def _a_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
