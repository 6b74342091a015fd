"""hft replays recorded markets through the gateway that would send the orders live.

Every public name is loaded when it is first used, so that `import hft` costs nothing compiled:
`hft.api` holds the functions and classes, `hft.core.codes` the enums whose members are constants
here. Nothing inside the package imports this module.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hft.api import Limits, Venue, ingest, load, replay, runs, strategy, tapes
    from hft.core.codes import OrderType, Side, Tif

    BUY, SELL = Side.BUY, Side.SELL
    GTC, IOC, FOK = Tif.GTC, Tif.IOC, Tif.FOK
    DAY, GTD, GTX = Tif.DAY, Tif.GTD, Tif.GTX
    MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT

    __version__: str

__all__ = [
    "BUY",
    "DAY",
    "FOK",
    "GTC",
    "GTD",
    "GTX",
    "IOC",
    "LIMIT",
    "MARKET",
    "SELL",
    "Limits",
    "Venue",
    "ingest",
    "load",
    "replay",
    "runs",
    "strategy",
    "tapes",
]

_ENUM_OF = (
    dict.fromkeys(("BUY", "SELL"), "Side")
    | dict.fromkeys(("GTC", "IOC", "FOK", "DAY", "GTD", "GTX"), "Tif")
    | dict.fromkeys(("MARKET", "LIMIT"), "OrderType")
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("hft.core.version").VERSION
    if name not in __all__:
        raise AttributeError(f"hft has no name {name!r}; it offers {', '.join(__all__)}")
    if name in _ENUM_OF:
        value = getattr(import_module("hft.core.codes"), _ENUM_OF[name])[name]
    else:
        value = getattr(import_module("hft.api"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
