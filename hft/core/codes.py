"""Every closed list of codes, as IntEnums whose numbers are the wire values.

Kernels use the plain numbers (`Reason.X.value`); names appear in files, metrics and audit rows and
do not change without a schema version.
"""

from enum import IntEnum


class Side(IntEnum):
    BUY = 0
    SELL = 1


class IntentType(IntEnum):
    NEW = 0
    AMEND = 1
    CANCEL = 2
    FORCE_FLAT = 3


class Tif(IntEnum):
    """Time in force. GTX is a post-only GTC order."""

    GTC = 0
    IOC = 1
    FOK = 2
    DAY = 3
    GTD = 4
    GTX = 5
    LIMIT = 0
    ROD = 3


class OrderType(IntEnum):
    MARKET = 0
    LIMIT = 1
    STOP = 2
    ICEBERG = 3
    TWAP = 4
    VWAP = 5
    POV = 6
    IS = 7
    PEG = 8
    SMART = 9


class OrderStatus(IntEnum):
    PENDING_SUBMIT = 0
    SUBMITTED = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELLED = 4
    FAILED = 5
    CANCEL_REQUESTED = 6
    EXPIRED = 7
    UNKNOWN = 8
    PENDING = 0
    ACCEPTED = 1
    SENT = 1
    CANCELED = 4
    REJECTED = 5


class PolicyMode(IntEnum):
    NORMAL = 0
    DEGRADE = 1
    HALT = 2
    ALLOW_ALL = 0
    DEGRADED = 1
    CANCEL_ONLY = 1
    REJECT_ALL = 2


class StormGuardState(IntEnum):
    NORMAL = 0
    WARM = 1
    STORM = 2
    HALT = 3


class DedupState(IntEnum):
    RESERVED = 0
    APPROVED = 1
    REJECTED = 2
    UNKNOWN = 3


class SelfTradeMode(IntEnum):
    REJECT_NEW = 0
    CANCEL_OLD = 1
    CANCEL_BOTH = 2
    DECREMENT = 3


class DeltaSource(IntEnum):
    FILL = 0
    RECONCILE = 1
    MARK = 2


class Liquidity(IntEnum):
    MAKER = 0
    TAKER = 1


class Verdict(IntEnum):
    PASS = 0
    FAIL = 1
    INSUFFICIENT = 2
    INCONCLUSIVE = 2


class EventKind(IntEnum):
    """What one row of a tape says; `qty` and `price` are read as each line tells."""

    LEVEL = 0  # L2: the quantity at `price` on `side` is now `qty` (0 removes the level)
    CLEAR = 1  # the book (side 2) or one side of it is empty and invalid until a LAST row
    SNAPSHOT = 2  # as LEVEL, inside a snapshot that began with CLEAR
    ADD = 3  # L3: order `order_id` joins the end of the queue at `price`
    CANCEL = 4  # L3: `qty` lots of `order_id` are gone (all of it, or a part; priority kept)
    MODIFY = 5  # L3: `order_id` now has `price` and `qty`; priority by flag KEEPS_PRIORITY
    EXECUTE = 6  # L3: `qty` lots of resting `order_id` traded at `price`; see flag NO_BOOK
    TRADE = 7  # a print; `side` is the aggressor's, 2 when unknown; the book is not touched
    BBO = 8  # L1: the best price of `side` is now `price` with `qty` (0: no quote)
    STATUS = 9  # `qty` is a `StatusCode`
    FUNDING = 10  # `price` carries the rate in 1e-9, `qty` is 0
    SIGNAL = 11  # a joined signal; `order_id` is its column, `price` its value in 1e-9


class StatusCode(IntEnum):
    OPEN = 0
    CLOSE = 1
    HALT = 2
    AUCTION = 3
    GAP = 4


class Flag(IntEnum):
    """Bits of the tape column `flags`."""

    VENUE_ONLY = 1  # seen by the venue at exch_ts, never by strategies (disordered clocks)
    VIEW_ONLY = 2  # seen by strategies at local_ts, never by the venue
    LAST = 4  # last row of one atomic group; after CLEAR it makes the book valid
    NO_BOOK = 8  # an EXECUTE whose book change comes in a later row of its own
    HIDDEN = 16  # a trade against hidden liquidity
    KEEPS_PRIORITY = 32  # a MODIFY that does not lose its place
    AUCTION = 64  # a print of an auction or outside continuous trading


class StepKind(IntEnum):
    """What one journal record is about, and which enum its `code` is of.

    See `hft.core.dtypes.STEP`.
    """

    WAKE = 0  # WakeCause
    DECISION = 1  # Reason
    ARRIVAL = 2  # a command reaches the venue: IntentType
    FILL = 3  # the venue fills an order: ResponseKind
    RESPONSE = 4  # an acknowledgement or fill reaches us: ResponseKind
    CONTROL = 6  # ControlKind
    FAULT = 7  # what the venue says of an UNKNOWN order: ResponseKind
    GUARD = 10  # a guard of the gateway trips, escalates or lets go: its GuardCause


class ControlKind(IntEnum):
    """Inputs that are on no tape: each is a calendar event, journaled before the kernel sees it."""

    START = 0
    MODE = 1
    KILL = 2
    LIMITS = 3
    LATENCY = 4
    PROMOTION = 5
    LEASE = 6
    ACK = 7
    DISK = 8
    HOLDOFF_END = 9
    RECOVERED = 10
    RESET_DAILY = 11
    DISCONNECT = 12
    RECONNECT = 13
    DOWN = 14
    STOP = 15
    END = 16


class ResponseKind(IntEnum):
    """What a venue answers."""

    ACK = 0
    FILL = 1
    CANCELLED = 2
    EXPIRED = 3
    REJECTED = 4
    CANCEL_REJECTED = 5
    AMENDED = 6
    AMEND_REJECTED = 7
    UNKNOWN = 8


class LatencyLeg(IntEnum):
    ENTRY = 0
    AMEND = 1
    CANCEL = 2
    RESPONSE = 3


class WakeCause(IntEnum):
    TIMER = 0
    FILL = 1
    ORDER = 2
    TRADE = 3
    BOOK = 4
    STATUS = 5
    START = 6


class Reason(IntEnum):
    """Why an intent was refused, numbered by stage; 0 is approval."""

    OK = 0
    DEDUP_IN_FLIGHT = 101
    DEDUP_OUTCOME_UNKNOWN = 102
    DEDUP_KEY_REUSED = 103
    DEDUP_WINDOW_FULL = 104
    DEDUP_JOURNAL_FAILED = 105
    TTL_EXPIRED = 106
    POLICY_HALT = 201
    POLICY_DEGRADE = 202
    STARTUP_HOLDOFF = 203
    BREAKER_TRIPPED = 204
    KILL_SWITCH = 205
    RECONCILING = 206
    ALPHA_NOT_LIVE = 207
    GLOBAL_EXPOSURE_LIMIT = 301
    STRATEGY_EXPOSURE_LIMIT = 302
    EXPOSURE_SYMBOL_LIMIT = 303
    NET_QTY_LIMIT = 304
    LEAF_NOTIONAL_LIMIT = 305
    EXPOSURE_ORDER_UNKNOWN = 306
    EXPOSURE_OVERFLOW = 307
    FASTGATE_KILL_SWITCH = 401
    FASTGATE_BAD_PRICE_NEG = 402
    FASTGATE_BAD_PRICE_MAX = 403
    FASTGATE_BAD_QTY_NEG = 404
    FASTGATE_BAD_QTY_MAX = 405
    STORMGUARD_HALT = 410
    STORMGUARD_STORM_NEW_BLOCKED = 411
    RATE_LIMIT = 420
    ORDER_SIZE = 421
    PRICE_ZERO_OR_NEG = 430
    PRICE_EXCEEDS_CAP = 431
    PRICE_OUTSIDE_BAND = 432
    REFERENCE_STALE = 433
    MARKET_NO_TOUCH = 434
    BOOK_INVALID = 435
    POSITION_LIMIT = 440
    NOTIONAL_LIMIT = 441
    MAX_NOTIONAL_EXCEEDED = 442
    DAILY_LOSS = 443
    SELF_TRADE = 450
    SYMBOL_RESTRICTED = 451
    REPEATED_EXECUTION = 452
    NOT_LEADER = 501
    ORDER_QUEUE_FULL = 502
    STALE_FENCE = 503
    COMMAND_DEADLINE = 504
    VENUE_DOWN = 505
    VENUE_REJECT = 506
    OUTCOME_UNKNOWN = 507
    INTERNAL_ERROR = 508
    BAD_MESSAGE = 600
    BAD_NUMBER = 601
    PRICE_OFF_TICK = 602
    QTY_OFF_LOT = 603
    UNKNOWN_INSTRUMENT = 604
    CHANNEL_FULL = 605
    CHANNEL_EXPIRED = 606
    INTENT_BUFFER_FULL = 607
    IDEMPOTENCY_REQUIRED = 610
    IDEMPOTENCY_CONFLICT = 611
    RATE_LIMITED = 612
    INVALID_SIDE = 613
    INVALID_QTY = 614
    INVALID_SYMBOL = 615
    INVALID_PRICE = 616
    RISK_REJECT = 617
    QUEUE_REJECT = 618
    ORDER_FINAL = 619
    NOT_FOUND = 620
    BACKPRESSURE_INFLIGHT_SOFT = 630
    BACKPRESSURE_DURABLE_RATE_DECLINE = 631
    BACKPRESSURE_SOFT_WAL_AGE = 632
    BACKPRESSURE_INFLIGHT = 633
    BACKPRESSURE_WAL_BYTES = 634
    BACKPRESSURE_WAL_AGE = 635
    BACKPRESSURE_DISK_FREE = 636
    DURABILITY_WAIT_TIMEOUT = 640
    WAL_DURABILITY_FAILED = 641
    V3_BACKPRESSURE_SOFT = 650
    V3_BACKPRESSURE_HARD = 651
    V3_QUEUE_KILLED = 652
    V3_QUEUE_FULL = 653
    V3_INGRESS_CLOSED = 654
    V3_GLOBAL_KILLED = 655
    V3_SESSION_KILLED = 656
    V3_SHARD_KILLED = 657
