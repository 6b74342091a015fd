"""What a replay gave beside what it is blessed with: state, what moved, where, and by how much."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hft.runs.regression.inputs import KINDS

SAME, DIFFERS, NEW, ERROR, BLESSED = "same", "differs", "not blessed", "error", "blessed"
DIFFERENT_CODE = 2
FIGURES_TOLD = 8


@dataclass(frozen=True)
class Figure:
    """One figure, as blessed and now; `within` is None for one that the file does not name."""

    name: str
    unit: str
    was: float | None
    now: float | None
    tolerance: str = ""
    within: bool | None = None

    @property
    def moved(self) -> bool:
        return self.was != self.now

    @property
    def change(self) -> float | None:
        """None where one of the two is missing."""
        return None if self.was is None or self.now is None else self.now - self.was


@dataclass(frozen=True)
class Outcome:
    """One replay's answer. `how` says whether it was replayed, or its sealed run answered."""

    name: str
    state: str
    how: str = ""
    was: str = ""  # digests
    now: str = ""
    moved: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: Mapping[str, Any] | None = None  # where the runs part, see `where.first_step`
    figures: Sequence[Figure] = ()
    sentence: str = ""
    code: int = 0
    run: str = ""  # the folder of the run, and of the one that was blessed
    blessed_run: str = ""
    page: str = ""
    versions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.state in (SAME, BLESSED)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"ok": self.ok}


def moved_words(moved: Mapping[str, Sequence[str]]) -> str:
    """`kernel, config (limits, params)`; what none of it moved means is said apart."""
    parts = [
        f"{kind} ({', '.join(moved[kind])})" if moved[kind] else kind
        for kind in KINDS
        if kind in moved
    ]
    return ", ".join(parts)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 when all are as blessed, 2 when one is not, else the code of the first error."""
    if any(one.state in (DIFFERS, NEW) for one in outcomes):
        return DIFFERENT_CODE
    return next((one.code for one in outcomes if one.state == ERROR), 0)


def text_of(one: Outcome) -> str:
    """All that is known of one replay that is not as blessed, for a console or a test's message."""
    out = [f"{one.name}: {one.sentence}"]
    if one.was and one.now and one.was != one.now:
        out.append(f"  digest  {one.was[:16]} blessed, {one.now[:16]} now")
    if one.first:
        out += [f"  {row}" for row in one.first["text"]]
    figures = told(one)
    out += [f"  {figure_words(figure)}" for figure in figures[:FIGURES_TOLD]]
    if len(figures) > FIGURES_TOLD:
        out.append(f"  and {len(figures) - FIGURES_TOLD} more figures (--json has all)")
    if one.page:
        out.append(f"  page    {one.page}")
    return "\n".join(out)


def told(one: Outcome) -> list[Figure]:
    """The figures to show: those that moved, the named ones first; of a new replay the named."""
    known = [figure for figure in one.figures if one.was or figure.tolerance]
    return [figure for figure in as_told(known) if figure.moved or figure.within is False]


def as_told(figures: Sequence[Figure]) -> list[Figure]:
    """Those that the file names first, the others behind them as they stand."""
    return sorted(figures, key=lambda figure: not figure.tolerance)


def figure_words(figure: Figure) -> str:
    """`net 1.5 -> 2 USD (+0.5, allowed exact): too far`."""
    was, now = ("none" if v is None else f"{v:.12g}" for v in (figure.was, figure.now))
    allowed = f", allowed {figure.tolerance}" if figure.tolerance else ""
    change = "" if figure.change is None else f" ({figure.change:+.6g}{allowed})"
    verdict = {None: "", True: "", False: ": too far"}[figure.within]
    return f"{figure.name} {was} -> {now} {figure.unit}".rstrip() + change + verdict


def shown_path(path: Path) -> str:
    """A path as a person would write it from here."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
