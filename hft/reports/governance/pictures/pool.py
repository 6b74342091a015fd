"""What it adds to what is there: correlations of a pool, and of one candidate with it."""

from html import escape

import numpy as np

from hft.reports.governance.axes import numbers
from hft.reports.governance.chart import n
from hft.reports.governance.evidence import CorrelationPool, Heatmap
from hft.reports.governance.pictures.drawn import Drawn, correlation, count, text
from hft.reports.governance.pictures.tiles import Tiles

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

    def figure(number: int) -> str:
        rows = "".join(_bar(p, k, values, tail) for k in order[:BARS_MAX].tolist())
        more = f" <small>the closest {BARS_MAX} of {len(p.ids):,}</small>"
        legend = '<span class="key buy"><i></i>all days</span>' if len(tail) else ""
        legend += '<span class="key sell"><i></i>worst days</span>' if len(tail) else ""
        return (
            f'<figure class="panel" id="f{number}"><figcaption><b>Size of the correlation'
            f"{more if len(p.ids) > BARS_MAX else ''}</b>"
            f'<span class="keys">{legend}</span></figcaption>'
            f'<div class="bars">{rows}</div></figure>'
        )

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


def _bar(p: CorrelationPool, k: int, values: np.ndarray, tail: np.ndarray) -> str:
    def width(value: float) -> str:
        return n(min(abs(value), 1.0) * 100) if np.isfinite(value) else "0"

    rules = ""
    for css, at in (("warn", p.warn), ("fail", p.limit)):
        rules += f'<u class="{css}" style="left:{n(at * 100)}%"></u>' if at is not None else ""
    second = (
        f'<i class="sell thin" style="left:0;width:{width(tail[k])}%"></i>' if len(tail) else ""
    )
    return (
        f'<div class="bar"><span class="bl">{escape(str(p.ids[k]))}</span><span class="track">'
        f'<i class="buy" style="left:0;width:{width(values[k])}%"></i>{second}{rules}</span>'
        f'<span class="bv">{escape(correlation(values[k]))}</span></div>'
    )
