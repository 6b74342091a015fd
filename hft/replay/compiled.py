"""The engine's loop at the Python seam: one address in, one status out, compiled once and cached.

The arena's type is taken from a tiny example session, since it depends on record types only, never
on sizes; so one cached binary serves every run and every strategy.
"""

from decimal import Decimal
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numba import types
from numba.experimental.function_type import _get_wrapper_address

from hft.core.arena import Arena, opener
from hft.core.instruments import Instrument
from hft.core.jit import JIT_DISABLED, kernel
from hft.core.pointer import pointer_to
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.replay.build import Session, gateway_for, new_session, source_of
from hft.replay.engine import ON_WAKE, advance
from hft.replay.glances import keep_all_up
from hft.strategies.base import Strategy
from hft.strategies.context import CATCH_UP
from hft.venue.model import VenueModel


def example_session() -> Session:
    """The smallest session there is; every table has its real record type."""
    instrument = Instrument("X", Decimal(1), Decimal(1), max_price=Decimal(1000))
    source = source_of(instrument, [], 2, max_price=1000, price_low=1, price_high=64)
    limits = resolve(Limits.off(), [instrument], [{"first_mid": 100}])
    idle = Strategy(None, "idle", 0, 0, {}, {})
    gateway = gateway_for([source], limits, 1, order_capacity=16, dedup_window=16)
    return new_session([source], [idle], gateway, VenueModel())


_open = opener(example_session().engine)


@kernel(types.int64(types.int64, ON_WAKE), beside=True)  # records are written meanwhile
def _advance_at(address, on_wake):  # type: ignore[no-untyped-def]
    return advance(_open(address), on_wake)


@kernel(CATCH_UP)
def _catch_up_at(address):  # type: ignore[no-untyped-def]
    keep_all_up(_open(address))
    return np.int64(0)


@kernel(ON_WAKE.signature)
def _never(k, context):  # type: ignore[no-untyped-def]
    return np.int64(0)


def loop() -> Any:
    """`advance` as a function of (arena handle, strategy pointer)."""
    return advance if JIT_DISABLED else _advance_at


def catch_up() -> int:
    """The address of `keep_all_up` as a function of an arena's address."""
    return _CATCH_UP


_ARENAS: WeakValueDictionary[int, Arena] = WeakValueDictionary()


def _plain_catch_up(address: int) -> int:
    keep_all_up(_ARENAS[int(address)].state)
    return 0


def known(arena: Arena) -> Arena:
    """The arena, to be found again by its address; compiled code needs no such table."""
    if JIT_DISABLED:
        _ARENAS[arena.address] = arena
    return arena


_CATCH_UP = pointer_to(_plain_catch_up if JIT_DISABLED else _catch_up_at, CATCH_UP)


class _Nowhere(types.WrapperAddressProtocol):  # type: ignore[misc]
    """The address of `_never`, looked up once: of a kernel numba looks it up at every call."""

    _numba_type_ = ON_WAKE

    def __init__(self) -> None:
        self._address = _get_wrapper_address(_never, ON_WAKE.signature)

    def __wrapper_address__(self) -> int:
        return self._address

    def signature(self) -> Any:
        return ON_WAKE.signature


_NOWHERE = _never if JIT_DISABLED else _Nowhere()


def no_pointer() -> Any:
    """The pointer of an engine that stops at each wake-up instead of calling one."""
    return _NOWHERE
