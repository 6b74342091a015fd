"""Microprice reversion: the mid is drawn to where both queues say the price is.

The microprice is the mid weighted by the other side's size. Its distance from the mid, in half
spreads, is from -1 to 1; the mid follows it.
"""

import math

from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest(
    alpha_id="microprice_reversion",
    hypothesis=(
        "The mid ignores sizes; the size-weighted price is a better estimate of where the next mid "
        "will be, so the mid reverts to it."
    ),
    formula="clip((microprice - mid) / (spread / 2), -1, 1)",
    paper_refs=(
        "Stoikov (2018), The micro-price: a high-frequency estimator of future prices, "
        "Quantitative Finance 18(12), 1959-1966",
    ),
    data_fields=("microprice", "current_mid", "spread"),
    complexity="O(1)",
    status="DRAFT",
    tier="ENSEMBLE",
    horizon_ns=60_000_000_000,
    owner="",
    family="microprice",
)


class MicropriceReversionAlpha:
    """Distance of the microprice from the mid in half spreads."""

    def __init__(self) -> None:
        self.reset()

    @property
    def manifest(self) -> AlphaManifest:
        return MANIFEST

    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, microprice: float, current_mid: float, spread: float) -> float:
        distance = microprice - current_mid
        if math.isfinite(distance) and math.isfinite(spread) and spread > 0.0:
            self.signal = max(-1.0, min(1.0, 2.0 * distance / spread))
        return self.signal

    def get_signal(self) -> float:
        return self.signal


ALPHA_CLASS = MicropriceReversionAlpha
