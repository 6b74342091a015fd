"""What scenarios of a gateway have to meet: troubles, what they lead to, and states, by group."""

from tests.simulation.gateway_faults import KINDS

OF_THE_SERVICE = ("stopped in order", "lease kept late")  # troubles that only it knows
DISK = (
    "torn tail",
    "records lost unsaid",
    "segments dropped",
    "latched",
    "no journal",
    "crashed inside a step",
)
WIRE = (
    "command lost",
    "question lost",
    "reply lost",
    "ack lost",
    "ack twice",
    "logon refused",
    "stale at the venue",
)
LEADING = ("stopped with a command in hand",)
ORDERS = (
    "order PENDING_SUBMIT",
    "order SUBMITTED",
    "order PARTIALLY_FILLED",
    "order CANCEL_REQUESTED",
    "order UNKNOWN",
    "order FILLED",
    "order CANCELLED",
    "order EXPIRED",
    "order FAILED",
)
MODES = (
    "mode NORMAL",
    "mode DEGRADE",
    "mode HALT",
    "mode degraded",
    "kill byte",
    "storm WARM",
    "storm STORM",
    "storm HALT",
    "breaker POSITION",
    "breaker MARKET_MOVE",
    "breaker LOSS",
    "breaker MANUAL",
)
SENT = ("sent NEW", "sent AMEND", "sent CANCEL", "sent FORCE_FLAT")
ANSWERS = (
    "answer FILL",
    "answer REJECTED",
    "answer EXPIRED",
    "answer CANCELLED",
    "answer CANCEL_REJECTED",
    "answer AMENDED",
    "answer AMEND_REJECTED",
)
REASONS = (
    "asked again",
    "OK",
    "DEDUP_OUTCOME_UNKNOWN",
    "DEDUP_KEY_REUSED",
    "POLICY_HALT",
    "POLICY_DEGRADE",
    "BREAKER_TRIPPED",
    "KILL_SWITCH",
    "RECONCILING",
    "POSITION_LIMIT",
    "VENUE_DOWN",
    "OUTCOME_UNKNOWN",
)
_BOTH = {
    "troubles": KINDS,
    "disk": DISK,
    "wire": WIRE,
    "leading": LEADING,
    "orders": ORDERS,
    "modes": MODES,
    "sent": SENT,
    "answers": ANSWERS,
    "told": REASONS,
}
CORE = _BOTH | {
    "troubles": tuple(kind for kind in KINDS if kind not in OF_THE_SERVICE),
    "link": ("link DOWN", "link LIVE"),
    "life": ("life RECOVERING", "life READY"),
    "the core alone": (
        "decided before a cut",
        "lease over before sending",
        "stepped down",
        "journal still held",
        "RESTS",
        "ENDED",
        "NEVER_SEEN",
        "unsent",
        "ORDER_QUEUE_FULL",
    ),
}
SERVICE = _BOTH | {
    "link": ("link DOWN", "link CONNECTING", "link CONNECTED", "link ASKING", "link LIVE"),
    "life": (
        "life RECOVERING",
        "life READY",
        "life STOPPING",
        "STOPPED",
        "LEASE_LOST",
        "JOURNAL_FAILED",
    ),
    "the service alone": (
        "stands by",
        "the clock is behind",
        "alert venue_down",
        "alert lease_lost",
        "alert journal_failed",
        "alert clock",
        "COMMAND_DEADLINE",
    ),
}
