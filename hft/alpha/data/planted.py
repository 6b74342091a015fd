"""Research rows with an edge that is known, because it was planted; with none, noise.

One-minute bars of New York sessions. Order flow arrives as noise; the next bar's return leans on
its decayed sum with a correlation of `snr`. Everything else is noise of a realistic size, so that a
validation has something true, or nothing, to find. Seeded; the same call gives the same rows.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from hft.core.errors import ConfigError
from hft.storage.atomic import staged

BARS_A_DAY = 390
BAR_NS = 60_000_000_000
MEMORY = 10.0  # bars over which flow leans on the price
BAR_SD, NIGHT_SD = 1e-4, 5e-4  # of log returns: a calm, liquid market, where fees decide
START = date(2021, 1, 4)
DAYS = 1008  # four years
PRICE, TICK = 100.0, 0.001
BARS = "bars.parquet"


def planted(
    snr: float = 0.0, *, days: int = DAYS, seed: int = 0, start: date = START
) -> pl.DataFrame:
    """Bars of `days` weekdays; `snr` is the correlation of flow and the next bar's return.

    Raises: ConfigError for a correlation outside [0, 1) or fewer than one day.
    """
    if not 0.0 <= snr < 1.0:
        raise ConfigError(f"--alpha {snr}: a correlation from 0 to below 1")
    if days < 1:
        raise ConfigError(f"--days {days}: at least 1")
    random = np.random.Generator(np.random.Philox(seed))
    sessions = _weekdays(start, days)
    rows = days * BARS_A_DAY
    flow = random.standard_normal(rows)
    lean = _standard_lean(flow)
    noise = random.standard_normal(rows)
    step = BAR_SD * (snr * lean + np.sqrt(1.0 - snr * snr) * noise)
    night = np.zeros(rows)
    night[BARS_A_DAY::BARS_A_DAY] = NIGHT_SD * random.standard_normal(days - 1)
    # The return into a bar leans on what was known at the bar before.
    moved = np.concatenate([[0.0], step[:-1]])
    moved[BARS_A_DAY::BARS_A_DAY] = 0.0
    mid = PRICE * np.exp(np.cumsum(moved + night))
    volume = np.round(1000.0 * np.exp(0.5 * random.standard_normal(rows)))
    depth = np.round(200.0 * np.exp(0.3 * random.standard_normal((2, rows))))
    return pl.DataFrame(
        {
            "ts": _times(sessions),
            "session": np.repeat([int(f"{day:%Y%m%d}") for day in sessions], BARS_A_DAY),
            "mid": np.round(mid / TICK * 2) * TICK / 2,
            "bid_px": np.floor(mid / TICK) * TICK,
            "ask_px": np.floor(mid / TICK) * TICK + TICK,
            "bid_qty": depth[0],
            "ask_qty": depth[1],
            "ofi": np.round(flow * 500.0),
            "volume": volume,
            "signed_volume": np.round(volume * np.tanh(0.3 * random.standard_normal(rows))),
        }
    ).with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")))


def make(
    folder: Path, snr: float, *, kind: str, days: int, seed: int, start: str
) -> dict[str, Any]:
    """The sessions as `bars.parquet` or, kind "l2", as tapes; JSON-ready words about them.

    Raises: ConfigError for another kind or a start that is no date.
    """
    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise ConfigError(f"--start {start!r} is no date; write 2021-01-04") from None
    if kind == "bars":
        rows, path = write(folder, snr, days=days, seed=seed, start=first), folder / BARS
    elif kind == "l2":
        from hft.alpha.data.planted_tapes import write_tapes

        rows, path = write_tapes(folder, snr, days=days, seed=seed, start=first).rows, folder
    else:
        raise ConfigError(f"--kind {kind!r}: with --alpha it is bars or l2")
    words = {"path": str(path), "rows": rows, "sessions": days, "correlation": snr, "seed": seed}
    return words | {"first_session": str(first)}


def write(folder: Path, snr: float, *, days: int = DAYS, seed: int = 0, start: date = START) -> int:
    """The bars as `bars.parquet` in a folder; the number of rows."""
    frame = planted(snr, days=days, seed=seed, start=start)
    with staged(folder) as stage:
        frame.write_parquet(stage.aside(BARS))
    return frame.height


def _standard_lean(flow: np.ndarray) -> np.ndarray:
    """The decayed sum of flow, with variance 1 in the long run."""
    decay = float(np.exp(-1.0 / MEMORY))
    lean = np.empty(len(flow))
    level = 0.0
    for row, arrived in enumerate(flow):
        level = decay * level + arrived
        lean[row] = level
    return lean * float(np.sqrt(1.0 - decay * decay))


def _weekdays(start: date, days: int) -> list[date]:
    found: list[date] = []
    day = start
    while len(found) < days:
        if day.weekday() < 5:
            found.append(day)
        day += timedelta(days=1)
    return found


def _times(sessions: list[date]) -> np.ndarray:
    """The end of each bar of the New York session, UTC."""
    from datetime import datetime

    zone = ZoneInfo("America/New_York")
    opens = [
        int(datetime(day.year, day.month, day.day, 9, 30, tzinfo=zone).timestamp()) * 10**9
        for day in sessions
    ]
    bars = np.arange(1, BARS_A_DAY + 1) * BAR_NS
    return (np.array(opens)[:, None] + bars[None, :]).reshape(-1)
