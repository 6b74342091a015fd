"""A lease: at most one of several gateways leads, for a while, under a number that only grows.

What a backend promises and what `GatewayService` asks of it. The number (the fence) goes with every
command, and a venue refuses one below the highest it has seen: so a leader that was stopped behind
its last look at the clock can do no harm.
"""

from typing import Protocol


class Lease(Protocol):
    """Any error of a backend means: not leader."""

    fence: int  # of the own holding, 0 while there is none

    def acquire(self, *, above: int = 0) -> bool:
        """Lead, under a fence above `above` and all before; false: another one leads."""
        ...

    def renew(self) -> bool:
        """Lead for another while; false: it was lost, and nothing may leave any more."""
        ...

    def leads(self) -> bool:
        """May a command leave now? Asked before each dispatch, so it reads no file."""
        ...

    def release(self) -> None:
        """Let another lead at once."""
        ...


class AlwaysLeads:
    """The lease of a gateway that has no other beside it; its fence is that of the last start."""

    def __init__(self) -> None:
        self.fence = 0

    def acquire(self, *, above: int = 0) -> bool:
        self.fence = above + 1
        return True

    def renew(self) -> bool:
        return True

    def leads(self) -> bool:
        return True

    def release(self) -> None:
        self.fence = 0
