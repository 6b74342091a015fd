"""How much more eagerly a trained market maker bids than offers, holding nothing.

The policy is `policy.npz` beside this file: one tanh layer, nine features to two actions. What the
signal cannot know (inventory, own orders) is zero in it; the quotes, which are what a validation
replays, know both.
"""

import math
from pathlib import Path

import numpy as np

from hft.research.alphas.manifest import AlphaManifest
from hft.research.rl.adapter import PolicyAlpha
from hft.research.rl.quotes import Quotes
from hft.research.rl.policy import ArrayPolicy
from hft.research.rl.quoting import BOUND, FEATURES, MEMORY, Quoting

FIELDS = ("mid_tick", "micro_tick", "spread_ticks", "imbalance", "traded_lots")
MANIFEST = AlphaManifest(
    alpha_id="rl_quotes",
    hypothesis=(
        "A policy that learned to quote leans to the side on which it expects to be right: where "
        "it bids more eagerly than it offers, the mid rises over the next seconds."
    ),
    formula="(bid eagerness - ask eagerness) / 2 of a policy of arrays",
    paper_refs=("Rubinstein (1999), The cross-entropy method, Methodology and Computing 1(2)",),
    data_fields=FIELDS,
    complexity="O(1)",
    status="DRAFT",
    tier="RL",
    horizon_ns=10_000_000_000,
    owner="research",
    family="rl",
)


class RlQuotesAlpha(PolicyAlpha):
    """The policy's lean at each row, from -1 to 1."""

    def __init__(self) -> None:
        self.policy = ArrayPolicy.load(Path(__file__).with_name("policy.npz"))
        self.quotes = Quotes(self.policy, Quoting(lots=1, max_lots=5, depth=4))
        super().__init__(MANIFEST, FIELDS, self.lean)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.mid = self.trend = 0.0

    def lean(self, row: np.ndarray) -> float:
        mid, micro, spread, imbalance, traded = row.tolist()
        if not mid > 0:
            return 0.0
        move = mid - self.mid if self.mid > 0 else 0.0
        self.mid, self.trend = mid, MEMORY * self.trend + (1.0 - MEMORY) * move
        seen = np.zeros(len(FEATURES))
        seen[1:7] = (
            imbalance,
            spread / 10.0,
            micro - mid if micro > 0 else 0.0,
            move,
            self.trend,
            math.log1p(max(0.0, traded)) / 5.0,
        )
        bid, ask = self.policy.act(np.clip(seen, -BOUND, BOUND)).tolist()
        return (bid - ask) / 2.0


ALPHA_CLASS = RlQuotesAlpha
