"""How wide the ground under it is: the parameter plateau, and dearer and slower worlds."""

from typing import Any

import numpy as np

from hft.reports.axes import linear
from hft.reports.chart import Chart
from hft.reports.governance.evidence import CostLatency, ParameterPlateau, numbers
from hft.reports.governance.pictures.drawn import Drawn, count, text
from hft.reports.governance.pictures.tiles import Tiles

KEPT = 0.6  # of the best objective: the plateau


def parameter_plateau(p: ParameterPlateau) -> Drawn:
    """The objective along one parameter, or over two."""
    return _surface(p) if p.second else _line(p)


def _line(p: ParameterPlateau) -> Drawn:
    values, objective = numbers(p.values), numbers(p.objective)
    order = np.argsort(values, kind="stable")
    values, objective = values[order], objective[order]
    title = f"Plateau of {p.name}"
    known = np.flatnonzero(np.isfinite(objective))
    if len(known) == 0:
        return Drawn(title, "The objective is undefined everywhere.")
    best = int(known[np.argmax(objective[known])])
    chart = Chart(p.objective_name, linear(values, include=(p.base,)), f"by {p.name}", 200)
    chart.include, chart.x_name, chart.foot = (0.0,), p.name, True
    first, last = _plateau(objective, best)
    if objective[best] > 0 and last > first:
        chart.zone("flat", values[first], values[last])
        chart.key("flat", f"keeps {KEPT:.0%} of the best")
    chart.line("net", values, objective).dots("net big", values, objective)
    chart.at("gross", p.base, f"chosen {text(p.base)}")
    chart.mark("pass" if 0 < best < len(values) - 1 else "wait", values[best], objective[best])
    chart.read(values, [f"{p.name} {text(v)}" for v in values], (p.objective_name, objective, text))
    rows = [(text(v), text(o)) for v, o in zip(values, objective, strict=True)]
    says = _line_says(values, objective, best, first, last)
    return Drawn(title, says, (chart,), (p.name, p.objective_name), rows, 0)


def _plateau(objective: np.ndarray, best: int) -> tuple[int, int]:
    """First and last place beside the best that keep enough of it."""
    enough = objective >= KEPT * objective[best]
    first = last = best
    while first > 0 and enough[first - 1]:
        first -= 1
    while last < len(objective) - 1 and enough[last + 1]:
        last += 1
    return first, last


def _line_says(values: np.ndarray, objective: np.ndarray, best: int, first: int, last: int) -> str:
    says = f"Best at {text(values[best])} ({text(objective[best])})"
    if len(values) == 1:
        return says + ", the only value tried."
    if best in (0, len(values) - 1):
        says += ", at the edge of what was tried: the optimum may lie outside"
    beside = [
        k for k in (best - 1, best + 1) if 0 <= k < len(values) and objective[k] == objective[k]
    ]
    if beside and objective[best] > 0:
        worst = min(objective[k] for k in beside) / objective[best]
        says += f"; its neighbours keep at least {worst:.0%} of it".replace("-", "−")
    if objective[best] > 0:
        says += f"; {count(last - first + 1, 'value lies', 'values lie')} on the plateau"
    return says + "."


def _surface(p: ParameterPlateau) -> Drawn:
    grid = np.array([numbers(row) for row in p.objective]).reshape(len(p.second), len(p.values))
    title = f"Plateau of {p.name} and {p.second_name or 'the second parameter'}"
    tiles = Tiles(
        p.objective_name, [text(v) for v in p.second], [text(v) for v in p.values], grid, text
    )
    tiles.corner, tiles.under = p.second_name, p.name
    if not np.isfinite(grid).any():
        return Drawn(title, "The objective is undefined everywhere.")
    at = divmod(int(np.nanargmax(grid)), grid.shape[1])
    tiles.ring = at
    best = float(grid[at])
    place = f"{p.name} {text(p.values[at[1]])}, {p.second_name} {text(p.second[at[0]])}"
    says = f"Best {text(best)} at {place}"
    if best > 0:
        with np.errstate(invalid="ignore"):
            share = float(np.mean(grid >= KEPT * best))
        says += f"; {share:.0%} of the grid keeps {KEPT:.0%} of it"
    rows = [
        (text(p.values[c]), text(p.second[r]), text(grid[r, c])) for r, c in np.ndindex(*grid.shape)
    ]
    head = (p.name, p.second_name or "second", p.objective_name)
    return Drawn(title, says + ".", (tiles,), head, rows, 0, wide=grid.shape[1] > 6)


def cost_latency(p: CostLatency) -> Drawn:
    """Sharpe ratio in worlds where trading costs more, and where answers come later."""
    parts = (
        ("cost", p.cost_multiples, p.sharpe_by_cost, p.cost_checked),
        ("latency", p.latency_multiples, p.sharpe_by_latency, p.latency_checked),
    )
    charts, says, rows = [], [], []
    for name, multiples, sharpe, checked in parts:
        if len(multiples):
            chart, words = _along(name, numbers(multiples), numbers(sharpe), checked, p.floor)
            charts.append(chart)
            says.append(words)
            rows += [(name, f"{text(m)}×", text(s)) for m, s in zip(multiples, sharpe, strict=True)]
    line = "; ".join(word for word in says if word) or "No multiple was tried"
    line = line[:1].upper() + line[1:] + "."
    return Drawn(
        "Dearer and slower", line, charts, ("what", "multiple", "Sharpe"), rows, 2, beside=True
    )


def _along(
    name: str, at: np.ndarray, sharpe: np.ndarray, checked: float | None, floor: float
) -> tuple[Chart, str]:
    words: dict[str, Any] = {"cost": "Costs", "latency": "Latency"}
    chart = Chart(f"{words[name]} as a multiple", linear(at), "Sharpe, annual", 130, include=(0.0,))
    chart.level("fail", floor, f"must stay above {text(floor)}" if floor else "")
    chart.at("gross", checked, f"checked at {text(checked)}×")
    chart.line("net", at, sharpe).dots("net big", at, sharpe)
    chart.read(at, [f"{text(m)}× {name}" for m in at], ("Sharpe", sharpe, text))
    keep = np.isfinite(at) & np.isfinite(sharpe)
    order = np.argsort(at[keep], kind="stable")
    xs, ys = at[keep][order], sharpe[keep][order]
    under = np.flatnonzero((ys[:-1] > floor) & (ys[1:] <= floor))
    if len(under):
        k = int(under[0])
        cross = xs[k] + (ys[k] - floor) / (ys[k] - ys[k + 1]) * (xs[k + 1] - xs[k])
        return chart, f"the edge is gone at {text(float(cross))}× the {name} assumed"
    if len(ys) and (ys > floor).all():
        return chart, f"the edge survives {text(float(xs[-1]))}× the {name}"
    return chart, f"there is no edge at the {name} assumed" if len(ys) else ""
