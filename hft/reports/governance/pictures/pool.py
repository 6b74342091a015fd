"""What it adds to what is there: correlations of a pool, and of one candidate with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from hft.reports.governance.evidence import CorrelationPool, Heatmap, numbers
from hft.reports.governance.pictures.drawn import Drawn, correlation, count, text
from hft.reports.governance.pictures.tiles import Tiles
from hft.reports.shapes import n

BARS_MAX = 15


def heatmap(p: Heatmap) -> Drawn:
    """Every pair, alike ones beside each other, and the pairs that are too alike."""
    ids = [str(one) for one in p.ids]
    matrix = _square(p, len(ids))
    title = f"{p.metric[:1].upper()}{p.metric[1:]} correlation of the pool"
    if len(ids) < 2:
        return Drawn(title, f"{count(len(ids), 'alpha')} in the pool: there is no pair to compare.")
    order = alike(matrix)
    names = [ids[k] for k in order]
    field = matrix[np.ix_(order, order)]
    tiles = Tiles("Alike ones stand together", names, names, field, correlation, top=1.0)
    tiles.threshold, tiles.symmetric = p.threshold, True
    rows, columns = np.tril_indices(len(ids), -1)
    values = matrix[rows, columns]
    first = np.argsort(np.where(np.isfinite(values), -np.abs(values), np.inf), kind="stable")
    pairs = [
        (ids[columns[k]], ids[rows[k]], correlation(values[k]), _light(values[k], p.threshold))
        for k in first[:200].tolist()
    ]
    head = ("alpha", "and alpha", "correlation", "")
    says = _pool_says(p, values, pairs)
    return Drawn(title, says, (tiles,), head, pairs, 2, wide=len(ids) > 8, total=len(values))


def _light(value: float, threshold: float | None) -> str:
    redundant = threshold is not None and abs(value) >= threshold - 1e-12
    return "redundant" if redundant else ""


def _square(p: Heatmap, size: int) -> np.ndarray:
    rows = [numbers(row) for row in p.matrix]
    if any(len(row) != size for row in rows):
        raise ValueError("heatmap: the matrix is not as wide as it has ids")
    return np.array(rows).reshape(size, size)


def alike(matrix: np.ndarray) -> list[int]:
    """An order in which correlated members are neighbours (average linkage)."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    far = 1.0 - np.clip(np.nan_to_num(matrix), -1.0, 1.0)
    far = (far + far.T) / 2
    np.fill_diagonal(far, 0.0)
    return leaves_list(linkage(squareform(far, checks=False), "average")).tolist()


def _pool_says(p: Heatmap, values: np.ndarray, pairs: list[tuple[str, str, str, str]]) -> str:
    known = np.isfinite(values)
    if not known.any():
        return "No correlation is defined."
    first, second, size, _ = pairs[0]
    closest = f"the closest are {first} and {second} ({size})"
    if p.threshold is None:
        return closest[:1].upper() + closest[1:] + "."
    over = int((np.abs(values[known]) >= p.threshold - 1e-12).sum())
    verb = "is" if over < 2 else "are"
    many = f"{over:,}" if over else "Not one"
    pair = f"{many} of {count(int(known.sum()), 'pair')} {verb} at or above {text(p.threshold)}"
    return f"{pair}; {closest}."


def correlation_pool(p: CorrelationPool) -> Drawn:
    """The candidate against each member, the closest first."""
    title = "Against the pool"
    values, tail = numbers(p.correlation), numbers(p.tail)
    if not p.ids:
        return Drawn(title, "The pool is empty: there is nothing to be correlated with.")
    order = np.argsort(np.where(np.isfinite(values), -np.abs(values), np.inf), kind="stable")
    top = int(order[0])
    says = (
        f"The closest of {count(len(p.ids), 'member')} is {p.ids[top]} ({correlation(values[top])}"
    )
    says += f"; {text(p.limit)} is the limit)." if p.limit is not None else ")."
    if not np.isfinite(values[top]):
        says = "No correlation is defined."

    figure = _sizes_of(p, order[:BARS_MAX].tolist(), values, tail)
    rows = [
        (str(p.ids[k]), correlation(values[k]), correlation(tail[k]) if len(tail) else "–")
        for k in order.tolist()
    ]
    how = _limits(p)
    head = ("alpha", "correlation", "on the worst days")
    return Drawn(title, says, (figure,), head, rows, how=how)


def _limits(p: CorrelationPool) -> str:
    bits = [f"thin line {text(p.warn)}: its own merit must be shown" if p.warn is not None else ""]
    bits += [f"red line {text(p.limit)}: too alike" if p.limit is not None else ""]
    line = "; ".join(bit for bit in bits if bit)
    return line[:1].upper() + line[1:] + "." if line else ""


@dataclass(frozen=True)
class Sizes:
    """Lying bars of shares, some with a second one inside; `limits` are rules across them."""

    name: str
    rows: Sequence[tuple[str, Sequence[tuple[str, float]], str]]
    limits: Sequence[tuple[str, float]] = ()
    keys: Sequence[tuple[str, str]] = ()
    more: str = ""

    def __call__(self, number: int) -> str:
        """The figure with its number."""
        legend = "".join(
            f'<span class="key {css}"><i></i>{escape(text)}</span>' for css, text in self.keys
        )
        more = f" <small>{escape(self.more)}</small>" if self.more else ""
        return (
            f'<figure class="panel" id="f{number}"><figcaption><b>{escape(self.name)}'
            f'{more}</b><span class="keys">{legend}</span></figcaption>'
            f'<div class="bars">{"".join(self._bar(*row) for row in self.rows)}</div></figure>'
        )

    def _bar(self, label: str, values: Sequence[tuple[str, float]], text: str) -> str:
        drawn = "".join(
            f'<i class="{css}{" thin" if k else ""}" style="left:0;width:{_width(value)}%"></i>'
            for k, (css, value) in enumerate(values)
        )
        rules = "".join(
            f'<u class="{css}" style="left:{n(at * 100)}%"></u>' for css, at in self.limits
        )
        return (
            f'<div class="bar"><span class="bl">{escape(label)}</span><span class="track">'
            f'{drawn}{rules}</span><span class="bv">{escape(text)}</span></div>'
        )


def _width(value: float) -> str:
    return n(min(abs(value), 1.0) * 100) if np.isfinite(value) else "0"


def _sizes_of(
    p: CorrelationPool, order: Sequence[int], values: np.ndarray, tail: np.ndarray
) -> Sizes:
    rows = []
    for k in order:
        bars = [("buy", float(values[k]))] + ([("sell", float(tail[k]))] if len(tail) else [])
        rows.append((str(p.ids[k]), bars, correlation(values[k])))
    limits = [(css, at) for css, at in (("warn", p.warn), ("fail", p.limit)) if at is not None]
    keys = [("buy", "all days"), ("sell", "worst days")] if len(tail) else []
    more = f"the closest {BARS_MAX} of {len(p.ids):,}" if len(p.ids) > BARS_MAX else ""
    return Sizes("Size of the correlation", rows, limits, keys, more)
