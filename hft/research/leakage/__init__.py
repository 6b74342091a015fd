"""Does an alpha look ahead? Found by cutting and changing what it is handed, by no statistic."""

from hft.research.leakage.alpha import check_alpha
from hft.research.leakage.invariance import check
from hft.research.leakage.report import LeakReport, Violation

__all__ = [
    "LeakReport",
    "Violation",
    "check",
    "check_alpha",
]
