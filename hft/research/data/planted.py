"""Research rows with an edge that is known, because it was planted; with none, noise.

One-minute bars of New York sessions. Order flow arrives as noise; the next bar's return leans on
its decayed sum with a correlation of `snr`. Everything else is noise of a realistic size, so that a
validation has something true, or nothing, to find. Half days are half as long. Seeded; the same
call gives the same rows.
"""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from hft.core.errors import ConfigError
from hft.core.json_text import page
from hft.storage.atomic import staged
from hft.tape.sessions import Sessions, sessions_of

CALENDAR = "XNYS"
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
    """Bars of `days` sessions; `snr` is the correlation of flow and the next bar's return.

    Raises: ConfigError for a correlation outside [0, 1) or fewer than one day.
    """
    if not 0.0 <= snr < 1.0:
        raise ConfigError(f"--alpha {snr}: a correlation from 0 to below 1")
    if days < 1:
        raise ConfigError(f"--days {days}: at least 1")
    random = np.random.Generator(np.random.Philox(seed))
    hours = _sessions(start, days)
    bars = (hours.close_ns - hours.open_ns) // BAR_NS
    last = np.cumsum(bars)
    opens, rows = last - bars, int(last[-1])
    flow = random.standard_normal(rows)
    lean = _standard_lean(flow)
    noise = random.standard_normal(rows)
    step = BAR_SD * (snr * lean + np.sqrt(1.0 - snr * snr) * noise)
    night = np.zeros(rows)
    night[opens[1:]] = NIGHT_SD * random.standard_normal(len(opens) - 1)
    # The return into a bar leans on what was known at the bar before.
    moved = np.concatenate([[0.0], step[:-1]])
    moved[opens[1:]] = 0.0
    mid = PRICE * np.exp(np.cumsum(moved + night))
    volume = np.round(1000.0 * np.exp(0.5 * random.standard_normal(rows)))
    depth = np.round(200.0 * np.exp(0.3 * random.standard_normal((2, rows))))
    return pl.DataFrame(
        {
            "ts": np.repeat(hours.open_ns, bars)
            + (np.arange(rows) - np.repeat(opens, bars) + 1) * BAR_NS,
            "session": np.repeat(hours.day, bars),
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


def write(folder: Path, snr: float, *, days: int = DAYS, seed: int = 0, start: date = START) -> int:
    """The bars as `bars.parquet` in a folder, beside them that they are synthetic; how many."""
    frame = planted(snr, days=days, seed=seed, start=start)
    told = {
        "dataset_id": f"planted-{snr:g}-{days}-{seed}",
        "source_type": "synthetic",
        "owner": "hft",
        "schema_version": 1,
        "rows": frame.height,
        "fields": frame.columns,
        "generator": "hft data synth",
        "seed": seed,
    }
    with staged(folder) as stage:
        frame.write_parquet(stage.aside(BARS))
        stage.aside(f"{BARS}.meta.json").write_text(page(told), encoding="utf-8")
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


def _sessions(start: date, days: int) -> Sessions:
    """So many sessions of New York from a day on; half days are shorter.

    Raises: ConfigError where the table of sessions does not reach so far.
    """
    known = sessions_of(CALENDAR)
    assert known is not None
    first = int(np.searchsorted(known.day, int(f"{start:%Y%m%d}")))
    found = known.part(first, first + days)
    if len(found) < days or f"{start:%Y%m%d}" < str(known.day[0]):
        raise ConfigError(
            f"--start {start}, --days {days}: the table of sessions has {known.day[0]} to "
            f"{known.day[-1]}; choose fewer days or another start"
        )
    return found
