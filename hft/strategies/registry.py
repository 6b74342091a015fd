"""Names of the shipped strategies, for `hft replay run --strategy NAME`."""

from importlib import import_module

from hft.core.errors import ConfigError
from hft.strategies.base import Strategy

SHIPPED = ("two_sided", "market_making", "momentum", "arbitrage")


def shipped(name: str) -> Strategy:
    """The shipped strategy of this name. Raises: ConfigError listing the names."""
    if name not in SHIPPED:
        raise ConfigError(f"no shipped strategy {name!r}; there are {', '.join(SHIPPED)}")
    found: Strategy = getattr(import_module(f"hft.strategies.{name}"), name)
    return found
