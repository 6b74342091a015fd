"""Settings: what a run is started with, read once and frozen.

This package alone reads the environment and the files of `config/`; everything else is handed a
`Settings`, an `Instrument` or a plain mapping. It never looks at market data and never decides a
default twice: `keys` is the table that validation, `config/default.yaml` and the docs are held to.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hft.settings.folder import config_file
    from hft.settings.governance import packaged_profile, profile_path, read_profile
    from hft.settings.instruments import find_instrument, read_instruments
    from hft.settings.limits import limits_path, read_limits
    from hft.settings.load import Settings, load_settings

__all__ = [
    "Settings",
    "config_file",
    "find_instrument",
    "limits_path",
    "load_settings",
    "packaged_profile",
    "profile_path",
    "read_instruments",
    "read_limits",
    "read_profile",
]

# Loaded when first used: who asks for one of them alone waits for no other.
_OF = {
    "folder": ("config_file",),
    "governance": ("packaged_profile", "profile_path", "read_profile"),
    "instruments": ("find_instrument", "read_instruments"),
    "limits": ("limits_path", "read_limits"),
    "load": ("Settings", "load_settings"),
}
_MODULE = {name: module for module, names in _OF.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value
