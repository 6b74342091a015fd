"""A lease as a model: the same promises as the file's, on virtual time; it knows who led."""

from collections.abc import Callable
from dataclasses import dataclass, field

TTL_NS = 2_000_000_000


@dataclass
class LeaseStore:
    """What all gateways of a host share. `holders` has the owner of each fence."""

    now_ns: Callable[[], int]
    fence: int = 0
    until_ns: int = 0
    holders: dict[int, str] = field(default_factory=dict)

    def take(self, who: str, above: int, ttl_ns: int) -> int:
        """The next fence, when nobody holds one; else 0."""
        if self.now_ns() < self.until_ns:
            return 0
        self.fence = max(self.fence, above) + 1
        self.until_ns = self.now_ns() + ttl_ns
        self.holders[self.fence] = who
        return self.fence

    def dies(self, who: str) -> None:
        """Its process has ended: another may lead at once."""
        if self.holders.get(self.fence) == who:
            self.until_ns = 0


class ModelLease:
    """The lease as one gateway has it: `hft.services.lease.Lease`."""

    def __init__(self, store: LeaseStore, who: str, *, ttl_ns: int = TTL_NS) -> None:
        self.store, self.who, self.ttl_ns = store, who, ttl_ns
        self.fence = self._until_ns = 0

    def acquire(self, *, above: int = 0) -> bool:
        if self.fence:
            return self.renew()
        self.fence = self.store.take(self.who, above, self.ttl_ns)
        self._until_ns = self.store.until_ns if self.fence else 0
        return self.fence > 0

    def renew(self) -> bool:
        store = self.store
        if not self.fence or store.fence != self.fence or store.now_ns() >= self._until_ns:
            self.fence = 0
            return False
        self._until_ns = store.until_ns = store.now_ns() + self.ttl_ns
        return True

    def leads(self) -> bool:
        return self.fence > 0 and self.store.now_ns() < self._until_ns - self.ttl_ns // 4

    def release(self) -> None:
        if self.fence and self.store.fence == self.fence:
            self.store.until_ns = self.store.now_ns()
        self.fence = 0
