"""Would this order pass now, and how many lots would? Asked of a session; it changes nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hft.core.codes import Side
from hft.core.dtypes import INTENT
from hft.core.errors import ConfigError, DataError
from hft.core.numbers import money_digits, to_ticks
from hft.gateway.explain import Check
from hft.replay.paced import Paced
from hft.runs.folder.names import RunNames
from hft.runs.folder.tables import margin_unit_names, margin_units
from hft.services.dry_run import headroom, verdict, write_order

CHECK = "check"
_FIELDS = ("side", "qty", "price", "symbol", "strategy")
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}


def check(
    paced: Paced, strategies: Sequence[str], entry: Mapping[str, Any], now_ns: int
) -> dict[str, Any]:
    """The answer to an entry of kind `check`. Raises: ConfigError naming the field."""
    trading = paced.session.engine.trading
    instruments = [source.instrument for source in paced.session.sources]
    names = RunNames(tuple(instruments), tuple(strategies), money_digits(instruments))
    for field in entry:
        if field not in ("kind", *_FIELDS):
            raise ConfigError(f"{field}: is not a field; there are {', '.join(_FIELDS)}")
    k = _one(entry, "symbol", names.symbols)
    side = _SIDES.get(str(entry.get("side")))
    if side is None:
        raise ConfigError(f"side: {entry.get('side')!r} is neither buy nor sell")
    qty = entry.get("qty")
    if isinstance(qty, bool) or not isinstance(qty, int) or not 0 < qty < 1 << 40:
        raise ConfigError(f"qty: {qty!r} is not a number of lots from 1")
    try:
        price = to_ticks(entry["price"], instruments[k]) if "price" in entry else 0
    except (DataError, ValueError) as error:
        raise ConfigError(f"price: {error}") from None
    s = _one(entry, "strategy", strategies)
    intent = np.zeros(1, INTENT)[0]
    write_order(intent, strategy=s, instrument=k, side=side, price=price, qty=qty, now_ns=now_ns)
    fails = verdict(trading.gw, intent, trading.touch[k], now_ns)
    room = headroom(trading.gw, intent, trading.touch[k], now_ns)
    return {
        "passes": not fails,
        "fails": _told(fails, names),
        "most_lots": room.most,
        "one_more_fails": _told(room.next_fails, names),
    }


def _one(entry: Mapping[str, Any], field: str, names: Sequence[str]) -> int:
    """The position of what a field names; it may be left out where there is one."""
    given = entry.get(field)
    if given is None and len(names) == 1:
        return 0
    if not isinstance(given, str) or given not in names:
        raise ConfigError(f"{field}: {given!r} is none of {', '.join(names)}")
    return list(names).index(given)


def _told(checks: Sequence[Check], names: RunNames) -> list[dict[str, Any]]:
    codes = np.array([one.reason for one in checks], np.int64)
    columns = {
        name: margin_units(codes, np.array([getattr(one, name) for one in checks]), names)
        for name in ("measured", "limit", "margin")
    }
    units = margin_unit_names(codes, names).to_pylist()
    return [
        {"reason": one.reason.name}
        | {name: float(column[k]) for name, column in columns.items()}
        | {"unit": units[k]}
        for k, one in enumerate(checks)
    ]
