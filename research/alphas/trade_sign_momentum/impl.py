"""Trade-sign momentum: buyers are followed by buyers.

The share of signed volume in recent volume, from -1 (all sold) to 1 (all bought).
"""

import math

from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest(
    alpha_id="trade_sign_momentum",
    hypothesis=(
        "The signs of trades have a long memory, since large orders are split; what was mostly "
        "bought will mostly be bought, and part of its impact is still to come."
    ),
    formula="sum_i d^i signed_volume[t-i] / sum_i d^i trade_vol[t-i], d = exp(-1 / memory)",
    paper_refs=(
        "Lillo and Farmer (2004), The long memory of the efficient market, Studies in Nonlinear "
        "Dynamics and Econometrics 8(3)",
    ),
    data_fields=("signed_volume", "trade_vol"),
    complexity="O(1)",
    status="DRAFT",
    tier="ENSEMBLE",
    horizon_ns=300_000_000_000,
    owner="",
    family="trade_sign",
)


class TradeSignMomentumAlpha:
    """Decayed signed volume over decayed volume. `memory` and `warmup` are rows."""

    def __init__(self, memory: float = 20.0, warmup: int = 10) -> None:
        self.decay = math.exp(-1.0 / memory)
        self.warmup = warmup
        self.reset()

    @property
    def manifest(self) -> AlphaManifest:
        return MANIFEST

    def reset(self) -> None:
        self.bought = 0.0
        self.traded = 0.0
        self.seen = 0
        self.signal = 0.0

    def update(self, *, signed_volume: float, trade_vol: float) -> float:
        if not (math.isfinite(signed_volume) and math.isfinite(trade_vol)):
            return self.signal
        self.bought = self.decay * self.bought + signed_volume
        self.traded = self.decay * self.traded + trade_vol
        self.seen += 1
        if self.seen >= self.warmup and self.traded > 0.0:
            self.signal = self.bought / self.traded
        return self.signal

    def get_signal(self) -> float:
        return self.signal


ALPHA_CLASS = TradeSignMomentumAlpha
