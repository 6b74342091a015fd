"""What a validation shows: its key figures, its pictures, and the inputs they follow from."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from hft.governance.gates.a import HISTORY, OF_HISTORY
from hft.governance.profile import Profile
from hft.governance.scorecard import UNITS, Scorecard
from hft.governance.validation.result import overall
from hft.governance.verdict import GateResult, Verdict
from hft.reports.figures import counted
from hft.reports.governance.document import Document, Fact, Table
from hft.reports.governance.evidence import (
    CostLatency,
    DsrCurve,
    Equity,
    IcDecay,
    ParameterPlateau,
    PathFan,
    PboHistogram,
    Picture,
    TrialHistory,
    WalkForward,
)
from hft.research.alphas.remote import RemoteAlpha
from hft.research.durations import duration_text
from hft.research.measures.evidence import YEAR_ROOT, Evidence, curve
from hft.research.measures.folds import intervals
from hft.research.measures.measurement import Measured
from hft.statistics.bootstrap import block_length, resample

TRIALS_SHOWN = 5000
POINTS_MAX = 2000
COUNTS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def bare(
    alpha: RemoteAlpha, gates: tuple[GateResult, ...], inputs: Mapping[str, Any], price: str = ""
) -> Document:
    """The page of a validation that structure stopped: gates and reasons, no figure."""
    return Document(
        title=alpha.alpha_id,
        kind="validation",
        subtitle=alpha.manifest.hypothesis,
        price=price,
        gates=shown(gates),
        inputs=dict(inputs),
        absent={"equity": "a structural check failed: no figure of this alpha can be believed"},
    )


def document(
    alpha: RemoteAlpha,
    found: Measured,
    evidence: Evidence,
    card: Scorecard,
    gates: tuple[GateResult, ...],
    profile: Profile,
    price: str,
    inputs: Mapping[str, Any],
    history: Mapping[str, Any],
) -> Document:
    """The whole page. `history` has the family's Sharpe ratios with the hurdle after each."""
    pictures, absent = _pictures(found, evidence, profile, history)
    verdict = overall(gates)
    return Document(
        title=alpha.alpha_id,
        kind="validation",
        verdict=verdict.value,
        words=_words(verdict, gates),
        subtitle=alpha.manifest.hypothesis,
        price=price,
        facts=_facts(found, evidence),
        gates=shown(gates),
        pictures=tuple(pictures),
        absent=absent,
        tables=(_scorecard_table(card), _manifest_table(alpha)),
        inputs=dict(inputs),
        digest=_digest(found, gates),
    )


def shown(gates: tuple[GateResult, ...]) -> tuple[dict[str, Any], ...]:
    """The gates as data, and for each of A to C that did not run why."""
    ran = {gate.gate for gate in gates}
    last = next((gate for gate in reversed(gates) if not gate.passed), None)
    why = "" if last is None else f"not run: Gate {last.gate} has to pass first"
    missing = [letter for letter in "ABC" if letter not in ran]
    return (
        *(gate.to_dict() for gate in gates),
        *({"gate": letter, "checks": [], "verdict": "", "reason": why} for letter in missing),
    )


def _digest(found: Measured, gates: tuple[GateResult, ...]) -> str:
    """One hash of the figures and of what was decided on them; heads of the ledger move on."""
    judging = [gate for gate in gates if not gate.advisory]
    parts = [found.digest, *(gate.evidence_digest for gate in judging)]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _words(verdict: Verdict, gates: tuple[GateResult, ...]) -> str:
    """The verdict in words where what Gate A lacks overrules the rest; else the page finds them."""
    first = gates[0]
    if verdict is not Verdict.INSUFFICIENT or first.passed:
        return ""
    judging = [gate for gate in gates[1:] if not gate.advisory]
    against = [f"Gate {gate.gate}" for gate in judging if gate.verdict is Verdict.FAIL]
    rest = f"as it stands {' and '.join(against)} would fail" if against else "all else passes"
    lacking = [one.id for one in first.deciding if one.verdict is Verdict.INSUFFICIENT]
    what = ", ".join(dict.fromkeys(HISTORY if one in OF_HISTORY else one for one in lacking))
    return f"INSUFFICIENT ({what}): {'; '.join(first.missing)}; {rest}."


def _facts(found: Measured, evidence: Evidence) -> tuple[Fact, ...]:
    config, data = found.config, found.data
    unit = "days" if found.basis == "daily" else "steps"
    days = found.information.days
    fee = found.options.rules.taker_bps
    dsr = "no days" if evidence.dsr is None else f"{evidence.dsr:.3f}"
    return (
        Fact("Sharpe out of sample", _number(config.sharpe_oos), f"annual, {unit}"),
        Fact("Sharpe in sample", _number(config.sharpe_is), f"annual, net of {fee:g} bps to take"),
        Fact("Deflated Sharpe", dsr, f"after {evidence.tries.effective:.1f} independent trials"),
        Fact("IC", _number(days.mean if days else None, 4), "mean of the sessions' ranks"),
        Fact("Drawdown", f"{found.drawdown:.2%}", _on(found)),
        Fact("Turnover", f"{config.turnover:.4f}", "contracts a row"),
        Fact("History", counted(len(data.sessions), "session"), counted(len(data), "row")),
        Fact("Half-life", _life(found), "of the edge"),
    )


def _on(found: Measured) -> str:
    """What the drawdown is a share of, and a contract's on the equity of the returns."""
    own = f"{found.config.drawdown:.4%} of 1,000,000"
    return f"of {found.capital:,.6g} points a full position, out of sample; a contract {own}"


def _life(found: Measured) -> str:
    life = found.information.half_life_ns
    if life is not None:
        return f"{life / 1e9:.3g} s"
    longest = found.information.horizons_ns
    return f"> {duration_text(longest[-1])}" if found.information.lasting and longest else "none"


def _pictures(
    found: Measured, evidence: Evidence, profile: Profile, history: Mapping[str, Any]
) -> tuple[list[Picture], dict[str, str]]:
    made: list[Picture] = [_equity(found), _decay(found, profile)]
    absent: dict[str, str] = {}
    if found.paths is not None:
        made.append(_fan(found, profile))
    else:
        absent["path_fan"] = f"too few for folds: {counted(len(found.data.sessions), 'session')}"
    if evidence.pbo is not None:
        made.append(
            PboHistogram(
                logits=evidence.pbo.logits,
                pbo=evidence.pbo.pbo,
                limit=profile.get("gate_c.pbo_max"),
                configs=evidence.pbo.n_configs,
                blocks=int(profile.number("gate_c.pbo_blocks")),
                loss_share=evidence.pbo.prob_loss,
            )
        )
    else:
        absent["pbo_histogram"] = evidence.pbo_reason
    made.append(_dsr(evidence, profile))
    walk = found.anchored
    if walk is not None:
        made.append(_walk(found, profile))
    made += [_plateau(found), _costs(found, profile)]
    if history.get("sharpe"):
        made.append(TrialHistory(**history))
    return made, absent


def _equity(found: Measured) -> Equity:
    """Net and gross by session (by row where there are few), with the band of the claim."""
    test = found.test
    if found.basis == "daily":
        _, last = found.data.session_times
        ts = last[np.searchsorted(found.data.sessions, test.days)]
        net = np.cumsum(test.daily)
        gross = np.cumsum(test.daily_gross)
    else:
        keep = np.unique(np.linspace(0, len(test.ts_ns) - 1, POINTS_MAX).astype(int))
        ts = test.ts_ns[keep]
        net = np.cumsum(test.net)[keep] / test.initial_equity
        gross = np.cumsum(test.gross)[keep] / test.initial_equity
    low: np.ndarray | tuple[()] = ()
    high: np.ndarray | tuple[()] = ()
    if found.basis == "daily" and float(np.std(test.daily)) > 0:
        drawn = resample(
            test.daily,
            lambda rows: np.cumsum(rows, axis=1),
            reps=500,
            block=block_length(test.daily),
            seed=found.options.seed,
        )
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    return Equity(ts_ns=ts, net=net, gross=gross, low=low, high=high, unit="of initial equity")


def _decay(found: Measured, profile: Profile) -> IcDecay:
    info = found.information
    return IcDecay(
        horizons_ns=info.horizons_ns,
        ic=info.curve,
        low=info.low,
        high=info.high,
        half_life_ns=info.half_life_ns,
        latency_ns=float(found.options.latency_ns),
        multiple_min=profile.get("gate_c.half_life_latency_min"),
    )


def _fan(found: Measured, profile: Profile) -> PathFan:
    assert found.paths is not None
    start, _ = intervals(found.data, 0)
    return PathFan(
        paths=np.cumsum(found.paths.returns, axis=1),
        sharpe=found.paths.sharpes,
        ts_ns=start,
        median=found.paths.median,
        low=found.paths.low,
        median_min=profile.get("gate_c.cpcv_median_min"),
        low_min=profile.get("gate_c.cpcv_low_min"),
        unit="of initial equity",
    )


def _dsr(evidence: Evidence, profile: Profile) -> DsrCurve:
    most = max(10.0 * evidence.tries.effective, 100.0, float(evidence.tries.n))
    counts = [count for count in COUNTS if count <= most]
    return DsrCurve(
        trials=counts,
        dsr=curve(evidence, counts),
        here=evidence.tries.effective,
        value=evidence.dsr,
        threshold=profile.get("gate_c.dsr_min"),
        raw=float(evidence.tries.n),
    )


def _walk(found: Measured, profile: Profile) -> WalkForward:
    assert found.anchored is not None
    start, end = intervals(found.data, 0)
    first = list(found.anchored.first)
    after = [*first[1:], len(start)]
    return WalkForward(
        train_start_ns=[int(start[0])] * len(first),
        train_end_ns=[int(end[at - 1]) for at in first],
        test_start_ns=[int(start[at]) for at in first],
        test_end_ns=[int(end[at - 1]) for at in after],
        sharpe=found.anchored.out_of_sample,
        sharpe_train=found.anchored.in_sample,
        floor=found.anchored.error * profile.number("gate_c.walk_forward_worst_t_min"),
    )


def _plateau(found: Measured) -> ParameterPlateau:
    sweep = found.sweep
    return ParameterPlateau(
        values=[one.rules.threshold for one in sweep.configs],
        objective=[one.objective for one in sweep.configs],
        base=found.options.rules.threshold,
        name="threshold",
        objective_name="Sharpe out of sample, less penalties",
    )


def _costs(found: Measured, profile: Profile) -> CostLatency:
    """Sharpe by multiples of the costs, and by rows of delay."""
    stress = found.stress
    return CostLatency(
        cost_multiples=[pair[0] for pair in stress.cost],
        sharpe_by_cost=[pair[1] for pair in stress.cost],
        latency_multiples=[float(pair[0]) for pair in stress.lag],
        sharpe_by_latency=[pair[1] for pair in stress.lag],
        cost_checked=2.0 if profile.get("gate_c.cost2x_sharpe_min") is not None else None,
        latency_checked=1.0 if profile.get("gate_b.lag1_retention_min") is not None else None,
        note="Delay is in rows of the data: 1 fills one row after the decision.",
    )


def history_of(view: Any, family: str, trial: str) -> dict[str, Any]:
    """The trials on this data and label in the order they ran, with the hurdle as it rose."""
    from hft.statistics.deflated import expected_maximum

    rows = view.trials.tail(TRIALS_SHOWN)
    if not rows.height:
        return {}
    spread = (view.variance or 0.0) ** 0.5
    share = view.effective / max(view.n, 1)
    before = view.n - rows.height
    counts = np.maximum(1.0, share * np.arange(before + 1, view.n + 1))
    hurdle = [spread * YEAR_ROOT * expected_maximum(float(count)) for count in counts]
    sharpes = [None if x is None else x * YEAR_ROOT for x in rows["sharpe_per_period"]]
    ids = rows["trial_id"].to_list()
    return {
        "sharpe": sharpes,
        "hurdle": hurdle,
        "here": ids.index(trial) if trial in ids else None,
        "family": family,
    }


def _scorecard_table(card: Scorecard) -> Table:
    """Every figure that is one; ledger heads are in the audit rows."""
    rows = [
        (name, f"{value:.6g}" if isinstance(value, float) else str(value), UNITS.get(name, ""))
        for name, value in card.values.items()
        if not isinstance(value, dict | list)
    ]
    return Table("Scorecard", ("figure", "value", "measured as"), rows, left=3, fold=True)


def _manifest_table(alpha: RemoteAlpha) -> Table:
    manifest = alpha.manifest
    rows = [
        ("hypothesis", manifest.hypothesis),
        ("formula", manifest.formula),
        ("horizon", duration_text(manifest.horizon_ns)),
        ("fields", ", ".join(manifest.data_fields)),
        ("owner", manifest.owner),
        ("family", manifest.family),
        ("papers", "; ".join(manifest.paper_refs)),
    ]
    return Table("Manifest, registered before results", ("field", "text"), rows, left=2, fold=True)


def _number(value: Any, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
