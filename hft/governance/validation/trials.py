"""Validation and the ledger: which trials a validation is, and what all tries add up to."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from hft.governance.ledger.family import FamilyView, as_days, sampling_variance
from hft.research.alphas.remote import RemoteAlpha
from hft.research.backtest import DAYS_A_YEAR
from hft.research.data.dataset import ResearchData
from hft.research.measures.evidence import Tries
from hft.research.measures.measurement import Measured, Options
from hft.research.trial import LABEL_FAMILY, Trial, trial_id
from hft.statistics.sharpe import sharpe
from hft.storage.chain import canonical

# What a user may choose in judging; another choice than the default's is part of the trial.
JUDGED = ("is_oos_split", "walk_forward_folds", "seed")


def canonical_form(alpha: RemoteAlpha) -> str:
    """What is evaluated: an expression's canonical form, or the alpha by its id."""
    return alpha.expression or f"alpha:{alpha.alpha_id}"


def config_hash(options: Options) -> str:
    """The hash of what moves the returns: rules and horizon; and of another way to judge them.

    Judging the same returns by other folds, another split or seed until they pass is another try.
    """
    plain, own = Options().to_dict(), options.to_dict()
    content: dict[str, object] = {
        "horizon_ns": options.horizon_ns,
        "rules": options.rules.to_dict(),
    }
    content |= {name: own[name] for name in JUDGED if own[name] != plain[name]}
    if options.reentry:
        content |= {"reentry": options.reentry}
    if options.execution != "taker":
        content |= {"execution": options.execution, "maker_bps": options.maker_bps}
    return hashlib.sha256(canonical(content)).hexdigest()[:16]


def cell(options: Options, threshold: float) -> Options:
    """The options of one cell of the sweep."""
    return replace(options, rules=replace(options.rules, threshold=threshold))


def trial_ids(alpha: RemoteAlpha, data: ResearchData, options: Options) -> dict[float, str]:
    """The id of each threshold's trial, known before anything runs."""
    form = canonical_form(alpha)
    return {
        level: trial_id(form, data.fingerprint, config_hash(cell(options, level)), alpha.code_hash)
        for level in options.levels
    }


def trials_of(alpha: RemoteAlpha, found: Measured) -> list[Trial]:
    """Every cell of the sweep as a trial, with its net returns by session."""
    chosen, periods = found.options.rules.threshold, periods_of(found)
    made = []
    for one in found.sweep.configs:
        options = cell(found.options, one.rules.threshold)
        source = "validate" if one.rules.threshold == chosen else "sweep"
        made.append(_trial(alpha, found.data, options, source, one.test.daily, periods))
    return made


def without_figures(alpha: RemoteAlpha, data: ResearchData, options: Options) -> Trial:
    """The trial of an alpha that was shown rows and gave no figures: it counts, without returns.

    Whoever sees why it failed has looked, and a refusal has room for words.
    """
    return _trial(alpha, data, options, "validate", np.zeros(0), None)


def _trial(
    alpha: RemoteAlpha,
    data: ResearchData,
    options: Options,
    source: str,
    returns: np.ndarray,
    periods_ns: np.ndarray | None,
) -> Trial:
    start, end = data.interval
    return Trial(
        alpha_id=alpha.alpha_id,
        family=alpha.manifest.family or alpha.alpha_id,
        label_family=LABEL_FAMILY,
        canonical=canonical_form(alpha),
        interval=(start, end + 1),
        config_hash=config_hash(options),
        data_hash=data.fingerprint,
        code_hash=alpha.code_hash,
        returns=returns,
        periods_per_year=float(DAYS_A_YEAR),
        source=source,
        seed=options.seed,
        periods_ns=periods_ns,
        reentry=options.reentry,
    )


def tries(view: FamilyView, found: Measured, code: tuple[str, str] = ("", "")) -> Tries:
    """What the ledger says about all trials on this data and label; `code` is the alpha's own.

    Only vectors of the same rows can be laid side by side, and only on the same days: one that has
    other days, or does not say which, is left out and counted. The trials of one code are one idea:
    its validation's own threshold, or its best.
    """
    sharpes = [float(value) for value in view.trials["sharpe_per_period"].drop_nulls()]
    n = len(found.returns)
    variance = view.variance if view.variance is not None else sampling_variance(n)
    same = set(view.trials.filter(pl.col("data_hash") == found.data.fingerprint)["trial_id"])
    moving = {
        trial: vector
        for trial, vector in view.vectors.items()
        if trial.partition("~")[0] in same and len(vector) and found.basis == "daily"
    }
    days = as_days(periods_of(found))
    fitting = {
        trial: vector
        for trial, vector in moving.items()
        if np.array_equal(view.days.get(trial, ()), days)
    }
    return Tries(
        n=view.n,
        effective=max(view.effective, 1.0),
        variance=variance,
        sharpes=tuple(sharpes),
        vectors=_ideas(view.trials, fitting, code),
        left_out=len(moving) - len(fitting),
    )


def code_of(alpha: RemoteAlpha) -> tuple[str, str]:
    """What makes two trials one idea."""
    return alpha.alpha_id, alpha.code_hash


def _ideas(
    trials: pl.DataFrame, vectors: Mapping[str, np.ndarray], own: tuple[str, str]
) -> dict[str, np.ndarray]:
    """One vector of each other code: the one it was validated by, else the highest Sharpe ratio."""
    columns = ("trial_id", "alpha_id", "code_hash", "source")
    told = {row[0]: row[1:] for row in trials.select(columns).iter_rows()}
    chosen: dict[tuple[str, str], tuple[tuple[bool, float], str]] = {}
    for name, vector in vectors.items():
        alpha_id, code_hash, source = told[name.partition("~")[0]]
        idea = (alpha_id, code_hash)
        if idea == own:
            continue
        rank = (source == "validate", sharpe(vector) or 0.0)
        if idea not in chosen or rank > chosen[idea][0]:
            chosen[idea] = rank, name
    return {name: vectors[name] for _, name in chosen.values()}


def periods_of(found: Measured) -> np.ndarray:
    """The first time of each session that was judged, ns."""
    first, _ = found.data.session_times
    return first[np.searchsorted(found.data.sessions, found.test.days)]
