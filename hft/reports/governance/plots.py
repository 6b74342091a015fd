"""Governance pictures as plotly figures for notebooks; made on demand, never for a page."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.reports.governance.evidence import (
    CanaryProcess,
    ConditionTimeline,
    DsrCurve,
    Equity,
    Heatmap,
    IcDecay,
    PathFan,
    Picture,
    SearchFront,
    TrialHistory,
    floats,
)

NET, GROSS, LOW, FAIL = "#2456d3", "#8d97a8", "#c4570a", "#b3261e"
BAND = "rgba(36,86,211,.15)"
PATHS_MAX = 200


def figure(picture: Picture) -> Any:
    """The plotly figure of a picture. Raises: ConfigError for a kind that has none."""
    if picture.kind not in FIGURES:
        raise ConfigError(f"plot: {picture.kind!r} is none of {', '.join(FIGURES)}")
    return FIGURES[picture.kind](picture)


def _made(title: str, rows: int = 1, height: int = 420) -> Any:
    from plotly.subplots import make_subplots

    made = make_subplots(rows=rows, shared_xaxes=True, vertical_spacing=0.05)
    made.update_layout(
        title=title,
        height=height,
        hovermode="x unified",
        margin={"l": 60, "r": 20, "t": 50, "b": 40},
        legend={"orientation": "h", "y": 1.08, "x": 1, "xanchor": "right"},
    )
    return made


def _times(ts_ns: Any) -> np.ndarray:
    return np.array(ts_ns, dtype=np.int64).astype("datetime64[ns]")


def _line(made: Any, x: Any, y: Any, name: str, color: str, row: int = 1, **more: Any) -> None:
    line: dict[str, Any] = {"color": color, "width": more.pop("width", 1.6)}
    if "line_shape" in more:
        line["shape"] = more.pop("line_shape")
    more.setdefault("mode", "lines")
    made.add_scatter(x=x, y=y, name=name, line=line, row=row, col=1, **more)


def _band(made: Any, x: Any, low: Any, high: Any, name: str, row: int = 1) -> None:
    none = {"width": 0}
    made.add_scatter(x=x, y=low, line=none, showlegend=False, hoverinfo="skip", row=row, col=1)
    made.add_scatter(
        x=x, y=high, line=none, fill="tonexty", fillcolor=BAND, name=name, row=row, col=1
    )


def path_fan(p: PathFan) -> Any:
    """Every path, the median and the 5 % path on top."""
    made = _made("Cross-validated paths", height=460)
    sharpe = floats(p.sharpe)
    order = np.argsort(np.where(np.isfinite(sharpe), sharpe, -np.inf), kind="stable")
    for k in order[:PATHS_MAX].tolist():
        path = floats(p.paths[k])
        x = _times(p.ts_ns) if len(p.ts_ns) == len(path) else np.arange(len(path))
        hover = f"path {k + 1}, Sharpe {sharpe[k]:.2f}"
        _line(made, x, path, hover, GROSS, width=0.8, opacity=0.45, showlegend=False)
    for name, share, color in (("5 % path", 0.05, LOW), ("median path", 0.5, NET)):
        if len(order):
            k = int(order[round(share * (len(order) - 1))])
            path = floats(p.paths[k])
            x = _times(p.ts_ns) if len(p.ts_ns) == len(path) else np.arange(len(path))
            _line(made, x, path, f"{name}, Sharpe {sharpe[k]:.2f}", color, width=2.4)
    return made.update_layout(hovermode="closest").update_yaxes(title_text="cumulative return")


def decay(p: IcDecay) -> Any:
    """IC per horizon, its interval and fit."""
    made = _made("How fast the edge decays")
    seconds, ic = floats(p.horizons_ns) / 1e9, floats(p.ic)
    error = None
    if p.low and p.high:
        error = {"array": floats(p.high) - ic, "arrayminus": ic - floats(p.low), "symmetric": False}
    made.add_scatter(
        x=seconds, y=ic, error_y=error, mode="markers", name="IC", marker={"color": NET}
    )
    if p.ic0 is not None and p.half_life_ns and len(seconds):
        grid = np.geomspace(seconds.min(), seconds.max(), 200)
        _line(made, grid, p.ic0 * np.exp2(-grid * 1e9 / p.half_life_ns), "fit", GROSS)
        made.add_vline(x=p.half_life_ns / 1e9, line={"dash": "dash", "color": NET})
    if p.latency_ns:
        made.add_vline(x=p.latency_ns / 1e9, line={"dash": "dash", "color": LOW})
    return made.update_xaxes(type="log", title_text="horizon, s").update_yaxes(title_text="IC")


def equity(p: Equity) -> Any:
    """Net and gross with the band of the claim, drawdown below."""
    made = _made("Equity", rows=2 if p.drawdown else 1, height=480)
    x = _times(p.ts_ns)
    if p.low and p.high:
        _band(made, x, floats(p.low), floats(p.high), "5–95 % of the claim")
    if p.gross:
        _line(made, x, floats(p.gross), "before costs", GROSS)
    _line(made, x, floats(p.net), "net", NET)
    if p.drawdown:
        _line(made, x, floats(p.drawdown), "drawdown", FAIL, row=2, fill="tozeroy")
    return made.update_yaxes(title_text=p.unit, row=1)


def dsr_curve(p: DsrCurve) -> Any:
    """The deflated Sharpe ratio against the number of trials."""
    made = _made("Luck of many trials")
    _line(made, floats(p.trials), floats(p.dsr), "DSR", NET)
    if p.threshold is not None:
        made.add_hline(y=p.threshold, line={"dash": "dash", "color": FAIL})
    if p.here is not None:
        made.add_vline(x=p.here, line={"dash": "dash", "color": NET})
    made.update_xaxes(type="log", title_text="trials")
    return made.update_yaxes(title_text="DSR", range=[0, 1.02])


def heatmap(p: Heatmap) -> Any:
    """The correlation of every pair."""
    made = _made(f"{p.metric} correlation", height=560)
    matrix = np.array([floats(row) for row in p.matrix])
    made.add_heatmap(z=matrix, x=list(p.ids), y=list(p.ids), zmin=-1, zmax=1, colorscale="RdBu")
    return made.update_layout(hovermode="closest").update_yaxes(autorange="reversed")


def canary_process(p: CanaryProcess) -> Any:
    """Weight, evidence, mean and slippage, one below the other."""
    made = _made("Canary, day by day", rows=4, height=820)
    x = _times(p.ts_ns)
    if p.weight:
        _line(made, x, floats(p.weight), "weight", NET, row=1, line_shape="hv")
    if p.e_value:
        _line(made, x, floats(p.e_value), "e-value", NET, row=2)
        made.update_yaxes(type="log", row=2)
    for row, name in ((3, "mu"), (4, "slippage")):
        values, low, high = (getattr(p, f"{name}{end}") for end in ("", "_low", "_high"))
        if low and high:
            _band(made, x, floats(low), floats(high), f"{name}, interval", row)
        if values:
            _line(made, x, floats(values), name, NET, row=row)
    rules = ((2, p.hold), (2, p.rollback), (3, p.mu0), (4, p.slippage_escalate))
    for row, value in (*rules, (4, p.slippage_rollback)):
        if value is not None:
            made.add_hline(y=value, line={"dash": "dash", "color": FAIL}, row=row, col=1)
    return made


def search_front(p: SearchFront) -> Any:
    """Score against complexity, the expression on the pointer."""
    made = _made("Score against complexity")
    colors = [NET if passed else GROSS for passed in (p.passed or [False] * len(p.expressions))]
    made.add_scatter(
        x=floats(p.complexity),
        y=floats(p.score),
        text=list(p.expressions),
        mode="markers",
        name="expression",
        marker={"color": colors},
    )
    made.update_layout(hovermode="closest").update_xaxes(title_text="complexity")
    return made.update_yaxes(title_text="score")


def trial_history(p: TrialHistory) -> Any:
    """Every trial in order, and the hurdle that rises with their number."""
    made = _made("What the trials cost")
    x = np.arange(1, len(p.sharpe) + 1)
    made.add_scatter(x=x, y=floats(p.sharpe), mode="markers", name="trial", marker={"color": GROSS})
    if p.hurdle:
        _line(made, x, floats(p.hurdle), "hurdle", FAIL)
    return made.update_xaxes(title_text="trial").update_yaxes(title_text="Sharpe ratio, annual")


def timeline(p: ConditionTimeline) -> Any:
    """The weight over time, with what happened."""
    made = _made("Life so far", height=320)
    x = _times(p.weight_ts_ns)
    _line(made, x, floats(p.weight), "weight", NET, line_shape="hv", mode="lines+markers")
    for ts, name, _ in p.events:
        made.add_annotation(x=_times([ts])[0], y=1, yref="paper", text=str(name), showarrow=False)
    return made.update_yaxes(title_text="weight", rangemode="tozero")


FIGURES: dict[str, Callable[[Any], Any]] = {
    "path_fan": path_fan,
    "ic_decay": decay,
    "equity": equity,
    "dsr_curve": dsr_curve,
    "heatmap": heatmap,
    "canary_process": canary_process,
    "search_front": search_front,
    "trial_history": trial_history,
    "condition_timeline": timeline,
}
