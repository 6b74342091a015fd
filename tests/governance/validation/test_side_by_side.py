"""PBO lays the trials of the ledger beside the sweep day by day, or says that it cannot."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.governance.gates.c import gate_c
from hft.governance.ledger.ledger import Ledger
from hft.governance.profile import Profile
from hft.governance.validation.trials import periods_of, tries
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.measures.evidence import Levels, weigh
from hft.research.measures.measurement import Measured, Options, measure
from hft.research.trial import LABEL_FAMILY, Trial
from hft.settings import read_profile

DAYS = 60
DAY_NS = 86_400_000_000_000


@pytest.fixture(scope="module")
def found() -> Measured:
    data = load(planted(0.05, days=DAYS, seed=3))
    return measure(data, np.nan_to_num(data.field("ofi")), Options(horizon_ns=60_000_000_000))


def trial(found: Measured, number: int, **changes: Any) -> Trial:
    rng = np.random.Generator(np.random.Philox(number))
    start, end = found.data.interval
    given: dict[str, Any] = {
        "alpha_id": f"other_{number}",
        "family": "ofi",
        "label_family": LABEL_FAMILY,
        "canonical": f"number {number}",
        "interval": (start, end + 1),
        "config_hash": "c",
        "data_hash": found.data.fingerprint,
        "code_hash": "c",
        "returns": rng.normal(0.0, 0.01, DAYS),
        "periods_per_year": 252.0,
        "source": "search",
        "seed": 1,
        "periods_ns": periods_of(found) + 3_600_000_000_000,  # a clock that ticks an hour later
    }
    return Trial(**{**given, **changes})


def test_only_returns_of_the_same_days_are_laid_side_by_side(
    found: Measured, tmp_path: Path
) -> None:
    days = periods_of(found)
    ledger = Ledger.open(tmp_path, writer="me")
    same, shifted, unnamed = trial(found, 1), trial(found, 2), trial(found, 3, periods_ns=None)
    shifted = trial(found, 2, periods_ns=days + 30 * DAY_NS)
    shorter = trial(found, 4, returns=np.ones(9) * 0.1 + np.arange(9), periods_ns=days[:9])
    elsewhere = trial(found, 5, data_hash="other rows")
    ledger.append([same, shifted, unnamed, shorter, elsewhere], 1)
    counted = tries(ledger.family(label_family=LABEL_FAMILY), found)
    assert counted.n == 5 and set(counted.vectors or {}) == {same.id}
    assert counted.left_out == 3, "those of other rows are not meant at all"
    evidence = weigh(found.returns, found.sweep, counted, Levels(), 1)
    assert evidence.pbo_configs == 2, "the alpha, whatever it swept, and one other idea"
    profile = Profile.from_dict(read_profile("standard"), "standard")
    pbo = next(check for check in gate_c(found, evidence, profile).checks if check.id == "pbo")
    assert "2 ideas of different code on these days, it takes 10" in pbo.reason
    assert "3 trials of this data are left out: they do not say these days" in pbo.reason


def test_the_order_of_days_is_that_of_the_sweep(found: Measured, tmp_path: Path) -> None:
    """A copy of the sweep's own column, told by its days, is no other configuration."""
    own = found.returns
    ledger = Ledger.open(tmp_path, writer="me")
    ledger.append([trial(found, 1, returns=own)], 1)
    counted = tries(ledger.family(label_family=LABEL_FAMILY), found)
    evidence = weigh(found.returns, found.sweep, counted, Levels(), 1)
    again = tries(ledger.family(label_family=LABEL_FAMILY), found, ("other_1", "c"))
    assert again.vectors == {}, "of the alpha's own code"
    assert counted.left_out == 0 and evidence.pbo_configs == 1
