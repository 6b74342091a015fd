"""Order-flow imbalance: pressure at the touch goes on for a little while.

Each row brings `ofi`, what came to bid less what came to offer since the row before. Its recent sum
is put in proportion to the recent sum of its size, so that the signal is from -1 to 1 whatever the
instrument trades in.
"""

import math

from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest(
    alpha_id="order_flow_imbalance",
    hypothesis=(
        "Order flow at the touch arrives in runs, since large orders are worked in pieces; the "
        "price has not moved all the way when a run is half through."
    ),
    formula="sum_i d^i ofi[t-i] / sum_i d^i |ofi[t-i]|, d = exp(-1 / memory)",
    paper_refs=(
        "Cont, Kukanov and Stoikov (2014), The price impact of order book events, Journal of "
        "Financial Econometrics 12(1), 47-88",
    ),
    data_fields=("ofi",),
    complexity="O(1)",
    status="DRAFT",
    tier="ENSEMBLE",
    horizon_ns=300_000_000_000,
    owner="",
    family="ofi",
)


class OrderFlowImbalanceAlpha:
    """Decayed order flow over decayed absolute order flow. `memory` and `warmup` are rows."""

    def __init__(self, memory: float = 10.0, warmup: int = 10) -> None:
        self.decay = math.exp(-1.0 / memory)
        self.warmup = warmup
        self.reset()

    @property
    def manifest(self) -> AlphaManifest:
        return MANIFEST

    def reset(self) -> None:
        self.flow = 0.0
        self.size = 0.0
        self.seen = 0
        self.signal = 0.0

    def update(self, *, ofi: float) -> float:
        if not math.isfinite(ofi):
            return self.signal  # nothing new is known
        self.flow = self.decay * self.flow + ofi
        self.size = self.decay * self.size + abs(ofi)
        self.seen += 1
        if self.seen >= self.warmup and self.size > 0.0:
            self.signal = self.flow / self.size
        return self.signal

    def get_signal(self) -> float:
        return self.signal


ALPHA_CLASS = OrderFlowImbalanceAlpha
