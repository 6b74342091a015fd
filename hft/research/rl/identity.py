"""The code of an agent as a number, so that a run's parameters can hold it."""

import hashlib
from functools import lru_cache
from pathlib import Path

from hft.core.errors import ConfigError
from hft.research.rl import policy, quoting


@lru_cache(maxsize=1)
def code() -> int:
    """The code of an agent as a number of 62 bits."""
    digest = hashlib.sha256()
    for module in (quoting, policy):
        digest.update(Path(str(module.__file__)).read_bytes())
    return int.from_bytes(digest.digest()[:8], "little") >> 2


def check_code(given: int) -> None:
    """Raises: ConfigError when the run was made with other features or quotes."""
    if given != code():
        raise ConfigError("the agent's features or quotes have changed since; replay anew")
