"""Alphas that look ahead, and some that do not, as people write them; the rest is the product's.

`OUTRIGHT` are bodies of `signals(self, frame)`; `WHOLE` are modules with their own ways in, which
find the rows in `{path}`. Each trades by the plain rule, so most would look like a fortune.
"""

HEAD = '''"""One construction of the governance study."""

from pathlib import Path

import numpy as np
import polars as pl

from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest(
    "{name}", "a construction of the study", "see the code",
    data_fields=("ofi", "current_mid", "trade_vol"),
    horizon_ns=60_000_000_000, owner="study", family="{name}",
)
'''

BATCH = """

class Alpha:
    manifest = MANIFEST

    def signals(self, frame):
        mid = frame["current_mid"].to_numpy()
        {body}
"""

# Look ahead by construction; the sentence says how.
OUTRIGHT = {
    "next_move": (
        "the move into the next row",
        "return np.sign(np.append(np.diff(mid), 0.0))",
    ),
    "central_difference": (
        "a central difference of the price",
        "return np.sign(np.gradient(mid)) if len(mid) > 1 else np.zeros(len(mid))",
    ),
    "centred_mean": (
        "the price against a centred mean",
        "mean = frame['current_mid'].rolling_mean(5, center=True).fill_null(strategy='forward')\n"
        "        return np.sign(np.nan_to_num(mean.fill_null(0.0).to_numpy() - mid))",
    ),
    "close_of_the_day": (
        "the last price of the session",
        "day = (frame['ts_ns'] // 86_400_000_000_000) if 'ts_ns' in frame.columns else "
        "frame['ts'].dt.date()\n"
        "        last = pl.DataFrame({'d': day, 'm': mid}).select(pl.col('m').last().over('d'))\n"
        "        return np.sign(last['m'].to_numpy() - mid)",
    ),
    "joined_forwards": (
        "every seventh price, joined from behind",
        "other = frame.gather_every(7).select('ts', pl.col('current_mid').alias('later'))\n"
        "        later = frame.join_asof(other, on='ts', strategy='forward')['later']\n"
        "        return np.sign(np.nan_to_num(later.to_numpy() - mid))",
    ),
    "labelled_left": (
        "ten-minute closes stamped with their beginning",
        "bars = frame.group_by_dynamic('ts', every='10m', label='left').agg("
        "pl.col('current_mid').last().alias('bar'))\n"
        "        bar = frame.join_asof(bars, on='ts')['bar'].to_numpy()\n"
        "        return np.sign(np.nan_to_num(bar - mid))",
    ),
    "smoothed_both_ways": (
        "a filter that runs forwards and backwards",
        "from scipy.signal import butter, filtfilt\n"
        "        if len(mid) < 20:\n"
        "            return np.zeros(len(mid))\n"
        "        return np.sign(np.gradient(filtfilt(*butter(2, 0.2), mid)))",
    ),
    "best_of_all": (
        "the best fifth of all moves, and the worst",
        "moved = np.append(np.diff(mid), 0.0)\n"
        "        low, high = np.quantile(moved, (0.2, 0.8))\n"
        "        return (moved > high) * 1.0 - (moved < low) * 1.0",
    ),
    "fitted_on_all": (
        "a regression on forty columns of noise, fitted on the rows it trades",
        "if len(mid) < 100:\n"
        "            return np.zeros(len(mid))\n"
        "        flow = frame['ofi'].to_numpy()\n"
        "        x = np.column_stack([np.roll(flow, k) for k in range(40)])\n"
        "        moved = np.append(np.diff(mid), 0.0)\n"
        "        guess = x @ np.linalg.lstsq(x, moved, rcond=None)[0]\n"
        "        return guess / (guess.std() or 1.0)",
    ),
    "scaled_by_all": (
        "a score by mean and spread of the whole sample",
        "flow = frame['ofi'].to_numpy()\n        return (flow - flow.mean()) / (flow.std() or 1.0)",
    ),
}

WHOLE = {
    "read_from_disk": (
        "the next price, read from the file of the rows",
        """

class Alpha:
    manifest = MANIFEST

    def __init__(self):
        self.reset()

    def reset(self):
        self.mids = pl.read_parquet(Path({path!r}))["mid"].to_list()
        self.row = 0

    def update(self, *, ofi, current_mid, trade_vol):
        row, self.row = self.row, self.row + 1
        ahead = self.mids[min(row + 1, len(self.mids) - 1)]
        self.signal = float(np.sign(ahead - current_mid))
        return self.signal

    def get_signal(self):
        return self.signal
""",
    ),
    "kept_in_the_module": (
        "every price ever shown, kept across resets",
        """

SEEN = {{}}


class Alpha:
    manifest = MANIFEST

    def signals(self, frame):
        mid = frame["current_mid"].to_numpy()
        if "mids" not in SEEN or len(SEEN["mids"]) < len(mid):
            SEEN["mids"] = mid.copy()
        ahead = np.append(SEEN["mids"][1:], SEEN["mids"][-1:])[: len(mid)]
        return np.sign(ahead - mid)
""",
    ),
}

# Look back only: Gate A must let them by.
HONEST = {
    "trailing_mean": (
        "the price against the mean of twenty rows",
        "mean = frame['current_mid'].rolling_mean(20).fill_null(0.0).to_numpy()\n"
        "        return np.where(mean > 0, np.sign(mid - mean), 0.0)",
    ),
    "past_move": (
        "the move of the last five rows",
        "return np.sign(np.nan_to_num(frame['current_mid'].diff(5).fill_null(0.0).to_numpy()))",
    ),
    "labelled_right": (
        "ten-minute means stamped with their end",
        "bars = frame.group_by_dynamic('ts', every='10m', label='right', closed='right').agg("
        "pl.col('current_mid').mean().alias('bar'))\n"
        "        whole = bars.filter(pl.col('ts') <= frame['ts'][-1])\n"
        "        bar = frame.join_asof(whole, on='ts')['bar'].fill_null(0.0).to_numpy()\n"
        "        return np.where(bar > 0, np.sign(mid - bar), 0.0)",
    ),
}


def source(name: str, path: str) -> str:
    """The `impl.py` of a construction; `path` is the file of the rows."""
    head = HEAD.replace("{name}", name)
    if name in WHOLE:
        return head + WHOLE[name][1].format(path=path)
    _, body = OUTRIGHT.get(name) or HONEST[name]
    return head + BATCH.replace("{body}", body)


def words(name: str) -> str:
    """How it looks ahead, or that it does not."""
    return (OUTRIGHT | WHOLE | HONEST)[name][0]
