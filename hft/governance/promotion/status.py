"""Where an alpha stands now: how high its hurdle is among all trials of today, and is it live?"""

from collections.abc import Mapping
from typing import Any

from hft.core.errors import PromotionError
from hft.governance.ledger.ledger import Ledger
from hft.governance.promotion.document import utc_date
from hft.governance.promotion.office import Office
from hft.governance.promotion.recheck import Hurdle


def live_until(office: Office, alpha_id: str) -> str:
    """The last day on which what was approved counts, by the journal; empty when nothing does."""
    past = office.changes(alpha_id)
    if past and past[-1].enabled and past[-1].expiry >= utc_date(office.now_ns):
        return past[-1].expiry.isoformat()
    return ""


def refuse_live(office: Office, alpha_id: str) -> None:
    """One alpha has one canary at a time. Raises: PromotionError naming the two ways on."""
    until = live_until(office, alpha_id)
    if until:
        raise PromotionError(
            f"{alpha_id}: is live until {until}; renew it with `hft alpha promote {alpha_id} "
            f"--renew`, or end it first with `hft alpha canary rollback {alpha_id} --reason TEXT`"
        )


def hurdle_now(ledger: Ledger, trial: Mapping[str, Any]) -> Hurdle:
    """A trial among everything that was tried on overlapping data with its label."""
    interval = (int(trial["data_start_ns"]), int(trial["data_end_ns"]))
    view = ledger.family(label_family=str(trial["label_family"]), interval=interval)
    return Hurdle(
        sharpe=trial["sharpe_per_period"],
        n_obs=int(trial["n_obs"]),
        skew=trial["skew"],
        kurtosis=trial["kurtosis"],
        n=view.n,
        effective=max(view.effective, 1.0),
        variance=view.variance,
    )
