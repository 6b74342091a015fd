"""Pools and kept runs for tests."""

from pathlib import Path
from typing import Any

import numpy as np

from hft.research.experiments import Series, write_run
from hft.research.pool import Member
from hft.research.pool.members import Pool, align

NOON = 1_800_000_000_000_000_000
SECOND = 1_000_000_000


def draws(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal((rows, columns))


def priced(returns: np.ndarray) -> np.ndarray:
    """Prices whose change from a row to the next is the return of the row."""
    return np.asarray(100.0 * np.cumprod(1.0 + np.concatenate([[0.0], returns[:-1]])))


def pool_of(
    signals: np.ndarray, returns: np.ndarray | None = None, market: np.ndarray | None = None
) -> Pool:
    times = np.arange(len(signals)) * SECOND
    members = [
        Member(
            f"a{k}",
            Series(signals[:, k], times),
            None if returns is None else returns[:, k],
            price=None if market is None else priced(market),
        )
        for k in range(signals.shape[1])
    ]
    return align(members)


def kept(root: Path, alpha: str, values: Any, ts: Any = None, at: int = NOON, **more: Any) -> None:
    write_run(
        root,
        alpha_id=alpha,
        now_ns=at,
        config_hash="c",
        data_hash=alpha,
        signals=values,
        ts_ns=ts,
        **more,
    )
