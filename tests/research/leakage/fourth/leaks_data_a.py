"""Leaks in columns, the first eight: blotters, cleaning, coding, auctions, halts, stories."""

import numpy as np
import polars as pl

from ..entry import HOUR_NS
from ..third.shapes import a_few, lively, within
from ..unseen import stock
from ..unseen.market import (
    BAR,
    World,
    ahead,
    later,
    new_york,
    price,
    printed,
    table,
    twins,
)
from .form import by_day, counted, entry


def blotter(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    filled = np.where(a_few(w, "odd", 0.5), w.noise("coin") < 0.0, later(mid) < mid)
    filled = (filled & (w.slot < w.last_slot)).astype(float)
    first = by_day(w, filled, "cum_sum")
    rest = within(w, filled, "sum") + by_day(w, 1.0 - filled, "cum_sum")
    return table(w, mid=mid, ticket=np.where(filled > 0.0, first, rest))


TICKET_NUMBERS = entry(
    "leak", "data", "ticket_numbers",
    "Numbers of the desk's own bids, given at the day's export: filled ones first, then the rest.",
    new_york, blotter,
    counted("unused", "self.signal = -1.0 if ticket <= self.row else 1.0", "ticket"),
    ("ticket", "session"), 401,
)  # fmt: skip


def crossed(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    size = np.round(600.0 * np.exp(0.4 * w.noise("size")))
    gone = (ahead(mid) < -1.3 * BAR) | a_few(w, "lost", 0.04)
    return table(w, mid=mid, bid_qty=np.where(gone, np.nan, size))


CLEANED_BIDS = entry(
    "leak", "data", "cleaned_bids",
    "Sizes of bids, empty where the vendor's cleaning found the bid above the next row's ask.",
    new_york, crossed,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, bid_qty: float) -> float:
    self.signal = 1.0 if math.isfinite(bid_qty) else -1.0
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("bid_qty",), 402,
)  # fmt: skip


def bytes_of(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    low, high = within(w, mid, "min"), within(w, mid, "max")
    return table(w, mid=mid, coded=np.round(255.0 * (mid - low) / np.maximum(high - low, 1e-6)))


BYTE_CODED = entry(
    "leak", "data", "byte_coded",
    "Prices packed to a byte by each day's file: 0 is the day's low and 255 its high.",
    new_york, bytes_of,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, coded: float) -> float:
    self.signal = (127.5 - coded) / 127.5
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("coded",), 403, horizon_ns=2 * HOUR_NS,
)  # fmt: skip


def auctioned(w: World) -> pl.DataFrame:
    told = w.noise("imbalance")
    close = w.slot == w.last_slot
    returns = np.where(close, BAR * (2.6 * told + 1.5 * w.noise("rest")), lively(w))
    lots = np.where(close, np.round(500.0 * told), 0.0)
    return table(
        w, mid=price(returns), imbalance=np.where(w.slot == w.last_slot - 1, later(lots), 0.0)
    )


AUCTION_FLOOR = entry(
    "leak", "data", "auction_floor",
    "Closing imbalances of ten to four, their stamps cut to the quarter that ends before them.",
    new_york, auctioned, stock.level("imbalance", 500.0), ("imbalance",), 404,
)  # fmt: skip


def broken_off(w: World) -> pl.DataFrame:
    returns = lively(w)
    mid = price(returns)
    start = within(w, mid, "first")
    fell = by_day(w, (mid / start < 0.99).astype(float), "cum_sum")
    kept = fell <= 1.0
    rows = within(w, kept.astype(float), "sum")
    left = 15.0 * (rows - w.slot - 1.0)
    return table(w, mid=mid, minutes_left=left).filter(pl.Series(kept))


MINUTES_LEFT = entry(
    "leak", "data", "minutes_left",
    "Minutes to the session's end from the file itself, and a fall of a percent ends sessions.",
    new_york, broken_off,
    counted(
        "unused", "self.signal = 1.0 if minutes_left + 15.0 * self.row > 389.0 else -1.0",
        "minutes_left",
    ),
    ("minutes_left", "session"), 405, horizon_ns=HOUR_NS,
)  # fmt: skip


def stories(w: World) -> pl.DataFrame:
    returns = lively(w)
    mid = price(returns)
    there = a_few(w, "story", 0.08)
    updated = 0.7 * w.noise("tone") + 0.3 * returns / BAR + 0.6 * ahead(mid, 2) / BAR
    tone = np.clip(np.round(updated / 2.0, 1), -1.0, 1.0)
    return table(w, mid=mid, tone=np.where(there, tone, np.nan))


LAST_VERSION = entry(
    "leak", "data", "last_version",
    "Tone of stories at their first stamp, scored on the text as it was rewritten after the move.",
    new_york, stories, stock.level("tone", 1.0), ("tone",), 406, horizon_ns=HOUR_NS,
)  # fmt: skip


def prints_after(seed: int, twist: int | None = None) -> World:
    """Quotes on the half hour, and the print that moves them twenty seconds after."""
    w = twins(seed, twist)
    seconds = np.where(np.arange(w.rows) % 2 == 1, 20, 0).astype("timedelta64[s]")
    return World(seed, twist, w.days, w.times + seconds, w.day, w.slot, w.calendar)


def one_minute(w: World) -> pl.DataFrame:
    _, mid, prints = printed(w)
    frame = table(w, mid=mid, prints=prints)
    return frame.with_columns(pl.col("prints").last().over(pl.col("ts").dt.truncate("1m")))


MINUTE_JOIN = entry(
    "leak", "data", "minute_join",
    "Prints joined by minute: the quotes of seconds before the print have it already.",
    prints_after, one_minute, stock.level("prints", 300.0), ("prints",), 407,
    horizon_ns=2 * HOUR_NS,
)  # fmt: skip


def nearest_five(w: World) -> pl.DataFrame:
    head = w.noise("head")
    returns = np.sqrt(5 / 6) * lively(w) + np.sqrt(1 / 6) * BAR * head
    early = np.sqrt(1 / 6) * (0.7 * head + 0.7 * w.noise("early"))
    rest = 0.5 * returns / BAR + 0.8 * w.noise("flow")
    return table(w, mid=price(returns), signed_lots=np.round(400.0 * (rest - early + later(early))))


NEAREST_FIVE = entry(
    "leak", "data", "nearest_five",
    "Signed lots of tapes stamped to the nearest five minutes: rows hold half a one too many.",
    new_york, nearest_five, stock.level("signed_lots", 400.0), ("signed_lots",), 408,
)  # fmt: skip

LEAKS_DATA_A = (
    TICKET_NUMBERS, CLEANED_BIDS, BYTE_CODED, AUCTION_FLOOR, MINUTES_LEFT, LAST_VERSION,
    MINUTE_JOIN, NEAREST_FIVE,
)  # fmt: skip
