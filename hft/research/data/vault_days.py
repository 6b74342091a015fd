"""The one guard of vault days: whoever would show what happened on them asks here first.

A day is known by what happened on it (`Footprint`), not by its date or its file: a copy with other
dates, shifted or scaled prices or fewer rows is the same day. A vault is known from the first `try`
or `validate` on the data that keeps it. What an alpha paid a look for is no secret to it any more.
"""

import numpy as np

from hft.research.data import usage
from hft.research.data.dataset import ResearchData
from hft.research.data.footprint import Footprint
from hft.research.data.paths import Paths
from hft.research.data.usage import Use
from hft.research.workspace import Workspace


def held(workspace: Workspace, data: ResearchData, alpha_id: str = "") -> list[int]:
    """The sessions of data that a vault of this workspace keeps back from this alpha, sorted."""
    kept: set[int] = set()
    paid: set[int] = set()
    for use in usage.uses(workspace, data):
        vault = use.parts.get("vault")
        if vault is not None:
            kept |= set(use.days_in(data, vault))
        if use.kind == "vault" and use.alpha_id == alpha_id:
            paid |= set(use.days_in(data, use.read))
    return sorted(kept - paid)


def held_rows(workspace: Workspace, ts_ns: np.ndarray, price: np.ndarray) -> bool:
    """Do rows of one name, with times and prices alone, lie on days that a vault keeps back?"""
    day = (ts_ns // 86_400_000_000_000).astype("datetime64[D]").astype(str)
    numbers = np.array([int(text.replace("-", "")) for text in day.tolist()], np.int64)
    own = Footprint.of_rows(numbers, ts_ns, price)
    return any(_meets(use, own) for use in usage.kept(workspace))


def sentence(source: str, days: list[int], cure: str) -> str:
    """Why they may not be shown, and what to do."""
    which = (
        f"session {days[0]} is" if len(days) == 1 else f"{len(days)} sessions from {days[0]} are"
    )
    return f"{source}: {which} kept back as vault in this workspace; {cure}"


def _meets(use: Use, own: Footprint) -> bool:
    """Are rows of these days in the vault of a use?"""
    vault, whole = use.parts.get("vault"), use.footprint
    if vault is None or whole is None:
        return False
    low, high = vault
    part = Footprint(
        {day: span for day, span in whole.days.items() if low <= day <= high},
        whole.names,
        None if whole.paths is None else _part(whole.paths, low, high),
    )
    return own.same_market(part)


def _part(paths: Paths, low: int, high: int) -> Paths:
    return Paths(
        {day: text for day, text in paths.moves.items() if low <= day <= high},
        {day: move for day, move in paths.closes.items() if low <= day <= high},
        {day: move for day, move in paths.means.items() if low <= day <= high},
    )
