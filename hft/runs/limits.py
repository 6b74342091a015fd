"""Limits that read tapes: `fit` writes out what the relative values come to."""

from typing import Any

from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.tape.dataset import Tapes


def fit(tapes: Tapes, capital: float | None = None) -> Limits:
    """The research set resolved on these tapes, as explicit numbers."""
    chains = list(tapes.runs().values())
    base = Limits.from_dict({} if capital is None else {"capital": str(capital)}, "fit")
    found = resolve(base, [c[0].instrument for c in chains], [c[0].summary for c in chains])
    values: dict[str, Any] = dict(base.values)
    for row in found.to_dict()["values"]:
        values[row["key"]] = row["value"]
    return Limits.from_dict(values, "fit")
