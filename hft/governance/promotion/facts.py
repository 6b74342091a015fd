"""The facts behind a bundle as they are at approval: hashes made, evidence measured again.

What cannot be read is None, so that approval can name it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.core.errors import DataError, HftError, PromotionError
from hft.governance.profile import Profile
from hft.governance.promotion import unseen as unseen_rows
from hft.governance.promotion.approve import Facts, Now
from hft.governance.promotion.bundle import Bundle
from hft.governance.promotion.evidence import (
    Remade,
    data_of,
    file_hash,
)
from hft.governance.promotion.people import Person
from hft.governance.promotion.recheck import Again
from hft.governance.promotion.remeasure import Means, remeasure
from hft.governance.promotion.status import hurdle_now
from hft.governance.promotion.unseen import Look
from hft.governance.promotion.verdicts import Validated, find
from hft.governance.simulator import report
from hft.research.data.load import load
from hft.research.worker import roster


@dataclass(frozen=True)
class Unseen:
    """Rows that the author never had, who shows them, and how many vault looks a family has."""

    data: Sequence[str]
    validator: Person
    key: Path  # the validator's
    budget: int


SAME = ("code", "data", "config")  # without these there is nothing to measure again


class AtApproval(Facts):
    """Made at the desk of who approves; `limits_file` is what the alpha trades under, `unseen` what
    who approves shows it beside the rows it was judged on, if anything.
    """

    def __init__(self, means: Means, limits_file: Any, unseen: Unseen | None = None) -> None:
        self.means, self.limits_file, self.unseen = means, limits_file, unseen
        self.brings_rows = unseen is not None

    def of(self, bundle: Bundle) -> Now:
        """Every hash, and unless code or data moved the validation measured again."""
        office, hashes = self.means.office, dict[str, str | None].fromkeys(bundle.hashes)
        validated = self._validated(bundle)
        hashes["limits"] = file_hash(self.limits_file)
        hashes["simulator"] = self._simulator()
        profile = self._profile(bundle)
        hashes["thresholds"] = None if profile is None else profile.hash
        again: Again | None = None
        remade: Remade | None = None
        look: Look | None = None
        unmeasured = ""
        if validated is not None:
            hashes["scorecard"] = validated.scorecard_hash
            try:
                hashes["config"] = validated.options.hash
                made = self._made(validated, hashes)
                if all(hashes[name] == bundle.hashes[name] for name in SAME):
                    remade = made()
                    again = remeasure(self.means, validated, remade)
            except HftError as error:
                unmeasured = str(error)
            if again is not None and remade is not None:
                look = self._look(validated, remade, str(bundle.data["owner"]["name"]))
        hurdle = None
        if again is not None and again.recorded:
            hurdle = hurdle_now(self.means.ledger, again.trial)
        used = profile or self.means.profile
        unproven = () if validated is None else tuple(validated.unproven(office.audit.rows(), used))
        return Now(hashes, hurdle, again, used.values, unproven, unmeasured, look)

    def _simulator(self) -> str | None:
        """The hash of the simulator's reports; None where their runs do not give them again."""
        office = self.means.office
        if not self.means.profile.get("gate_e.simulator_report"):
            return report.sha256_of(office.workspace.root)
        found = report.on_file(office.workspace.root, office.keys, rehearsal=office.rehearsal)
        return found.sha256

    def _made(self, validated: Validated, hashes: dict[str, str | None]) -> Callable[[], Remade]:
        """Alpha and data as they are, their hashes noted as soon as they are known."""
        office = self.means.office
        self.means.tell("load")
        alpha = roster.find(office.workspace, validated.alpha_id)
        hashes["code"] = alpha.code_hash
        data = data_of(office, validated, alpha)
        hashes["data"] = data.fingerprint
        return lambda: Remade.of(alpha, data, validated)

    def _look(self, validated: Validated, made: Remade, owner: str) -> Look | None:
        """What the frozen code shows on unseen rows; None where none are given."""
        given, means, manifest = self.unseen, self.means, made.alpha.manifest
        if given is None:
            return None
        means.tell("unseen rows")
        rows = load(given.data, fields=manifest.data_fields, horizon_ns=manifest.horizon_ns)
        needed = unseen_rows.asked(means.profile)
        if len(rows.sessions) < needed:  # before anything is shown or paid
            raise DataError(
                f"{rows.source}: has {len(rows.sessions)} sessions, at least {needed} are asked for"
            )
        return unseen_rows.look(
            means.office,
            owner,
            validated,
            made.alpha,
            (made.data, made.signal),
            rows,
            unseen_rows.payment(
                means.office,
                unseen_rows.family_of(made.alpha),
                made.alpha.alpha_id,
                given.budget,
                given.validator,
                given.key,
            ),
        )

    def _profile(self, bundle: Bundle) -> Profile | None:
        """The profile as its file is now, with the flags that were given at the proposal."""
        overrides: Mapping[str, Any] = bundle.data["inputs"].get("overrides", {})
        try:
            return self.means.profile.replace(overrides)
        except HftError:
            return None

    def _validated(self, bundle: Bundle) -> Validated | None:
        """The validation behind a bundle, while its folder is there."""
        folder = self.means.office.validations
        for path in sorted((folder / bundle.alpha_id).glob("*/manifest.json"), reverse=True):
            try:
                found = find(folder, bundle.alpha_id, path.parent)
            except PromotionError:
                continue
            if found.run_id == bundle.data["run_id"]:
                return found
        return None
