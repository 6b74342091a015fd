"""Typed intents: the 16-field tuple of a fast submitter becomes one INTENT row.

Prices arrive as price x 10 000 and become ticks exactly or not at all; names become indices of this
gateway. Nothing else of a tuple is looked at before the decision: reason and trace stay in it, and
an `OrderIntent` is made from it for an approved command alone (contract 2.2).
"""

import struct
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import numpy as np

from hft.core.codes import IntentType, OrderType, Reason
from hft.core.dtypes import INTENT

MARKER, FIELDS = "typed_intent_v1", 16
PRICE_X = 10_000
_ROW = struct.Struct(f"<{len(INTENT.names or ())}q")
_HALVES, _NO_KEY = struct.Struct(">qq"), (0, 0)  # as `gateway.stores.key_of_text`, in one call
_LIMIT = OrderType.LIMIT.value
_CANCEL = IntentType.CANCEL.value


class BadIntent(ValueError):
    """A tuple that is no intent of this gateway; `reason` is the code a submitter gets back."""

    def __init__(self, reason: Reason, said: str) -> None:
        super().__init__(said)
        self.reason = reason


class TypedIntents:
    """Writes INTENT rows from tuples, for named strategies and instruments of one account.

    `ticks` is the tick size of each symbol, in the order of the gateway's instruments.
    """

    def __init__(
        self, strategies: Sequence[str], ticks: Mapping[str, Decimal], *, account_idx: int = 0
    ) -> None:
        self._strategies = {name: index for index, name in enumerate(strategies)}
        self._instruments = {
            symbol: (index, *Fraction(Fraction(1, PRICE_X) / Fraction(tick)).as_integer_ratio())
            for index, (symbol, tick) in enumerate(ticks.items())
        }
        self._account_idx = account_idx

    def rows(self, payloads: Sequence[tuple[Any, ...]]) -> np.ndarray:
        """INTENT rows of tuples, in order. Raises: BadIntent of the first that is none."""
        data = bytearray(_ROW.size * len(payloads))
        for number, payload in enumerate(payloads):
            self.write(payload, data, number * _ROW.size)
        return np.frombuffer(data, INTENT)

    def write(self, payload: tuple[Any, ...], data: bytearray, offset: int) -> None:
        """One tuple as the row at `offset`. Raises: BadIntent; the row is untouched then."""
        if not isinstance(payload, tuple) or len(payload) != FIELDS or payload[0] != MARKER:
            raise BadIntent(Reason.BAD_MESSAGE, _said(payload))
        _, number, strategy, symbol, kind, side, price_x, qty, tif, target, *rest = payload
        timestamp_ns, source_ns, _, _, key, ttl_ns = rest
        try:
            instrument_idx, ticks, per = self._instrument(symbol)
            price, off = divmod(price_x * ticks, per)
            if off and kind != _CANCEL:
                said = f"price {price_x} (x 10 000) of {symbol} is between two ticks"
                raise BadIntent(Reason.PRICE_OFF_TICK, said)
            high, low = _HALVES.unpack(_hashed(key.encode())) if key else _NO_KEY
            target_id = int(target) if target else 0
            _ROW.pack_into(
                *(data, offset, number, self._strategy(strategy), self._account_idx),
                *(instrument_idx, kind, side, price, qty, tif, _LIMIT, target_id),
                *(timestamp_ns, source_ns, ttl_ns, 0, high, low, 0, 0, 0),
            )
        except BadIntent:
            raise
        except (struct.error, TypeError, ValueError, AttributeError) as error:
            said = f"intent {number!r}: a field has the wrong kind or is out of range: {error}"
            raise BadIntent(Reason.BAD_NUMBER, said) from None

    def _instrument(self, symbol: Any) -> tuple[int, int, int]:
        found = self._instruments.get(symbol)
        if found is None:
            raise BadIntent(Reason.UNKNOWN_INSTRUMENT, f"symbol {symbol!r} is not traded here")
        return found

    def _strategy(self, strategy: Any) -> int:
        found = self._strategies.get(strategy)
        if found is None:
            raise BadIntent(Reason.BAD_MESSAGE, f"strategy {strategy!r} is not one of this gateway")
        return found


def _hashed(key: bytes) -> bytes:
    return blake2b(key, digest_size=16).digest()


def _said(payload: Any) -> str:
    if not isinstance(payload, tuple):
        return f"a typed intent is a tuple, not {type(payload).__name__}"
    if not payload:
        return "an empty tuple is no intent"
    if payload[0] != MARKER:
        return f"a typed intent begins with {MARKER!r}, not with {payload[0]!r}"
    return f"a typed intent has {FIELDS} fields, not {len(payload)}"
