"""Inputs that are the answer: labels among an alpha's fields, by name and by their numbers.

A name alone condemns only where it says outright that it is a label; a column of any name is
condemned when it equals what the price does next.
"""

import re

import numpy as np

from hft.research.data.aliases import CLOCK_FIELDS
from hft.research.data.dataset import ResearchData
from hft.research.leakage.report import Violation
from hft.research.alphas.manifest import AlphaManifest

LABEL = re.compile(
    r"(?:^|_)(?:label|target|outcome|fwd|forward)(?:_|\d|$)|^(?:y|t_end.*|t_start)$|"
    r"(?:^|_)(?:future|next)_(?:ret|return|price|mid|close|px|bar|row)"
)
CORRELATED = 0.95
STEPS = (1, 2, 5, 10)
ROWS_MIN = 30


def named_label(name: str) -> bool:
    """Does a column's name say that it is a label?"""
    return LABEL.search(name.lower()) is not None


def label_violations(manifest: AlphaManifest, data: ResearchData) -> list[Violation]:
    """The data fields of an alpha that are labels."""
    found = []
    for name in manifest.data_fields:
        if name in CLOCK_FIELDS:
            continue
        if named_label(name):
            said = f"field {name!r} is a label by its name: an alpha may not read the answer"
            found.append(Violation("label", said, column=name))
            continue
        ahead = knows_price(data, name)
        if ahead is not None:
            steps, likeness = ahead
            said = (
                f"field {name!r} moves with the price {steps} row{'s'[: steps != 1]} later "
                f"(correlation {likeness:.4f}): it is the answer under another name"
            )
            found.append(Violation("label", said, column=name, known=likeness, reach=steps))
    return found


def knows_price(data: ResearchData, name: str) -> tuple[int, float] | None:
    """(rows ahead, correlation) when a field is a later price or a forward return; else None."""
    for symbol in data.symbols[:1] if data.panel else ("",):
        one = data.of(symbol) if data.panel else data
        values, price = one.field(name), one.price
        for steps in STEPS:
            if len(one) < ROWS_MIN + steps:
                break
            likeness = _likeness(values[:-steps], price[:-steps], price[steps:])
            if likeness >= CORRELATED:
                return steps, likeness
    return None


def _likeness(values: np.ndarray, now: np.ndarray, later: np.ndarray) -> float:
    """How much a column is the coming change, the coming return, or the coming level."""
    change = later - now
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = change / now
    as_level = _correlation(values - now, change) if _correlation(values, now) > 0.9 else 0.0
    return max(
        abs(_correlation(values, change)), abs(_correlation(values, relative)), abs(as_level)
    )


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    fine = np.isfinite(one) & np.isfinite(other)
    if fine.sum() < ROWS_MIN:
        return 0.0
    a, b = one[fine] - one[fine].mean(), other[fine] - other[fine].mean()
    width = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / width if width > 0 else 0.0
