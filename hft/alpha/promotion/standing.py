"""How high the hurdle is now: the trial behind a scorecard among all trials there are today."""

from hft.alpha.ledger import Ledger
from hft.alpha.promotion.recheck import Hurdle


def hurdle_now(ledger: Ledger, trial_id: str) -> Hurdle | None:
    """The trial and everything tried on overlapping data with its label; None when it is gone."""
    trials = ledger.trials()
    rows = trials.filter(trials["trial_id"] == trial_id).sort("sharpe_per_period", nulls_last=True)
    if not len(rows):
        return None
    # One id with several returns: what moved is in no hash, so the least of them is what it proves.
    row = rows.row(0, named=True)
    interval = (int(row["data_start_ns"]), int(row["data_end_ns"]))
    view = ledger.family(label_family=str(row["label_family"]), interval=interval)
    return Hurdle(
        sharpe=row["sharpe_per_period"],
        n_obs=int(row["n_obs"]),
        skew=row["skew"],
        kurtosis=row["kurtosis"],
        n=view.n,
        effective=max(view.effective, 1.0),
        variance=view.variance,
    )
