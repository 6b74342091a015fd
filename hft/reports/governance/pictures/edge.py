"""Is there an edge, and when: equity against its claim, cross-validated paths, folds, decay."""

from typing import Any

import numpy as np

from hft.reports.axes import TINY, Linear, duration, linear, log, stamps, time
from hft.reports.chart import Chart
from hft.reports.governance.evidence import HUGE, Equity, IcDecay, PathFan, WalkForward, numbers
from hft.reports.governance.pictures.drawn import Drawn, count, share, text

PATHS_MAX = 60  # drawn one by one
POINTS = 260  # of one path
COLUMNS = 44  # of the dots of path Sharpe ratios


def equity(p: Equity) -> Drawn:
    """Net and gross over time inside the band of the claim, drawdown below."""
    net, gross = numbers(p.net), numbers(p.gross)
    x, when = time(np.array(p.ts_ns)), stamps(p.ts_ns)
    peak = np.fmax.accumulate(np.fmax(net, 0.0)) if len(net) else net
    part = p.unit.startswith("of ")  # a share of something
    shared = bool(p.drawdown) or part
    down = numbers(p.drawdown) if p.drawdown else net - peak
    form, form_down = (share if part else text), (share if shared else text)
    money = Chart("Equity", x, p.unit, 230, include=(0.0,), times=False, percent=part)
    if p.low and p.high:
        money.band("band", p.ts_ns, numbers(p.low), numbers(p.high), "5–95 % of the claim")
    money.line("gross", p.ts_ns, gross, "before costs").line("net", p.ts_ns, net, "net")
    series = [("net", net, form)] + ([("before costs", gross, form)] if len(gross) else [])
    money.read(p.ts_ns, when, *series)
    below = Chart("Drawdown", x, "" if p.drawdown else p.unit, 90, include=(0.0,), percent=shared)
    below.area("down", p.ts_ns, down).read(p.ts_ns, when, ("drawdown", down, form_down))
    rows = _sampled(when, [net, gross, down], (form, form, form_down))
    head = ("at", "net", "before costs", "drawdown")
    says = _equity_says(p, net, gross, down, (form, form_down))
    return Drawn("Equity", says, (money, below), head, rows, wide=True, together=True)


def _equity_says(
    p: Equity, net: np.ndarray, gross: np.ndarray, down: np.ndarray, forms: tuple[Any, Any]
) -> str:
    known = np.flatnonzero(np.isfinite(net))
    if len(known) == 0:
        return "No value was recorded."
    form, form_down = forms
    last, unit = float(net[known[-1]]), f" {p.unit}" if p.unit else ""
    says = f"Net {form(last)}{unit} over {count(len(net), 'point')}"
    if len(gross) and np.isfinite(gross[known[-1]]):
        says += f"; costs took {form(float(gross[known[-1]]) - last)}"
    if np.isfinite(down).any():
        says += f"; deepest drawdown {form_down(float(np.nanmin(down)))}"
    if p.low and p.high:
        low, high = numbers(p.low), numbers(p.high)
        outside = np.nanmean((net < low) | (net > high))
        often = f"{share(float(outside))} of the time" if outside > 0 else "at no time"
        says += f"; outside the band of the claim {often}"
    return says + "."


def _sampled(when: list[str], series: list[np.ndarray], forms: Any) -> list[tuple[str, ...]]:
    """At most 24 rows, evenly, the last always among them."""
    keep = np.unique(np.linspace(0, len(when) - 1, min(len(when), 24)).astype(int))
    return [
        (when[k], *(form(s[k]) if len(s) else "–" for s, form in zip(series, forms, strict=True)))
        for k in keep.tolist()
    ]


def path_fan(p: PathFan) -> Drawn:
    """Every path's cumulative return, its median and 5 % path, and the Sharpe ratio of each."""
    sharpe = numbers(p.sharpe)
    known = np.flatnonzero(np.isfinite(sharpe))
    if len(known) == 0:
        return Drawn("Cross-validated paths", "No path has a defined Sharpe ratio.")
    order = known[np.argsort(sharpe[known], kind="stable")]
    median = float(np.median(sharpe[known])) if p.median is None else p.median
    low = float(np.quantile(sharpe[known], 0.05)) if p.low is None else p.low
    fan = _fan(p, order, sharpe, median, low)
    strip = _strip(sharpe[order], median, low, p)
    losing = int((sharpe[known] < 0).sum())
    says = (
        f"Half of {count(len(known), 'path')} show a Sharpe ratio of {text(median)} or more; "
        f"the 5 % path shows {text(low)}; "
        f"{count(losing, 'path loses', 'paths lose') if losing else 'none loses'} money."
    )
    rows = [(f"{k + 1}", text(sharpe[i]), _end(p, i)) for k, i in enumerate(order.tolist())]
    how = "Paths share data, so their spread understates what is unknown."
    head = ("rank", "Sharpe", f"return at the end {p.unit}".strip())
    return Drawn("Cross-validated paths", says, (fan, strip), head, rows, 0, wide=True, how=how)


def _end(p: PathFan, k: int) -> str:
    path = [v for v in p.paths[k] if v is not None] if p.paths else []
    form = share if p.unit.startswith("of ") else text
    return form(path[-1]) if path else "–"


def _fan(p: PathFan, order: np.ndarray, sharpe: np.ndarray, median: float, low: float) -> Any:
    length = max((len(path) for path in p.paths), default=0)
    dated = len(p.ts_ns) == length and length > 0
    step = -(-length // POINTS) or 1
    keep = np.unique(np.append(np.arange(0, length, step), length - 1)) if length else np.zeros(0)
    keep = keep.astype(int)
    xs: np.ndarray = np.array(p.ts_ns, dtype=np.int64)[keep] if dated else keep
    x = time(xs) if dated else linear(xs, room=0.0)
    part = p.unit.startswith("of ")
    form = share if part else text
    chart = Chart("Cumulative return", x, p.unit, 230, include=(0.0,), percent=part)
    picked = order[
        np.unique(np.linspace(0, len(order) - 1, min(len(order), PATHS_MAX)).astype(int))
    ]

    def path(k: int) -> np.ndarray:
        values = numbers(p.paths[k])
        return np.append(values, np.full(length - len(values), np.nan))[keep]

    drawn = f"{len(picked):,} of {count(len(order), 'path')}" if len(picked) < len(order) else ""
    for k in picked.tolist() if length else []:
        chart.line("path", xs, path(k))
    if length:
        chart.key("path", drawn or count(len(order), "path"))
        worst = int(order[np.argmin(np.abs(sharpe[order] - low))])
        middle = int(order[np.argmin(np.abs(sharpe[order] - median))])
        chart.line("low", xs, path(worst), "5 % path").line("net", xs, path(middle), "median path")
        when = stamps(xs) if dated else [f"step {k:,}" for k in keep.tolist()]
        chart.read(xs, when, ("median", path(middle), form), ("5 %", path(worst), form))
    return chart


def _strip(sharpe: np.ndarray, median: float, low: float, p: PathFan) -> Chart:
    """A dot per path, stacked where they are close."""
    x = linear(sharpe, include=(0.0, median, low, p.median_min, p.low_min))
    column = np.clip(np.floor(x.at(sharpe) * COLUMNS), 0, COLUMNS - 1).astype(int)
    heights = np.array([int((column[:k] == c).sum()) for k, c in enumerate(column.tolist())]) + 0.5
    top = max(float(heights.max()) + 1.0, 3.0)
    chart = Chart("Sharpe ratio of each path", x, "annual", 110, y=_Bare(0.0, top))
    places = x.low + (column + 0.5) / COLUMNS * (x.high - x.low)
    for css, inside in (("low", sharpe < 0), ("net", sharpe >= 0)):
        chart.dots(css + " big" * (len(sharpe) <= 60), places[inside], heights[inside])
    chart.at("net", median, f"median {text(median)}").at("low", low, f"5 % {text(low)}")
    return chart


class _Bare(Linear):
    """A scale that is not labelled."""

    def ticks(self) -> list[tuple[float, str]]:
        """None."""
        return []


def walk_forward(p: WalkForward) -> Drawn:
    """Sharpe ratio of each test fold over the time it covers, fits below."""
    sharpe, train = numbers(p.sharpe), numbers(p.sharpe_train)
    folds = len(sharpe)
    starts, ends = np.array(p.test_start_ns), np.array(p.test_end_ns)
    x = time(*(np.array(s) for s in (p.train_start_ns, p.train_end_ns, starts, ends)), room=0.01)
    chart = Chart("Sharpe ratio per test fold", x, "annual", 170, include=(0.0,), times=False)
    when = stamps(p.test_start_ns)
    if len(starts):
        for css, inside in (("net", sharpe >= 0), ("low", sharpe < 0)):
            chart.bars(css, starts[inside], ends[inside], sharpe[inside])
        middle = starts + (ends - starts) // 2
        chart.dots("gross", middle, train, "in sample") if len(train) else None
        words = [f"fold {k + 1} from {day}" for k, day in enumerate(when)]
        chart.read(middle, words, ("Sharpe", sharpe, text))
    limit = f"worst allowed {text(p.floor)}" if p.floor is not None else ""
    chart.level("fail", p.floor, limit, side="start")
    y = _Bare(-0.6, max(folds, 1) - 0.4)
    plan = Chart("Fitted, then tested", x, "", min(max(14 * folds, 40), 220), y=y)
    rank = np.arange(folds)[::-1]
    if len(p.train_start_ns):
        plan.spans("gross", p.train_start_ns, p.train_end_ns, rank, "fitted")
    if len(starts):
        plan.spans("net", starts, ends, rank, "tested")
    good = int((sharpe > 0).sum())
    worst = text(float(np.nanmin(sharpe))) if np.isfinite(sharpe).any() else "–"
    says = f"{good} of {count(folds, 'fold')} made money out of sample; the worst shows {worst}."
    rows = [
        (f"{k + 1}", day, text(sharpe[k]), text(train[k]) if len(train) else "–")
        for k, day in enumerate(when)
    ]
    head = ("fold", "tested from", "Sharpe", "Sharpe in sample")
    return Drawn("Walk-forward", says, (chart, plan), head, rows, 2)


def ic_decay(p: IcDecay) -> Drawn:
    """IC per horizon with its interval and fit; half-life and latency as rules."""
    horizons, ic = numbers(p.horizons_ns, HUGE), numbers(p.ic)
    life, latency = _positive(p.half_life_ns), _positive(p.latency_ns)
    x = log(horizons, include=(life, latency), time=True)
    chart = Chart("Information coefficient", x, "by horizon", 230, include=(0.0,))
    if latency:
        chart.zone("late", x.low, latency)
    if p.ic0 is not None and life:
        grid = np.geomspace(x.low, x.high, 120)
        chart.line("fit", grid, p.ic0 * np.exp2(-grid / life), "fit")
    if p.low and p.high:
        chart.whiskers("net", horizons, numbers(p.low), numbers(p.high))
    chart.dots("net big", horizons, ic, "IC")
    chart.at("low", latency, f"decision to fill {duration(latency)}")
    chart.at("net", life, f"half-life {duration(life)}")
    chart.read(horizons, [duration(h) for h in horizons], ("IC", ic, _ic))
    ends = (numbers(p.low), numbers(p.high)) if p.low and p.high else ()
    rows = [
        (duration(h), _ic(ic[k]), *(_ic(end[k]) for end in ends)) for k, h in enumerate(horizons)
    ]
    head = ("horizon", "IC", *(("low", "high") if ends else ()))
    how = "Shaded: over before an order decided on it can be filled." if latency else ""
    return Drawn(
        "How fast the edge decays", _decay_says(p, horizons, ic), (chart,), head, rows, how=how
    )


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > TINY else None


def _decay_says(p: IcDecay, horizons: np.ndarray, ic: np.ndarray) -> str:
    known = np.flatnonzero(np.isfinite(ic))
    if len(known) == 0:
        return "The information coefficient is undefined at every horizon."
    best = int(known[np.argmax(np.abs(ic[known]))])
    says = f"The IC is strongest at {duration(horizons[best])} ({_ic(ic[best])})"
    life, latency = _positive(p.half_life_ns), _positive(p.latency_ns)
    if life is None:
        return says + "; no half-life could be fitted."
    says += f" and halves every {duration(life)}"
    if latency:
        says += f", {text(life / latency)} times the way from decision to fill"
        if p.multiple_min is not None:
            says += f" ({text(p.multiple_min)} times are needed)"
    return says + "."


def _ic(value: float) -> str:
    return "–" if value != value else f"{value:.4f}".replace("-", "−")
