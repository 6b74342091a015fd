"""One form for expressions that are the same by exact rules, and the text people read.

A rule is used only where both sides give the same bits for every input: commuted sums, products and
correlations, signs that cancel, neutral elements, arithmetic of constants. Anything that would
round differently (a reassociated sum) stays as it was written.
"""

import math

from hft.research.expressions.nodes import Const, Node, Op

ZERO_DIVISOR = 1e-12
_RANK = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 3}


def canonical(node: Node) -> Node:
    """The canonical tree; applying it twice changes nothing."""
    if not isinstance(node, Op):
        return node
    args = tuple(canonical(arg) for arg in node.args)
    folded = _fold(node.name, args)
    if folded is not None:
        return folded
    if node.name in ("add", "sub"):
        return _sum(node.name, *args)
    if node.name in ("mul", "div"):
        return _product(node.name, *args)
    if node.name == "neg":
        return negated(args[0])
    if node.name == "abs":
        return _absolute(args[0])
    if node.name == "sign" and isinstance(args[0], Op) and args[0].name == "sign":
        return args[0]
    if node.name == "ts_corr":
        args = _sorted(args)
    return Op(node.name, args, node.window)


def negated(node: Node) -> Node:
    """The exact negative of a canonical tree."""
    if isinstance(node, Const):
        return Const(-node.value + 0.0)
    if isinstance(node, Op) and node.name == "neg":
        return node.args[0]
    if isinstance(node, Op) and node.name == "sub":
        return Op("sub", (node.args[1], node.args[0]))
    return Op("neg", (node,))


def _is_neg(node: Node) -> bool:
    return isinstance(node, Op) and node.name == "neg"


def _value(node: Node) -> float | None:
    return node.value if isinstance(node, Const) else None


def _sorted(args: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(sorted(args, key=lambda arg: arg.text))


def _absolute(node: Node) -> Node:
    if isinstance(node, Op) and node.name == "neg":
        node = node.args[0]
    if isinstance(node, Op) and node.name == "abs":
        return node
    return Op("abs", (node,))


def _sum(name: str, x: Node, y: Node) -> Node:
    if _is_neg(y):
        name, y = ("sub" if name == "add" else "add"), negated(y)
    if name == "add" and _is_neg(x):
        name, x, y = "sub", y, negated(x)
    if _value(y) == 0:
        return x
    if _value(x) == 0:
        return y if name == "add" else negated(y)
    if name == "sub" and _is_neg(x):
        return negated(_sum("add", negated(x), y))
    return Op(name, _sorted((x, y)) if name == "add" else (x, y))


def _product(name: str, x: Node, y: Node) -> Node:
    flips = _is_neg(x) + _is_neg(y)
    if flips:
        x, y = (negated(part) if _is_neg(part) else part for part in (x, y))
        inner = _product(name, x, y)
        return negated(inner) if flips == 1 else inner
    if name == "div" and _value(y) is not None and abs(_value(y) or 0.0) <= ZERO_DIVISOR:
        return Op(name, (x, y))
    for one, other in ((y, x), (x, y)) if name == "mul" else ((y, x),):
        if _value(one) == 1:
            return other
        if _value(one) == -1:
            return negated(other)
    return Op(name, _sorted((x, y)) if name == "mul" else (x, y))


def _fold(name: str, args: tuple[Node, ...]) -> Const | None:
    """The constant an operator of constants is, by the arithmetic of the evaluator."""
    values = [arg.value for arg in args if isinstance(arg, Const)]
    if len(values) < len(args) or name not in ("abs", "sign", "neg", "add", "sub", "mul", "div"):
        return None
    x = values[0]
    y = values[-1]
    results = {
        "abs": abs(x),
        "sign": float((x > 0) - (x < 0)),
        "neg": -x,
        "add": x + y,
        "sub": x - y,
        "mul": x * y,
        "div": x / y if abs(y) > ZERO_DIVISOR else 0.0,
    }
    value = results[name] + 0.0  # no negative zero
    return Const(value) if math.isfinite(value) else None


def pretty(node: Node) -> str:
    """The text to read, with + - * / and few parentheses; it parses to the same canonical form."""
    return _written(node)


def _written(node: Node) -> str:
    if isinstance(node, Const):
        return _number(node.value)
    if not isinstance(node, Op):
        return node.text
    symbol = {"add": "+", "sub": "-", "mul": "*", "div": "/"}.get(node.name)
    if symbol is not None:
        rank = _RANK[node.name]
        left = _bracketed(node.args[0], rank)
        # A sum to the right of a sum is bracketed: a + (b + c) rounds otherwise than a + b + c.
        return f"{left} {symbol} {_bracketed(node.args[1], rank + 1)}"
    if node.name == "neg":
        return f"-{_bracketed(node.args[0], 4)}"
    parts = [_written(arg) for arg in node.args]
    return f"{node.name}({', '.join([*parts, str(node.window)] if node.window else parts)})"


def _bracketed(node: Node, rank: int) -> str:
    text = _written(node)
    negative = isinstance(node, Const) and node.value < 0
    own = _RANK.get(node.name, 4) if isinstance(node, Op) else (3 if negative else 4)
    return text if own >= rank else f"({text})"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
