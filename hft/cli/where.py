"""`--where "symbol == 'X' and lots > 2"`: which rows of a table are shown.

The words are those of a Python expression, read but never run: columns, numbers, quoted texts,
comparisons, `in`, `and`, `or`, `not`, + - * /. A time is compared with an
ISO text, UTC where it names no zone.
"""

import ast
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import reduce
from typing import Any, NoReturn

import polars as pl
import typer

FRACTION = re.compile(r"(.*?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}
ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}
EXAMPLE = "write it as \"symbol == 'ES' and lots > 2\""


def rows_where(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    """The rows for which the expression holds. Raises: typer.BadParameter with the columns."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: too deep
        _refuse(text, f"is no expression; {EXAMPLE}, with == to compare")
    try:
        return frame.filter(_Reader(text, frame.schema).truth(tree))
    except (pl.exceptions.PolarsError, TypeError, RecursionError) as error:
        _refuse(text, f"cannot be asked of this table: {str(error).splitlines()[0]}")


def unknown(name: str, there: Any) -> str:
    """What to say of a column that is not there: the nearest, and all."""
    near = get_close_matches(name, there, 1)
    guess = f"; did you mean {near[0]!r}?" if near else ";"
    return f"there is no column {name!r}{guess} there are {', '.join(there)}"


class _Reader:
    """Turns the tree of one expression into one of polars."""

    def __init__(self, text: str, schema: Mapping[str, Any]) -> None:
        self.text, self.schema = text, schema

    def truth(self, node: ast.expr) -> pl.Expr:
        """A condition."""
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                return reduce(lambda a, b: a & b, map(self.truth, parts))
            case ast.BoolOp(values=parts):
                return reduce(lambda a, b: a | b, map(self.truth, parts))
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return ~self.truth(inner)
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [left, *others]
                found = [self._compare(sides[k], op, sides[k + 1]) for k, op in enumerate(ops)]
                return reduce(lambda a, b: a & b, found)
            case ast.Name() | ast.Attribute() if self.schema.get(_dotted(node)) == pl.Boolean:
                return pl.col(_dotted(node))
        return _refuse(self.text, f"is no condition; {EXAMPLE}")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pl.Expr:
        if isinstance(op, ast.Is | ast.IsNot) or _is_none(left) or _is_none(right):
            kept, other = (right, left) if _is_none(left) else (left, right)
            if not _is_none(other) or not isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
                _refuse(self.text, "compares with None otherwise than by == and !=")
            value = self._value(kept)
            missing = isinstance(op, ast.Is | ast.Eq)
            return value.is_null() if missing else value.is_not_null()
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple | ast.Set):
                _refuse(self.text, "needs a list behind `in`, as in symbol in ('ES', 'NQ')")
            same = [self._compare(left, ast.Eq(), one) for one in right.elts] or [pl.lit(False)]
            found = reduce(lambda a, b: a | b, same)
            return ~found if isinstance(op, ast.NotIn) else found
        timed = self._is_time(left) or self._is_time(right)
        compared: pl.Expr = COMPARE[type(op)](self._value(left, timed), self._value(right, timed))
        return compared

    def _is_time(self, node: ast.expr) -> bool:
        kind = self.schema.get(_dotted(node))
        return isinstance(kind, pl.Datetime) or kind == pl.Date

    def _value(self, node: ast.expr, timed: bool = False) -> pl.Expr:
        """A column, a number or a text; of times their nanoseconds."""
        match node:
            case ast.Name() | ast.Attribute() if name := _dotted(node):
                return self._column(name)
            case ast.Constant(value=str(given)) if timed:
                return pl.lit(self._moment(given))
            case ast.Constant(value=bool() | int() | float() | str() as plain):
                return pl.lit(plain)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self._value(inner, timed)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                made: pl.Expr = ARITHMETIC[type(op)](self._value(left), self._value(right))
                return made
        return _refuse(self.text, f"has {ast.unparse(node)!r}, which is no column and no value")

    def _moment(self, text: str) -> int:
        """ISO text as ns, to the last digit; without a zone UTC, as tables print it."""
        parts = FRACTION.fullmatch(text.strip())
        try:
            whole = datetime.fromisoformat(parts[1] + (parts[3] or "")) if parts else None
        except ValueError:
            whole = None
        if whole is None:
            _refuse(self.text, f"has {text!r}, which is no time such as 2026-01-05T14:30:00.5")
        whole = whole if whole.tzinfo else whole.replace(tzinfo=UTC)
        since = whole - datetime(1970, 1, 1, tzinfo=UTC)
        fraction = int(f"{parts[2] or '0':0<9}") if parts else 0
        return (since.days * 86_400 + since.seconds) * 1_000_000_000 + fraction

    def _column(self, name: str) -> pl.Expr:
        if name not in self.schema:
            _refuse(self.text, f"{unknown(name, list(self.schema))}; a text stands in quotes")
        column, kind = pl.col(name), self.schema[name]
        if isinstance(kind, pl.Datetime):
            return column.dt.epoch("ns")
        return column.cast(pl.Datetime("ns")).dt.epoch("ns") if kind == pl.Date else column


def _dotted(node: ast.expr) -> str:
    """The name of a column, which may have dots in it (params.half_ticks); "" for no name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name) if of := _dotted(inner):
            return f"{of}.{name}"
    return ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _refuse(text: str, why: str) -> NoReturn:
    raise typer.BadParameter(f"--where {text!r}: {why}")
