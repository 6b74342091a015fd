"""Gate A's structural tests: an alpha that looks ahead is caught here, and by no statistic."""

from hft.alpha.leakage.audit import audit, manifest_checks
from hft.alpha.leakage.invariance import check
from hft.alpha.leakage.of_alpha import check_alpha
from hft.alpha.leakage.report import LeakReport, Violation

__all__ = [
    "LeakReport",
    "Violation",
    "audit",
    "check",
    "check_alpha",
    "manifest_checks",
]
