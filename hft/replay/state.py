"""Everything a replay knows, as one NamedTuple of arrays: a snapshot is a copy of them.

`Engine` is built once per run by `hft.replay.build`; kernels take it whole. The tape's rows are
not in it: FEED and BATCH hold the addresses of memory-mapped columns, so that the engine walks from
batch to batch without coming back to Python.
"""

from typing import NamedTuple

import numpy as np

from hft.market.book import Books
from hft.trading.state import TradingState
from hft.venue.state import VenueState

STEPS_MAX = 1 << 15
FILLS_MAX = 1 << 13
SERIES_MAX = 1 << 13
EQUITY_MAX = 1 << 12
TRACKED_MAX = 8
CHECKPOINT_STEPS = 1 << 16
PAUSE_STEPS = 256  # between two looks at the rings
CHECKPOINTS_MAX = 1 << 10


def _row(*names: str) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names], align=True)


CLOCK = _row(
    "now_ns",
    "phase",  # PHASE_*
    "strategy",  # the strategy that is awake, in PHASE_AWAKE
    "wake_cause",
    "strategies",
    "accounts",
    "stop_at_wake",  # 1: come back at each wake-up instead of calling the pointer
    "stop_at_step",  # come back before this step, 0: never
    "step",  # steps so far
    "pause_step",  # look at rings, checkpoints and stops again at this step
    "checkpoint_step",  # the next full state hash is due at this step
    "checkpoints",  # written so far
    "steps_len",
    "series_len",
    "equity_len",
    "record",  # 0 digest only, 1 fills and equity, 2 and steps and series
    "equity_every_ns",
    "equity_next_ns",
    "control",  # next control row
    "faulty",  # 1: the run has a fault plan
    "events_on",  # 1: some strategy wakes on trades or book changes
    "rows",  # tape rows the venue has seen
    "wakes",
    "end_ns",  # no row after this time is replayed
    "lost_intents",
    "yield_rows",  # come back for the progress bar after this many rows
    "first_ns",
    "begin_ns",  # the view is brought up to this time before anything happens; 0: done
    "holds",  # 1: a command reaches the venue only once Python has released it; see `replay.paced`
)

PHASE_RUN = 0
PHASE_AWAKE = 1
PHASE_DONE = 2
PHASE_REDECIDE = 3  # the ring holds steps to be decided again; see `replay.redecide`

STATUS_DONE = 0
STATUS_FLUSH = 1
STATUS_WAKE = 2
STATUS_YIELD = 3
STATUS_STEP = 4
STATUS_DEFECT = 5
STATUS_ROOM = 6
STATUS_LIMITS = 7  # the control input just run puts other limits in force, which Python holds
STATUS_HORIZON = 8  # nothing of this time has happened yet; see `replay.paced`

HORIZON = -1  # kind of the control row that stops a paced run

FEED = _row(
    "first_batch",
    "batches",
    "venue_batch",
    "venue_row",  # always on a row the venue sees, or past the last
    "venue_ns",  # exch_ts of that row, FOREVER past the last
    "view_batch",
    "view_row",
    "view_ns",
    "seen",  # rows the venue has seen
    "mid2",  # bid + ask ticks before the row that filled us, 0: as the book stands
    "l3",  # 1: the tape has order ids
    "session_row",  # the first row of `sessions` that has not closed, as we know it
    "session_stop",  # behind the instrument's last one
    "statuses",  # 1: the tape has status rows, which say the phase
    "lags",  # 1: what we see is taken from the venue's book as rows pass; see `replay.glances`
    "mark_ns",  # then: a row that we receive after this, our next look, is not passed unseen
    "glances_first",  # then: taken and not yet looked at, as positions in `glances`
    "glances_last",
    "glances",  # taken so far
    "seen_batch",  # then: the first row that we have not seen; the view's book is behind
    "seen_row",
    "trade_tick",  # the newest print at the venue
    "trade_lots",
    "trade_side",
    "status",  # by the newest status row at the venue
)
BATCH = _row(
    "rows", "exch_ts", "local_ts", "kind", "side", "price", "qty", "order_id", "flags"
)  # rows, then addresses

# What the touch showed to whoever looks before `until_ns`, when a row arrives that it lacks.
GLANCE = _row(
    "until_ns",
    "batch",  # of that row
    "row",
    "bid_tick",  # the rest as in TOUCH
    "ask_tick",
    "bid_lots",
    "ask_lots",
    "valid",
    "ts_ns",
    "rows",
    "last_trade_tick",
    "last_trade_lots",
    "last_trade_side",
    "traded_lots",
    "phase",
    "spare",  # 128 bytes: two cache lines
)
GLANCES_MAX = 64  # that wait at once, an instrument; a power of two

STRATEGY = _row(
    "every_ns",  # 0: no timer
    "next_ns",
    "wakes_on",  # bit mask of WakeCause
    "woken",
    "events",  # bit mask of causes seen since the last wake-up
    "tracked",
)
# Open hours of an instrument: a span of its session, and when the whole session begins and ends.
SESSION = _row("open_ns", "close_ns", "begin_ns", "end_ns")
CONTROL = _row("ts_ns", "kind", "code", "value")
EQUITY = _row(
    "ts_ns",
    "strategy_idx",
    "instrument_idx",
    "qty",
    "realized_money",
    "unrealized_money",
    "fees_money",
    "mid2",
    "bid_tick",
    "ask_tick",
)
SERIES = np.dtype(
    [("ts_ns", np.int64), ("strategy_idx", np.int64), ("values", np.float64, (TRACKED_MAX,))],
    align=True,
)
FAULTS = _row(
    "reject_e6",  # chance in 1e-6 that the venue rejects a NEW
    "lost_ack_e6",
    "late_ack_e6",
    "late_ack_ns",
    "unknown_after_ns",  # a request whose answer is lost is UNKNOWN after this
    "duplicate_ack_e6",
    "down_from_ns",
    "down_until_ns",
    "gap_from_ns",
    "gap_until_ns",
    "dead_until_ns",  # our process hears and does nothing before this time
    "seed",
    "draws",
    "injected",
    "ask_ns",  # the venue is asked about UNKNOWN orders again at this time
)


class Engine(NamedTuple):
    clock: np.ndarray
    lanes: np.ndarray  # uint64[2], the running digest
    mixes: np.ndarray  # uint64[instrument], running mix of the rows the venue has seen
    checkpoints: np.ndarray  # uint64[2 * checkpoint]
    feeds: np.ndarray
    batches: np.ndarray
    sessions: np.ndarray  # SESSION rows by instrument, in time order
    glances: np.ndarray  # GLANCES_MAX an instrument, a ring
    tick_sizes: np.ndarray  # float64, to look at
    books: Books
    trading: TradingState
    venue: VenueState
    strategies: np.ndarray
    contexts: np.ndarray
    context_at: np.ndarray  # address of each context
    signals: np.ndarray  # SIGNAL rows, SIGNALS_MAX per instrument, as the view knows them
    traded: np.ndarray  # [strategy * instruments + instrument] traded lots at the last wake-up
    intents: np.ndarray
    logs: np.ndarray
    params: np.ndarray  # raw bytes of every strategy's params, then state
    tracked: np.ndarray  # per strategy TRACKED_MAX byte offsets into its state, then kinds
    controls: np.ndarray
    faults: np.ndarray
    steps: np.ndarray
    equity: np.ndarray
    series: np.ndarray
