"""Honest columns, the last six: payments, forecasts, tags by the month, pins, plans, notices."""

import numpy as np
import polars as pl
from scipy.signal import lfilter

from ..entry import BAR_NS, DAY_NS, HOUR_NS, Frames
from ..third.shapes import led, lively
from ..unseen import stock
from ..unseen.market import BAR, World, ahead, coins, daily_rows, earlier, new_york, price, table
from .form import entry, fixed
from .leaks_data_c import NAMES, moves


def funded(w: World) -> pl.DataFrame:
    premium = lfilter([0.44], [1.0, -0.9], w.noise("premium"))
    wait = 8.0 - w.slot % 8
    hurry = np.where(wait <= 4.0, -premium, 0.8 * premium)
    returns = led(w, hurry, 0.08, night=BAR)
    return table(
        w, mid=price(returns), hours_to_payment=wait, predicted=np.round(0.01 * premium, 5)
    )


NEXT_PAYMENT = entry(
    "innocent", "data", "next_payment",
    "The funding rate that a venue predicts, and hours to go: longs leave, and come back after.",
    coins, funded,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, hours_to_payment: float, predicted: float) -> float:
    side = -1.0 if hours_to_payment <= 4.0 else 0.8
    self.signal = max(-1.0, min(1.0, side * predicted / 0.01))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("hours_to_payment", "predicted"), 471, horizon_ns=HOUR_NS,
)  # fmt: skip


def foreseen(w: World) -> pl.DataFrame:
    news = w.noise("forecast")
    warmth = lfilter([1.0], [1.0, -0.97], news)
    actual = earlier(warmth, 24) + 0.5 * w.noise("miss")
    returns = led(w, -news, 0.06, night=BAR) - 0.3 * BAR * news
    return table(
        w, mid=price(returns), warmth=np.round(actual, 1), warmth_tomorrow=np.round(warmth, 2)
    )


TOMORROWS_WARMTH = entry(
    "innocent", "data", "tomorrows_warmth",
    "A good forecast of the same hour tomorrow: a day later the temperature is nearly that.",
    coins, foreseen,
    """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.last = math.nan
    self.signal = 0.0

def update(self, *, warmth_tomorrow: float) -> float:
    if math.isfinite(self.last):
        self.signal = max(-1.0, min(1.0, (self.last - warmth_tomorrow) / 1.5))
    self.last = warmth_tomorrow
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("warmth_tomorrow",), 472, horizon_ns=HOUR_NS,
)  # fmt: skip


def tagged_monthly(w: World) -> pl.DataFrame:
    flows = np.stack([w.noise(f"wallet {k}") for k in range(60)])
    mid = price(led(w, flows[:6].sum(axis=0) / np.sqrt(6.0), 0.12, night=BAR))
    gains = np.cumsum(flows * ahead(mid), axis=1)
    summed = np.zeros(w.rows)
    for start in range(720, w.rows, 720):
        smart = np.argsort(gains[:, start - 2])[-6:]
        summed[start : start + 720] = flows[smart, start : start + 720].sum(axis=0)
    return table(w, mid=mid, smart_flow=np.round(50.0 * summed))


TAGGED_MONTHLY = entry(
    "innocent", "data", "tagged_monthly",
    "Net flow of the wallets that had gained most by the month before; a few do know something.",
    coins, tagged_monthly, stock.level("smart_flow", 150.0), ("smart_flow",), 473,
    horizon_ns=HOUR_NS,
)  # fmt: skip


def pinned(w: World) -> pl.DataFrame:
    usual = lively(w)
    strike = np.zeros(w.rows)
    level, pin, path = np.log(100.0), 100.0, np.zeros(w.rows)
    for k in range(w.rows):
        pull = 0.03 if w.day[k] % 5 >= 3 and not w.opens[k] else 0.0
        level += usual[k] + pull * (np.log(pin) - level)
        path[k] = level
        if w.opens[k] and w.day[k] % 5 == 0:
            pin = 2.0 * np.round(np.exp(level) / 2.0)
        strike[k] = pin
    return table(w, mid=np.round(np.exp(path), 3), top_strike=strike)


TOP_STRIKE = entry(
    "innocent", "data", "top_strike",
    "The strike of most open interest since the week's open, where the price is pinned at its end.",
    new_york, pinned, stock.gap("top_strike"), ("mid", "top_strike"), 474, horizon_ns=4 * HOUR_NS,
)  # fmt: skip


def planned(w: World) -> pl.DataFrame:
    plan = np.round(300.0 * fixed(w, 5, w.rows + 1))
    sent, coming = plan[:-1], plan[1:]
    returns = lively(w) + 0.07 * BAR * sent / 300.0
    return table(w, mid=price(returns), sent=sent, to_send=coming)


TO_SEND = entry(
    "innocent", "data", "to_send",
    "Lots the client's schedule has for the next row: what is sent then is that, to the lot.",
    new_york, planned, stock.level("to_send", 300.0), ("to_send",), 475, horizon_ns=BAR_NS,
)  # fmt: skip


def announced(w: World) -> Frames:
    made = {}
    for number, name in enumerate(NAMES[:12]):
        told = w.noise(f"{name} notice")
        returns, left, side = moves(w, name), np.full(w.rows, 99.0), np.zeros(w.rows)
        for day in range(12 + 3 * number, w.rows - 12, 42):
            rows = np.arange(day, day + 11)
            left[rows], side[rows] = 10.0 - np.arange(11), np.sign(told[day])
            returns[rows[1:]] += 0.0035 * np.sign(told[day])
            returns[rows[0]] += 0.02 * np.sign(told[day])
        made[name] = table(w, close=price(returns), days_to_effect=left, side=side)
    return made


INDEX_NOTICE = entry(
    "innocent", "data", "index_notice",
    "Days until an index takes a name in or throws it out, from the evening of the notice on.",
    daily_rows, announced,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, days_to_effect: float, side: float) -> float:
    self.signal = side if 0.0 < days_to_effect <= 10.0 else 0.0
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("days_to_effect", "side"), 476, horizon_ns=5 * DAY_NS,
)  # fmt: skip

INNOCENTS_DATA_C = (
    NEXT_PAYMENT, TOMORROWS_WARMTH, TAGGED_MONTHLY, TOP_STRIKE, TO_SEND, INDEX_NOTICE,
)  # fmt: skip
