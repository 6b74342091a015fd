"""Documents as the commands would fill them, made from seeds: enough to draw every picture."""

from typing import Any

import numpy as np

from hft.reports.governance import evidence as ev

DAY_NS = 86_400 * 10**9
START = 1_704_153_600 * 10**9  # 2024-01-02
RAW = "data field mid is a raw price"
HASH = "4e34206df08924b568e027d448e93e4ed655a5dfc48fa1b55b977424219d9371"


def draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def days(n: int) -> np.ndarray:
    return START + np.arange(n, dtype=np.int64) * DAY_NS


def check(id: str, value: Any, limit: Any, margin: float | None, **more: Any) -> dict[str, Any]:
    verdict = more.pop("verdict", None)
    if verdict is None:
        verdict = "INSUFFICIENT" if margin is None else "PASS" if margin >= 0 else "FAIL"
    return {
        "id": id,
        "value": value,
        "threshold": limit,
        "verdict": verdict,
        "applicable": True,
        "blocking": True,
        "reason": "",
        "margin": margin,
        "missing": [],
    } | more


def low(id: str, value: float, limit: float, **more: Any) -> dict[str, Any]:
    return check(id, value, limit, value - limit, **more)


def high(id: str, value: float, limit: float, **more: Any) -> dict[str, Any]:
    return check(id, value, limit, limit - value, **more)


def gate(name: str, *checks: dict[str, Any]) -> dict[str, Any]:
    deciding = [one for one in checks if one["applicable"] and one["blocking"]]
    found = {one["verdict"] for one in deciding}
    verdict = next((v for v in ("FAIL", "INSUFFICIENT") if v in found), "PASS")
    missing = [text for one in deciding for text in one["missing"]]
    return {
        "gate": name,
        "verdict": verdict,
        "checks": list(checks),
        "context": {},
        "reason": "; ".join(one["id"] for one in deciding if one["verdict"] == verdict),
        "margin": None,
        "missing": missing,
        "evidence_digest": HASH[::-1],
    }


def gates(kind: str = "wait") -> list[dict[str, Any]]:
    short = ["152 more days (about 2027-06), or true SR >= 2.4; all else passes"]
    history = check("history_days", 412, 564, -152.0, verdict="INSUFFICIENT", missing=short)
    a = gate(
        "A",
        check("manifest", True, True, None, verdict="PASS"),
        check("prefix_invariance", 0, 0, 0.0),
        check("perturbation", 0, 0, 0.0),
        low("as_of_coverage", 0.9991, 0.99),
        history if kind == "wait" else low("history_days", 1008.0, 564.0),
        check("ledger", True, True, None, verdict="PASS"),
        check("warning", RAW, None, None, verdict="PASS", blocking=False, reason=RAW),
    )
    b = gate(
        "B",
        check("unit_tests", True, True, None, verdict="PASS"),
        check("deterministic", 1, 1, None, verdict="PASS"),
        high("batch_equals_stream", 3.1e-12, 1e-9),
        high("permutation_p", 0.001, 0.01),
        low("lag1_retention", 0.81, 0.5),
    )
    dsr = low("dsr", 0.8734, 0.95) if kind == "fail" else low("dsr", 0.9712, 0.95)
    c = gate(
        "C",
        dsr,
        low("psr", 0.9571, 0.95),
        high("pbo", 0.31 if kind == "fail" else 0.062, 0.2),
        low("haircut_sharpe", 1.12, 0.5),
        low("hac_t", 3.94, 3.0),
        high("spa_p", 0.021, 0.05),
        low("cpcv_median", 1.83, 1.0),
        low("cpcv_low", 0.42, 0.0),
        low("walk_ratio", 0.71, 0.5),
        low("ic_t", 5.2, 3.0),
        low("half_life", 11.6, 5.0),
        low("sharpe_at_2x_cost", 0.88, 0.0),
        check(
            "worst_year", None, -1.0, None, applicable=False, verdict="INSUFFICIENT",
            reason="the history holds no whole calendar year",
        ),
    )  # fmt: skip
    return [a, b, c]


def equity(n: int = 1008, seed: int = 1) -> ev.Equity:
    r = draws(seed).normal(55, 420, n)
    cost = np.abs(draws(seed + 1).normal(14, 5, n))
    net = np.cumsum(r)
    at = np.arange(1, n + 1)
    spread = 1.645 * 420 * np.sqrt(at)
    peak = np.maximum.accumulate(np.maximum(net, 0) + 1e6)
    return ev.Equity(
        ts_ns=days(n), net=net, gross=net + np.cumsum(cost), low=at * 74 - spread,
        high=at * 74 + spread, drawdown=(net + 1e6 - peak) / peak, unit="USD",
    )  # fmt: skip


def path_fan(paths: int = 9, n: int = 1008, seed: int = 3) -> ev.PathFan:
    r = draws(seed).normal(0.00055, 0.0045, n) + draws(seed + 1).normal(0, 0.0022, (paths, n))
    sharpe = r.mean(1) / r.std(1, ddof=1) * np.sqrt(252)
    return ev.PathFan(
        paths=np.cumsum(r, axis=1), sharpe=sharpe, ts_ns=days(n), median_min=1.0, low_min=0.0
    )


def walk_forward(folds: int = 8) -> ev.WalkForward:
    k = np.arange(folds, dtype=np.int64)
    start = START + np.zeros(folds, dtype=np.int64)
    cut = START + (252 + 90 * k) * DAY_NS
    sharpe = draws(5).normal(1.1, 0.9, folds)
    return ev.WalkForward(
        train_start_ns=start, train_end_ns=cut, test_start_ns=cut + 3 * DAY_NS,
        test_end_ns=cut + 90 * DAY_NS, sharpe=sharpe, sharpe_train=np.abs(sharpe) + 0.6, floor=-0.5,
    )  # fmt: skip


def ic_decay() -> ev.IcDecay:
    h = np.array([1e8, 2.5e8, 5e8, 1e9, 2e9, 5e9, 1e10, 3e10, 6e10, 3e11])
    fit = 0.046 * np.exp2(-h / 4.1e9)
    ic = fit + draws(6).normal(0, 0.0022, len(h))
    return ev.IcDecay(
        horizons_ns=h, ic=ic, low=ic - 0.004, high=ic + 0.004, ic0=0.046, half_life_ns=4.1e9,
        latency_ns=353e6,
    )  # fmt: skip


def pbo(configs: int = 12) -> ev.PboHistogram:
    rank = np.clip(draws(7).binomial(configs, 0.78, 12870), 1, configs)
    w = rank / (configs + 1)
    logits = np.log(w / (1 - w))
    return ev.PboHistogram(
        logits=logits, pbo=float((logits <= 0).mean()), limit=0.2, configs=configs, blocks=16,
        loss_share=0.083,
    )  # fmt: skip


def dsr_curve(here: float = 6.2) -> ev.DsrCurve:
    n = np.unique(np.geomspace(1, 2000, 60).round())
    return ev.DsrCurve(
        trials=n, dsr=1 / (1 + np.exp(-(5.4 - 0.95 * np.log(n)))), here=here,
        value=float(1 / (1 + np.exp(-(5.4 - 0.95 * np.log(here))))), threshold=0.95, raw=18,
    )  # fmt: skip


def trial_history(n: int = 18) -> ev.TrialHistory:
    sharpe = draws(8).normal(0.4, 0.62, n)
    if n:
        sharpe[-1] = 2.05
    hurdle = 0.62 * np.sqrt(2 * np.log(np.arange(1, n + 1) + 0.5))
    return ev.TrialHistory(sharpe=sharpe, hurdle=hurdle, here=n - 1, family="ofi", repeats=4)


def plateau() -> ev.ParameterPlateau:
    x = np.linspace(0.05, 0.6, 12)
    y = 1.55 - 9 * (x - 0.27) ** 2 + draws(9).normal(0, 0.05, 12)
    return ev.ParameterPlateau(name="threshold", values=x, objective=y, base=0.3)


def surface() -> ev.ParameterPlateau:
    x, y = np.arange(2, 11), np.arange(1, 7)
    z = 1.4 - 0.05 * (x[None, :] - 6) ** 2 - 0.12 * (y[:, None] - 3) ** 2
    return ev.ParameterPlateau(
        name="half_ticks", values=x, objective=z, base=5, second=y, second_name="skew",
        objective_name="Sharpe",
    )  # fmt: skip


def cost_latency() -> ev.CostLatency:
    c = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0])
    return ev.CostLatency(
        cost_multiples=c, sharpe_by_cost=2.2 - 0.66 * c, latency_multiples=[0, 1, 1.5, 2, 5],
        sharpe_by_latency=[1.71, 1.54, 1.42, 1.27, 0.74], cost_checked=2.0, latency_checked=1.5,
    )  # fmt: skip


def correlation_pool(n: int = 7) -> ev.CorrelationPool:
    c = draws(10).uniform(-0.35, 0.62, n)
    return ev.CorrelationPool(
        ids=[f"alpha_{k}" for k in range(n)], correlation=c, tail=np.clip(c * 1.3, -1, 1),
        warn=0.5, limit=0.7,
    )  # fmt: skip


def heatmap(n: int = 10, seed: int = 11) -> ev.Heatmap:
    names = ["ofi", "queue_imbalance", "micro_reversion", "trade_flow", "spread_state", "vol_drift"]
    ids = names[:n] + [f"alpha_{k:03d}" for k in range(max(n - len(names), 0))]
    f = draws(seed).normal(0, 1, (400, max(n // 3, 2)))
    load = draws(seed + 1).normal(0, 1, (f.shape[1], n)) * (draws(seed + 2).random((1, n)) > 0.35)
    x = f @ load + draws(seed + 3).normal(0, 1.1, (400, n))
    matrix = np.corrcoef(x.T) if n > 1 else np.ones((n, n))
    return ev.Heatmap(ids=ids, matrix=matrix, threshold=0.7)


def search_front(n: int = 300) -> ev.SearchFront:
    rng = draws(14)
    size = rng.integers(1, 14, n)
    score = rng.normal(0.1, 0.45, n) + 0.35 * np.log(size)
    corr = rng.random(n) * 0.8
    form = "zscore(ts_mean(sub{k}, {w})) - rank(ts_delta(imbalance, {w}))"
    return ev.SearchFront(
        expressions=[form.format(k=k, w=5 + k % 40) for k in range(n)], score=score,
        complexity=size, passed=(score > 0.9) & (corr < 0.7), sharpe=score + 0.25 * corr,
        correlation=corr, evaluated=n + 40, duplicates=40,
    )  # fmt: skip


def canary(n: int = 46) -> ev.CanaryProcess:
    rng = draws(15)
    pnl = rng.normal(38, 160, n)
    at = np.arange(1, n + 1)
    mu = np.cumsum(pnl) / at
    wide = 620 / np.sqrt(at)
    e = np.exp(np.cumsum(rng.normal(-0.05, 0.34, n)) - 0.2)
    slip = 1.05 + np.cumsum(rng.normal(0, 0.02, n)) / np.sqrt(at)
    weight = np.where(at < 12, 0.01, np.where(at < 30, 0.05, 0.2))
    t = days(n)
    decisions = [(int(t[k]), "hold", "fewer than the rung's minimum") for k in (3, 7, 17, 40)]
    decisions += [(int(t[11]), "escalate", "consistent with the claim")]
    decisions += [(int(t[29]), "escalate", "consistent with the claim")]
    return ev.CanaryProcess(
        ts_ns=t, e_value=e, mu=mu, mu_low=mu - wide, mu_high=mu + wide, mu0=44.0, mu_unit="USD",
        slippage=slip,
        slippage_low=slip - 1.4 / np.sqrt(at), slippage_high=slip + 1.4 / np.sqrt(at),
        rejects=0.004 + 0.002 / at, rejects_low=np.maximum(0.004 - 0.05 / at, 0),
        rejects_high=0.004 + 0.12 / at, weight=weight, ladder=[0.01, 0.05, 0.2, 0.5],
        decisions=decisions,
    )  # fmt: skip


def timeline() -> ev.ConditionTimeline:
    t = days(200)
    return ev.ConditionTimeline(
        events=[
            (int(t[0]), "proposed", "by anna, bundle 4e34206d"),
            (int(t[2]), "approved", "by boris, memo 91ac03be"),
            (int(t[24]), "escalated", "0.01 to 0.05"),
            (int(t[55]), "escalated", "0.05 to 0.20"),
            (int(t[90]), "hold", "e-value 24.1 lies above 20"),
            (int(t[118]), "rolled_back", "slippage interval lies above twice the model"),
        ],
        weight_ts_ns=[int(t[k]) for k in (2, 24, 55, 118)],
        weight=[0.01, 0.05, 0.2, 0.0],
        expiry_ns=int(t[182]),
    )


INPUTS = {
    "data": HASH,
    "code": HASH[3:] + "abc",
    "config": "d5b1a2c9f0e84b61",
    "thresholds": f"standard {HASH[7:23]}",
    "ledger heads": "anna 18, boris 41",
    "convention": "2012",
    "seed": 42,
}


def validation(kind: str = "wait") -> dict[str, Any]:
    pictures = [equity(), path_fan(), walk_forward(), ic_decay(), pbo(), dsr_curve()]
    pictures += [trial_history(), plateau(), surface(), cost_latency(), correlation_pool()]
    return {
        "title": "queue_imbalance",
        "subtitle": "Does the side with more size at the touch push the mid? · horizon 10 s · "
        "validate split, 2024-01-02 to 2024-12-31 UTC · profile standard",
        "digest": HASH,
        "price": "trial 18 of family ofi, effective N 6.2, hurdle SR 1.31 -> 1.34",
        "facts": [
            ("Sharpe out of sample", "2.05", "daily, net, convention 2012", "good"),
            ("deflated Sharpe", "0.971", "18 trials, 6.2 effective"),
            ("overfitting", "6.2%", "PBO over 12 configurations"),
            ("max drawdown", "−1.6%", "inside 5–95 % of the claim"),
            ("turnover", "0.38", "mean change of position"),
            ("IC", "0.0412", "Spearman, t 5.2"),
            ("capacity", "4.1 M USD", "at 1 % of volume"),
            ("at twice the cost", "0.88", "Sharpe"),
        ],
        "gates": gates(kind),
        "pictures": pictures,
        "tables": [
            {
                "title": "Regimes",
                "head": ["regime", "days", "Sharpe", "IC"],
                "rows": [
                    ["high volatility", 504, 2.31, 0.0448],
                    ["low volatility", 504, 1.7, 0.037],
                ],
            }
        ],
        "inputs": INPUTS,
    }


def search() -> dict[str, Any]:
    return {
        "title": "genetic search of family ofi",
        "subtitle": "300 expressions, depth at most 3, seed 42",
        "verdict": "PASS",
        "words": "11 of 300 expressions pass out of sample; the best adds 1.21 to the pool.",
        "price": "trials 19 to 318 of family ofi, effective N 41.7, hurdle SR 1.34 -> 2.18",
        "facts": [("evaluated", "300", "40 duplicates left out"), ("passed", "11", "", "good")],
        "pictures": [search_front(), trial_history(318)],
        "inputs": INPUTS,
    }


def pool() -> dict[str, Any]:
    return {
        "title": "Pool of ten alphas",
        "subtitle": "Pearson, 400 aligned rows",
        "facts": [("members", "10"), ("redundant pairs", "2", "at or above 0.7", "bad")],
        "pictures": [heatmap()],
        "tables": [
            {
                "title": "Weights",
                "head": ["alpha", "equal weight", "ridge"],
                "rows": [[name, 0.1, 0.05 + 0.01 * k] for k, name in enumerate(heatmap().ids)],
                "note": "Divided by the sum of their sizes.",
            }
        ],
        "inputs": INPUTS,
    }


def promotion() -> dict[str, Any]:
    d = gate(
        "D",
        low("sharpe_oos", 2.05, 1.0),
        high("pnl_correlation", 0.44, 0.5),
        high("vif", 1.8, 5.0),
        low("capacity_multiple", 4.4, 3.0),
    )
    e = gate(
        "E",
        check("shadow_days", 22, 20, 2.0),
        high("execution_reject_rate", 0.0031, 0.005),
        check(
            "drill", None, 60, None, missing=["one rollback drill below 60 s"],
            reason="no drill is on file",
        ),
    )  # fmt: skip
    return {
        "title": "queue_imbalance",
        "subtitle": "proposed by anna · profile standard · first rung 0.01",
        "gates": [d, e],
        "pictures": [correlation_pool(), heatmap(5), timeline()],
        "inputs": INPUTS | {"bundle": HASH},
    }


def canary_doc() -> dict[str, Any]:
    return {
        "title": "queue_imbalance",
        "subtitle": "46 sessions on three rungs · profile standard",
        "verdict": "escalate",
        "words": "Consistent with the claim: the weight may rise from 0.20 to 0.50.",
        "facts": [("weight", "0.20", "rung 3 of 4"), ("sessions", "46", "16 on this rung")],
        "gates": [
            gate(
                "canary",
                high("e_value", 0.4, 20.0),
                high("slippage_high", 1.21, 1.25),
                low("fills", 412.0, 300.0),
            )
        ],
        "pictures": [canary(), timeline()],
        "inputs": INPUTS,
    }


def inventory() -> dict[str, Any]:
    rows = [
        ["queue_imbalance", "anna", "ofi", "standard", 0.2, "canary", "2027-03-02"],
        ["trade_flow", "boris", "flow", "tier1", 0.5, "graduated", "2027-01-11"],
        ["spread_state", "anna", "spread", "base", 0.0, "rolled back", "–"],
    ]
    return {
        "title": "Models in use",
        "subtitle": "SR 26-2 style inventory",
        "facts": [("live", "2"), ("rolled back", "1", "", "bad"), ("self-approved", "0")],
        "tables": [
            {
                "title": "Alphas",
                "head": ["alpha", "owner", "family", "profile", "weight", "state", "review by"],
                "rows": rows,
                "left": 4,
            }
        ],
        "inputs": INPUTS,
    }


def overrides() -> dict[str, Any]:
    rows = [["2026-11-20 14:03:11", "force", "spread_state", "boris", "a demo for the desk"]]
    return {
        "title": "Overrides",
        "subtitle": "since 2026-01-01",
        "words": "1 exception was made.",
        "tables": [
            {"title": "Exceptions", "head": ["at", "kind", "subject", "by", "reason"],
             "rows": rows, "left": 5},
            {"title": "Kills and resets", "head": ["at", "kind"], "rows": []},
        ],
        "inputs": {"audit head": f"412 {HASH}"},
    }  # fmt: skip


MADE = {
    "validation": validation,
    "search": search,
    "pool": pool,
    "promotion": promotion,
    "canary": canary_doc,
    "inventory": inventory,
    "overrides": overrides,
}
