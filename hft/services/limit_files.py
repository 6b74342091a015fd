"""A limits file that is signed, and swapped between two intents.

A file counts with a signature of a key with the role `risk` beside it (`<file>.sig`), over its
bytes. One that does not leaves what is in force as it is, and says so: limits are never loosened by
a file that nobody stands for. Each set that was in force is kept beside the journal, so that the
journal can be read for as long as it is kept.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hft.audit.keys import Keys
from hft.audit.sign import signed_by, verify
from hft.core.codes import ControlKind
from hft.core.errors import ConfigError, HftError
from hft.gateway import tables
from hft.gateway.resolve import ResolvedLimits
from hft.gateway.state import GatewayState, apply_limits
from hft.services.desk_file import keep_limits
from hft.services.ports import AlertKind, Now
from hft.services.service import GatewayService
from hft.storage.atomic import write_atomic
from hft.trading.desk import Desk, limits_key

ROLE, SIGNATURE, SUFFIX = "risk", ".sig", ".yaml"
POLL_S = 1.0
Resolve = Callable[[bytes, str], ResolvedLimits]  # a file's bytes and its name


@dataclass(frozen=True)
class SignedLimits:
    """A limit set that may be put in force, and who stands for it."""

    path: Path
    content: bytes
    resolved: ResolvedLimits
    signer: str


def read_signed(path: Path, keys: Keys, resolve: Resolve, now_ns: int) -> SignedLimits:
    """A limits file with its signature. Raises: ConfigError naming the file and a cure."""
    content, signer = signed_content(path, keys, now_ns)
    return SignedLimits(path, content, resolve(content, str(path)), signer)


def signed_content(path: Path, keys: Keys, now_ns: int) -> tuple[bytes, str]:
    """The bytes of a limits file and who stands for them. Raises: ConfigError."""
    beside = path.with_name(path.name + SIGNATURE)
    try:
        content, signature = path.read_bytes(), beside.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{beside}: {path.name} needs a signature of somebody with the role {ROLE!r} there "
            f"({getattr(error, 'strerror', None) or 'it is no text'}); sign it and try again"
        ) from None
    try:
        name = signed_by(signature, keys).name
        signer = verify(content, signature, name, keys, now_ns)
    except HftError as error:
        raise ConfigError(f"{beside}: {error}") from None
    if ROLE not in signer.roles:
        raise ConfigError(f"{beside}: {signer.name} has not the role {ROLE!r}; another one signs")
    return content, signer.name


class LimitArchive:
    """Every limit set that was ever in force, by its hash, in a folder beside the journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, limits: SignedLimits) -> None:
        """Durable when this returns. Raises: JournalError."""
        path = self.folder / f"{limits.resolved.hash}{SUFFIX}"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, limits.content)

    def read(self, resolve: Resolve) -> list[ResolvedLimits]:
        """All of them, for a desk that reads a journal.

        Raises: ConfigError for a file that is not what its name says.
        """
        found = []
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            resolved = resolve(path.read_bytes(), str(path))
            if resolved.hash != path.stem:
                raise ConfigError(
                    f"{path}: its limits have the hash {resolved.hash}; the file was edited, or "
                    "instruments have changed since; bring back what the journal was written with"
                )
            found.append(resolved)
        return found


def try_limits(desk: Desk, limits: ResolvedLimits) -> None:
    """Could these be put in force? Tried on a copy of the gateway's state.

    Raises: ConfigError in one sentence.
    """
    state = desk.trading.gw
    arrays = {name: array.copy() for name, array in state._asdict().items() if name != "table"}
    if limits.instruments.shape != state.limits.shape:
        raise ConfigError(f"limits {limits.hash} are of other instruments")
    apply_limits(GatewayState(**arrays, table=tables.address_row(arrays)), limits)


class LimitWatch:
    """Puts a limits file in force when it has changed and is signed, for one life."""

    def __init__(
        self,
        service: GatewayService,
        path: Path,
        keys: Path,
        resolve: Resolve,
        archive: LimitArchive,
        now_ns: Now,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._service, self._path, self._keys = service, path, keys
        self._resolve, self._archive, self._now_ns = resolve, archive, now_ns
        self._poll_s = poll_s
        self._seen: tuple[bytes, bytes] | None = None
        self._said = ""  # the last refusal

    async def once(self) -> bool:
        """Look; true when other limits are in force and durable."""
        limits = await self._service.world.beside(self._look)
        if limits is None:
            return False
        service = self._service
        before = f"{int(service.desk.trading.gw.config[0]['limits_hash']):016x}"
        try:
            try_limits(service.desk, limits.resolved)
        except ConfigError as error:
            self._say(f"{self._path}: is not put in force: {error}")
            return False
        value = limits_key(limits.resolved)
        if before == f"{value:016x}":
            return False
        journal = service.journal
        try:  # before the row: another process reads the journal with it
            await service.world.beside(
                lambda: keep_limits(limits.resolved, journal.folder, journal.disk)
            )
        except OSError as error:
            self._refuse(f"{journal.folder}: cannot be written: {error.strerror or error}")
            return False
        service.desk.allow(limits.resolved)
        try:
            number = await service.control(ControlKind.LIMITS, 0, value)
        except HftError as error:
            self._refuse(f"{self._path}: is not put in force: {error}")
            return False
        service.record(
            "control_log",
            {
                "scope": service.desk.accounts[0],
                "kind": "limits",
                "old_state": before,
                "new_state": f"{value:016x}",
                "cause": f"{self._path.name} signed by {limits.signer}",
                "evidence": {"file": limits.resolved.hash, "input": number},
            },
        )
        return True

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._poll_s)
            await self.once()

    def _look(self) -> SignedLimits | None:
        """What has changed and counts; kept durably before anybody is told of it."""
        try:
            beside = self._path.with_name(self._path.name + SIGNATURE)
            seen = (self._path.read_bytes(), beside.read_bytes() if beside.exists() else b"")
            if seen == self._seen:
                return None
            keys = Keys.read(self._keys)
            limits = read_signed(self._path, keys, self._resolve, self._now_ns())
            self._archive.keep(limits)
            self._seen, self._said = seen, ""
        except (HftError, OSError) as error:
            self._refuse(str(error))
            return None
        return limits

    def _refuse(self, why: str) -> None:
        """Look at it again next time: the cure may be elsewhere, as in a key that is added."""
        self._seen = None
        self._say(f"{why}; the limits in force stay")

    def _say(self, said: str) -> None:
        """Once, until it is something else."""
        if said != self._said:
            self._said = said
            self._service.alert(AlertKind.LIMITS, said)
