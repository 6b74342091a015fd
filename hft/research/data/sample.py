"""A small seeded market as research data, for the tests of alphas: no edge is hidden in it.

Every quantity of the table of aliases is there, so that any alpha can be run on it.
"""

from collections.abc import Iterable

import numpy as np
import polars as pl

from hft.research.data import aliases
from hft.research.data.assembly import assemble
from hft.research.data.clocks import DAY_NS, MINUTE_NS
from hft.research.data.dataset import ResearchData

OPEN_NS = 13 * 3_600_000_000_000 + 30 * MINUTE_NS
BEGIN_DAY = 19_359  # 2023-01-02, a Monday


def sample(
    rows: int = 800, seed: int = 1, minutes: int = 100, fields: Iterable[str] = ()
) -> ResearchData:
    """One-minute bars of weekdays, `minutes` a session, from seeded noise.

    `fields` are an alpha's own; what is not there by any name becomes a column of noise.
    """
    random = np.random.Generator(np.random.Philox(seed))
    day, minute = np.divmod(np.arange(rows), minutes)
    weekday = BEGIN_DAY + day // 5 * 7 + day % 5
    ts = weekday * DAY_NS + OPEN_NS + (minute + 1) * MINUTE_NS
    flow = random.standard_normal(rows) * 500
    mid = 100.0 + np.cumsum(random.standard_normal(rows) * 0.02)
    spread = 0.01 * (1 + random.integers(0, 3, rows))
    bids, asks = random.integers(1, 900, rows), random.integers(1, 900, rows)
    volume = random.integers(100, 5_000, rows).astype(float)
    share = random.uniform(-1, 1, rows)
    frame = pl.DataFrame(
        {
            "ts": ts,
            "open": np.concatenate([mid[:1], mid[:-1]]),
            "high": mid + 0.03,
            "low": mid - 0.03,
            "mid": mid,
            "bid_px": mid - spread / 2,
            "ask_px": mid + spread / 2,
            "bid_qty": bids.astype(float),
            "ask_qty": asks.astype(float),
            "trade_vol": volume,
            "signed_volume": np.round(share * volume),
            "ofi": np.round(flow),
            "trades": random.integers(1, 60, rows).astype(float),
            "notional": volume * mid,
            "volatility": np.abs(random.standard_normal(rows)),
        }
    )
    own = [name for name in fields if not aliases.provides(name, frame.columns)]
    frame = frame.with_columns(pl.Series(name, random.standard_normal(rows)) for name in own)
    return assemble({"sample": frame}, {}, f"sample of seed {seed}")
