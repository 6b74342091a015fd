"""Research data: what alphas are tried and judged on, whatever it was recorded in."""

from hft.alpha.data.labels import labels
from hft.alpha.data.load import load
from hft.alpha.data.research import Labels, ResearchData

__all__ = ["Labels", "ResearchData", "labels", "load"]
