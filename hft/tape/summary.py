"""What a tape's seal says about its rows: counts, extremes, typical gaps, spread and size.

Limits and reports read it instead of the rows. Quantiles come from histograms that are exact below
256 and within 1/128 above, so they do not depend on batch size.
"""

from typing import Any, NamedTuple

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.core.errors import DataError
from hft.core.jit import kernel
from hft.tape.schema import DTYPES, Columns
from hft.tape.touch import (
    BUCKETS,
    FIRST_ASK,
    FIRST_BID,
    ORDERS_MAX,
    SAMPLES,
    SPREAD_HIST,
    TOUCH_HIST,
    WINDOW_LEVELS_MAX,
    bucket_of,
    make_touch,
    quantile,
    walk_all,
)

KINDS = len(EventKind)
BOOK_KINDS = (EventKind.LEVEL, EventKind.SNAPSHOT, EventKind.ADD, EventKind.MODIFY)
NONE = np.iinfo(np.int64).max
VENUE_ONLY, VIEW_ONLY = Flag.VENUE_ONLY.value, Flag.VIEW_ONLY.value
LEVEL, SNAPSHOT, ADD, MODIFY, TRADE, BBO = (
    EventKind.LEVEL.value,
    EventKind.SNAPSHOT.value,
    EventKind.ADD.value,
    EventKind.MODIFY.value,
    EventKind.TRADE.value,
    EventKind.BBO.value,
)

# Slots of Survey.figures.
(
    BAD_EXCH_ROW,
    BAD_LOCAL_ROW,
    BAD_CODE_ROW,
    BID_MIN,
    BID_MAX,
    ASK_MIN,
    ASK_MAX,
    FIRST_TRADE,
    LATENCY_MIN,
    LATENCY_MAX,
    PREV_EXCH,
    PREV_LOCAL,
    TRADED_LOTS,
    VIEW_ROWS,
    VENUE_ROWS,
) = range(15)


class Survey(NamedTuple):
    """What one look at every row, without a book, finds."""

    figures: np.ndarray
    kinds: np.ndarray
    gap_hist: np.ndarray
    latency_hist: np.ndarray


@kernel
def _survey(columns: Columns, survey: Survey) -> None:
    figures = survey.figures
    for i in range(columns.kind.shape[0]):
        kind, side, flags = columns.kind[i], columns.side[i], columns.flags[i]
        exch_ts, local_ts = columns.exch_ts[i], columns.local_ts[i]
        price, qty = columns.price[i], columns.qty[i]
        bad_code = kind < 0 or kind >= KINDS or side < 0 or side > 2 or qty < 0
        if bad_code and figures[BAD_CODE_ROW] < 0:
            figures[BAD_CODE_ROW] = i
        if bad_code:
            continue
        if flags & VIEW_ONLY == 0:
            figures[VENUE_ROWS] += 1
            if exch_ts < figures[PREV_EXCH] and figures[BAD_EXCH_ROW] < 0:
                figures[BAD_EXCH_ROW] = i
            figures[PREV_EXCH] = exch_ts
        if flags & VENUE_ONLY != 0:
            continue
        if local_ts < figures[PREV_LOCAL] and figures[BAD_LOCAL_ROW] < 0:
            figures[BAD_LOCAL_ROW] = i
        if figures[VIEW_ROWS] > 0:
            survey.gap_hist[bucket_of(local_ts - figures[PREV_LOCAL])] += 1
        figures[VIEW_ROWS] += 1
        figures[PREV_LOCAL] = local_ts
        survey.kinds[kind] += 1
        latency = local_ts - exch_ts
        survey.latency_hist[bucket_of(latency)] += 1
        figures[LATENCY_MIN] = min(figures[LATENCY_MIN], latency)
        figures[LATENCY_MAX] = max(figures[LATENCY_MAX], latency)
        if kind == TRADE:
            figures[TRADED_LOTS] += qty
            if figures[FIRST_TRADE] == NONE:
                figures[FIRST_TRADE] = price
        elif side < 2 and qty > 0 and kind in (LEVEL, SNAPSHOT, ADD, MODIFY, BBO):
            low = BID_MIN + 2 * side
            figures[low] = min(figures[low], price)
            figures[low + 1] = max(figures[low + 1], price)


def frozen(columns: Columns) -> Columns:
    """Contiguous read-only views of the tape's own dtypes: the one type that kernels take."""
    views = []
    for column, dtype in zip(columns, DTYPES.values(), strict=True):
        view = np.ascontiguousarray(column, dtype).view()
        view.flags.writeable = False
        views.append(view)
    return Columns(*views)


def survey(columns: Columns) -> Survey:
    """Look at every row once; see `check_rows` for what is refused."""
    figures = np.zeros(15, np.int64)
    figures[[BAD_EXCH_ROW, BAD_LOCAL_ROW, BAD_CODE_ROW]] = -1
    figures[[BID_MIN, ASK_MIN, FIRST_TRADE, LATENCY_MIN]] = NONE
    figures[[BID_MAX, ASK_MAX, LATENCY_MAX, PREV_EXCH, PREV_LOCAL]] = np.iinfo(np.int64).min
    found = Survey(
        figures,
        np.zeros(KINDS, np.int64),
        np.zeros(BUCKETS, np.int64),
        np.zeros(BUCKETS, np.int64),
    )
    _survey(columns, found)
    return found


def check_rows(found: Survey, origin: str) -> None:
    """Refuse rows that are no tape. Raises: DataError with the 1-based row."""
    reasons = (
        (BAD_CODE_ROW, "kind, side or qty is out of range"),
        (BAD_EXCH_ROW, "exch_ts goes back among the rows the venue sees"),
        (BAD_LOCAL_ROW, "local_ts goes back among the rows a strategy sees"),
    )
    for slot, reason in reasons:
        row = int(found.figures[slot])
        if row >= 0:
            raise DataError(f"{origin}, tape row {row + 1}: {reason}; put the rows in tape order")


def summarise(columns: Columns, origin: str = "tape") -> dict[str, Any]:
    """The summary of a tape's rows (`frozen`), JSON-ready; prices in ticks, sizes in lots, ns.

    Raises: DataError when the rows break the order of a tape.
    """
    found = survey(columns)
    check_rows(found, origin)
    figures = found.figures
    out: dict[str, Any] = {
        "rows": len(columns.kind),
        "view_rows": int(figures[VIEW_ROWS]),
        "venue_rows": int(figures[VENUE_ROWS]),
        "kinds": {kind.name.lower(): int(found.kinds[kind]) for kind in EventKind},
        "first_exch_ts": _extreme(columns.exch_ts, columns.flags, VIEW_ONLY, 0),
        "last_exch_ts": _extreme(columns.exch_ts, columns.flags, VIEW_ONLY, -1),
        "first_local_ts": _extreme(columns.local_ts, columns.flags, VENUE_ONLY, 0),
        "last_local_ts": _extreme(columns.local_ts, columns.flags, VENUE_ONLY, -1),
        "bid_price_range": _range(figures, BID_MIN),
        "ask_price_range": _range(figures, ASK_MIN),
        "first_trade_price": _or_none(int(figures[FIRST_TRADE])),
        "traded_lots": int(figures[TRADED_LOTS]),
        "gap_ns_p50": quantile(found.gap_hist, 0.5),
        "gap_ns_p99": quantile(found.gap_hist, 0.99),
        "gap_ns_p999": quantile(found.gap_hist, 0.999),
        "latency_ns_min": _or_none(int(figures[LATENCY_MIN])),
        "latency_ns_median": quantile(found.latency_hist, 0.5),
        "latency_ns_max": int(figures[LATENCY_MAX]) if figures[VIEW_ROWS] else None,
    }
    out.update(_touch_figures(columns, found))
    return out


def _touch_figures(columns: Columns, found: Survey) -> dict[str, Any]:
    window = touch_window(found)
    if window is None:
        names = ("first_mid", "spread_ticks_median", "touch_lots_median")
        return dict.fromkeys(names) | {"orders_max": 0, "touch_samples": 0}
    touch = walk_all(make_touch(*window, l1=is_l1(found.kinds)), columns)
    scalars = touch.arena
    samples = int(scalars[SAMPLES])
    return {
        "first_mid": int(scalars[FIRST_BID] + scalars[FIRST_ASK]) / 2 if samples else None,
        "spread_ticks_median": quantile(touch.hist(SPREAD_HIST), 0.5),
        "touch_lots_median": quantile(touch.hist(TOUCH_HIST), 0.5),
        "orders_max": int(scalars[ORDERS_MAX]),
        "touch_samples": samples,
    }


def is_l1(kinds: np.ndarray) -> bool:
    """Whether the touch comes from BBO rows, for want of a book."""
    return not any(int(kinds[kind]) for kind in BOOK_KINDS)


def touch_window(found: Survey) -> tuple[int, int] | None:
    """The span of ticks for `make_touch`: all prices, or a window around where both sides meet."""
    figures = found.figures
    if figures[BID_MIN] == NONE and figures[ASK_MIN] == NONE:
        return None
    low = int(min(figures[BID_MIN], figures[ASK_MIN]))
    high = int(max(figures[BID_MAX], figures[ASK_MAX]))
    if high - low < WINDOW_LEVELS_MAX:
        return low, high
    trade = int(figures[FIRST_TRADE])
    bid_max, ask_min = max(int(figures[BID_MAX]), low), min(int(figures[ASK_MIN]), high)
    centre = trade if trade != NONE else (bid_max + ask_min) // 2
    low = max(low, centre - WINDOW_LEVELS_MAX // 2)
    return low, low + WINDOW_LEVELS_MAX - 1


def _extreme(times: np.ndarray, flags: np.ndarray, unseen: int, end: int) -> int | None:
    """The first (0) or last (-1) time among the rows without the flag `unseen`."""
    span = 4096
    while len(times):
        part = slice(None, span) if end == 0 else slice(-span, None)
        seen = times[part][(flags[part] & unseen) == 0]
        if len(seen):
            return int(seen[end])
        if span >= len(times):
            break
        span *= 16
    return None


def _range(figures: np.ndarray, low: int) -> list[int] | None:
    if figures[low] == NONE:
        return None
    return [int(figures[low]), int(figures[low + 1])]


def _or_none(value: int) -> int | None:
    return None if value == NONE else value
