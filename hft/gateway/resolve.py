"""A limit set resolved to integers for the instruments of a run, before its first event.

A set that cannot be proven free of overflow is refused with instrument and key named.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hft.core.instruments import Instrument
from hft.core.json_text import spaced
from hft.core.numbers import money_digits
from hft.gateway import rows
from hft.gateway.figures import TapeFigures, max_price_ticks
from hft.gateway.instrument_limits import InstrumentLimits
from hft.gateway.limits import OFF, Limits
from hft.gateway.run_limits import RunLimits
from hft.gateway.scaled import scaled_looking

__all__ = ["ResolvedLimits", "TapeFigures", "max_price_ticks", "resolve"]


@dataclass(frozen=True)
class ResolvedLimits:
    """Integer rows for `new_state`, with the text that explains them."""

    config: np.ndarray
    instruments: np.ndarray
    default_strategy: np.ndarray
    strategies: tuple[np.ndarray | None, ...]
    leaves_max: int
    rate_per_s: int
    rate_per_min: int
    max_price: tuple[int, ...]
    hash: str
    table: tuple[dict[str, Any], ...] = field(repr=False)
    warnings: tuple[str, ...] = ()

    def strategy_row(self, index: int) -> np.ndarray:
        """The STRATEGY row of a strategy, its own where the set names it."""
        if index < len(self.strategies) and self.strategies[index] is not None:
            return self.strategies[index]  # type: ignore[return-value]
        return self.default_strategy

    def to_dict(self) -> dict[str, Any]:
        """What was derived, for `limits.yaml` of the run folder."""
        rows = [dict(row) for row in self.table]
        return {"hash": self.hash, "values": rows, "warnings": list(self.warnings)}


def resolve(
    limits: Limits,
    instruments: Sequence[Instrument],
    tape_stats: Sequence[Mapping[str, Any] | None],
    *,
    strategies: Sequence[str] = (),
    digits: int | None = None,
) -> ResolvedLimits:
    """Turn a limit set into rows. `tape_stats` are summaries, one an instrument, None where absent.

    Raises: ConfigError naming instrument and key.
    """
    if digits is None:
        digits = money_digits(list(instruments))
    work = RunLimits(limits, digits)
    pairs = list(zip(instruments, tape_stats, strict=True))
    scopes = [InstrumentLimits(work, instrument, summary) for instrument, summary in pairs]
    work.set_capital(scopes)
    table = np.zeros(len(scopes), rows.INSTRUMENT_LIMIT)
    for row, scope in zip(table, scopes, strict=True):
        scope.fill(row)
    config = work.config()
    named = [work.strategy_row(name) for name in strategies]
    rates = [work.run_count(f"risk_limits.orders_per_{unit}") for unit in ("second", "minute")]
    digest = hashlib.blake2b(digest_size=8)
    for part in (config.tobytes(), table.tobytes(), *(row.tobytes() for row in named)):
        digest.update(part)
    digest.update(spaced([limits.name == OFF, rates]).encode())
    config[0]["limits_hash"] = int.from_bytes(digest.digest(), "big") >> 2
    return ResolvedLimits(
        config,
        table,
        work.strategy_row(None),
        tuple(named),
        int(limits.get("HFT_EXPOSURE_MAX_SYMBOLS")),
        rates[0],
        rates[1],
        tuple(scope.max_price for scope in scopes),
        digest.hexdigest(),
        tuple(work.table),
        scaled_looking(limits, scopes),
    )
