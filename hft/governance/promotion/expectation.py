"""What a validation leads one to expect of shadow trading: what a trade costs, and its IC.

The vector engine fills at the row's price, so all that the claimed returns paid is the fee they
were told: who trades at the touch validates with a fee that has half the spread in it. Replayed
quotes earn half the spread. The IC is that of sessions out of sample, with their spread, frozen
before a shadow session is seen. Judges nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hft.core.errors import HftError
from hft.research.backtest import Rules, run
from hft.research.data.dataset import ResearchData
from hft.statistics.information import FEWEST, ic
from hft.statistics.sequential import adverse

BLOCK = 20  # rows of a coefficient where sessions are shorter than FEWEST
CLAIM_SHARE = 0.5  # the e-value is against at least this share of the claimed IC
SIGNAL, LABEL, DAY = "signal", "label", "day"


@dataclass(frozen=True)
class IcClaim:
    """Mean and spread of Spearman coefficients; `rows` of each, 0 for a session each."""

    mean: float
    sd: float
    n: int
    rows: int


@dataclass(frozen=True)
class Expected:
    """Units: `cost_bps` of traded value, fees and slippage together. None: cannot be known."""

    cost_bps: float | None = None
    ic: IcClaim | None = None
    ic_words: str = ""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Signals that were followed and what came next, in time order; `day` groups sessions."""

    day: np.ndarray
    signal: np.ndarray
    label: np.ndarray


def expected(
    data: ResearchData,
    signal: np.ndarray,
    rules: Rules,
    *,
    split: float,
    maker_bps: float | None = None,
) -> Expected:
    """What the claim of a signal on its data paid and predicted, out of sample.

    `maker_bps`: the fee of quotes where the claim is of replayed quotes.
    """
    claim, words = _ic(data, signal, split)
    cost = rules.taker_bps * rules.cost
    if maker_bps is not None:
        cost = maker_bps - _half_spread(data, signal, rules)
    return Expected(cost, claim, words)


def _half_spread(data: ResearchData, signal: np.ndarray, rules: Rules) -> float:
    """Half of the quoted spread where the rule trades, in bps; 0 where the data has no quotes."""
    try:
        wide = data.field("ask_px") - data.field("bid_px")
    except HftError:
        return 0.0
    traded = run(data, signal, rules).traded
    with np.errstate(invalid="ignore", divide="ignore"):
        bps = wide / 2.0 / np.abs(data.price) * 1e4
    known = np.isfinite(bps) & (traded > 0)
    return float(np.average(bps[known], weights=traded[known])) if known.any() else 0.0


def _ic(data: ResearchData, signal: np.ndarray, split: float) -> tuple[IcClaim | None, str]:
    label = data.labels(data.horizon_ns).value
    late = np.arange(len(data)) >= int(len(data) * split)
    rows = late & np.isfinite(signal) & np.isfinite(label)
    pairs = Pairs(data.session[rows], np.asarray(signal, float)[rows], label[rows])
    _, counts = np.unique(pairs.day, return_counts=True)
    size = 0 if counts.size and np.median(counts) >= FEWEST else BLOCK
    values = coefficients(pairs, size)
    if values.size < 3:
        return None, f"{values.size} coefficients of the validation out of sample are too few"
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    if mean <= 0 or sd <= 0:
        return None, f"the claimed IC {mean:.4f} is not above 0"
    return IcClaim(mean, sd, int(values.size), size), ""


def coefficients(pairs: Pairs, rows: int) -> np.ndarray:
    """Spearman coefficients of each session, or with `rows` of blocks of so many, in time order."""
    if rows:
        blocks = [np.arange(a, a + rows) for a in range(0, pairs.day.size - rows + 1, rows)]
    else:
        starts = np.flatnonzero(np.diff(pairs.day)) + 1
        blocks = list(np.split(np.arange(pairs.day.size), starts)) if pairs.day.size else []
    found = (ic(pairs.signal[at], pairs.label[at], FEWEST).spearman for at in blocks)
    return np.array([value for value in found if value is not None], np.float64)


def ic_e_value(shown: Sequence[Pairs], claim: IcClaim, tau2: float) -> float | None:
    """How much the shadow sessions speak against half of the claimed IC; None without any.

    The spread is the validation's, so that the e-value holds however often one looks.
    """
    parts = [part for part in shown if part.day.size]
    if not parts:
        return None
    parts.sort(key=lambda part: int(part.day[0]))
    joined = Pairs(*(np.concatenate([getattr(p, n) for p in parts]) for n in (DAY, SIGNAL, LABEL)))
    values = coefficients(joined, claim.rows)
    return adverse(values, CLAIM_SHARE * claim.mean, claim.sd, tau2).e if values.size else None
