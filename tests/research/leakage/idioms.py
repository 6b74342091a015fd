"""Columns as files have them, in idioms of their own: leaks, and innocents that look like leaks.

Each makes rows of five minutes in sessions of 78, or rows a day of several names, and names the
fields that an alpha would read.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

MINUTE_NS = 60_000_000_000
ROWS, DAYS = 78, 60
Frame = tuple[pl.DataFrame, tuple[str, ...]]
LEAKS: dict[str, Callable[["Market"], Frame]] = {}
INNOCENTS: dict[str, Callable[["Market"], Frame]] = {}


class Market:
    """A walk of five minutes; `lean` is the share of the next step that an edge may know."""

    def __init__(self, seed: int, rows: int = ROWS, days: int = DAYS) -> None:
        self.random = np.random.default_rng([seed, 41])
        self.n, self.rows = rows * days, rows
        k = np.arange(self.n)
        self.day, self.slot = k // rows, k % rows
        self.ts = (19_359 + self.day // 5 * 7 + self.day % 5) * 1440 + 14 * 60 + 5 * self.slot
        self.step = self.draw() * 8e-4 * np.where(self.slot == 0, 4.0, 1.0)

    def draw(self) -> np.ndarray:
        return self.random.normal(size=self.n)

    def after(self, rows: int = 1) -> np.ndarray:
        """The log move over the next rows."""
        total = np.append(np.cumsum(self.step), np.repeat(self.step.sum(), rows))
        return total[rows:] - total[:-rows] if rows else np.zeros(self.n)

    def price(self) -> np.ndarray:
        return np.round(100 * np.exp(np.cumsum(self.step)), 3)

    def leant(self, lean: np.ndarray, share: float) -> None:
        """The next step has this share of what a column says at its row."""
        self.step[1:] += share * 8e-4 * lean[:-1]

    def frame(self, **columns: np.ndarray) -> Frame:
        base = {"mid": self.price(), "volume": np.round(500 * self.random.gamma(2, 1, self.n)) + 1}
        table = pl.DataFrame({"ts": self.ts * MINUTE_NS, "session": self.day} | base | columns)
        table = table.with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")))
        return table, tuple(columns)


def leak(make: Callable[[Market], Frame]) -> Callable[[Market], Frame]:
    LEAKS[make.__name__] = make
    return make


def innocent(make: Callable[[Market], Frame]) -> Callable[[Market], Frame]:
    INNOCENTS[make.__name__] = make
    return make


@leak
def halts_told_by_holes(m: Market) -> Frame:
    """Depth is missing on the row before a plunge, and now and then by chance."""
    plunge = m.random.random(m.n) < 0.01
    m.step = np.where(plunge, -8e-3, m.step)
    gone = np.append(plunge[1:], False) | (m.random.random(m.n) < 0.003)
    return m.frame(depth=np.where(gone, np.nan, np.exp(0.3 * m.draw())))


@leak
def ratings_before_they_are_out(m: Market) -> Frame:
    """A rating in whole grades, kept for days, changed on the row before its jump."""
    turns = np.where(m.random.random(m.n) < 0.01, np.sign(m.draw()), 0.0)
    m.step = m.step + 5e-3 * turns
    return m.frame(rating=np.append(np.cumsum(turns)[1:], 0.0))


@leak
def side_and_success(m: Market) -> Frame:
    """Which way a desk traded, and what it made: their product is the next move."""
    side = np.sign(m.draw())
    return m.frame(side=side, made=side * m.after() / 8e-4 + 0.5 * m.draw())


@leak
def two_halves_of_a_sum(m: Market) -> Frame:
    noise = 3 * m.draw()
    return m.frame(first=noise + m.after(3) / 1.4e-3, second=noise + 0.3 * m.draw())


@leak
def one_chosen_by_the_other(m: Market) -> Frame:
    flow = m.draw()
    return m.frame(flow=flow, strength=np.sign(flow) * m.after(2) / 1.1e-3 + 0.6 * m.draw())


@leak
def index_of_another_zone(m: Market) -> Frame:
    """An index in points, half of it ours, whose clock is half an hour early."""
    ours = np.append(m.step[6:], np.zeros(6))
    return m.frame(index=4000 * np.exp(np.cumsum(0.8 * ours + 5e-4 * m.draw())))


@leak
def score_after_the_move(m: Market) -> Frame:
    return m.frame(sentiment=np.round(m.after(4) / 1.6e-3 + 0.9 * m.draw(), 2))


@leak
def history_of_a_vendor(m: Market) -> Frame:
    told = m.after(6) / 2e-3 + 0.8 * m.draw()
    return m.frame(score=np.where(np.arange(m.n) < m.n // 2, told, 1.3 * m.draw()))


@leak
def centred_average(m: Market) -> Frame:
    price = m.price()
    return m.frame(smooth=np.convolve(np.pad(price, 4, mode="edge"), np.ones(9) / 9, "valid"))


@leak
def filled_from_behind(m: Market) -> Frame:
    """A price known each half hour, filled backward."""
    shown = np.where(m.slot % 6 == 5, m.price(), np.nan)
    return m.frame(fix=pl.Series(shown).fill_nan(None).backward_fill().to_numpy().copy())


@leak
def bars_by_their_left_end(m: Market) -> Frame:
    whole = np.add.reduceat(m.step, np.arange(0, m.n, 6)).repeat(6)[: m.n]
    return m.frame(half_hour=whole)


@leak
def clusters_of_what_followed(m: Market) -> Frame:
    after = m.after(3)
    cuts = np.quantile(after, (0.2, 0.4, 0.6, 0.8))
    return m.frame(regime=np.array([3.0, 1.0, 4.0, 0.0, 2.0])[np.searchsorted(cuts, after)])


@leak
def high_of_the_day(m: Market) -> Frame:
    price = m.price().reshape(-1, m.rows)
    return m.frame(day_high=np.repeat(price.max(axis=1), m.rows))


@leak
def bids_for_a_fund_to_come(m: Market) -> Frame:
    """Rare orders of a fund that rebalances on the next rows, written on the day they are for."""
    sign = np.where(m.random.random(m.n) < 0.008, np.sign(m.draw()), 0.0)
    m.step[1:] += 4e-3 * sign[:-1]
    return m.frame(orders=sign * np.exp(m.draw()))


@innocent
def future_px(m: Market) -> Frame:
    lead = m.draw()
    m.leant(lead, 0.3)
    return m.frame(future_px=3000 * np.exp(np.cumsum(8e-4 * lead)))


@innocent
def label_of_a_printer(m: Market) -> Frame:
    """Called a label, and says nothing of prices."""
    return m.frame(label=np.floor(5 * m.random.random(m.n)))


@innocent
def depth_with_holes(m: Market) -> Frame:
    lean = m.draw()
    m.leant(lean, 0.2)
    return m.frame(depth=np.where(m.random.random(m.n) < 0.4, np.nan, lean))


@innocent
def survey_known_late(m: Market) -> Frame:
    """Missing for a third of the days, then in steps."""
    return m.frame(survey=np.where(m.day < DAYS // 3, np.nan, np.floor(m.day / 5)))


@innocent
def news_that_is_answered(m: Market) -> Frame:
    """A flag on the row of a jump, of which a little goes on."""
    sign = np.where(m.random.random(m.n) < 0.008, np.sign(m.draw()), 0.0)
    m.step += 5e-3 * sign
    m.leant(sign, 0.5)
    return m.frame(news=sign)


@innocent
def funding_now_and_then(m: Market) -> Frame:
    return m.frame(funding=np.where(m.slot % 39 == 0, m.draw(), 0.0))


@innocent
def expiry_flags(m: Market) -> Frame:
    return m.frame(expires=((m.day % 20 == 14) & (m.slot > 60)) * 1.0)


@innocent
def counter_of_trades(m: Market) -> Frame:
    return m.frame(count=np.cumsum(m.random.poisson(30, m.n)) * 1.0)


@innocent
def own_profit_so_far(m: Market) -> Frame:
    held = np.sign(m.draw())
    return m.frame(pnl=np.cumsum(np.append(0.0, held[:-1]) * m.step))


@innocent
def spread_of_a_pair(m: Market) -> Frame:
    """The price comes back to another one within the hour."""
    away = np.zeros(m.n)
    for k in range(1, m.n):
        away[k] = 0.9 * away[k - 1] + m.step[k]
    value = np.cumsum(6e-4 * m.draw())
    m.step = np.diff(value + away, prepend=0.0)
    return m.frame(pair=np.round(50 * np.exp(value), 3))


@innocent
def swings_and_their_phase(m: Market) -> Frame:
    wave = np.zeros(m.n)
    for k in range(2, m.n):
        wave[k] = 1.85 * wave[k - 1] - 0.97 * wave[k - 2] + 5e-4 * m.draw()[0]
    m.step = 0.5 * m.step + np.diff(wave, prepend=0.0)
    return m.frame(phase=np.append(0.0, np.diff(np.log(m.price()))))


@innocent
def two_edges(m: Market) -> Frame:
    one, other = m.draw(), m.draw()
    m.leant(one, 0.35)
    m.leant(other, 0.3)
    return m.frame(one=one, other=other)


@innocent
def votes_of_a_committee(m: Market) -> Frame:
    lean = np.round(1.5 * m.draw())
    m.leant(lean, 0.15)
    return m.frame(votes=lean)


@innocent
def other_venue(m: Market) -> Frame:
    return m.frame(other_mid=np.round(m.price() * np.exp(1e-4 * m.draw()), 2))


@innocent
def last_trade_at(m: Market) -> Frame:
    return m.frame(age=m.random.exponential(20, m.n))


@innocent
def a_constant_for_months(m: Market) -> Frame:
    return m.frame(margin=np.where(m.day < 25, 0.1, np.where(m.day < 45, 0.12, 0.11)))
