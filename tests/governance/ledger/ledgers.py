"""Trials and ledgers for the tests of this folder."""

from pathlib import Path
from typing import Any

import numpy as np

from hft.governance.ledger.ledger import Ledger
from hft.research.trial import Trial

DAY_NS = 86_400 * 10**9
START_NS = 1_700_000_000 * 10**9
YEAR = (START_NS, START_NS + 250 * DAY_NS)
NOW_NS = 1_790_000_000 * 10**9


def returns(seed: int, periods: int = 120, scale: float = 0.01) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).normal(0.0, scale, periods)


def trial(number: int = 0, **changes: Any) -> Trial:
    given = {
        "alpha_id": f"alpha_{number % 3}",
        "family": "ofi",
        "label_family": "fwd_5s",
        "canonical": f"ts_mean(ofi, {number + 1})",
        "interval": YEAR,
        "config_hash": "c0ffee",
        "data_hash": "da7a",
        "code_hash": "c0de",
        "returns": returns(number),
        "periods_per_year": 252.0,
        "source": "search",
        "seed": 42,
    }
    return Trial(**{**given, **changes})


def filled(folder: Path, count: int = 6, writer: str = "me") -> Ledger:
    ledger = Ledger.open(folder, writer=writer)
    ledger.append([trial(number) for number in range(count)], NOW_NS)
    return ledger
