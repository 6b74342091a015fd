"""canary and rollback of `hft.alpha`, in the style of its other decisions.

First the alpha, then keywords; `root` names a workspace, `now` sets the clock of a rehearsal.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hft.api import canary as deciding
from hft.api.outcome import Outcome


def canary(
    alpha_id: str,
    *,
    runs: Sequence[str | Path] = (),
    evidence: str | Path | None = None,
    asserted: Mapping[str, Any] | None = None,
    apply: bool = False,
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """Hold, escalate, roll back or graduate; with `apply` the decision is carried out.

    Evidence is sealed `runs`, an `evidence` file of sessions or, under `base`, `asserted` figures.
    Raises: PromotionError for a file that does not count, ConfigError for two kinds of evidence.

    >>> import hft
    >>> hft.alpha.canary("demo").decided.state
    'not_found'
    """
    return deciding.evaluate(
        alpha_id,
        runs=runs,
        evidence=evidence,
        typed=asserted,
        apply_it=apply,
        key=key,
        root=root,
        now=now,
    )


def rollback(
    alpha_id: str,
    *,
    reason: str,
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """Weight 0 at once, by anybody with a registered key; it takes effect whatever fails.

    Raises: PromotionError when the alpha has no promotion file, Busy.

    >>> import hft
    >>> hft.alpha.rollback("demo", reason="the venue changed its fees")
    Traceback (most recent call last):
    hft.core.errors.PromotionError: demo: has no promotion file; there is nothing to roll back
    """
    return deciding.rollback(alpha_id, reason=reason, key=key, root=root, now=now)


__all__ = ["Outcome", "canary", "rollback"]
