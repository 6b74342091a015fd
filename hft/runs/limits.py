"""Limit sets written out, shown, and fitted to tapes; `hft.settings` finds and reads their files.

What keys mean is decided by `hft.gateway.limits`.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from hft.gateway.fitted import fitted
from hft.gateway.limits import KEYS, Limits, key_of
from hft.storage.atomic import write_atomic
from hft.storage.yaml_text import dump_yaml
from hft.tape.dataset import Tapes
from hft.tape.reader import Tape

GAP = "gap_ns_p999"
ROWS_MIN = 1000  # of fewer the 99.9 % gap is the longest one


def save(limits: Limits, path: str | Path) -> Path:
    """Write a set as YAML; loading it gives an equal set."""
    target = Path(path)
    write_atomic(target, dump_yaml(limits.to_dict()))
    return target


def reference_summary(chain: Sequence[Tape]) -> Mapping[str, Any]:
    """What relative limits of an instrument look at: its first tape that shows a market.

    Its gaps are those of the tape with the widest, since a feed gap is for every day of a run. A
    tape that is a snapshot, or has fewer rows than a p999 needs, is passed over where another is
    not.
    """
    found = [tape.summary for tape in chain]
    quoted = [one for one in found if one.get("first_mid") is not None] or found[:1]
    known = [one for one in quoted if _knows(one)] or quoted
    gaps = [one[GAP] for one in known if one.get(GAP) is not None]
    return {**known[0], GAP: max(gaps)} if gaps else known[0]


def _knows(summary: Mapping[str, Any]) -> bool:
    rows = sum(int(count) for count in (summary.get("kinds") or {}).values())
    return rows >= ROWS_MIN and (summary.get(GAP) or 0) > 0


def fit(tapes: Tapes, capital: float | None = None, base: Limits | None = None) -> Limits:
    """The research set (or `base`) resolved on the tapes of each instrument, as numbers.

    With `capital`, positions are scaled so that full ones in every instrument are worth it.
    """
    chains = list(tapes.runs().values())
    amount = None if capital is None else Fraction(str(capital))
    return fitted(
        base or Limits(),
        [chain[0].instrument for chain in chains],
        [reference_summary(chain) for chain in chains],
        amount,
    )


def table(limits: Limits) -> list[dict[str, Any]]:
    """Key, value and unit of everything in force, for people."""
    names = {key.name for key in KEYS if "*" not in key.name} | set(limits.values)
    return [
        {"key": name, "value": limits.get(name), "unit": key.unit}
        for name in sorted(names)
        if (key := key_of(name)) is not None
    ]
