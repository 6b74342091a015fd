"""Expressions by their definitions: every row looks at its own past with plain loops.

Written from the contract, not from the kernels; sums are exact (`math.fsum`), ranks are counted.
"""

import math

from hft.research.expressions.nodes import Const, Field, Node

NAN = math.nan


def values(node: Node, columns: dict[str, list[float]]) -> list[float]:
    """The value of a tree at each row."""
    rows = len(next(iter(columns.values())))
    if isinstance(node, Const):
        return [node.value] * rows
    if isinstance(node, Field):
        return [value if math.isfinite(value) else NAN for value in columns[node.name]]
    inputs = [values(arg, columns) for arg in node.args]
    answers = []
    for t in range(rows):
        here = [column[t] for column in inputs]
        if any(math.isnan(value) for value in here):
            answers.append(NAN)
            continue
        value = _at(node.name, node.window, inputs, here, t)
        answers.append(value if math.isfinite(value) else NAN)
    return answers


def _at(name: str, w: int, inputs: list[list[float]], here: list[float], t: int) -> float:
    if name in ROW:
        return ROW[name](*here)
    if name == "ts_delta":
        return here[0] - inputs[0][t - w] if t >= w else 0.0
    first = 0 if name in ("rank", "zscore") else max(0, t - w + 1)
    rows = [row[first : t + 1] for row in inputs]
    pairs = [pair for pair in zip(*rows, strict=True) if not any(map(math.isnan, pair))]
    if name == "decay_linear":
        weighed = [(k + 1, v) for k, v in enumerate(rows[0]) if not math.isnan(v)]
        return math.fsum(k * v for k, v in weighed) / sum(k for k, _ in weighed)
    if name == "ts_corr":
        return correlation(pairs)
    x = [pair[0] for pair in pairs]
    if name in ("rank", "ts_rank"):
        below, equal = sum(v < here[0] for v in x), sum(v == here[0] for v in x)
        return (below + (equal + 1) / 2) / len(x)
    mean = math.fsum(x) / len(x)
    sd = math.sqrt(math.fsum((v - mean) ** 2 for v in x) / len(x))
    if name == "zscore":
        return (here[0] - mean) / sd if sd > 1e-12 else 0.0
    return {"ts_sum": math.fsum(x), "ts_mean": mean, "ts_std": sd if sd > 1e-12 else 0.0}[name]


def correlation(pairs: list[tuple[float, ...]]) -> float:
    n = len(pairs)
    mx, my = (math.fsum(pair[k] for pair in pairs) / n for k in (0, 1))
    xx = math.fsum((x - mx) ** 2 for x, _ in pairs)
    yy = math.fsum((y - my) ** 2 for _, y in pairs)
    if math.sqrt(xx / n) <= 1e-12 or math.sqrt(yy / n) <= 1e-12:
        return 0.0
    return math.fsum((x - mx) * (y - my) for x, y in pairs) / math.sqrt(xx) / math.sqrt(yy)


def _over(x: float, y: float) -> float:
    return 0.0 if abs(y) <= 1e-12 else x / y


ROW = {
    "abs": abs,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": _over,
    "neg": lambda x: -x,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "log1p": lambda x: math.copysign(math.log(1 + abs(x)), x) if abs(x) > 1e-3 else _log1p(x),
}


def _log1p(x: float) -> float:
    """The series of sign(x) ln(1 + |x|) for small x."""
    a = abs(x)
    return math.copysign(math.fsum((-1) ** (k + 1) * a**k / k for k in range(1, 12)), x)
