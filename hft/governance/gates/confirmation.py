"""A Sharpe ratio that is too good: believed once a replay of the tapes keeps half of it.

Nobody's true edge is that large by market orders at the rows' prices: such a figure is a leak that
nothing else found, or a price at which nobody could trade. A replay through the gateway, with
latency, queue and the other side of the book, tells the second; tapes that cannot be had tell
nothing, and what is not known is not passed.
"""

from hft.governance.profile import Profile
from hft.governance.verdict import Check, Verdict, insufficient, not_applicable
from hft.research.measures.measurement import Measured

ID = "sharpe_confirmed"
CURE = (
    "tapes of these days: `hft data ingest` makes them, and TAPES as "
    "`--data` replays the alpha on them"
)


def confirmed(found: Measured, replayed: float | None, profile: Profile) -> Check:
    """The Sharpe ratio of the vector engine against what it may be by itself; `replayed` is that of
    the replay, None where there was none."""
    most = profile.get("gate_c.sharpe_unreplayed_max")
    if most is None:
        return not_applicable(ID, f"profile {profile.name} does not ask")
    if found.basis != "daily":
        return not_applicable(ID, "too few days for a Sharpe ratio of days")
    if found.options.execution in ("maker", "quotes"):
        return not_applicable(ID, "every figure is one of a replay")
    ratios = (found.test.sharpe(found.basis), found.config.sharpe_oos)
    own = max((one for one in ratios if one is not None), default=None)
    if own is None or own <= float(most):
        return Check(ID, own, float(most), Verdict.PASS)
    share = profile.number("gate_c.replay_sharpe_share_min")
    said = f"a Sharpe ratio of {own:.1f} is beyond {float(most):g}"
    if replayed is None:
        text = f"replay: {said} and nothing confirms it; look for a leak first"
        return insufficient(ID, text, (CURE,), own)
    kept = replayed / own
    if kept >= share:
        return Check(ID, kept, share, Verdict.PASS, reason=f"{said}; the replay keeps {kept:.0%}")
    text = (
        f"replay: {said}, and a replay of the tapes keeps {replayed:.1f} of it, {kept:.0%} where "
        f"{share:.0%} is asked for: look for a leak, or for prices at which nobody could trade"
    )
    return insufficient(ID, text, ("an edge that is there at the prices of the tapes",), kept)
