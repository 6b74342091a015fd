"""What a decision about a promotion is made with: workspace, keys, journal, ledger, time, people.

Plain values and ports; the layer above fills it from settings, clock and user.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hft.audit.keychange import complete
from hft.audit.keys import Keys
from hft.audit.trust import UNROOTED, Trust
from hft.core.errors import Busy
from hft.governance import interruptions
from hft.governance.promotion.changes import Change, changes, newest_files
from hft.governance.promotion.commit import Recorder, exclusive, recover
from hft.research.workspace import Workspace
from hft.storage.lock import locked

ROOTED = ("tier1",)  # profiles whose capital asks for keys that the workspace cannot change


class Books(Protocol):
    """The trial ledger as a promotion needs it; `registry` is the folder that a desk shares."""

    registry: Path | None

    def heads(self) -> dict[str, dict[str, int | str]]:
        """The newest row of each writer."""
        ...

    def verify(self, anchors: Any = (), *, vectors: bool = True) -> list[Any]:
        """What is wrong, given heads kept elsewhere."""
        ...

    def vectors(self, trial_ids: Iterable[str]) -> dict[str, np.ndarray]:
        """Net returns per period by trial id, as far as they are there."""
        ...


class Audit(Recorder, Protocol):
    """The journal of decisions."""

    def head(self) -> Any:
        """Its newest row."""
        ...


@dataclass(frozen=True)
class Office:
    """One call's means. Units: `now_ns` UTC nanoseconds."""

    workspace: Workspace
    keys: Keys
    audit: Audit
    ledger: Books
    now_ns: int
    os_user: str
    promotions: Path
    bundle_days: int = 14
    trust: Trust | None = None  # on whose word the keys count; None: on that of the workspace
    # Raises where the remote does not answer now, or keeps another journal than the one here.
    assert_anchored: Callable[[], None] = lambda: None
    rehearsal: bool = False

    @property
    def stage(self) -> Path:
        """Where a change waits while it is carried out."""
        return self.workspace.state / "promotions"

    @property
    def reports(self) -> Path:
        """Promotion reports, a folder an alpha."""
        return self.workspace.experiments / "promotions"

    @property
    def validations(self) -> Path:
        """Validation reports, a folder an alpha."""
        return self.workspace.experiments / "validations"

    def recover(self) -> list[str]:
        """Finish what a crash left; one sentence for each. Raises: Busy."""
        ended = interruptions.close(self.workspace.state, self.audit.record, self.now_ns)
        ended += self._keys_completed()
        if not any(self.stage.glob("*.pending.json")):
            return ended
        with exclusive(self.stage):
            return [*ended, *recover(self.stage, self.audit, self.workspace.root)]

    def _keys_completed(self) -> list[str]:
        """A change of the keys that lacks its audit row: its signers' keys may be over later."""
        if self.trust is None or not self.trust.hashes:
            return []
        record = partial(self.audit.record, "control_log", now_ns=self.now_ns)
        try:
            with locked(self.workspace.state / "keys.lock", wait_s=0):
                return complete(self.workspace.keys, self.trust, self.audit.rows(), record)
        except Busy:
            return []  # somebody is changing them

    @property
    def trust_mark(self) -> str:
        """What a promotion file keeps of where its keys come from."""
        return (self.trust or Trust(self.keys)).mark

    def unrooted(self, profile: str) -> str:
        """Why nobody is promoted under a profile with these keys; empty where they will do."""
        rooted = self.trust is not None and self.trust.root is not None
        return f"profile {profile}: {UNROOTED}" if profile in ROOTED and not rooted else ""

    def changes(self, alpha_id: str | None = None) -> list[Change]:
        """What the journal says was put in place."""
        return changes(self.audit.rows(), alpha_id)

    def recorded(self) -> Mapping[str, str]:
        """The sha256 of the file last put in place for each alpha."""
        return newest_files(self.audit.rows())

    def heads(self) -> dict[str, Any]:
        """Audit head and ledger heads as a promotion file keeps them."""
        head = self.audit.head()
        return {"audit": {"seq": head.seq, "hash": head.hash}, "ledger": self.ledger.heads()}
