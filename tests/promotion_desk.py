"""A rehearsal workspace with one alpha judged on planted bars: the real thing, made once, copied.

Profile base, so that five months of bars are enough; the owner is the user, bob validates.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hft
from hft.api.outcome import Outcome
from hft.audit.keys import dump, entry
from hft.audit.sign import generate
from hft.governance.ledger.ledger import Ledger
from hft.research.data.planted import write
from hft.storage.chain import canonical
from hft.storage.strict_yaml import load_yaml

ALPHA = "flow"
DAYS = 100
ASSERTED = {"shadow_sessions": 10, "drift_alerts": 0, "execution_reject_rate": 0.0}
CARD, MANIFEST = "scorecard.json", "manifest.json"


@dataclass(frozen=True)
class PlantedDesk:
    """One workspace. `hour` counts from 2025-01-02T00:00Z."""

    root: Path

    @classmethod
    def made(cls, root: Path) -> "PlantedDesk":
        """Initialised, with the alpha's folder and its bars; nothing was judged yet."""
        hft.alpha.init(root, rehearsal=True)
        keys = root / "config" / "keys.yaml"
        rows = load_yaml(keys.read_text(), "keys.yaml")
        public = generate(root / ".state" / "people" / "bob", "bob")
        keys.write_text(dump([*rows, entry("bob", public, roles=["validator"])]))
        write(root / "data" / "planted", 0.1, days=DAYS, seed=1)
        hft.alpha.scaffold(ALPHA, source="order_flow_imbalance", hypothesis="flow", root=root)
        return cls(root)

    def copy(self, root: Path) -> "PlantedDesk":
        """The same workspace in another folder."""
        shutil.copytree(self.root, root)
        return PlantedDesk(root)

    def validate(self, hour: int = 10, data: Any = None, **more: Any) -> Any:
        """Gates A to C under base."""
        rows = self.root / "data" / "planted" if data is None else data
        given = {"profile": "base", "taker_bps": 0.25, **more}
        return hft.alpha.validate(ALPHA, rows, root=self.root, now=at(hour), **given)

    def promote(self, hour: int = 11, **more: Any) -> Outcome:
        """The owner's proposal with typed shadow counts."""
        given = {"profile": "base", "asserted": ASSERTED, **more}
        return hft.alpha.promote(ALPHA, root=self.root, now=at(hour), **given)

    def approve(self, hour: int = 12, **more: Any) -> Outcome:
        """Bob's answer."""
        memo = self.root / "memo.md"
        memo.write_text("Checked; a planted market.\n")
        given = {"key": self.root / ".state" / "people" / "bob", "memo": memo, **more}
        return hft.alpha.approve(ALPHA, root=self.root, now=at(hour), **given)

    @property
    def validation(self) -> Path:
        """The folder of the newest validation."""
        folder = self.root / "research" / "experiments" / "validations" / ALPHA
        return max(folder.iterdir())

    def read(self, name: str) -> dict[str, Any]:
        """A file of the newest validation."""
        return dict(json.loads((self.validation / name).read_bytes()))

    def forge(self, name: str, **changed: Any) -> None:
        """Other values in a file of the newest validation."""
        (self.validation / name).write_bytes(canonical(self.read(name) | changed))

    @property
    def ledger(self) -> Ledger:
        """The trials."""
        return Ledger.open(self.root / "research" / "ledger")


def at(hour: int) -> str:
    """An hour of the rehearsal."""
    moment = datetime(2025, 1, 2, tzinfo=UTC) + timedelta(hours=hour)
    return moment.strftime("%Y-%m-%dT%H:00Z")
