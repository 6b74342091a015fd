"""What every governance call stands on: the workspace, its settings, the time of the decision.

The only place where governance meets the clock, the environment and the name of the user; what is
below is handed plain values.
"""

import getpass
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hft.core.errors import ConfigError, GovernanceError
from hft.governance.profile import Profile
from hft.research.workspace import Workspace
from hft.settings import load_settings, packaged_profile, profile_path, read_profile
from hft.settings.load import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hft.audit.auditor import Auditor
    from hft.audit.keys import Keys
    from hft.audit.remote import Anchored, Kept, Remote
    from hft.audit.trust import Trust
    from hft.governance.ledger.ledger import Ledger
    from hft.storage.database import Source

MARKS = ("research/alphas", "config/strategy_promotions")


@dataclass(frozen=True)
class Desk:
    """One call's view of a workspace. Units: `now_ns` UTC nanoseconds."""

    workspace: Workspace
    settings: Settings
    now_ns: int
    rehearsal: bool
    user: str

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        return self.workspace.root

    @property
    def found(self) -> bool:
        """Whether there is a workspace, or only the folder of the call."""
        return any((self.root / mark).is_dir() for mark in MARKS)

    @property
    def actor(self) -> str:
        """Who decides, as it stands in audit rows; a rehearsal says so."""
        from hft.audit.records import REHEARSED

        return f"{self.user}{REHEARSED}" if self.rehearsal else self.user

    @property
    def login(self) -> str:
        """The login that four eyes compare; in a rehearsal one person plays all parts: none."""
        return "" if self.rehearsal else self.user

    def profile(self, name: str | None = None) -> Profile:
        """Thresholds by name or path; the setting's when not named.

        Raises: ConfigError, also for a file that is looser than hft's without saying why.
        """
        chosen = name or self.settings.alpha_profile
        source = str(profile_path(chosen, self.root))
        known = Profile.from_dict(packaged_profile("standard"), "standard").values.keys()
        found = Profile.from_dict(read_profile(chosen, self.root), source, known)
        shipped = Profile.from_dict(packaged_profile(found.name), found.name)
        return found.explained(shipped, source)

    @cached_property
    def keys(self) -> "Keys":
        """Who may sign as what. Raises: GovernanceError where that is not what a quorum signed."""
        if self.trust.wrong:
            raise GovernanceError(self.trust.wrong)
        return self.trust.keys

    @cached_property
    def trust(self) -> "Trust":
        """Who may sign, and on whose word: of a root outside of the workspace, or of its own."""
        from hft.audit.keychange import changes_file
        from hft.audit.keys import Keys
        from hft.audit.trust import read_root, trusted

        named = self.settings.trust_root
        root = None if named is None else read_root(self._elsewhere(named), self.root)
        return trusted(root, Keys.read(self.workspace.keys), changes_file(self.workspace.keys))

    @property
    def keys_hash(self) -> str:
        """SHA-256 of the keys file as it lies there: a row can be written while it is broken."""
        import hashlib

        try:
            return hashlib.sha256(self.workspace.keys.read_bytes()).hexdigest()
        except OSError:
            return ""

    @cached_property
    def ledger(self) -> "Ledger":
        """The trial ledger; this checkout's writer."""
        from hft.governance.ledger.ledger import Ledger

        named = self.settings.alpha_registry
        if named is None:
            return Ledger.open(self.workspace.ledger)
        folder = self._elsewhere(named).resolve()
        if folder.is_relative_to(self.root.resolve()):
            raise ConfigError(
                f"HFT_ALPHA_REGISTRY: {named}: lies in the workspace {self.root}; name the folder "
                "that the desk shares"
            )
        return Ledger.open(self.workspace.ledger, registry=folder)

    @cached_property
    def auditor(self) -> "Auditor":
        """The journal of decisions, and their delivery."""
        from hft.audit.auditor import Auditor

        return Auditor(
            self.workspace.audit_journal,
            self.database,
            enabled=self.settings.alpha_audit_enabled,
            actor=self.actor,
            keys_hash=self.keys_hash,
            hmac_key=self.hmac_key,
            remote=self.remote,
        )

    @cached_property
    def remote(self) -> "Remote | None":
        """Where the journal's rows are kept beside; None where nobody named it.

        Raises: ConfigError for a repository inside of the workspace.
        """
        from hft.audit.remote import VARIABLE, Remote, folder_of

        url = self.settings.anchor_remote
        if not url:
            return None
        named = folder_of(url)
        folder = None if named is None else self._elsewhere(named)
        if folder is not None and folder.resolve().is_relative_to(self.root.resolve()):
            raise ConfigError(
                f"{VARIABLE}: {url}: lies in the workspace {self.root}, so that whoever can write "
                "here can change it; name a repository elsewhere"
            )
        there = url if folder is None else str(folder)
        return Remote(there, self.hmac_key, outside_of=self.root)

    def _elsewhere(self, named: str) -> Path:
        """A place outside, from the environment; a relative one is seen from the workspace."""
        return self.root / Path(named).expanduser()

    def looked(self, row: dict[str, Any]) -> None:
        """An audit row of a use of data, unless there is one."""
        from hft.research.data import usage

        if not usage.is_noted(self.auditor.journal.rows(), row):
            self.auditor.record("control_log", row, now_ns=self.now_ns)

    def looked_rows(self) -> "list[Mapping[str, Any]]":
        """The audit rows that looks at a vault are counted from, with those of the registry."""
        from hft.governance.shared_looks import exchanged

        return exchanged(self.ledger.registry, self.auditor.rows())

    def unknown_uses(self) -> list[str]:
        """Why nobody knows here what was seen; empty where the file of uses is whole."""
        from hft.research.data import usage

        known = usage.recorded(self.auditor.journal.rows())
        return [words for _, words in usage.lost(self.workspace, known)]

    @cached_property
    def anchored(self) -> "Anchored":
        """What the remote said of this journal when it was first asked."""
        return self.asked_again()

    def asked_again(self) -> "Anchored":
        """What the remote says of this journal now."""
        from hft.audit.remote import anchored

        return anchored(self.remote, self.auditor.journal, self.rival)

    def rival(self, kept: "Mapping[str, Kept]") -> str:
        """Another journal of this workspace among those that the remote keeps."""
        from hft.audit.rivals import rival, trial_hashes

        own = self.auditor.journal.id
        return rival(kept, own, lambda: trial_hashes(self.workspace.ledger))

    @property
    def database(self) -> "Source":
        """Where audit rows are delivered."""
        return self.source(self.settings.audit_dsn)

    def source(self, dsn: str) -> "Source":
        """A database by its DSN; a relative embedded one is beside the workspace."""
        from hft.storage.database import Source

        scheme, _, rest = dsn.partition("://")
        if scheme == "chdb" and rest and not rest.startswith(("/", ":", "memory")):
            dsn = f"chdb://{self.root / rest}"
        settings = self.settings
        port = settings.clickhouse_port if scheme == "clickhouse" else None
        return Source(dsn, settings.clickhouse_host, port)

    @property
    def hmac_key(self) -> bytes | None:
        """The key of the row hashes, when there is one. Raises: ConfigError."""
        named, given = self.settings.audit_hmac_key_file, self.settings.audit_hmac_key
        if named is not None and given is not None:
            raise ConfigError("AUDIT_HMAC_KEY and HFT_AUDIT_HMAC_KEY_FILE: are both set; keep one")
        if named is None:
            return None if given is None else given.content
        try:
            return (self.root / named).read_bytes().strip()
        except OSError as error:
            reason = error.strerror or "cannot be read"
            raise ConfigError(f"HFT_AUDIT_HMAC_KEY_FILE: {named}: {reason}") from None


def find_root(start: Path | None = None) -> Path:
    """The workspace above or at `start`; `start` itself where there is none yet."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if any((folder / mark).is_dir() for mark in MARKS):
            return folder
    return here


def open_desk(
    root: str | Path | None = None, *, now: Any = None, config: str | None = None
) -> Desk:
    """The desk of the workspace at or above `root`.

    `now` is the time of the decision, which only a rehearsal workspace may set.
    Raises: ConfigError for a time given elsewhere or one without a zone.
    """
    folder = find_root(Path(root) if root is not None else None)
    settings = load_settings(workspace=folder, file=config)
    workspace = Workspace(
        folder, settings.promotions_dir, settings.keys, settings.audit_journal_dir
    )
    rehearsal = settings.alpha_rehearsal
    return Desk(workspace, settings, _now_ns(now, rehearsal), rehearsal, getpass.getuser())


def _now_ns(given: Any, rehearsal: bool) -> int:
    if given is None:
        return time.time_ns()
    if not rehearsal:
        raise ConfigError(
            "--now: the clock is set only in a rehearsal workspace (`alpha.rehearsal: true`, made "
            "by `hft init DIR --rehearsal`)"
        )
    return moment_ns(given, "--now")


def moment_ns(given: Any, name: str) -> int:
    """UTC nanoseconds of an ISO time with zone, a date (its midnight UTC) or a number.

    Raises: ConfigError for a time without a zone.
    """
    from datetime import UTC, datetime

    if isinstance(given, int) and not isinstance(given, bool):
        return given
    try:
        parsed = datetime.fromisoformat(str(given))
    except ValueError:
        raise ConfigError(f"{name}: {given!r} is no time; write 2026-11-21T10:00Z") from None
    if parsed.tzinfo is None:
        if len(str(given)) > 10:
            raise ConfigError(f"{name}: {given!r} has no zone; write {given}Z or {given}+01:00")
        parsed = parsed.replace(tzinfo=UTC)
    if not 1970 < parsed.year < 2262:  # what 64 bits of nanoseconds hold
        raise ConfigError(f"{name}: {given!r} lies outside of the years 1971 to 2261")
    whole = int(parsed.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + parsed.microsecond * 1000
