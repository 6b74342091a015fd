"""What the search found: score against complexity, the front, and the ranking."""

import numpy as np

from hft.reports.axes import Linear
from hft.reports.chart import Chart
from hft.reports.governance.evidence import SearchFront, numbers
from hft.reports.governance.pictures.drawn import Drawn, correlation, count, text

LISTED, BIG_MAX = 200, 200


def search_front(p: SearchFront) -> Drawn:
    """Every candidate, those that passed, and the best score for each complexity."""
    score, size = numbers(p.score), numbers(p.complexity)
    passed = np.array(p.passed, dtype=bool) if p.passed else np.zeros(len(score), dtype=bool)
    known = np.flatnonzero(np.isfinite(score) & np.isfinite(size))
    title = "Score against complexity"
    if len(known) == 0:
        return Drawn(title, _says(p, score, passed), head=(), rows=())
    x = Linear(float(size[known].min()) - 0.6, float(size[known].max()) + 0.6, whole=True)
    chart = Chart("Score", x, "by complexity", 260, include=(0.0,), x_name="complexity")
    other = known[~passed[known]]
    good = known[passed[known]]
    spread = _spread(len(score))
    # What loses far more than the best gains would flatten everything that matters.
    floor = -2.0 * max(float(score[known].max()), 1.0)
    seen = other[score[other] >= floor]
    hidden = f" ({len(other) - len(seen):,} far below)" if len(seen) < len(other) else ""
    chart.dots("gross", (size + spread)[seen], score[seen], f"did not pass{hidden}")
    front = pareto(size[known], score[known])
    front = [k for k in front if score[known][k] >= floor]
    at, best = size[known][front], score[known][front]
    chart.steps("mid", at, best, "best so far by complexity")
    big = " big" * (len(good) <= BIG_MAX)
    chart.dots("net" + big, (size + spread)[good], score[good], "passed")
    top = int(known[np.argmax(score[known])])
    chart.mark("net", float((size + spread)[top]), float(score[top]))
    order = known[np.lexsort((score[known], size[known]))]
    words = [f"{_clip(str(p.expressions[k]))}" for k in order]
    chart.read((size + spread)[order], words, ("score", score[order], text))
    rank = known[np.argsort(-score[known], kind="stable")]
    rows = [_row(p, k, place) for place, k in enumerate(rank[:LISTED].tolist(), start=1)]
    head = ("rank", "expression", "passed", "score", "complexity", "Sharpe", "pool corr.")
    return Drawn(
        title,
        _says(p, score, passed),
        (chart,),
        head,
        rows,
        3,
        wide=True,
        open=True,
        total=len(rank),
    )


def _spread(total: int) -> np.ndarray:
    """A fixed sideways step per candidate, so that equal complexities do not hide each other."""
    return (np.arange(total) * 0.618034 % 1.0 - 0.5) * 0.7


def _clip(words: str, most: int = 80) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _row(p: SearchFront, k: int, place: int) -> tuple[object, ...]:
    verdict = ("yes" if p.passed[k] else "no") if p.passed else "–"
    sharpe = text(p.sharpe[k]) if p.sharpe else "–"
    close = correlation(p.correlation[k]) if p.correlation else "–"
    return (
        f"{place}",
        str(p.expressions[k]),
        verdict,
        text(p.score[k]),
        text(p.complexity[k]),
        sharpe,
        close,
    )


def pareto(size: np.ndarray, score: np.ndarray) -> list[int]:
    """Indices of candidates that no simpler or equally simple one beats, by complexity."""
    front: list[int] = []
    best = -np.inf
    for k in np.lexsort((-score, size)).tolist():
        if score[k] > best:
            front.append(k)
            best = float(score[k])
    return front


def _says(p: SearchFront, score: np.ndarray, passed: np.ndarray) -> str:
    total = p.evaluated if p.evaluated is not None else len(score)
    says = f"{count(total, 'expression')} evaluated"
    if p.duplicates:
        says += f", {count(p.duplicates, 'duplicate')} left out"
    if p.passed:
        says += f"; {count(int(passed.sum()), 'passes', 'pass')} out of sample"
    if np.isfinite(score).any():
        says += f"; the best score is {text(float(np.nanmax(score)))}"
    return says + "."
