"""Documents as the commands would fill them, made from seeds: enough to draw every picture."""

from typing import Any

from made_evidence import (
    canary,
    correlation_pool,
    cost_latency,
    dsr_curve,
    equity,
    heatmap,
    ic_decay,
    path_fan,
    pbo,
    plateau,
    search_front,
    surface,
    timeline,
    trial_history,
    walk_forward,
)

RAW = "data field mid is a raw price"
HASH = "4e34206df08924b568e027d448e93e4ed655a5dfc48fa1b55b977424219d9371"


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
