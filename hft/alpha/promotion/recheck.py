"""What approval checks again before a signature counts: nothing in a bundle is taken on trust.

Each objection is one sentence that names what moved or who is missing. Pure: the facts as they are
now come in as arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hft.alpha.profile import Profile
from hft.alpha.promotion.bundle import HASHES, Bundle
from hft.alpha.statistics.deflated import deflated_sharpe

WORDS = {
    "code": "the alpha's code",
    "config": "the validation's configuration",
    "data": "the validation's data",
    "limits": "the limits file",
    "scorecard": "the scorecard",
    "simulator": "the simulator's validation report",
    "thresholds": "the thresholds of the profile",
}
ATTEMPTS_NS = 365 * 86_400_000_000_000


@dataclass(frozen=True)
class Hurdle:
    """The trial behind the scorecard, and the family as the ledger has it now.

    Per-period figures; `effective` and `variance` are those of all trials on this data and label.
    """

    sharpe: float | None
    n_obs: int
    skew: float | None
    kurtosis: float | None
    n: int
    effective: float
    variance: float | None

    @property
    def dsr(self) -> float | None:
        """The deflated Sharpe ratio with every trial counted that there is now."""
        if self.sharpe is None or self.variance is None:
            return None
        return deflated_sharpe(
            self.sharpe, self.n_obs, self.skew, self.kurtosis, self.effective, self.variance
        )


def moved(bundle: Bundle, now: Mapping[str, str | None]) -> list[str]:
    """What is not as it was frozen; a hash that cannot be made now has moved too."""
    found = []
    for name in HASHES:
        frozen, current = bundle.hashes[name], now.get(name)
        if frozen == current:
            continue
        if frozen is None:
            continue  # nothing was frozen, and nothing was asked for
        how = "cannot be read any more" if current is None else "moved since the proposal"
        found.append(f"{WORDS[name]} {how}: {frozen[:12]} then, {(current or 'nothing')[:12]} now")
    return found


def stale(bundle: Bundle, now_ns: int, bundle_days: int) -> list[str]:
    """Is the bundle too old, or of the future?"""
    age = bundle.age_days(now_ns)
    if age > bundle_days:
        return [f"the bundle is {age:.1f} days old; at most {bundle_days}"]
    return ["the bundle is of the future; check the clock"] if age < 0 else []


def heads_gone(bundle: Bundle, problems: Sequence[Any]) -> list[str]:
    """The ledger as `verify` with the bundle's heads found it."""
    return [f"the ledger is not whole: {getattr(one, 'sentence', one)}" for one in problems]


def hurdle(bundle: Bundle, facts: Hurdle | None) -> list[str]:
    """Does the alpha still pass with the trials that were added since?"""
    level = bundle.profile.values.get("gate_c.dsr_min")
    if level is None or bundle.forced:
        return []
    if facts is None:
        return ["the trial of the validation is not in the ledger any more"]
    value = facts.dsr
    if value is None or value < float(level):
        shown = "undefined" if value is None else f"{value:.4f}"
        return [
            f"with {facts.n} trials on this data now the deflated Sharpe ratio is {shown}, "
            f"below {float(level):g}"
        ]
    return []


def attempts(starts_ns: Sequence[int], now_ns: int, profile: Profile) -> list[str]:
    """At most so many canaries a year."""
    most = int(profile.number("canary.attempts_max"))
    year = [ts for ts in starts_ns if ts > now_ns - ATTEMPTS_NS]
    if len(year) < most:
        return []
    return [f"it had {len(year)} canaries within a year; at most {most}"]
