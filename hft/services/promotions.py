"""Which alphas may trade now, from the folder of promotion files: looked at again and again.

A file that is missing, edited, unsigned, expired, disabled or not the one that the audit journal
last recorded counts as weight 0, and so does everything when the looking itself fails. What differs
from what is in force becomes a control input at the next turn; an alpha that is silenced has its
working orders cancelled, and an audit row says when and why.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hft.audit.journal import FILE_NAME, read
from hft.audit.keys import Keys
from hft.core.codes import ControlKind
from hft.governance.promotion.changes import newest_files
from hft.governance.promotion.document import utc_date
from hft.governance.promotion.promotions import SUFFIX
from hft.governance.promotion.promotions import read as read_promotions
from hft.governance.promotion.signatures import effective
from hft.services.ports import AlertKind, Now
from hft.services.service import GatewayService

PPM = 1_000_000
POLL_S = 0.2
UNREADABLE, MISSING = "UNREADABLE", "MISSING"


@dataclass(frozen=True)
class Weight:
    """What an alpha counts as.

    Units: `ppm` millionths; `seen_ns` when it was looked at; `changed_ns` when its file was
    written, 0 where there is none.
    """

    alpha_id: str
    strategy_idx: int
    ppm: int
    code: str
    reason: str
    seen_ns: int
    changed_ns: int = 0


class PromotionFolder:
    """Reads the folder, the keys and the audit journal; verifies anew only what has changed.

    `alphas` says which strategy (by index) trades which alpha. Every call may block.
    """

    def __init__(
        self,
        folder: Path,
        keys: Path,
        audit_journal: Path | None,
        alphas: Mapping[str, int],
        now_ns: Now,
    ) -> None:
        self.folder, self._keys, self._audit = folder, keys, audit_journal
        self._alphas, self._now_ns = dict(alphas), now_ns
        self._seen: object = None
        self._weights: list[Weight] = []

    def look(self) -> list[Weight]:
        """The weight of every alpha now. Raises: nothing; what cannot be read counts as 0."""
        now_ns = self._now_ns()
        try:
            try:
                self._look(now_ns)
            except Exception:  # a file that somebody was just writing
                self._look(now_ns)
        except Exception as error:  # whatever it is, nobody trades on what nobody could look at
            said = f"{self.folder}: the promotions cannot be looked at: {error}"
            self._seen = None
            self._weights = [
                Weight(alpha, at, 0, UNREADABLE, said, now_ns) for alpha, at in self._alphas.items()
            ]
        return self._weights

    def _look(self, now_ns: int) -> None:
        seen = self._content(now_ns)
        if seen != self._seen:
            self._weights, self._seen = self._verify(now_ns), seen

    def _content(self, now_ns: int) -> object:
        """Everything that a weight is a function of: bytes where they are few, else times."""
        paths = sorted(self.folder.rglob(f"*{SUFFIX}"))
        files = tuple((str(path), path.read_bytes()) for path in paths if path.is_file())
        keys = self._keys.read_bytes()
        audit: tuple[int, int, int] | None = None
        if self._audit is not None:
            found = (self._audit / FILE_NAME).stat()
            audit = (found.st_ino, found.st_size, found.st_mtime_ns)
        return files, keys, audit, utc_date(now_ns)

    def _verify(self, now_ns: int) -> list[Weight]:
        keys = Keys.read(self._keys)
        recorded = newest_files(read(self._audit)) if self._audit is not None else None
        found = read_promotions(self.folder)
        weights = []
        for alpha, at in self._alphas.items():
            file = found.file(alpha)
            if file is None:
                said = f"{self.folder}: there is no promotion of {alpha}"
                weights.append(Weight(alpha, at, 0, MISSING, said, now_ns))
                continue
            counts = effective(file, keys, now_ns, recorded)
            ppm = int(counts.weight * PPM)  # down: never more than the file says
            changed_ns = file.path.stat().st_mtime_ns
            weights.append(Weight(alpha, at, ppm, counts.code, counts.reason, now_ns, changed_ns))
        return weights


class PromotionWatch:
    """Brings what the folder says into force, for one life of a gateway."""

    def __init__(
        self,
        service: GatewayService,
        look: Callable[[], list[Weight]],
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._service, self._look, self._poll_s = service, look, poll_s
        self.last: Weight | None = None  # the last one that was put in force

    async def once(self) -> None:
        """Look, and put in force what differs; before `run`, nothing trades without it."""
        weights = await self._service.world.beside(self._look)
        in_force = self._service.desk.trading.gw.strategies["weight_ppm"]
        for weight in weights:
            if in_force[weight.strategy_idx] != weight.ppm:
                self._put(weight, int(in_force[weight.strategy_idx]))

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._poll_s)
            await self.once()

    def _put(self, weight: Weight, before_ppm: int) -> None:
        service = self._service
        done = service.control(ControlKind.PROMOTION, weight.strategy_idx, weight.ppm)
        if weight.ppm == 0:
            orders = service.desk.working()
            service.cancel_orders(orders[orders["strategy_idx"] == weight.strategy_idx])
            said = weight.reason or "the weight is 0"
            service.alert(AlertKind.PROMOTION, f"{weight.alpha_id} is silenced: {said}")
        done.add_done_callback(lambda found: self._acknowledge(found, weight, before_ppm))

    def _acknowledge(self, done: "asyncio.Future[int]", weight: Weight, before_ppm: int) -> None:
        if done.cancelled() or done.exception() is not None:  # the gateway has said which
            return
        self.last = weight
        service = self._service
        took_ns = service.world.now_ns() - weight.seen_ns
        values = {
            "scope": weight.alpha_id,
            "kind": "policy",
            "old_state": f"weight {before_ppm / PPM:g}",
            "new_state": f"weight {weight.ppm / PPM:g}",
            "cause": weight.reason or weight.code or "promotion file",
            "evidence": {
                "code": weight.code,
                "input": done.result(),
                "fence": service.lease.fence,
                "seen_to_durable_ms": round(took_ns / 1e6, 3),
            },
        }
        service.record("control_log", values)


async def watched(watch: PromotionWatch, living: "asyncio.Task[object]") -> None:
    """Watch for as long as a life lasts."""
    looking = asyncio.get_running_loop().create_task(watch.run())
    await asyncio.wait([living, looking], return_when=asyncio.FIRST_COMPLETED)
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
