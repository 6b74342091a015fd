"""How much of it is luck: rank logits, the deflated Sharpe ratio, and the trials that were paid."""

import numpy as np

from hft.reports.axes import Linear, linear, log, stamp, time
from hft.reports.chart import Chart
from hft.reports.figures import percent
from hft.reports.governance.evidence import DsrCurve, PboHistogram, TrialHistory, numbers
from hft.reports.governance.pictures.drawn import Drawn, count, text

BINS = 30
LOGIT = 710.0  # of the largest odds that a float can hold
FEW = 24  # distinct logits up to which each has a bar of its own


def pbo_histogram(p: PboHistogram) -> Drawn:
    """Where the in-sample winner ranked out of sample: left of zero is below the median."""
    logits = numbers(p.logits)
    logits = np.clip(logits[np.isfinite(logits)], -LOGIT, LOGIT)
    says = "The probability of backtest overfitting is undefined."
    if p.pbo is not None:
        says = (
            f"In {percent(p.pbo)} of {count(len(logits), 'combination')} the configuration that "
            "was best in sample landed in the lower half out of sample"
        )
        says += f" ({percent(p.limit)} is allowed)." if p.limit is not None else "."
    if len(logits) == 0:
        return Drawn("Backtest overfitting", says)
    centre, share, width = _piles(logits)
    x = linear(centre - width / 2, centre + width / 2, include=(0.0,), room=0.03)
    chart = Chart("Rank of the winner out of sample", x, "logit", 200, percent=True)
    chart.x_name = "← overfitted · the in-sample winner out of sample · still good →"
    for css, inside, word in (
        ("low", centre <= 0, "lower half"),
        ("net", centre > 0, "upper half"),
    ):
        left, right = centre[inside] - width * 0.46, centre[inside] + width * 0.46
        chart.bars(css, left, right, share[inside], word)
    chart.at("gross", 0.0, "median rank")
    words = [f"logit {text(c)}" for c in centre]
    chart.read(centre, words, ("combinations", share, percent))
    rows = [(text(c), percent(s)) for c, s in zip(centre, share, strict=True)]
    bits = [count(p.configs, "configuration") if p.configs is not None else ""]
    bits += [f"{p.blocks} blocks" if p.blocks is not None else ""]
    bits += [
        f"the winner lost money in {percent(p.loss_share)}" if p.loss_share is not None else ""
    ]
    how = "; ".join(bit for bit in bits if bit)
    head = ("logit", "share of combinations")
    how = how[:1].upper() + how[1:] + "." if how else ""
    return Drawn("Backtest overfitting", says, (chart,), head, rows, how=how)


def _piles(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Centres, shares and width of bars; zero belongs to the left, as it counts as overfitted."""
    values, counts = np.unique(np.round(logits, 9), return_counts=True)
    if len(values) <= FEW:
        gap = float(np.diff(values).min()) if len(values) > 1 else 1.0
        spread = float(values[-1] - values[0]) or 1.0
        return values, counts / len(logits), min(max(gap, spread / 60), spread / 8)
    width = float(np.abs(logits).max()) * 2 / BINS
    index = np.ceil(logits / width).astype(int)  # (a, b]
    bins = np.arange(index.min(), index.max() + 1)
    shares = np.array([(index == k).mean() for k in bins])
    return (bins - 0.5) * width, shares, width


def dsr_curve(p: DsrCurve) -> Drawn:
    """The deflated Sharpe ratio falling with the number of trials, and where it stands."""
    trials, dsr = numbers(p.trials), numbers(p.dsr)
    x = log(trials, include=(p.here, p.raw))
    y = Linear(-0.02, 1.04)
    chart = Chart("Deflated Sharpe ratio", x, "by number of trials", 230, y=y)
    chart.x_name = "trials it is deflated for"
    chart.line("net", trials, dsr, "DSR")
    if p.threshold is not None:
        chart.level("fail", p.threshold, f"needed {text(p.threshold)}")
    chart.at("net", p.here, f"effective {text(p.here)}")
    if p.raw is not None and p.raw != p.here:
        chart.at("gross", p.raw, f"counted {text(p.raw)}")
    value = p.value if p.value is not None else _inside(trials, dsr, p.here)
    chart.foot = value is None or value > 0.5  # the words stand where the curve is not
    chart.mark(_side(value, p.threshold), p.here, value)
    chart.read(trials, [f"{text(t)} trials" for t in trials], ("DSR", dsr, text))
    rows = [(text(t), text(v)) for t, v in zip(trials, dsr, strict=True)]
    return Drawn("Luck of many trials", _dsr_says(p, value), (chart,), ("trials", "DSR"), rows, 0)


def _dsr_says(p: DsrCurve, value: float | None) -> str:
    if value is None or p.here is None:
        return "The deflated Sharpe ratio is undefined here."
    says = f"Deflated for {text(p.here)} effective trials, the ratio is {text(value)}"
    if p.threshold is None:
        return says + "."
    says += f" ({text(p.threshold)} is needed)"
    cross = crossing(numbers(p.trials), numbers(p.dsr), p.threshold)
    if cross is None:
        return says + "."
    if value >= p.threshold:
        return says + f"; from about {cross:,.0f} trials on it would not."
    return says + f"; with at most about {cross:,.0f} trials it would."


def crossing(trials: np.ndarray, dsr: np.ndarray, threshold: float) -> float | None:
    """Where the falling curve crosses the threshold (logarithmic); None if it does not."""
    keep = np.isfinite(trials) & np.isfinite(dsr) & (trials > 0)
    order = np.argsort(trials[keep], kind="stable")
    xs, ys = trials[keep][order], dsr[keep][order]
    below = np.flatnonzero((ys[:-1] >= threshold) & (ys[1:] < threshold))
    if len(below) == 0:
        return None
    k = int(below[0])
    part = (ys[k] - threshold) / (ys[k] - ys[k + 1])
    return float(xs[k] * (xs[k + 1] / xs[k]) ** part)


def _inside(xs: np.ndarray, ys: np.ndarray, at: float | None) -> float | None:
    keep = np.isfinite(xs) & np.isfinite(ys)
    if at is None or not keep.any() or not xs[keep].min() <= at <= xs[keep].max():
        return None
    order = np.argsort(xs[keep], kind="stable")
    return float(np.interp(at, xs[keep][order], ys[keep][order]))


def _side(value: float | None, threshold: float | None) -> str:
    if value is None or threshold is None:
        return "net"
    return "pass" if value >= threshold else "fail"


def trial_history(p: TrialHistory) -> Drawn:
    """The Sharpe ratio of every trial of the family under the hurdle that rises with them."""
    sharpe, hurdle = numbers(p.sharpe), numbers(p.hurdle)
    total = len(sharpe)
    number = np.arange(1, total + 1)
    dated = len(p.ts_ns) == total and total > 0 and len(set(p.ts_ns)) > total // 2
    xs = np.array(p.ts_ns) if dated else number
    x = time(xs, room=0.02) if dated else Linear(0.5, max(total, 1) + 0.5, whole=True)
    chart = Chart("Sharpe ratio of every trial", x, "annual", 230, include=(0.0,))
    chart.x_name = "" if dated else "trial"
    big = " big" * (total <= 200)
    over = sharpe > (hurdle if len(hurdle) else np.inf)
    chart.dots("gross" + big, xs[~over], sharpe[~over], "trials")
    if total and np.isfinite(sharpe).any():
        best = np.fmax.accumulate(np.where(np.isfinite(sharpe), sharpe, -np.inf))
        chart.steps("mid", xs, np.where(np.isfinite(best), best, np.nan), "best so far")
    if len(hurdle):
        chart.steps("low", xs, hurdle, "hurdle: what luck alone would show")
        chart.dots("net" + big, xs[over], sharpe[over], f"{int(over.sum()):,} above it")
    if p.here is not None and 0 <= p.here < total and np.isfinite(sharpe[p.here]):
        chart.mark("net", float(xs[p.here]), float(sharpe[p.here]))
    when = [stamp(ns) for ns in p.ts_ns] if dated else [f"trial {k:,}" for k in number]
    series = [("Sharpe", sharpe, text)] + ([("hurdle", hurdle, text)] if len(hurdle) else [])
    chart.read(xs, when, *series)
    best_first = np.argsort(np.where(np.isfinite(sharpe), -sharpe, np.inf), kind="stable")
    rows = [
        (f"{k + 1:,}", text(sharpe[k]), text(hurdle[k]) if len(hurdle) else "–")
        for k in best_first[:200].tolist()
    ]
    head = ("trial", "Sharpe", "hurdle then")
    return Drawn(
        "What the trials cost",
        _history_says(p, sharpe, hurdle),
        (chart,),
        head,
        rows,
        0,
        total=total,
    )


def _history_says(p: TrialHistory, sharpe: np.ndarray, hurdle: np.ndarray) -> str:
    family = f" of family {p.family}" if p.family else ""
    repeats = f" (and {count(p.repeats, 'repeat')}, not counted)" if p.repeats else ""
    if not np.isfinite(sharpe).any():
        return f"{count(len(sharpe), 'trial')}{family}{repeats}, none with a Sharpe ratio."
    best = text(float(np.nanmax(sharpe)))
    says = f"{count(len(sharpe), 'trial')}{family}{repeats}; the best shows {best}"
    if len(hurdle) and np.isfinite(hurdle[-1]):
        says += f", and the best of so many without any edge would show {text(float(hurdle[-1]))}"
    return says + "."
