"""Evidence made up for pages: curves, fans, histograms, a canary process."""

import numpy as np

from hft.reports.governance import evidence as ev

DAY_NS = 86_400 * 10**9

START = 1_704_153_600 * 10**9  # 2024-01-02


def draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def days(n: int) -> np.ndarray:
    return START + np.arange(n, dtype=np.int64) * DAY_NS


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
