"""The evidence bundle: everything a promotion stands on, frozen in one file and named by its hash.

`promote` freezes it and the owner signs its hash; `approve` trusts nothing in it that it cannot
check again. It is plain data: no paths of a machine, no wall time but that of the decision.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hft.core.errors import PromotionError
from hft.governance.profile import Profile
from hft.storage.atomic import write_atomic
from hft.storage.chain import canonical

NAME = "bundle.json"
DECISION = "promotion_decision.json"
SCHEMA_VERSION = 1
FIELDS = (
    "alpha_id",
    "claim",
    "created_ns",
    "drill",
    "family",
    "forced",
    "force_reason",
    "hashes",
    "heads",
    "inputs",
    "kind",
    "owner",
    "plan",
    "profile",
    "readiness",
    "reasons",
    "renews",
    "run_id",
    "schema_version",
    "scorecard",
    "shadow",
    "source_commit",
    "thresholds",
    "validation",
    "verdicts",
)
HASHES = ("code", "config", "data", "limits", "scorecard", "simulator", "thresholds")


@dataclass(frozen=True)
class Bundle:
    """The content of a `bundle.json`."""

    data: Mapping[str, Any]

    @classmethod
    def of(cls, data: Mapping[str, Any], source: str = NAME) -> "Bundle":
        """Check that it is whole. Raises: PromotionError naming the field."""
        if not isinstance(data, Mapping) or data.get("kind") != "promotion-bundle":
            raise PromotionError(f"{source}: is no evidence bundle; `hft alpha promote` makes one")
        if data.get("schema_version") != SCHEMA_VERSION:
            raise PromotionError(
                f"{source}: schema_version {data.get('schema_version')!r} is not {SCHEMA_VERSION}; "
                "promote again"
            )
        for field in FIELDS:
            if field not in data:
                raise PromotionError(f"{source}: {field}: is missing; promote again")
        unknown = sorted(set(data) - set(FIELDS))
        if unknown:
            raise PromotionError(f"{source}: {unknown[0]}: is no field of a bundle; promote again")
        for name in HASHES:
            if name not in data["hashes"]:
                raise PromotionError(f"{source}: hashes.{name}: is missing; promote again")
        return cls(data)

    @classmethod
    def read(cls, path: Path) -> "Bundle":
        """Raises: PromotionError for a file that is absent, edited or no bundle."""
        try:
            content = path.read_bytes()
            data = json.loads(content)
        except FileNotFoundError:
            raise PromotionError(
                f"{path}: there is no bundle; `hft alpha promote` makes one"
            ) from None
        except (OSError, ValueError) as error:
            raise PromotionError(f"{path}: cannot be read: {error}") from None
        found = cls.of(data, str(path))
        if found.content != content:
            raise PromotionError(f"{path}: was edited after it was frozen; promote again")
        return found

    def write(self, path: Path) -> None:
        """Freeze it, whole or not at all."""
        write_atomic(path, self.content)

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file."""
        return canonical(self.data)

    @property
    def sha256(self) -> str:
        """The name of the bundle."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def alpha_id(self) -> str:
        return str(self.data["alpha_id"])

    @property
    def hashes(self) -> Mapping[str, str | None]:
        return dict(self.data["hashes"])

    @property
    def forced(self) -> bool:
        return bool(self.data["forced"])

    @property
    def profile(self) -> Profile:
        """The thresholds that were frozen."""
        return Profile(str(self.data["profile"]), dict(self.data["thresholds"]))

    def age_days(self, now_ns: int) -> float:
        """Days since it was frozen."""
        return (now_ns - int(self.data["created_ns"])) / 86_400e9


def folders(root: Path, alpha_id: str) -> list[Path]:
    """The promotion folders of an alpha with a bundle, oldest first."""
    base = root / alpha_id
    return [path for path in sorted(base.glob("*")) if (path / NAME).is_file()]


def find(root: Path, alpha_id: str, sha256: str | None = None) -> tuple[Path, Bundle]:
    """The newest bundle of an alpha, or the one whose hash begins so.

    Raises: PromotionError when there is none, or the beginning fits several.
    """
    found = folders(root, alpha_id)
    if not found:
        raise PromotionError(f"{alpha_id}: nobody proposed it; run `hft alpha promote {alpha_id}`")
    if sha256 is None:
        return found[-1], Bundle.read(found[-1] / NAME)
    matching = []
    for path in found:
        content = hashlib.sha256((path / NAME).read_bytes()).hexdigest()
        if content.startswith(sha256.lower()):
            matching.append(path)
    if not matching:
        raise PromotionError(f"{alpha_id}: no bundle has a hash that begins with {sha256}")
    if len({(path / NAME).read_bytes() for path in matching}) > 1:
        raise PromotionError(f"{alpha_id}: {len(matching)} bundles begin with {sha256}; write more")
    return matching[-1], Bundle.read(matching[-1] / NAME)
