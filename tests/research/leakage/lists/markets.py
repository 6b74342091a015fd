"""The rows that the cases stand on: seeded markets, and recorded ones where they are at hand."""

import lzma
import os
import zipfile
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS
MONDAY = 19_359  # 2023-01-02


def recorded() -> Path:
    """The folder of recorded markets."""
    return Path(os.environ["HFT_TEST_DATA"])


def seeded(seed: int) -> np.random.Generator:
    """Random numbers of a case."""
    return np.random.default_rng(seed)


def weekdays(count: int) -> np.ndarray:
    """Days since the epoch of trading days, Mondays to Fridays."""
    k = np.arange(count)
    return MONDAY + k // 5 * 7 + k % 5


def minutes(days: int = 12, rows: int = 250, seed: int = 1, tick: float = 0.0) -> pl.DataFrame:
    """Minute bars of trading days: a random walk whose volatility and volume come in clusters."""
    random = seeded(seed)
    n = days * rows
    day, minute = np.divmod(np.arange(n), rows)
    ts = weekdays(days)[day] * DAY_NS + (13 * 60 + 31 + minute) * MINUTE_NS
    calm = np.exp(_decayed(random.normal(0, 0.25, n), 0.97))
    smile = 1 + 1.5 * (2 * minute / rows - 1) ** 2
    step = random.normal(0, 1, n) * 4e-4 * np.sqrt(calm * smile)
    step[minute == 0] *= 5
    mid = 100 * np.exp(np.cumsum(step))
    if tick:
        mid = np.round(mid / tick) * tick
    volume = np.round(2000 * calm * smile * random.gamma(2, 0.5, n)) + 1
    bids, asks = random.gamma(2, 200, n).round() + 1, random.gamma(2, 200, n).round() + 1
    spread = 0.01 * (1 + random.integers(0, 3, n))
    return pl.DataFrame(
        {
            "ts": ts,
            "mid": mid,
            "high": mid * (1 + np.abs(step) / 2),
            "low": mid * (1 - np.abs(step) / 2),
            "bid_px": mid - spread / 2,
            "ask_px": mid + spread / 2,
            "bid_qty": bids,
            "ask_qty": asks,
            "trade_vol": volume,
            "signed_volume": np.round(volume * np.clip(random.normal(0, 0.3, n), -1, 1)),
            "ofi": np.round(random.normal(0, 500, n)),
            "session": np.repeat(np.arange(days), rows),
        }
    ).with_columns(
        pl.Series("session", [_yyyymmdd(d) for d in weekdays(days)[day]]),
        pl.Series("step", step),
        pl.Series("minute", minute),
    )


def around_the_clock(rows: int = 3000, minutes_apart: int = 15, seed: int = 2) -> pl.DataFrame:
    """Bars of a market that never closes."""
    random = seeded(seed)
    ts = MONDAY * DAY_NS + np.arange(1, rows + 1) * minutes_apart * MINUTE_NS
    step = random.standard_t(4, rows) * 1e-3
    return pl.DataFrame(
        {"ts": ts, "close": 20_000 * np.exp(np.cumsum(step)), "volume": random.gamma(1, 3, rows)}
    )


def panel(names: int = 6, days: int = 10, rows: int = 60, seed: int = 3) -> pl.DataFrame:
    """Names that share a market, one row a minute and name."""
    random = seeded(seed)
    base = minutes(days, rows, seed).select("ts", "session", "minute")
    common = random.normal(0, 4e-4, len(base))
    parts = []
    for k in range(names):
        step = (0.5 + 0.2 * k) * common + random.normal(0, 6e-4, len(base))
        parts.append(
            base.with_columns(
                pl.lit(f"N{k:02d}").alias("symbol"),
                pl.Series("mid", (20 + 10 * k) * np.exp(np.cumsum(step))),
                pl.Series("trade_vol", random.gamma(2, 500, len(base)).round()),
            )
        )
    return pl.concat(parts).sort("symbol", "ts")


def forward(values: np.ndarray, rows: int) -> np.ndarray:
    """The return over the next `rows` rows; nothing at the end."""
    out = np.full(len(values), np.nan)
    out[:-rows] = values[rows:] / values[:-rows] - 1
    return out


def backward(values: np.ndarray, rows: int) -> np.ndarray:
    """The return over the last `rows` rows; nothing at the beginning."""
    out = np.full(len(values), np.nan)
    out[rows:] = values[rows:] / values[:-rows] - 1
    return out


def standard(values: np.ndarray) -> np.ndarray:
    """In its own deviations, what is missing as 0."""
    return np.nan_to_num(values) / np.nanstd(values)


def scored(frame: pl.DataFrame, values: np.ndarray, name: str = "score") -> pl.DataFrame:
    """The rows with one more column, without what the market was made of."""
    made = frame.with_columns(pl.Series(name, np.asarray(values, dtype=float)))
    return made.drop([n for n in ("step", "minute") if n in made.columns])


@cache
def qqq(first: str = "20240226", days: int = 12) -> pl.DataFrame:
    """Minute bars of QQQ with the state of its book, from a day on."""
    files = sorted((recorded() / "qqq_micro_bars_1m").glob("*.parquet"))
    chosen = [path for path in files if path.stem >= first][:days]
    return pl.concat([pl.read_parquet(path) for path in chosen])


def qqq_files(first: str = "20240226", days: int = 8) -> list[str]:
    """The same as files, as a user names them."""
    files = sorted((recorded() / "qqq_micro_bars_1m").glob("*.parquet"))
    return [str(path) for path in files if path.stem >= first][:days]


@cache
def etf(name: str = "SPY", month: str = "2000-04", rows: int = 4000) -> pl.DataFrame:
    """Minute bars of an ETF, known at the end of their minute."""
    path = recorded() / "us_etf_bars_1m" / name / f"{month}.parquet"
    bars = pl.read_parquet(path).rename({"timestamp": "ts"}).head(rows)
    return bars.with_columns(pl.col("ts").dt.offset_by("1m"))


@cache
def perpetual(rows: int = 4000, skip: int = 0) -> pl.DataFrame:
    """Minute bars of the BTC perpetual, known at their end."""
    path = recorded() / "crypto_bars" / "btc-perp-20211231-20220201_1m.csv.gz"
    bars = pl.read_csv(path, try_parse_dates=True).rename({"timestamp": "ts"})
    return bars.slice(skip, rows).with_columns(pl.col("ts").dt.offset_by("1m"))


@cache
def coins(names: tuple[str, ...] = ("ETH", "LTC", "XMR", "ZEC"), rows: int = 1000) -> pl.DataFrame:
    """Five-minute bars of coins in BTC, a panel."""
    parts = []
    for name in names:
        bars = pl.read_ipc(
            BytesIO((recorded() / f"crypto_bars/{name}_BTC-5m.feather").read_bytes())
        )
        bars = bars.rename({"date": "ts"}).with_columns(
            pl.col("ts").dt.offset_by("5m"), pl.lit(name).alias("symbol")
        )
        parts.append(bars.head(rows))
    return pl.concat(parts).sort("symbol", "ts")


@cache
def stocks(names: tuple[str, ...] = ("AAPL", "HPQ", "KO", "T"), rows: int = 900) -> pl.DataFrame:
    """Daily bars of members of the S&P 500, a panel; those names that are there."""
    parts = []
    for path in sorted((recorded() / "sp500_daily_2000_2016").glob("*.csv.xz")):
        if path.name.split(".csv")[0] in names:
            bars = pl.read_csv(BytesIO(lzma.decompress(path.read_bytes())), try_parse_dates=True)
            known = bars["Date"].cast(pl.Datetime("ns", "UTC")).dt.offset_by("21h")
            bars = bars.with_columns(
                known.alias("ts"), pl.lit(path.name.split(".csv")[0]).alias("symbol")
            )
            parts.append(bars.drop("Date").rename(str.lower).head(rows))
    return pl.concat(parts).sort("symbol", "ts")


@cache
def hours(name: str = "ibm", first: str = "20070101", rows: int = 3000) -> pl.DataFrame:
    """Hourly bars of New York, as UTC, known at their end."""
    with zipfile.ZipFile(recorded() / "lean_us_equity_hour" / f"{name}.zip") as zipped:
        text = zipped.read(zipped.namelist()[0])
    names = ["time", "open", "high", "low", "close", "volume"]
    bars = pl.read_csv(BytesIO(text), has_header=False, new_columns=names)
    bars = bars.filter(pl.col("time").str.slice(0, 8) >= first).head(rows)
    local = pl.col("time").str.to_datetime("%Y%m%d %H:%M").dt.replace_time_zone("America/New_York")
    prices = [pl.col(n) / 10_000 for n in names[1:5]]
    return bars.with_columns(
        local.dt.convert_time_zone("UTC").dt.offset_by("1h").alias("ts"), *prices
    ).drop("time")


@cache
def euro(day: str = "20140502", rows: int = 4000) -> pl.DataFrame:
    """Quotes of EUR/USD, tick by tick; several share a millisecond, some are crossed."""
    path = recorded() / "lean_fx_tick_201405" / "fxcm_eurusd" / f"{day}_quote.zip"
    with zipfile.ZipFile(path) as zipped:
        text = zipped.read(zipped.namelist()[0])
    quotes = pl.read_csv(
        BytesIO(text), has_header=False, new_columns=["ms", "bid", "ask"], n_rows=rows
    )
    midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    ts = int(midnight.timestamp()) * 1_000_000_000
    return quotes.with_columns((pl.col("ms") * 1e6).cast(pl.Int64) + ts).rename({"ms": "ts"})


@cache
def second_quotes(name: str = "bac", day: str = "20131008", rows: int = 4000) -> pl.DataFrame:
    """Closing quotes of each second with sizes, as UTC."""
    path = recorded() / "lean_us_equity_second_201310" / name / f"{day}_quote.zip"
    with zipfile.ZipFile(path) as zipped:
        text = zipped.read(zipped.namelist()[0])
    names = ["ms", "bo", "bh", "bl", "bid", "bid_qty", "ao", "ah", "al", "ask", "ask_qty"]
    quotes = pl.read_csv(BytesIO(text), has_header=False, new_columns=names)
    open_ms = 9.5 * 3_600_000
    quotes = quotes.filter(pl.col("ms") >= open_ms).head(rows)
    midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) + timedelta(hours=4)
    ts = int(midnight.timestamp()) * 1_000_000_000
    return quotes.select(
        ((pl.col("ms") + 1000) * 1_000_000 + ts).alias("ts"),
        (pl.col("bid") / 10_000).alias("bid_px"),
        (pl.col("ask") / 10_000).alias("ask_px"),
        pl.col("bid_qty").cast(pl.Float64),
        pl.col("ask_qty").cast(pl.Float64),
    )


def _decayed(steps: np.ndarray, kept: float) -> np.ndarray:
    out, last = np.empty(len(steps)), 0.0
    for k, step in enumerate(steps):
        last = kept * last + step
        out[k] = last
    return out


def decayed(steps: np.ndarray, kept: float) -> np.ndarray:
    """Each value plus `kept` of the one before."""
    return _decayed(steps, kept)


def _yyyymmdd(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=int(day))).strftime("%Y%m%d")
