"""The syntax tree of the language: constants, fields and operators with an optional window.

Nodes are immutable and compare by value; the operator table is the whole vocabulary, and parser,
canonical form, evaluator and search read it. It never computes a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

WINDOW_MAX = 1_000_000  # rows; a larger window would hold more memory than a session has rows


@dataclass(frozen=True)
class Operator:
    """One operator: how many expressions it takes and whether a window follows them."""

    name: str
    arity: int
    windowed: bool = False
    symbol: str = ""
    commutes: bool = False
    meaning: str = ""

    @property
    def signature(self) -> str:
        """How it is written, for messages and documentation."""
        inputs = ["x", "y"][: self.arity]
        return f"{self.name}({', '.join([*inputs, 'w'] if self.windowed else inputs)})"


_TABLE = (
    Operator("abs", 1, meaning="absolute value"),
    Operator("add", 2, symbol="+", commutes=True, meaning="x + y"),
    Operator("decay_linear", 1, True, meaning="mean of the window, weights 1 (oldest) to n"),
    Operator("div", 2, symbol="/", meaning="x / y; 0 where |y| <= 1e-12"),
    Operator("log1p", 1, meaning="sign(x) ln(1 + |x|)"),
    Operator("mul", 2, symbol="*", commutes=True, meaning="x * y"),
    Operator("neg", 1, symbol="-", meaning="-x"),
    Operator("rank", 1, meaning="average rank of x among the rows so far, over their number"),
    Operator("sign", 1, meaning="-1, 0 or 1"),
    Operator("sub", 2, symbol="-", meaning="x - y"),
    Operator("ts_corr", 2, True, commutes=True, meaning="Pearson correlation over the window"),
    Operator("ts_delta", 1, True, meaning="x minus x of w rows ago; 0 for the first w rows"),
    Operator("ts_mean", 1, True, meaning="mean of the window"),
    Operator("ts_rank", 1, True, meaning="average rank of x in its window, over its rows"),
    Operator("ts_std", 1, True, meaning="population standard deviation of the window"),
    Operator("ts_sum", 1, True, meaning="sum of the window"),
    Operator("zscore", 1, meaning="x minus the mean so far, over the standard deviation so far"),
)
OPERATORS: dict[str, Operator] = {operator.name: operator for operator in _TABLE}
BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


@dataclass(frozen=True)
class Const:
    """A finite number."""

    value: float

    @cached_property
    def text(self) -> str:
        """The canonical text."""
        return repr(self.value)


@dataclass(frozen=True)
class Field:
    """A column of the data, by name."""

    name: str

    @property
    def text(self) -> str:
        """The canonical text."""
        return self.name


@dataclass(frozen=True)
class Op:
    """An operator over expressions; `window` is 0 where it has none."""

    name: str
    args: tuple["Node", ...]
    window: int = 0

    @cached_property
    def text(self) -> str:
        """The canonical text: calls only, no spaces."""
        parts = [arg.text for arg in self.args]
        return f"{self.name}({','.join([*parts, str(self.window)] if self.window else parts)})"


Node = Const | Field | Op


def depth(node: Node) -> int:
    """Levels of the tree: a leaf is 1, each call or binary step adds 1, a sign adds none."""
    if not isinstance(node, Op):
        return 1
    return max(depth(arg) for arg in node.args) + (node.name != "neg")


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, children first."""
    if isinstance(node, Op):
        for arg in node.args:
            yield from walk(arg)
    yield node


def fields_of(node: Node) -> tuple[str, ...]:
    """The names it reads, sorted."""
    return tuple(sorted({part.name for part in walk(node) if isinstance(part, Field)}))


def largest_window(node: Node) -> int:
    """The longest window anywhere in it; 1 where there is none."""
    return max([1, *(part.window for part in walk(node) if isinstance(part, Op))])
