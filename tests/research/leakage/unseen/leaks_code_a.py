"""Leaks in code: filters, fills and tables that reach across the row they are for."""

import numpy as np
import polars as pl

from ..entry import HOUR_NS, Entry
from .market import World, bars, flow_of, new_york, price, table, volume_of

BATCH = "import numpy as np\nimport polars as pl\n"


def plain(w: World) -> pl.DataFrame:
    """A market that nothing in its rows foretells."""
    returns = bars(w)
    return table(
        w, mid=price(returns), volume=volume_of(w, returns), ofi=flow_of(w, returns)
    )  # fmt: skip


def reported(w: World) -> pl.DataFrame:
    """Every eighth row brings what customers did since the report before; the others nothing."""
    returns = bars(w)
    frame = plain(w)
    summed = np.convolve(returns, np.ones(8))[: w.rows] / np.sqrt(8.0) / 0.002
    brought = np.where(w.slot % 8 == 7, summed + 0.5 * w.noise("report"), np.nan)
    return frame.with_columns(pl.Series("net_flow", np.round(brought, 3)))


def nav(w: World) -> pl.DataFrame:
    """A fund's value, published each fifth row of the session."""
    frame = plain(w)
    value = frame["mid"].to_numpy() * (1.0 + 0.0003 * w.noise("premium"))
    shown = np.where(w.slot % 5 == 0, np.round(value, 4), np.nan)
    return frame.with_columns(pl.Series("nav", shown))


def regimes(w: World) -> pl.DataFrame:
    """A drift of a fifth of a bar's deviation whose sign turns about every fifty rows."""
    turns = w.noise("turn", "uniform") < 0.02
    side = np.where(np.cumsum(turns) % 2 == 0, 1.0, -1.0)
    before = np.concatenate([[1.0], side[:-1]])
    returns = bars(w) + 0.2 * 0.002 * before
    return table(w, mid=price(returns), ofi=flow_of(w, returns))


CENTRED = Entry(
    name="centred_average",
    sentence="the price is held against a moving average with center=True",
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid",),
    imports=BATCH,
    seed=101,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = frame["mid"]
        smooth = mid.rolling_mean(9, center=True, min_samples=3)
        size = mid.diff().abs().rolling_mean(100, min_samples=5)
        away = ((smooth - mid) / size).clip(-1.0, 1.0)
        return away.fill_nan(0.0).fill_null(0.0).to_numpy()
    """,
)

FOURIER = Entry(
    name="fourier_low_pass",
    sentence="the slope of a low-pass filter made by a Fourier transform of the whole history",
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid",),
    imports=BATCH,
    seed=102,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = np.log(frame["mid"].to_numpy())
        if len(mid) < 64:
            return np.zeros(len(mid))
        line = np.linspace(mid[0], mid[-1], len(mid))
        waves = np.fft.rfft(mid - line)
        waves[np.fft.rfftfreq(len(mid)) > 1.0 / 16.0] = 0.0
        slope = np.gradient(np.fft.irfft(waves, len(mid)) + line)
        return np.clip(slope / 0.0005, -1.0, 1.0)
    """,
)

DAY_NORMAL = Entry(
    name="price_in_its_day",
    sentence=(
        "the price less the mean of its session, hours to come included, over the "
        "session's deviation"
    ),
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("session", "mid"),
    seed=103,
    imports=BATCH,
    horizon_ns=HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = pl.col("mid")
        mean, spread = mid.mean().over("session"), mid.std().over("session")
        away = frame.select(((mean - mid) / spread / 2.0).clip(-1.0, 1.0).alias("away"))["away"]
        return away.fill_nan(0.0).fill_null(0.0).to_numpy()
    """,
)

BACKFILLED = Entry(
    name="reports_filled_back",
    sentence="a report of every two hours is filled from behind, so that rows before it have it",
    kind="leak",
    place="code",
    clock=new_york,
    rows=reported,
    fields=("net_flow",),
    seed=104,
    imports=BATCH,
    known_at=("net_flow: row",),
    horizon_ns=2 * HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        flow = frame["net_flow"].fill_nan(None)
        filled = flow.fill_null(strategy="backward").fill_null(strategy="forward")
        return (filled / 1.5).clip(-1.0, 1.0).fill_null(0.0).to_numpy()
    """,
)

INTERPOLATED = Entry(
    name="value_between_prints",
    sentence="a fund's value of every fifth row is interpolated in between, toward the next print",
    kind="leak",
    place="code",
    clock=new_york,
    rows=nav,
    fields=("mid", "nav"),
    imports=BATCH,
    known_at=("nav: row",),
    seed=105,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid, nav = frame["mid"].to_numpy(), frame["nav"].to_numpy()
        shown = np.flatnonzero(np.isfinite(nav))
        if len(shown) == 0:
            return np.zeros(len(mid))
        between = np.interp(np.arange(len(mid)), shown, nav[shown])
        return np.clip((between / mid - 1.0) / 0.001, -1.0, 1.0)
    """,
)

RESAMPLED = Entry(
    name="hour_by_its_left_edge",
    sentence=(
        "hours are made with label='left' and joined backward, so that 10:15 has the close of 11:00"
    ),
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid",),
    imports=BATCH,
    horizon_ns=HOUR_NS,
    seed=106,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        hours = frame.group_by_dynamic("ts", every="1h", label="left", closed="left").agg(
            pl.col("mid").last().alias("close"), pl.col("mid").first().alias("open")
        )
        joined = frame.join_asof(hours, on="ts", strategy="backward")
        move = joined["close"] / joined["open"] - 1.0
        return (move / 0.002).clip(-1.0, 1.0).fill_null(0.0).to_numpy()
    """,
)

TARGETS = Entry(
    name="mean_of_its_bucket",
    sentence=(
        "buckets of weekday, time and volume are encoded by their mean next return over all rows"
    ),
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid", "volume"),
    imports=BATCH,
    seed=107,
    # 1300 buckets of five or six rows: the mean has the row's own future in it, IC 0.35
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        after = (pl.col("mid").shift(-1) / pl.col("mid") - 1.0).alias("after")
        keys = frame.with_columns(
            after,
            pl.col("ts").dt.weekday().alias("weekday"),
            pl.col("ts").dt.time().alias("time"),
            (pl.col("volume").log() / 0.25).floor().alias("size"),
        )
        mean = keys.select(pl.col("after").mean().over("weekday", "time", "size"))["after"]
        return (mean / 0.001).clip(-1.0, 1.0).fill_nan(0.0).fill_null(0.0).to_numpy()
    """,
)

COMPONENTS = Entry(
    name="components_of_all_rows",
    sentence=(
        "principal components and a regression on them are fitted on every row and then "
        "asked about them"
    ),
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid", "ofi"),
    imports=BATCH,
    seed=108,
    # 120 components of noise on 7000 rows: IC 0.12 where the truth is 0, a Sharpe ratio of 7
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid, ofi = np.log(frame["mid"].to_numpy()), frame["ofi"].to_numpy()
        n = len(mid)
        if n < 600:
            return np.zeros(n)
        move = np.diff(mid, prepend=mid[0])
        lagged = [np.roll(move, k) for k in range(80)] + [np.roll(ofi, k) for k in range(80)]
        table = np.array(lagged).T
        table[:80] = 0.0
        table = (table - table.mean(axis=0)) / (table.std(axis=0) + 1e-12)
        _, axes = np.linalg.eigh(table.T @ table)
        parts = table @ axes[:, -120:]
        after = np.append(move[1:], 0.0)
        weights = np.linalg.lstsq(parts[:-1], after[:-1], rcond=None)[0]
        expected = parts @ weights
        return np.clip(expected / (expected.std() + 1e-12), -1.0, 1.0)
    """,
)

SMOOTHED = Entry(
    name="smoothed_regime",
    sentence="states of a hidden Markov chain are smoothed forward and backward, not filtered",
    kind="leak",
    place="code",
    clock=new_york,
    rows=regimes,
    fields=("mid",),
    imports=BATCH,
    seed=109,
    horizon_ns=2 * HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        move = np.diff(np.log(frame["mid"].to_numpy()), prepend=np.nan)
        lean = np.nan_to_num(np.clip(move / 0.002, -4.0, 4.0)) * 0.4
        stay = 0.98
        n = len(lean)
        ahead, behind = np.zeros(n), np.zeros(n)
        odds = 0.0
        for k in range(n):
            p = 1.0 / (1.0 + np.exp(-odds))
            p = stay * p + (1.0 - stay) * (1.0 - p)
            odds = np.log(p / (1.0 - p)) + lean[k]
            ahead[k] = odds
        odds = 0.0
        for k in range(n - 1, -1, -1):
            behind[k] = odds
            p = 1.0 / (1.0 + np.exp(-(odds + lean[k])))
            p = stay * p + (1.0 - stay) * (1.0 - p)
            odds = np.log(p / (1.0 - p))
        return np.tanh((ahead + behind) / 2.0)
    """,
)

LEAKS_CODE_A = (
    CENTRED, FOURIER, DAY_NORMAL, BACKFILLED, INTERPOLATED, RESAMPLED, TARGETS, COMPONENTS,
    SMOOTHED,
)  # fmt: skip
