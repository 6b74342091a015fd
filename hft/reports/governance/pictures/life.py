"""What becomes of it in the market: the canary's processes, and the life of a promotion."""

from typing import Any

import numpy as np

from hft.reports.axes import Axis, Linear, Log, linear, stamp, stamps, time
from hft.reports.chart import Chart
from hft.reports.governance.evidence import CanaryProcess, ConditionTimeline, numbers
from hft.reports.governance.pictures.drawn import Drawn, count, share, text

E_LOW, E_HIGH = 0.01, 1e6  # drawn between these
ACTIONS = {  # action -> glyph, tone
    "propose": ("○", "none"),
    "approve": ("●", "pass"),
    "renew": ("●", "pass"),
    "hold": ("■", "wait"),
    "canary": ("■", "wait"),
    "escalate": ("▲", "pass"),
    "graduate": ("★", "pass"),
    "reject": ("✕", "fail"),
    "rollback": ("▼", "fail"),
    "expire": ("✕", "fail"),
}
PAST = {"escalated": "escalate", "graduated": "graduate", "rolled_back": "rollback",
        "proposed": "propose", "approved": "approve", "rejected": "reject", "expired": "expire",
        "renewed": "renew", "expiry": "expire"}  # fmt: skip


def glyph(action: str) -> tuple[str, str]:
    """The sign and tone of an action."""
    name = str(action).lower()
    return ACTIONS.get(PAST.get(name, name), ("◆", "none"))


def canary_process(p: CanaryProcess) -> Drawn:
    """Weight and decisions, the evidence, its mean, slippage and rejects on one time axis."""
    every = np.array([*p.ts_ns, *(event[0] for event in p.decisions)], dtype=np.int64)
    if len(every) == 0:
        return Drawn("Day by day", "There is no session yet.")
    x, when = time(every, room=0.02), stamps(p.ts_ns)
    charts = [
        chart
        for chart in (_weight(p, x, when), _evidence(p, x, when), _mean(p, x, when))
        if chart is not None
    ]
    slippage = _interval(
        p, x, when, "slippage", "Slippage against the model", "1 is as modelled",
        (("wait", p.slippage_escalate, "no step up above"),
         ("fail", p.slippage_rollback, "rolled back above")),
    )  # fmt: skip
    rejects = _interval(
        p, x, when, "rejects", "Rejected orders", "share",
        (("fail", p.rejects_rollback, "rolled back above"),),
    )  # fmt: skip
    charts += [chart for chart in (slippage, rejects) if chart is not None]
    for chart in charts[:-1]:
        chart.times = False
    rows = _canary_rows(p, when)
    head = ("session", "weight", "e-value", "mean", "slippage", "rejects")
    how = "Looking every day is paid for: the bounds hold at any time, however often one looks."
    return Drawn(
        "Day by day", _canary_says(p), charts, head, rows, wide=True, how=how, together=True
    )


def _weight(p: CanaryProcess, x: Axis, when: list[str]) -> Chart | None:
    if not p.weight and not p.decisions:
        return None
    weight = numbers(p.weight)
    chart = Chart("Weight", x, "of the target", 120, include=(0.0,), percent=True)
    held = float(np.nanmax(weight)) if np.isfinite(weight).any() else 0.0
    higher = [rung for rung in numbers(p.ladder).tolist() if rung > held]
    for rung in [one for one in numbers(p.ladder).tolist() if one <= held] + higher[:1]:
        chart.level("grid", rung, "")
    if len(weight):
        chart.steps("net", p.ts_ns, weight)
        chart.read(p.ts_ns, when, ("weight", weight, share))
    for ts, action, *_ in p.decisions:
        sign, css = glyph(action)
        chart.mark(f"foot {css}", ts, None, sign)
    for action in dict.fromkeys(str(event[1]).lower() for event in p.decisions):
        chart.key(f"{glyph(action)[1]} sign", f"{glyph(action)[0]} {action.replace('_', ' ')}")
    return chart


def _evidence(p: CanaryProcess, x: Axis, when: list[str]) -> Chart | None:
    values = numbers(p.e_value)
    if not np.isfinite(values).any():
        return None
    shown = np.clip(values, E_LOW, E_HIGH)
    top = max([float(np.nanmax(shown)), *(v for v in (p.hold, p.rollback) if v)]) * 3
    y = Log(min(float(np.nanmin(shown)), 0.1) / 2, top, most=5)
    chart = Chart("Evidence against it", x, "e-value, log scale", 170, y=y)
    chart.level("wait", p.hold, f"hold from {text(p.hold)}")
    chart.level("fail", p.rollback, f"rolled back from {text(p.rollback)}")
    chart.line("net", p.ts_ns, shown).dots("net", p.ts_ns, shown)
    return chart.read(p.ts_ns, when, ("e-value", values, text))


def _mean(p: CanaryProcess, x: Axis, when: list[str]) -> Chart | None:
    mu, low, high = numbers(p.mu), numbers(p.mu_low), numbers(p.mu_high)
    if not np.isfinite(np.concatenate([mu, low, high])).any():
        return None
    part = p.mu_unit.startswith("of ")
    form = share if part else text
    y = _late(mu, low, high, p.mu0, part)
    chart = Chart("Mean of a day", x, p.mu_unit, 170, y=y, include=(0.0,), percent=part)
    if len(low) and len(high):
        chart.band("band", p.ts_ns, low, high, "confidence sequence")
    if len(mu):
        chart.line("net", p.ts_ns, mu, "mean so far")
    chart.level("gross", p.mu0, f"claimed {form(p.mu0)}")
    series = (("mean", mu), ("low", low), ("high", high))
    return chart.read(p.ts_ns, when, *((name, v, form) for name, v in series if len(v)))


def _late(
    mu: np.ndarray, low: np.ndarray, high: np.ndarray, mu0: float | None, percent: bool
) -> Linear | None:
    """A scale for what is known by now: the first, very wide intervals run out of the frame."""
    if not (np.isfinite(low).any() and np.isfinite(high).any()):
        return None
    bottom, top = float(np.nanquantile(low, 0.25)), float(np.nanquantile(high, 0.75))
    return linear(mu, include=(bottom, top, 0.0, mu0), percent=percent)


def _interval(
    p: CanaryProcess, x: Axis, when: list[str], name: str, title: str, unit: str, rules: Any
) -> Chart | None:
    middle, low, high = (numbers(getattr(p, f"{name}{end}")) for end in ("", "_low", "_high"))
    if not np.isfinite(np.concatenate([middle, low, high])).any():
        return None
    shared = name == "rejects"
    top = 4 * max([v for _, v, _ in rules if v] or [1.0])  # a first, wide interval hides nothing
    reach = float(np.nanmax(np.concatenate([middle, np.fmin(high, top)])))
    y = None
    if len(high) and np.isfinite(high).any() and float(np.nanmax(high)) > top:
        y = Linear(0.0, max(reach, 1e-6, *(v for _, v, _ in rules if v)) * 1.1, percent=shared)
    chart = Chart(title, x, unit, 150, y=y, include=(0.0,), percent=shared)
    if len(low) and len(high):
        chart.band("band", p.ts_ns, low, high, "confidence sequence")
    if len(middle):
        chart.line("net", p.ts_ns, middle, "so far")
    form = share if shared else text
    for css, value, words in rules:
        chart.level(css, value, f"{words} {form(value)}")
    series = [(one, values, form) for one, values in (("", middle), ("low", low), ("high", high))]
    return chart.read(p.ts_ns, when, *((s or "value", v, f) for s, v, f in series if len(v)))


def _canary_rows(p: CanaryProcess, when: list[str]) -> list[tuple[str, ...]]:
    def cell(values: Any, k: int, form: Any = text) -> str:
        return form(values[k]) if values and values[k] is not None else "–"

    last = range(max(len(when) - 40, 0), len(when))
    return [
        (
            when[k],
            cell(p.weight, k, share),
            cell(p.e_value, k),
            cell(p.mu, k),
            cell(p.slippage, k),
            cell(p.rejects, k, share),
        )
        for k in reversed(last)
    ]


def _canary_says(p: CanaryProcess) -> str:
    says = count(len(p.ts_ns), "session")
    weight = [v for v in p.weight if v is not None]
    says += f", weight {share(weight[-1])}" if weight else ""
    found = [v for v in p.e_value if v is not None]
    if found:
        says += f"; evidence against it stands at {text(found[-1])}"
        says += f", {text(p.rollback)} would roll it back" if p.rollback is not None else ""
    low = [v for v in p.mu_low if v is not None]
    high = [v for v in p.mu_high if v is not None]
    if low and high and p.mu0 is not None:
        inside = low[-1] <= p.mu0 <= high[-1]
        says += f"; the claimed mean is {'still inside' if inside else 'outside'} its interval"
    return says + "."


def condition_timeline(p: ConditionTimeline) -> Drawn:
    """Weight over the life of a promotion, with what happened and when it expires."""
    events = sorted(p.events, key=lambda event: (event[0], str(event[1])))
    stops = [event[0] for event in events] + [*p.weight_ts_ns]
    stops += [p.expiry_ns] if p.expiry_ns is not None else []
    if not stops:
        return Drawn("Its life so far", "Nothing has happened yet.")
    x = time(np.array(stops, dtype=np.int64), room=0.03)
    chart = Chart("Weight", x, "of the target", 150, include=(0.0, 0.01), percent=True)
    last = max([event[0] for event in events] + [*p.weight_ts_ns] or stops)
    if p.weight:
        until = float(x.at(np.array(last)))
        chart.steps("net", p.weight_ts_ns, numbers(p.weight), until=until)
        words = stamps(p.weight_ts_ns)
        chart.read(p.weight_ts_ns, words, ("weight", numbers(p.weight), share))
    held = p.weight[-1] if p.weight else None
    if p.expiry_ns is not None and held and p.expiry_ns > last:
        chart.line("path", [last, p.expiry_ns], [held, held], "if nothing happens")
    if p.expiry_ns is not None:
        chart.at("fail", p.expiry_ns, f"expires {stamp(p.expiry_ns)}")
    for ts, action, *_ in events:
        sign, css = glyph(action)
        chart.mark(f"foot {css}", ts, None, sign)
    for action in dict.fromkeys(str(event[1]).lower() for event in events):
        chart.key(f"{glyph(action)[1]} sign", f"{glyph(action)[0]} {action.replace('_', ' ')}")
    when = stamps([event[0] for event in events])
    rows = [
        (day, str(event[1]).replace("_", " "), " ".join(str(part) for part in event[2:]))
        for day, event in zip(when, events, strict=True)
    ]
    says = count(len(events), "event")
    says += f", the last: {rows[-1][1]} on {rows[-1][0]}" if rows else ""
    says += f"; expires {stamp(p.expiry_ns)}" if p.expiry_ns is not None else ""
    head = ("when", "what", "why")
    return Drawn("Its life so far", says + ".", (chart,), head, rows, 3, wide=True, open=True)
