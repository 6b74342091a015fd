"""The phases of a gateway's life, how it ends, and the sizes and times it is given."""

from dataclasses import dataclass
from enum import Enum, auto

from hft.core.codes import Reason
from hft.services.callbacks import CAPACITY
from hft.services.leading import REFRESH_S
from hft.services.link import PATIENCE_NS, RETRY_NS

NS = 1_000_000_000


class Phase(Enum):
    """Where a life is; it only moves down, and a life that ended is over for good."""

    NEW = auto()
    RECOVERING = auto()  # until the venue has said what became of all orders
    READY = auto()
    STOPPING = auto()
    STOPPED = auto()
    LEASE_LOST = auto()
    JOURNAL_FAILED = auto()
    BROKEN = auto()  # by a defect of ours, or cancelled


class Ending(Enum):
    """Why a life ended."""

    STOPPED = auto()
    LEASE_LOST = auto()
    JOURNAL_FAILED = auto()
    BROKEN = auto()


ENDINGS = {Phase[ending.name]: ending for ending in Ending}
# What a submitter is told at once.
REFUSALS = {
    Phase.NEW: Reason.RECONCILING,
    Phase.STOPPING: Reason.POLICY_HALT,
    Phase.STOPPED: Reason.POLICY_HALT,
    Phase.LEASE_LOST: Reason.NOT_LEADER,
    Phase.JOURNAL_FAILED: Reason.DEDUP_JOURNAL_FAILED,
    Phase.BROKEN: Reason.INTERNAL_ERROR,
}


@dataclass(frozen=True)
class Options:
    """Sizes and times of a life. Units: as the names say."""

    batch: int = 1024  # intents a turn, of those that wait
    hears: int = 1024  # callbacks a turn
    callbacks: int = CAPACITY
    tick_ns: int = 100_000_000
    holdoff_ns: int = 60 * NS
    refresh_s: float = REFRESH_S
    retry_ns: int = RETRY_NS
    patience_ns: int = PATIENCE_NS
    stop_wait_ns: int = 10 * NS
    close_on_stop: bool = True
    clock_slack_ns: int = NS  # by so much the clock may have gone back since the last record
