"""`hft.alpha`: governance from Python; the command line calls these and renders.

Each name is loaded when it is first used. The first argument is what a call is about, all others
are keywords; `root` names a workspace (the working directory's by default), `now` sets the clock of
a rehearsal. Results print, draw a card and give JSON.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hft.api.answers import asof, inventory, ledger, vault, why
    from hft.api.approval import approve, freeze
    from hft.api.decisions import canary, rollback
    from hft.api.paper import log_paper_session
    from hft.api.pool import pool
    from hft.api.power import power
    from hft.api.promotion import promote
    from hft.api.research import init, list_, scaffold, try_
    from hft.api.rl import rl_promote
    from hft.api.search import search
    from hft.api.shadow import shadow
    from hft.api.simulator import simulator
    from hft.api.validation import validate

# name: the module that has it
_NAMES = {
    "approve": "hft.api.approval",
    "asof": "hft.api.answers",
    "canary": "hft.api.decisions",
    "freeze": "hft.api.approval",
    "init": "hft.api.research",
    "inventory": "hft.api.answers",
    "ledger": "hft.api.answers",
    "list_": "hft.api.research",
    "log_paper_session": "hft.api.paper",
    "pool": "hft.api.pool",
    "power": "hft.api.power",
    "promote": "hft.api.promotion",
    "rl_promote": "hft.api.rl",
    "rollback": "hft.api.decisions",
    "scaffold": "hft.api.research",
    "search": "hft.api.search",
    "shadow": "hft.api.shadow",
    "simulator": "hft.api.simulator",
    "try_": "hft.api.research",
    "validate": "hft.api.validation",
    "vault": "hft.api.answers",
    "why": "hft.api.answers",
}

__all__ = [
    "approve",
    "asof",
    "canary",
    "freeze",
    "init",
    "inventory",
    "ledger",
    "list_",
    "log_paper_session",
    "pool",
    "power",
    "promote",
    "rl_promote",
    "rollback",
    "scaffold",
    "search",
    "shadow",
    "simulator",
    "try_",
    "validate",
    "vault",
    "why",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"hft.alpha has no name {name!r}; it offers {', '.join(_NAMES)}")
    return getattr(import_module(_NAMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_NAMES)
