"""The environment as others need it: what settings read, CI, colours."""

import os

FILE_VARIABLE = "GATEWAY_CONFIG"
CHOSEN: list[str] = []  # the file that --config names, in this process
NOT = ("", "0", "false", "no")


def is_ci() -> bool:
    """Is this a continuous integration, where the variable CI is set?"""
    return os.environ.get("CI", "").lower() not in NOT


def takes_colours() -> bool:
    """May a terminal be written to in colours, by its kind and by what its owner said?"""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def seen() -> dict[str, str]:
    """The variables that settings are read from."""
    names = [name for name in os.environ if name.startswith("HFT_") or name == FILE_VARIABLE]
    return {name: os.environ[name] for name in names}


def chosen_files() -> list[str]:
    """The configuration files that were named, by --config or the environment."""
    return [*CHOSEN, *filter(None, [os.environ.get(FILE_VARIABLE)])]
