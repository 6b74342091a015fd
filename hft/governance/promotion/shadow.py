"""Shadow evidence: sessions, refusals, drift and costs of sealed run folders whose digests verify.

A session is a UTC date on which a run decided something. Drift is a session on which the values
that a live-shaped stream gave differ from what a replay on the same inputs gives. A folder that
does not verify, or is not of this alpha, is a problem and counts nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from pathlib import Path
from typing import Any

import numpy as np

from hft.audit.keys import Keys
from hft.core.errors import DataError, HftError, PromotionError
from hft.governance.gates.e import Shadow
from hft.governance.paper import summarize
from hft.governance.profile import Profile
from hft.governance.promotion.expectation import Expected, Pairs, ic_e_value
from hft.governance.sessions import Session, Verify, of_run, replayed, run_folders
from hft.runs.result import Run
from hft.statistics.betting import bernoulli_interval
from hft.statistics.sequential import mean_confidence

COST_FLOOR = 0.05  # bps: a smaller modelled cost counts as this
STALE = ("REFERENCE_STALE", "MARKET_NO_TOUCH", "BOOK_INVALID")


@dataclass(frozen=True)
class Parity:
    """Live-shaped values against a replay: how many were compared and equal, by UTC date.

    `pairs`: the values followed and the forward returns on the run's own tape.
    """

    compared: dict[Date, int]
    equal: dict[Date, int]
    words: str = ""  # why there is nothing to compare
    pairs: Pairs | None = None


# Compares the values an alpha gave in a run with what it gives again; refuses a run of another one.
Compare = Callable[[Run], Parity]


@dataclass(frozen=True)
class _Read:
    """One run that counts."""

    run: Run
    sessions: tuple[Session, ...]
    parity: Parity
    stale: int | None
    costs: tuple[float, ...]  # bps of value a day, fees and slippage


def from_runs(
    folders: Sequence[Path],
    profile: Profile,
    *,
    compare: Compare,
    verify: Verify = replayed,
    model: Expected | None = None,
) -> Shadow:
    """Evidence of the run folders given.

    `model`: what the validation leads one to expect. Raises: DataError for a path without run
    folders.
    """
    if not folders:
        return Shadow()
    found: list[_Read] = []
    problems: list[str] = []
    seen: set[str] = set()
    for path in run_folders(folders):
        try:
            read = _read(path, compare, verify, seen)
        except HftError as error:
            problems.append(f"{path.name}: {error}")
            continue
        if read is not None:
            found.append(read)
    if not found and not problems:
        problems.append("the run folders hold no decision")
    found.sort(key=lambda read: (_run_row(read)["from"], read.run.digest))  # whenever they ran
    return _sum(found, tuple(problems), profile, model or Expected())


def _read(path: Path, compare: Compare, verify: Verify, seen: set[str]) -> _Read | None:
    run = Run.open(path)
    if run.digest and run.digest in seen:
        return None
    seen.add(run.digest)
    wrong = verify(run)
    if wrong:
        raise DataError(wrong)
    sessions = tuple(of_run(run))
    return _Read(run, sessions, compare(run), _stale(run), day_costs(run))


def _stale(run: Run) -> int | None:
    """Refusals for inputs that were old or invalid."""
    table = run.refusals
    if "reason" not in table.columns:
        return None
    rows = table.filter(table["reason"].is_in(STALE)) if table.height else table
    return int(rows["count"].sum()) if rows.height else 0


def _sum(
    reads: Sequence[_Read], problems: tuple[str, ...], profile: Profile, model: Expected
) -> Shadow:
    days = _days([row for read in reads for row in read.sessions])
    if not days:
        return Shadow(evidence="runs" if reads or problems else "", problems=problems)
    level = float(profile.values.get("gate_e.level") or 0.05)
    decisions = sum(row.decisions for row in days)
    rejects = sum(row.rejects for row in days)
    stale = [read.stale for read in reads]
    notes: dict[str, str] = {}
    drift, identical = _drift(reads, profile, notes)
    return Shadow(
        evidence="runs",
        sessions=len(days),
        decisions=decisions,
        drift_alerts=drift,
        reject_rate=rejects / decisions if decisions else None,
        reject_rate_p95=_p95(days),
        reject_upper=bernoulli_interval(rejects, decisions, level).high if decisions else None,
        stale_share=None
        if None in stale or not decisions
        else sum(count or 0 for count in stale) / decisions,
        identical=identical,
        cost_ratio_upper=_cost_ratio(reads, model.cost_bps, profile, level, notes),
        ic_e=_ic_e(reads, model, profile, notes),
        runs=tuple(_run_row(read) for read in reads),
        problems=problems,
        notes=notes,
    )


def _days(sessions: Sequence[Session]) -> list[Session]:
    """One session a date, whoever ran on it."""
    from hft.governance.sessions import by_date

    return list(by_date(sessions))


def _p95(days: Sequence[Session]) -> float | None:
    rates = [row.rejects / row.decisions for row in days if row.decisions]
    return float(np.quantile(rates, 0.95)) if rates else None


def _drift(
    reads: Sequence[_Read], profile: Profile, notes: dict[str, str]
) -> tuple[int | None, float | None]:
    """Days on which less than the asked share is equal, and the share over all."""
    compared: dict[Date, int] = {}
    equal: dict[Date, int] = {}
    for read in reads:
        if not read.parity.compared:
            notes["identical"] = read.parity.words or "nothing was compared with a replay"
            return None, None
        for day, count in read.parity.compared.items():
            compared[day] = compared.get(day, 0) + count
            equal[day] = equal.get(day, 0) + read.parity.equal.get(day, 0)
    least = float(profile.values.get("gate_e.identical_min") or 0.999)
    alerts = sum(1 for day, count in compared.items() if equal[day] / count < least)
    return alerts, sum(equal.values()) / sum(compared.values())


def _cost_ratio(
    reads: Sequence[_Read],
    modelled: float | None,
    profile: Profile,
    level: float,
    notes: dict[str, str],
) -> float | None:
    """Upper bound of what a trade cost in shadow over what the claim paid for it.

    Costs may be negative (quotes), so it is one plus the excess over the modelled size.
    """
    values = [cost for read in reads for cost in read.costs]
    if modelled is None or len(values) < 2:
        notes["cost"] = "no modelled cost" if modelled is None else "too few days with fills"
        return None
    spread, mean = float(np.std(values, ddof=1)), float(np.mean(values))
    high = mean
    if spread > 0:
        tau2 = float(profile.values.get("canary.tau2") or 0.04)
        found = mean_confidence(values, spread, level, tau2)
        assert found is not None
        high = found.high
    ratio = 1.0 + (high - modelled) / max(abs(modelled), COST_FLOOR)
    notes["cost"] = (
        f"a trade cost {mean:.4f} bps in shadow (fees and slippage), {modelled:.4f} in the claim; "
        "to claim more, validate with a higher --taker-bps"
    )
    return ratio


def _ic_e(
    reads: Sequence[_Read], model: Expected, profile: Profile, notes: dict[str, str]
) -> float | None:
    """The e-value of the runs' signals against half of the claimed IC."""
    if model.ic is None:
        notes["ic"] = model.ic_words or "no claimed IC"
        return None
    tau2 = float(profile.values.get("canary.tau2") or 0.04)
    shown = [read.parity.pairs for read in reads if read.parity.pairs is not None]
    found = ic_e_value(shown, model.ic, tau2)
    notes["ic"] = (
        f"half of the claimed IC {model.ic.mean:.4f}"
        if found is not None
        else "no session has enough signals with an outcome"
    )
    return found


def day_costs(run: Run) -> tuple[float, ...]:
    """What a trade cost on each day with fills: distance from the mid and fee, bps of value."""
    fills = run.fills
    if fills.is_empty():
        return ()
    size = {
        one.symbol: (float(one.lot * one.multiplier), one.kind == "inverse")
        for one in run.names.instruments
    }
    by_day: dict[Date, list[float]] = {}
    for row in fills.select("ts", "symbol", "side", "price", "mid", "lots", "fee").to_dicts():
        unit, inverse = size[str(row["symbol"])]
        value = row["lots"] * unit * (1.0 / row["price"] if inverse else row["price"])
        sign = 1.0 if str(row["side"]) == "BUY" else -1.0
        paid = value * sign * (row["price"] - row["mid"]) / row["mid"] + row["fee"]
        total = by_day.setdefault(row["ts"].date(), [0.0, 0.0])
        total[0] += paid
        total[1] += value
    found = (1e4 * paid / value for _, (paid, value) in sorted(by_day.items()) if value > 0)
    return tuple(cost for cost in found if math.isfinite(cost))


def _run_row(read: _Read) -> dict[str, Any]:
    days = [row.date for row in read.sessions]
    return {
        "run_id": read.run.id,
        "digest": read.run.digest,
        "from": min(days).isoformat() if days else "",
        "to": max(days).isoformat() if days else "",
        "sessions": len(days),
        "decisions": sum(row.decisions for row in read.sessions),
        "rejects": sum(row.rejects for row in read.sessions),
        "fills": sum(row.n_fills for row in read.sessions),
    }


def slippages(shadow_days: Sequence[Session]) -> tuple[float, ...]:
    """A session's mean slippage, where it had fills."""
    return tuple(row.slippage_bps for row in shadow_days if row.slippage_bps is not None)


def days_of(folders: Sequence[Path]) -> list[Session]:
    """The sessions of run folders, unverified, one a date; empty where there are none."""
    rows: list[Session] = []
    for path in run_folders(folders) if folders else ():
        try:
            rows += of_run(Run.open(path))
        except HftError:
            continue
    return _days(rows)


def point_of(folders: Sequence[Path]) -> float:
    """Money a lot earns for a point of price in the first run; 1 where there is none."""
    for path in run_folders(folders) if folders else ():
        run = Run.open(path)
        one = run.names.instruments[0]
        size = float(one.lot * one.multiplier)
        if one.kind != "inverse":
            return size
        if run.fills.height:
            return size / float(run.fills["mid"][0]) ** 2
    return 1.0


def asserted(sessions: int | None, drift_alerts: int | None, reject_rate: float | None) -> Shadow:
    """Typed counts, marked so; what was not typed stays absent."""
    if sessions is None and drift_alerts is None and reject_rate is None:
        return Shadow()
    return Shadow(
        evidence="asserted",
        sessions=sessions,
        drift_alerts=drift_alerts,
        reject_rate=reject_rate,
    )


def with_paper(
    shadow: Shadow, folder: Path | None, alpha_id: str = "", keys: Keys | None = None
) -> Shadow:
    """Add the summary of paper-trade sessions. Raises: PromotionError naming file and field."""
    if folder is None:
        return shadow
    found = summarize(folder, alpha_id, keys)
    if found.problems:
        raise PromotionError(found.problems[0])
    if not found.session_count:
        raise PromotionError(f"{folder}: holds no paper-trade session (*.json)")
    return replace(shadow, paper=found)
