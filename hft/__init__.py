"""hft replays recorded markets through the gateway that would send the orders live.

Every public name is loaded when it is first used, so that `import hft` costs nothing compiled:
`hft.api.replays` holds the functions and classes, `hft.core.codes` the enums whose members are
constants here. Nothing inside the package imports this module.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hft.api.replays import (
        Limits,
        Venue,
        features,
        ingest,
        load,
        queue_model,
        replay,
        runs,
        strategy,
        tapes,
    )
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
    "alpha",
    "audit",
    "features",
    "ingest",
    "load",
    "queue_model",
    "replay",
    "runs",
    "strategy",
    "tapes",
]

# Names of the API that are also subpackages: importing `hft.runs.result` must not turn `hft.runs`
# from a function into a module, so these live on the module's class, where the import cannot write.
_ALSO_PACKAGES = ("audit", "replay", "runs")

# Modules of the API.
_MODULES = ("alpha", "audit")

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
    if name in _MODULES:
        return import_module(f"hft.api.{name}")
    if name in _ENUM_OF:
        # A plain int: kernels and strategies store and index with it.
        value = getattr(import_module("hft.core.codes"), _ENUM_OF[name])[name].value
    else:
        value = getattr(import_module("hft.api.replays"), name)
    if name not in _ALSO_PACKAGES:
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    own = (name for name in globals() if name.startswith("__"))
    return sorted([*own, *__all__])


class _Root(ModuleType):
    """The module `hft` itself."""


def _api_name(name: str) -> property:
    def get(_: ModuleType) -> Any:
        if name in _MODULES:
            return import_module(f"hft.api.{name}")
        return getattr(import_module("hft.api.replays"), name)

    def keep(_: ModuleType, __: Any) -> None:
        """What the import system writes here is found in sys.modules all the same."""

    return property(get, keep)


for _name in _ALSO_PACKAGES:
    setattr(_Root, _name, _api_name(_name))
sys.modules[__name__].__class__ = _Root
