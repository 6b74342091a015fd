"""Queue imbalance: the thinner queue at the touch is used up first.

`queue_imbalance` is (bid size - ask size) / (bid size + ask size) at the touch, or its mean over a
bar. A short exponential mean takes out the flicker of single quotes.
"""

import math

from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest(
    alpha_id="queue_imbalance",
    hypothesis=(
        "When more is bid than offered at the touch, the offer is used up before the bid, so the "
        "next change of the mid is more often up; strongest where the spread is one tick."
    ),
    formula="ema(queue_imbalance, memory)",
    paper_refs=(
        "Gould and Bonart (2016), Queue imbalance as a one-tick-ahead price predictor in a limit "
        "order book, Market Microstructure and Liquidity 2(2), 1650006",
    ),
    data_fields=("queue_imbalance",),
    complexity="O(1)",
    status="DRAFT",
    tier="ENSEMBLE",
    horizon_ns=60_000_000_000,
    owner="",
    family="queue",
)


class QueueImbalanceAlpha:
    """A short mean of the queue imbalance, from -1 to 1. `memory` is in rows."""

    def __init__(self, memory: float = 2.0) -> None:
        self.weight = 1.0 - math.exp(-1.0 / memory)
        self.reset()

    @property
    def manifest(self) -> AlphaManifest:
        return MANIFEST

    def reset(self) -> None:
        self.begun = False
        self.signal = 0.0

    def update(self, *, queue_imbalance: float) -> float:
        if not math.isfinite(queue_imbalance):
            return self.signal
        if not self.begun:
            self.begun, self.signal = True, queue_imbalance
        else:
            self.signal += self.weight * (queue_imbalance - self.signal)
        return self.signal

    def get_signal(self) -> float:
        return self.signal


ALPHA_CLASS = QueueImbalanceAlpha
