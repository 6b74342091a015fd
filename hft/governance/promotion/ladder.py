"""Where a canary starts and how far it may climb: the profile's cap binds, whatever is proposed."""

from dataclasses import dataclass

from hft.core.errors import ConfigError
from hft.governance.profile import Profile
from hft.governance.promotion.document import LOWEST_RUNG

BASE_LADDER = (0.02, 0.05, 0.07, 0.10)
SHARPE_START = ((2.0, 0.10), (1.5, 0.07), (1.0, 0.05))
FORCED_DAYS = 5
DAYS_MAX = 36_500


@dataclass(frozen=True)
class Start:
    """The ladder, its cap, the first weight and how many days the promotion lasts."""

    ladder: tuple[float, ...]
    max_weight: float
    weight: float
    expiry_days: int


def proposed_weight(sharpe_oos: float | None) -> float:
    """The start that the out-of-sample Sharpe ratio proposes."""
    for least, weight in SHARPE_START:
        if sharpe_oos is not None and sharpe_oos >= least:
            return weight
    return LOWEST_RUNG


def start(
    profile: Profile,
    sharpe_oos: float | None,
    *,
    forced: bool = False,
    self_approved: bool = False,
    canary_weight: float | None = None,
    expiry_days: int | None = None,
) -> Start:
    """What approval writes. Raises: ConfigError for a weight or a number of days out of range."""
    lenient = forced or profile.lenient
    ladder = BASE_LADDER if lenient else tuple(float(x) for x in profile.get("canary.ladder"))
    capped = LOWEST_RUNG if lenient or self_approved else float(profile.number("canary.weight_max"))
    if canary_weight is not None and not 0 < canary_weight <= 1:
        raise ConfigError(f"--canary-weight: {canary_weight:g} is not above 0 and at most 1")
    wanted = proposed_weight(sharpe_oos) if canary_weight is None else canary_weight
    first = capped if lenient else ladder[0]
    return Start(ladder, capped, min(wanted, first), _days(profile, forced, expiry_days))


def _days(profile: Profile, forced: bool, given: int | None) -> int:
    longest = FORCED_DAYS if forced else int(profile.number("promotion.expiry_days_max"))
    days = longest if given is None else given
    if days < 1:
        raise ConfigError(f"--expiry-days: {days} is no day; write 1 or more")
    if days > DAYS_MAX:
        raise ConfigError(f"--expiry-days: {days} is more than {DAYS_MAX}, a hundred years")
    if days > longest and not (profile.lenient and not forced):
        if forced and given is None:
            return longest
        raise ConfigError(
            f"--expiry-days: {days} is longer than the {longest} days of "
            f"{'a forced promotion' if forced else f'profile {profile.name}'}"
        )
    return days
