"""VPIN-conditioned reversion: fade a move while flow is not toxic.

Volume is cut into buckets of equal size; VPIN is the mean share of one-sided volume of the last
buckets. Where it is below its own past mean, a move of the mid is taken for a liquidity shock and
faded; where it is above, the move may be information and is left alone.
"""

import math
from collections import deque

from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest(
    alpha_id="vpin_conditioned_reversion",
    hypothesis=(
        "Moves on balanced volume are demand for liquidity and revert; moves on one-sided volume "
        "carry information and do not. VPIN tells the two apart."
    ),
    formula="-clip(move / (2 sd), -1, 1) x min(1, 2 max(0, 1 - vpin / mean(vpin)))",
    paper_refs=(
        "Easley, Lopez de Prado and O'Hara (2012), Flow toxicity and liquidity in a high-frequency "
        "world, Review of Financial Studies 25(5), 1457-1493",
    ),
    data_fields=("current_mid", "signed_volume", "trade_vol"),
    complexity="O(1)",
    status="DRAFT",
    tier="ENSEMBLE",
    horizon_ns=600_000_000_000,
    owner="",
    family="vpin",
)


class VpinConditionedReversionAlpha:
    """Fades the move of the last `look` rows, the less the more one-sided volume is.

    A bucket is `bucket_rows` times the mean volume of a row, known when the bucket begins.
    """

    def __init__(self, look: int = 10, buckets: int = 50, bucket_rows: float = 2.0) -> None:
        self.look, self.buckets, self.bucket_rows = look, buckets, bucket_rows
        self.reset()

    @property
    def manifest(self) -> AlphaManifest:
        return MANIFEST

    def reset(self) -> None:
        self.mids: deque[float] = deque(maxlen=self.look + 1)
        self.shares: deque[float] = deque(maxlen=self.buckets)
        self.share_sum = 0.0
        self.rows, self.volume = 0, 0.0
        self.bought, self.sold, self.size = 0.0, 0.0, 0.0
        self.vpins, self.vpin_sum = 0, 0.0
        self.variance = 0.0
        self.signal = 0.0

    def update(self, *, current_mid: float, signed_volume: float, trade_vol: float) -> float:
        if not math.isfinite(current_mid):
            return self.signal
        if math.isfinite(signed_volume) and math.isfinite(trade_vol) and trade_vol > 0.0:
            self._fill(min(max((trade_vol + signed_volume) / 2.0, 0.0), trade_vol), trade_vol)
        self.mids.append(current_mid)
        if len(self.mids) <= self.look:
            return self.signal
        move = current_mid / self.mids[0] - 1.0
        known = self.variance > 0.0 and self.vpins > 0 and len(self.shares) == self.buckets
        if known:
            calm = max(0.0, 1.0 - self.vpin() / (self.vpin_sum / self.vpins))
            pull = max(-1.0, min(1.0, move / (2.0 * math.sqrt(self.variance))))
            self.signal = -pull * min(1.0, 2.0 * calm)
        self.variance += 0.01 * (move * move - self.variance)
        return self.signal

    def vpin(self) -> float:
        """Mean share of one-sided volume of the last buckets."""
        return self.share_sum / len(self.shares)

    def _fill(self, bought: float, volume: float) -> None:
        """Pour a row's volume into buckets; a row larger than a bucket fills several."""
        self.rows += 1
        self.volume += volume
        share = bought / volume
        if self.size <= 0.0:
            self.size = self.bucket_rows * self.volume / self.rows
        poured = 0
        while volume > 0.0 and poured <= self.buckets:
            room = self.size - self.bought - self.sold
            part = min(room, volume)
            self.bought += share * part
            self.sold += (1.0 - share) * part
            volume -= part
            if part >= room:
                self._close()
                poured += 1

    def _close(self) -> None:
        if len(self.shares) == self.buckets:
            self.share_sum -= self.shares[0]
        self.shares.append(abs(self.bought - self.sold) / self.size)
        self.share_sum += self.shares[-1]
        self.bought, self.sold = 0.0, 0.0
        self.size = self.bucket_rows * self.volume / self.rows
        if len(self.shares) == self.buckets:
            self.vpins += 1
            self.vpin_sum += self.vpin()

    def get_signal(self) -> float:
        return self.signal


ALPHA_CLASS = VpinConditionedReversionAlpha
