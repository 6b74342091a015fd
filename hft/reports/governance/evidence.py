"""The numbers behind each governance picture: frozen records, plain JSON in and out.

A picture is made by whoever measured it and drawn later; nothing here computes a statistic or
decides anything. Sequences become tuples when the record is made, NaN and infinity become None,
sizes end at HUGE, and lengths that disagree are refused at once.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from hft.reports.axes import LARGE, usable

Numbers = Sequence[float | None] | np.ndarray
Stamps = Sequence[int] | np.ndarray  # ns since 1970, or datetime64
Rows = Sequence[Numbers] | np.ndarray
Events = Sequence[Sequence[Any]]  # (ts_ns, action, words)
HUGE = 1e18  # beyond it a figure only says: very large
KINDS: dict[str, type["Picture"]] = {}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture's numbers; `note` is a sentence of the maker that stands under it."""

    note: str = ""
    kind: ClassVar[str] = ""
    together: ClassVar[tuple[tuple[str, ...], ...]] = ()  # fields of one length, or empty

    def __init_subclass__(cls) -> None:
        cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()
        KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        for one in fields(self):
            object.__setattr__(self, one.name, _plain(getattr(self, one.name)))
        for names in self.together:
            lengths = {name: len(getattr(self, name)) for name in names}
            wanted = lengths[names[0]]
            wrong = [name for name, n in lengths.items() if n not in (0, wanted)]
            if wrong:
                said = ", ".join(f"{name} {n}" for name, n in lengths.items())
                raise ValueError(f"{self.kind}: {wrong[0]} has another length ({said})")

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, with the kind of picture."""
        data = {one.name: _listed(getattr(self, one.name)) for one in fields(self)}
        return {"kind": self.kind} | data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Picture":
        """The inverse of `to_json`. Raises: ValueError for another kind or an unknown field."""
        given = dict(data)
        kind = str(given.pop("kind", cls.kind))
        if kind not in KINDS:
            raise ValueError(f"picture: {kind!r} is none of {', '.join(sorted(KINDS))}")
        unknown = set(given) - {one.name for one in fields(KINDS[kind])}
        if unknown:
            raise ValueError(f"{kind}: it has no field {sorted(unknown)[0]!r}")
        return KINDS[kind](**given)


@dataclass(frozen=True, kw_only=True)
class Equity(Picture):
    """Money over time: net, before fees, and the 5-95 % band of a bootstrap of the claim."""

    ts_ns: Stamps
    net: Numbers
    gross: Numbers = ()
    low: Numbers = ()
    high: Numbers = ()
    drawdown: Numbers = ()  # <= 0, a share; drawn from `net` in `unit` when it is not given
    unit: str = ""
    together = (("ts_ns", "net", "gross", "low", "high", "drawdown"),)


@dataclass(frozen=True, kw_only=True)
class IcDecay(Picture):
    """Information coefficient per horizon, its exponential fit, and the latency to the fill."""

    horizons_ns: Numbers
    ic: Numbers
    low: Numbers = ()
    high: Numbers = ()
    ic0: float | None = None  # of the fit ic0 * 2^(-h / half_life)
    half_life_ns: float | None = None
    latency_ns: float | None = None  # decision to fill
    multiple_min: float | None = 5.0  # half-life needed, in latencies
    together = (("horizons_ns", "ic", "low", "high"),)


@dataclass(frozen=True, kw_only=True)
class PathFan(Picture):
    """Combinatorial cross-validation: the cumulative return of every path and its Sharpe ratio."""

    paths: Rows
    sharpe: Numbers  # annual, one per path
    ts_ns: Stamps = ()
    median: float | None = None  # of the path Sharpe ratios; taken from them when not given
    low: float | None = None  # their 5 % quantile
    median_min: float | None = None
    low_min: float | None = None
    unit: str = ""
    together = (("sharpe", "paths"),)


@dataclass(frozen=True, kw_only=True)
class PboHistogram(Picture):
    """Backtest overfitting: logits of the winner's rank out of sample, one per combination."""

    logits: Numbers
    pbo: float | None
    limit: float | None = None
    configs: int | None = None
    blocks: int | None = None
    loss_share: float | None = None  # P(out-of-sample loss of the winner)


@dataclass(frozen=True, kw_only=True)
class DsrCurve(Picture):
    """Deflated Sharpe ratio against the number of trials it is deflated for."""

    trials: Numbers
    dsr: Numbers
    here: float | None = None  # the effective number of trials that was used
    value: float | None = None  # the deflated Sharpe ratio there
    threshold: float | None = None
    raw: float | None = None  # trials counted, before clustering
    together = (("trials", "dsr"),)


@dataclass(frozen=True, kw_only=True)
class TrialHistory(Picture):
    """Every trial of a family in order, with the hurdle that rose with their number."""

    sharpe: Numbers  # annual
    hurdle: Numbers = ()  # annual, what the best of so many noise trials would show
    ts_ns: Stamps = ()
    here: int | None = None  # index of the trial in question
    family: str = ""
    repeats: int = 0
    together = (("sharpe", "hurdle", "ts_ns"),)


@dataclass(frozen=True, kw_only=True)
class WalkForward(Picture):
    """Folds in time: where was fitted, where was tested, and the Sharpe ratio of each test."""

    train_start_ns: Stamps
    train_end_ns: Stamps
    test_start_ns: Stamps
    test_end_ns: Stamps
    sharpe: Numbers
    sharpe_train: Numbers = ()
    floor: float | None = None  # the worst fold allowed
    together = (
        (
            "sharpe",
            "sharpe_train",
            "train_start_ns",
            "train_end_ns",
            "test_start_ns",
            "test_end_ns",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ParameterPlateau(Picture):
    """The objective over the swept parameter, or over two: a plateau is good, a spike is not.

    Two parameters: `objective` has one row per value of `second`, each as long as `values`.
    """

    values: Numbers
    objective: Rows | Numbers
    base: float | None = None
    name: str = "parameter"
    second: Numbers = ()
    second_name: str = ""
    second_base: float | None = None
    objective_name: str = "objective"

    def __post_init__(self) -> None:
        super().__post_init__()
        rows = self.objective if self.second else (self.objective,)
        right = len(rows) == max(len(self.second), 1)
        if not right or any(len(row) != len(self.values) for row in rows):  # type: ignore[arg-type]
            raise ValueError("parameter_plateau: objective has another shape than its values")


@dataclass(frozen=True, kw_only=True)
class CostLatency(Picture):
    """Sharpe ratio when costs, and when latency, are a multiple of what was assumed."""

    cost_multiples: Numbers
    sharpe_by_cost: Numbers
    latency_multiples: Numbers = ()
    sharpe_by_latency: Numbers = ()
    cost_checked: float | None = None  # the multiple the gate looks at
    latency_checked: float | None = None
    floor: float = 0.0
    together = (
        ("cost_multiples", "sharpe_by_cost"),
        ("latency_multiples", "sharpe_by_latency"),
    )


@dataclass(frozen=True, kw_only=True)
class CorrelationPool(Picture):
    """Correlation of one candidate with each member of the pool."""

    ids: Sequence[str]
    correlation: Numbers
    tail: Numbers = ()  # on the days of the worst losses
    warn: float | None = None
    limit: float | None = None
    together = (("ids", "correlation", "tail"),)


@dataclass(frozen=True, kw_only=True)
class Heatmap(Picture):
    """Correlations of every pair of a pool."""

    ids: Sequence[str]
    matrix: Rows
    threshold: float | None = None
    metric: str = "Pearson"
    together = (("ids", "matrix"),)


@dataclass(frozen=True, kw_only=True)
class SearchFront(Picture):
    """Score against complexity of every expression that was tried; ranked best first."""

    expressions: Sequence[str]
    score: Numbers
    complexity: Numbers
    passed: Sequence[bool] = ()
    sharpe: Numbers = ()
    correlation: Numbers = ()
    evaluated: int | None = None  # trials written to the ledger, when more than are listed
    duplicates: int = 0
    together = (("expressions", "score", "complexity", "passed", "sharpe", "correlation"),)


@dataclass(frozen=True, kw_only=True)
class CanaryProcess(Picture):
    """A canary day by day: evidence against it, its mean, its slippage, its weight, its decisions.

    Every series has one value per session; a session without a value is None.
    """

    ts_ns: Stamps
    e_value: Numbers = ()
    hold: float | None = 20.0
    rollback: float | None = 100.0
    mu: Numbers = ()
    mu_low: Numbers = ()
    mu_high: Numbers = ()
    mu0: float | None = None  # the claim
    mu_unit: str = ""
    slippage: Numbers = ()  # against the model: 1 is as modelled
    slippage_low: Numbers = ()
    slippage_high: Numbers = ()
    slippage_escalate: float | None = 1.25
    slippage_rollback: float | None = 2.0
    rejects: Numbers = ()  # share of orders
    rejects_low: Numbers = ()
    rejects_high: Numbers = ()
    rejects_rollback: float | None = 0.02
    weight: Numbers = ()
    ladder: Numbers = ()
    decisions: Events = ()
    together = (
        ("ts_ns", "e_value", "mu", "mu_low", "mu_high", "weight"),
        ("ts_ns", "slippage", "slippage_low", "slippage_high"),
        ("ts_ns", "rejects", "rejects_low", "rejects_high"),
    )


@dataclass(frozen=True, kw_only=True)
class ConditionTimeline(Picture):
    """The life of a promotion: proposed, approved, each rung, rollback, expiry, and its weight."""

    events: Events
    weight_ts_ns: Stamps = ()
    weight: Numbers = ()
    expiry_ns: int | None = None
    together = (("weight_ts_ns", "weight"),)


def _plain(value: Any) -> Any:
    """Arrays and sequences as tuples of plain numbers, text and booleans."""
    if isinstance(value, np.ndarray):
        stamps = np.issubdtype(value.dtype, np.datetime64)
        value = (value.astype("datetime64[ns]").astype(np.int64) if stamps else value).tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return tuple(_plain(one) for one in value)
    if isinstance(value, float):
        return min(max(value, -HUGE), HUGE) + 0.0 if math.isfinite(value) else None
    return value


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value


def floats(values: Any) -> np.ndarray:
    """A normalised sequence as float64, None as NaN."""
    return np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)


def numbers(values: Any, large: float = LARGE) -> np.ndarray:
    """A picture's series as float64: what is missing, or too large to show, is NaN."""
    return usable(floats(values), large)
