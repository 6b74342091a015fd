"""The worlds that scenarios are played in, by name."""

from typing import Any

from hft.core.errors import HftError
from hft.services.checkpointer import Checkpointer
from tests.simulation.disk import Life
from tests.simulation.fault_coverage import SERVICE
from tests.simulation.journal import JournalWorld
from tests.simulation.lease import ModelLease
from tests.simulation.link import ModelAdapter
from tests.simulation.scenario import GatewayWorld
from tests.simulation.service_gateway import FOLDER, ServiceGateway, key_of
from tests.simulation.world import World


class ServiceWorld(GatewayWorld):
    """The same troubles, and the whole service in the middle."""

    meets = SERVICE

    folder = FOLDER
    has_late_writers = True
    may_skip = True  # a command that is late stays back alone, and is taken back at the next turn

    def gateway(self, life: Life, lease: ModelLease, adapter: ModelAdapter) -> Any:
        return ServiceGateway(self, life, lease, adapter)

    def durable(self, fence: int) -> int:
        return self.last_record(FOLDER / f"{fence:020d}")

    def key(self, key: tuple[int, int]) -> tuple[int, int]:
        return key_of(key)

    def make_checkpoint(self) -> bool:
        """The process of the product, once."""
        life = Life(self.disk, "checkpoint")
        try:
            made = Checkpointer(FOLDER, "account0", disk=life).make()
        except (HftError, OSError):  # nothing is there yet, or the disk is failing
            return False
        finally:
            life.end()
        self.seen["segments dropped"] += len(made.retired)
        return made.path is not None


WORLDS: dict[str, type[World]] = {
    "core": GatewayWorld,
    "service": ServiceWorld,
    "journal": JournalWorld,
}


def play(seed: int, product: Any = None, steps: int | None = None, world: str = "core") -> World:
    """One scenario. Raises: Wrong, and whatever the product let out."""
    return WORLDS[world](seed, product, steps=steps).play()
