"""promote, approve, canary and rollback of `hft.alpha`: one style of call for each decision.

First the alpha, then keywords; `root` names a workspace, `now` sets the clock of a rehearsal.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hft.api import canary as canaries
from hft.api import promotion
from hft.api.outcome import Outcome


def promote(
    alpha_id: str,
    *,
    shadow_runs: Sequence[str | Path] = (),
    profile: str | None = None,
    key: str | Path | None = None,
    scorecard: str | Path | None = None,
    paper_trade_dir: str | Path | None = None,
    owner: str | None = None,
    canary_weight: float | None = None,
    expiry_days: int | None = None,
    guardrails: Mapping[str, float] | None = None,
    tighten: Mapping[str, Any] | None = None,
    asserted: Mapping[str, Any] | None = None,
    renew: bool = False,
    force: bool = False,
    reason: str = "",
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """The owner's proposal: gates D and E decided, the evidence frozen in a signed bundle.

    `tighten` are options of `hft alpha promote` that tighten the profile
    (`{"min_sharpe_oos": 2}`), `asserted` typed counts, under `base` only. A refusal is a result:
    `outcome.decided.reasons`. Raises: PromotionError, GovernanceError, ConfigError.

    >>> import hft
    >>> proposed = hft.alpha.promote("demo", profile="base")
    >>> proposed.decided.accepted, any("shadow" in line for line in proposed.decided.reasons)
    (False, True)
    """
    wishes = promotion.Wishes(
        owner=owner,
        canary_weight=canary_weight,
        expiry_days=expiry_days,
        guardrails=guardrails or {},
        renew=renew,
        force=force,
        reason=reason,
        tighten=_known(tighten, promotion.TIGHTEN, "tighten"),
        typed=_known(asserted, promotion.TYPED, "asserted"),
    )
    return promotion.promote(
        alpha_id,
        key=key,
        scorecard=scorecard,
        profile=profile,
        shadow_runs=shadow_runs,
        paper_trade_dir=paper_trade_dir,
        wishes=wishes,
        root=root,
        now=now,
    )


def approve(
    alpha_id: str,
    *,
    memo: str | Path,
    bundle: str | None = None,
    name: str | None = None,
    key: str | Path | None = None,
    root: str | Path | None = None,
    now: Any = None,
) -> Outcome:
    """The validator's signature; refused with every objection, or the promotion file is in place.

    `memo` is the file that says what was checked. Raises: PromotionError, GovernanceError, Busy.

    >>> import hft
    >>> hft.alpha.approve("demo", memo="memo.md")
    Traceback (most recent call last):
    hft.core.errors.PromotionError: demo: nobody proposed it; run `hft alpha promote demo`
    """
    return promotion.approve(
        alpha_id, memo=memo, bundle=bundle, name=name, key=key, root=root, now=now
    )


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
    return canaries.evaluate(
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
    return canaries.rollback(alpha_id, reason=reason, key=key, root=root, now=now)


def _known(
    given: Mapping[str, Any] | None, names: Sequence[str] | Mapping[str, Any], what: str
) -> dict[str, Any]:
    """Raises: ConfigError for a name that is none of the options."""
    from hft.core.errors import ConfigError

    for name in given or {}:
        if name not in names:
            raise ConfigError(f"{what}: {name!r} is none of {', '.join(names)}")
    return dict(given or {})


__all__ = ["Outcome", "approve", "canary", "promote", "rollback"]
