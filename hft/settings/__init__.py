"""Settings: what a run is started with, read once and frozen.

This package alone reads the environment and the files of `config/`; everything else is handed a
`Settings`, an `Instrument` or a plain mapping. It never looks at market data and never decides a
default twice: `keys` is the table that validation, `config/default.yaml` and the docs are held to.
"""

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
