"""The venue link as a life cycle: connect, ask what became of our orders, then trade.

A pure machine on times that it is given. It never trusts a session that it has not asked: whatever
breaks it (a disconnect, a lost callback, an answer that does not come) leads through a new session
and a new question, and nothing is sent before the answer is complete.
"""

from dataclasses import dataclass
from enum import Enum, auto

RETRY_NS = 1_000_000_000
PATIENCE_NS = 5_000_000_000


class Phase(Enum):
    """Where the link is; commands leave in LIVE only."""

    DOWN = auto()  # until it is time to connect
    CONNECTING = auto()
    CONNECTED = auto()  # until it is time to ask
    ASKING = auto()
    LIVE = auto()


class Step(Enum):
    """What whoever owns the link has to do now."""

    NOTHING = auto()
    BEGIN = auto()  # a new session
    ASK = auto()  # what became of all working orders, with `token`


@dataclass
class Link:
    """Owned by one service. Units: nanoseconds."""

    retry_ns: int = RETRY_NS
    patience_ns: int = PATIENCE_NS
    phase: Phase = Phase.DOWN
    token: int = 0
    at_ns: int = 0  # when the phase is over by itself; of DOWN and CONNECTED when it goes on

    @property
    def is_live(self) -> bool:
        return self.phase is Phase.LIVE

    def step(self, now_ns: int, *, is_drained: bool) -> Step:
        """What is to be done; the question waits until no command is on its way out of us."""
        if self.phase is Phase.LIVE or now_ns < self.at_ns:
            return Step.NOTHING
        if self.phase is Phase.CONNECTED:
            if not is_drained:
                return Step.NOTHING
            self.phase, self.at_ns = Phase.ASKING, now_ns + self.patience_ns
            self.token += 1
            return Step.ASK
        self.phase, self.at_ns = Phase.CONNECTING, now_ns + self.patience_ns
        return Step.BEGIN

    def up(self, now_ns: int) -> None:
        """A session has begun, and with it a question."""
        if self.phase is not Phase.DOWN:
            self.phase, self.at_ns = Phase.CONNECTED, now_ns

    def down(self, now_ns: int, *, soon: bool = False) -> None:
        """The session is over, or cannot be trusted any more."""
        self.phase, self.at_ns = Phase.DOWN, now_ns + (0 if soon else self.retry_ns)

    def is_asked(self, token: int) -> bool:
        """Does something that was told belong to the question under way?"""
        return self.phase is Phase.ASKING and token == self.token

    def end(self, token: int, now_ns: int, *, is_settled: bool) -> None:
        """All is told. While an order is still in doubt, the venue is asked again."""
        if not self.is_asked(token):
            return
        self.phase = Phase.LIVE if is_settled else Phase.CONNECTED
        self.at_ns = now_ns + self.retry_ns
