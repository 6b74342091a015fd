"""Typed intents: the 16-field tuple of a fast submitter becomes one INTENT row.

Prices arrive as price x 10 000 and become ticks exactly or not at all; names become indices of this
gateway. Nothing else of a tuple is looked at before the decision: reason and trace stay in it, and
an `OrderIntent` is made from it for an approved command alone (contract 2.2).
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np

from hft.core.codes import IntentType, OrderType, Reason
from hft.core.dtypes import INTENT

MARKER, FIELDS = "typed_intent_v1", 16
PRICE_X = 10_000
_NAMES = INTENT.names or ()
_ROW = struct.Struct(f"={len(_NAMES)}q")
_NO_KEY = bytes(16)
_HASH = blake2b(digest_size=16)
_AT = {name: place for place, name in enumerate(_NAMES)}
# Three runs of numbers of a tuple that stand side by side in a row, too.
_RUNS = tuple(
    slice(_AT[first], _AT[last] + 1)
    for first, last in (
        ("intent_id", "intent_id"),
        ("intent_type", "tif"),
        ("timestamp_ns", "ttl_ns"),
    )
)
_NUMBERS, _PRICE = 9, 3  # so many numbers in the runs, and which of them is the price
_KEY = slice(_AT["key_hi"], _AT["key_lo"] + 1)
_PRODUCT_MAX = 1 << 62
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
        self._strategies = {name: (index,) for index, name in enumerate(strategies)}
        self._instruments = {
            symbol: (index, *Fraction(Fraction(1, PRICE_X) / Fraction(tick)).as_integer_ratio())
            for index, (symbol, tick) in enumerate(ticks.items())
        }
        self._account_idx = account_idx

    def rows(self, payloads: Sequence[tuple[Any, ...]]) -> np.ndarray:
        """INTENT rows of tuples, in order. Raises: BadIntent of the first that is none."""
        words = np.zeros((len(payloads), len(_NAMES)), np.int64)
        if not self.write_all(payloads, words):
            for payload, row in zip(payloads, words, strict=True):
                self.write(payload, row)
        return words.reshape(-1).view(INTENT)

    def write_all(self, payloads: Sequence[Any], words: np.ndarray) -> bool:
        """Many tuples column by column, into rows of words that are all 0.

        The same as `write` of each. Returns: false when one of them is not plainly an intent, and
        `write` has to say which; the rows may be written in part then.
        """
        try:
            return set(map(type, payloads)) == {tuple} and self._columns(payloads, words)
        except (struct.error, TypeError, ValueError, AttributeError, KeyError, OverflowError):
            return False

    def write(self, payload: Any, row: np.ndarray) -> None:
        """One tuple as a row of words. Raises: BadIntent; the row is untouched then."""
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
            high, low = _halves((key,))[0].tolist()
            target_id = int(target) if target else 0
            packed = _ROW.pack(
                *(number, self._strategy(strategy), self._account_idx),
                *(instrument_idx, kind, side, price, qty, tif, _LIMIT, target_id),
                *(timestamp_ns, source_ns, ttl_ns, 0, high, low, 0, 0, 0),
            )
        except BadIntent:
            raise
        except (struct.error, TypeError, ValueError, AttributeError) as error:
            said = f"intent {number!r}: a field has the wrong kind or is out of range: {error}"
            raise BadIntent(Reason.BAD_NUMBER, said) from None
        row[:] = np.frombuffer(packed, np.int64)

    def _columns(self, payloads: Sequence[tuple[Any, ...]], words: np.ndarray) -> bool:
        count = len(payloads)
        (markers, ids, strategies, symbols, kinds, sides, prices, lots, tifs, targets, *rest) = zip(
            *payloads, strict=True
        )
        times, sources, _, _, keys, ttls = rest
        if markers.count(MARKER) != count:
            return False
        packed = _ints(_NUMBERS * count).pack(
            *(*ids, *kinds, *sides, *prices, *lots, *tifs, *times, *sources, *ttls)
        )
        numbers = np.frombuffer(packed, np.int64).reshape(_NUMBERS, count)
        instruments, ticks, per = _each(self._instruments, symbols)
        in_ticks = _in_ticks(numbers[_PRICE], ticks, per)
        if in_ticks is None:
            return False
        at = 0
        for run in _RUNS:
            width = run.stop - run.start
            words[:, run] = numbers[at : at + width].T
            at += width
        words[:, _AT["price"]] = in_ticks
        words[:, _AT["instrument_idx"]] = instruments
        (words[:, _AT["strategy_idx"]],) = _each(self._strategies, strategies)
        words[:, _AT["account_idx"]] = self._account_idx
        words[:, _AT["order_type"]] = _LIMIT
        if targets.count("") != count:
            words[:, _AT["target_id"]] = [int(one) if one else 0 for one in targets]
        words[:, _KEY] = _halves(keys)
        return True

    def _instrument(self, symbol: Any) -> tuple[int, int, int]:
        found = self._instruments.get(symbol)
        if found is None:
            raise BadIntent(Reason.UNKNOWN_INSTRUMENT, f"symbol {symbol!r} is not traded here")
        return found

    def _strategy(self, strategy: Any) -> int:
        found = self._strategies.get(strategy)
        if found is None:
            raise BadIntent(Reason.BAD_MESSAGE, f"strategy {strategy!r} is not one of this gateway")
        return found[0]


def _halves(keys: Sequence[str]) -> np.ndarray:
    """As `gateway.stores.key_of_text` has it: a row a key, both halves 0 for none."""
    found, fresh = [], _HASH.copy  # a copy of an empty hash costs two thirds of a new one
    for key in keys:
        if key:
            one = fresh()
            one.update(key.encode())
            found.append(one.digest())
        else:
            found.append(_NO_KEY)
    return np.frombuffer(b"".join(found), ">i8").reshape(-1, 2)


@lru_cache(maxsize=512)
def _ints(count: int) -> struct.Struct:
    return struct.Struct(f"={count}q")


def _each(known: Mapping[str, tuple[int, ...]], names: tuple[Any, ...]) -> Iterable[Any]:
    """What is known of names: numbers where they are all one, else arrays. Raises: KeyError."""
    if names.count(names[0]) == len(names):
        return known[names[0]]
    return np.array([known[name] for name in names], np.int64).T


def _in_ticks(prices: np.ndarray, ticks: Any, per: Any) -> np.ndarray | None:
    """Prices x 10 000 in ticks; None where one is between two, or too large for 64 bits."""
    most = int(np.max(ticks)) if isinstance(ticks, np.ndarray) else ticks
    if most > 1:
        if max(abs(int(prices.max())), abs(int(prices.min()))) > _PRODUCT_MAX // most:
            return None
        prices = prices * ticks
    found, off = np.divmod(prices, per)
    return None if np.count_nonzero(off) else found


def _said(payload: Any) -> str:
    if not isinstance(payload, tuple):
        return f"a typed intent is a tuple, not {type(payload).__name__}"
    if not payload:
        return "an empty tuple is no intent"
    if payload[0] != MARKER:
        return f"a typed intent begins with {MARKER!r}, not with {payload[0]!r}"
    return f"a typed intent has {FIELDS} fields, not {len(payload)}"
