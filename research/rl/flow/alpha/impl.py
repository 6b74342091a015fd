"""Order flow as a trained policy reads it: two memories of the flow in, a side out.

The policy is `policy.npz` beside this file: one tanh layer. What it was fitted on and until when
stands in the manifest; rows up to then are no evidence.
"""

import math
from pathlib import Path

from hft.research.alphas.manifest import AlphaManifest
from hft.research.rl.policy import ArrayPolicy

DECAYS = (math.exp(-1.0 / 10.0), math.exp(-1.0 / 40.0))  # memories of 10 and 40 rows
MANIFEST = AlphaManifest(
    alpha_id="rl_flow",
    hypothesis="Order flow at the touch goes on; a policy learned how much of it to follow.",
    formula="tanh(w . flows + b) of a policy of arrays",
    paper_refs=("Rubinstein (1999), The cross-entropy method, Methodology and Computing 1(2)",),
    data_fields=("ofi",),
    complexity="O(1)",
    status="DRAFT",
    tier="RL",
    horizon_ns=60_000_000_000,
    owner="research",
    family="rl",
    threshold=0.3,
)


class Memory:
    """Each memory's flow over its size, in plain numbers: what the policy sees."""

    def __init__(self) -> None:
        self.flows, self.sizes = [0.0, 0.0], [0.0, 0.0]

    def seen(self, ofi: float) -> list[float]:
        """After one more row."""
        if not math.isfinite(ofi):
            ofi = 0.0
        for k, decay in enumerate(DECAYS):
            self.flows[k] = decay * self.flows[k] + ofi
            self.sizes[k] = decay * self.sizes[k] + abs(ofi)
        pairs = zip(self.flows, self.sizes, strict=True)
        return [flow / size if size > 0 else 0.0 for flow, size in pairs]


class RlFlowAlpha:
    """The policy's side at each row, from -1 to 1."""

    manifest = MANIFEST

    def __init__(self) -> None:
        policy = ArrayPolicy.load(Path(__file__).with_name("policy.npz"))
        *self.weights, self.bias = policy.flat().tolist()
        self.reset()

    def reset(self) -> None:
        self.memory, self.signal = Memory(), 0.0

    def update(self, *, ofi: float) -> float:
        seen = self.memory.seen(ofi)
        pushed = sum(w * one for w, one in zip(self.weights, seen, strict=True))
        self.signal = math.tanh(pushed + self.bias)
        return self.signal

    def get_signal(self) -> float:
        return self.signal


ALPHA_CLASS = RlFlowAlpha
