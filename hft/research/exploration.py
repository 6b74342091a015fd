"""Looking at an alpha without paying: the explore split only, and nothing here is a trial.

Data without splits is split on the spot by the same shares, its first part is shown, and the caller
is told to make the split lasting: what was looked at here can no longer be evidence.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hft.reports.figures import counted
from hft.research.alphas import signals
from hft.research.alphas.remote import RemoteAlpha
from hft.research.backtest import Rules, run
from hft.research.data import splits, usage
from hft.research.data.dataset import ResearchData
from hft.research.data.faults import faults, missing
from hft.research.data.footprint import Footprint
from hft.research.data.usage import Use, parts_of
from hft.research.durations import duration_text
from hft.research.measures.information import SESSIONS_MIN, at_horizon
from hft.research.workspace import Workspace

if TYPE_CHECKING:
    from hft.reports.governance.svg import Plot

EXPLORE = "explore"
BAR = 20
_HEAD = f"{'horizon':>8}  {'IC':>8}  {'its t':>6}  {'Pearson':>8}  {'rows':>8}"
SHARES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Decay:
    """The information of a signal at one horizon; None where it is undefined.

    As Gate C counts it: over time for one name, the mean of the dates' for a panel, and `t` the HAC
    statistic over sessions or dates. With fewer than 20 of them there is no t.
    """

    horizon_ns: int
    spearman: float | None
    t: float | None
    pearson: float | None
    rows: int


@dataclass(frozen=True, repr=False)
class Explored:
    """What a first look showed."""

    alpha_id: str
    source: str
    first: int
    last: int
    rows: int
    decay: tuple[Decay, ...]
    turnover: float
    coverage: float
    held: float
    quantiles: tuple[float, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        rows = [{n: getattr(one, n) for n in one.__dataclass_fields__} for one in self.decay]
        return fields | {
            "decay": rows,
            "quantiles": list(self.quantiles),
            "notes": list(self.notes),
            "trial": False,
        }

    @property
    def table(self) -> Any:
        """A row for each horizon, in seconds, as a polars frame."""
        import polars as pl

        frame = pl.DataFrame(self.to_dict()["decay"])
        seconds = pl.col("horizon_ns").truediv(1e9).alias("horizon_s")
        return frame.select(seconds, pl.exclude("horizon_ns"))

    def plot(self) -> "Plot":
        """The coefficient by horizon as a picture."""
        from hft.reports.governance.evidence import IcDecay
        from hft.reports.governance.pictures import draw
        from hft.reports.governance.svg import Plot, picture

        known = [one for one in self.decay if one.rows and one.horizon_ns]
        shown = IcDecay(
            horizons_ns=[one.horizon_ns for one in known], ic=[one.spearman for one in known]
        )
        title = "Information by horizon"
        says = f"{self.alpha_id} on {counted(self.rows, 'row')} of the explore split; not a trial."
        return Plot(title, says, picture(title, says, draw(shown).charts))

    def __repr__(self) -> str:
        return self.text()

    def text(self, plots: bool = True) -> str:
        """The look as a table, with bars for the coefficients."""
        head = (
            f"{self.alpha_id} on {counted(self.rows, 'row')} of {self.source}, sessions "
            f"{self.first} to {self.last} (explore; not a trial)"
        )
        top = max((abs(one.spearman or 0.0) for one in self.decay), default=0.0)
        lines = [head, "", _HEAD]
        for one in self.decay:
            if not one.rows:
                continue
            name = duration_text(one.horizon_ns) if one.horizon_ns else "next row"
            cells = f"{name:>8}  {_cell(one.spearman)}  {_cell(one.t, 6, 1)}"
            cells += f"  {_cell(one.pearson)}"
            bar = _bar(one.spearman, top) if plots else ""
            lines.append(f"{cells}  {one.rows:>8,}  {bar}".rstrip())
        low, middle, high = self.quantiles
        spread = f"5 % {low:.3f}, median {middle:.3f}, 95 % {high:.3f}; "
        lines += [
            "",
            f"signal: {spread if self.coverage else ''}a number on {self.coverage:.1%} of the rows",
            f"position at threshold 0.3: held on {self.held:.1%} of the rows, turnover "
            f"{self.turnover:.4f} a row",
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


SILENT = "no row has a signal: update(), or signals(), has to return a number, not None or NaN"


def explore(
    alpha: RemoteAlpha, data: ResearchData, shares: tuple[float, float, float] = splits.DEFAULT
) -> Explored:
    """IC at horizons around the registered one, turnover and coverage, on explore rows only.

    Raises: ValidationError when a field is missing or the alpha raises.
    """
    manifest = alpha.manifest
    part, notes = explore_part(data, manifest.horizon_ns, shares)
    part.require(manifest.data_fields)
    signal = signals.evaluate(alpha, part)
    held = run(part, np.nan_to_num(signal), Rules()).position
    found = np.isfinite(signal)
    decay = tuple(_decay(signal, part, horizon) for horizon in horizons(manifest.horizon_ns))
    low, middle, high = np.quantile(signal[found], (0.05, 0.5, 0.95)) if found.any() else (0, 0, 0)
    return Explored(
        alpha.alpha_id,
        data.source,
        *(part.sessions[0], part.sessions[-1], len(part)),
        decay,
        float(np.abs(np.diff(held, prepend=0.0)).mean()),
        float(found.mean()),
        float((held != 0).mean()),
        (float(low), float(middle), float(high)),
        (
            *notes,
            *missing(part),
            *faults(part),
            *(_doubts(part, decay, manifest.horizon_ns) if found.any() else (SILENT,)),
        ),
    )


def explore_part(
    data: ResearchData, horizon_ns: int, shares: tuple[float, float, float] = splits.DEFAULT
) -> tuple[ResearchData, tuple[str, ...]]:
    """The rows that may be looked at for nothing, and what to know about them."""
    if data.splits is not None:
        return data.select(EXPLORE), ()
    made = splits.make(data.ts_ns, data.session, horizon_ns, shares)
    if made is None:
        note = (
            "too few sessions to split: these are all the rows there are, and as evidence they are "
            "used up"
        )
        return data, (note,)
    part = replace(data, splits=made).select(EXPLORE)
    note = (
        f"the data has no splits: its first {shares[0]:g} % of sessions were looked at; `hft data "
        "features` makes splits that validate keeps to"
    )
    return part, (note,)


def horizons(horizon_ns: int) -> tuple[int, ...]:
    """The next row, and shares and multiples of the registered horizon."""
    return (0, *(round(horizon_ns * share) for share in SHARES if horizon_ns))


def _decay(signal: np.ndarray, data: ResearchData, horizon_ns: int) -> Decay:
    found, rows = at_horizon(data, signal, horizon_ns)
    t = found.t if found.spearman.size >= SESSIONS_MIN else None
    return Decay(horizon_ns, found.mean, None if t is None else t.t, found.pearson_mean, rows)


def _doubts(part: ResearchData, decay: tuple[Decay, ...], registered_ns: int) -> tuple[str, ...]:
    """Notes where the registered horizon has no row, or no horizon has a t.

    Other horizons without a row are left out in silence.
    """
    notes = []
    if any(one.horizon_ns == registered_ns and not one.rows for one in decay):
        notes.append(
            f"the alpha predicts over {duration_text(registered_ns)}, and no row is followed by "
            "another of its session within that: give it another horizon, or finer rows"
        )
    if len(part.sessions) < SESSIONS_MIN:
        looked = len(part.sessions)
        notes.append(f"a t takes {SESSIONS_MIN} sessions, and {looked} were looked at")
    return tuple(notes)


def record(
    workspace: Workspace,
    explored: Explored,
    data: ResearchData,
    now_ns: int,
    note: usage.Note | None = None,
) -> None:
    """Remember what was looked at: it is shown, and explore rows can prove nothing any more."""
    span = (explored.first, explored.last)
    footprint = Footprint.of(data)
    use = Use("try", explored.alpha_id, data.content, span, footprint, parts_of(data))
    usage.record(workspace, use, now_ns, note)


def _cell(value: float | None, width: int = 8, digits: int = 4) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.{digits}f}"


def _bar(value: float | None, top: float) -> str:
    if value is None or top == 0.0:
        return ""
    return ("+" if value > 0 else "-") * max(1, round(BAR * abs(value) / top))
