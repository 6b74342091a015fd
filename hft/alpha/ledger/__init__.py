"""The trial ledger: what was tried on data that counts, and the hurdle that makes of it."""

from hft.alpha.ledger.check import (
    BROKEN,
    FORKED,
    MISSING,
    ROLLED_BACK,
    VECTORS,
    Problem,
    anchored_heads,
)
from hft.alpha.ledger.family import FamilyView, Price
from hft.alpha.ledger.ledger import Ledger, Recorded
from hft.alpha.ledger.overview import Overview, overview
from hft.alpha.ledger.trial import LABEL_FAMILY, SOURCES, Trial, trial_id

__all__ = [
    "BROKEN",
    "FORKED",
    "LABEL_FAMILY",
    "MISSING",
    "ROLLED_BACK",
    "SOURCES",
    "VECTORS",
    "FamilyView",
    "Ledger",
    "Overview",
    "Price",
    "Problem",
    "Recorded",
    "Trial",
    "anchored_heads",
    "overview",
    "trial_id",
]
