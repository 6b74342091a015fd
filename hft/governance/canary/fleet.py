"""All running canaries at once: e-BH names those whose adverse e-values stand out.

The newest recorded e-value of each other canary is read from the journal. A named canary is held
and a person is called; its weight does not fall by this alone.
"""

import json
from collections.abc import Iterable, Mapping, Set
from typing import Any

from hft.statistics.sequential import e_bh


def named(
    rows: Iterable[Mapping[str, Any]], running: Set[str], own_id: str, own_e: float, level: float
) -> frozenset[str]:
    """The canaries among `running` that e-BH at `level` names, with this one's e-value of now."""
    values = {own_id: own_e}
    for row in rows:
        own = row["row"]
        if row["table"] != "alpha_canary_log" or own["alpha_id"] not in running - {own_id}:
            continue
        figures = json.loads(own["checks"] or "{}").get("figures", {})
        if figures.get("e_adverse") is not None:
            values[own["alpha_id"]] = float(figures["e_adverse"])
    names = sorted(values)
    return frozenset(names[k] for k in e_bh([values[name] for name in names], level))
