"""An expression: its canonical form, its hash, what it reads.

Two texts with one canonical form are one expression and one trial. It never computes a value.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from hft.research.expressions.canonical import canonical, pretty
from hft.research.expressions.nodes import Node, Op, depth, fields_of, largest_window
from hft.research.expressions.parse import syntax_tree


@dataclass(frozen=True)
class Expression:
    """A parsed expression; equal when the canonical trees are equal."""

    node: Node

    @cached_property
    def canonical(self) -> str:
        """The canonical text, which a trial's id is made of."""
        return self.node.text

    @cached_property
    def hash(self) -> str:
        """First 16 hex digits of the sha-256 of the canonical text."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:16]

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names it reads, sorted."""
        return fields_of(self.node)

    @cached_property
    def depth(self) -> int:
        """Levels of its canonical tree."""
        return depth(self.node)

    @cached_property
    def window(self) -> int:
        """Its longest window, in rows; 1 where it has none."""
        return largest_window(self.node)

    def pretty(self) -> str:
        """The text to read; it parses to the same expression."""
        return pretty(self.node)

    def __str__(self) -> str:
        return self.pretty()


def parse(source: str, fields: Collection[str] | None = None) -> Expression:
    """The expression a text means; with `fields`, an unknown name is refused.

    Another name of a field (`qi` for `qi_mean`) means that field, and so the same expression.

    Raises: ExpressionError (exit code 65), its text ends with a caret under the column.
    """
    return Expression(canonical(syntax_tree(source, fields)))


def standardised(expression: Expression) -> Expression:
    """The expression in units of its own spread so far, about its mean so far.

    A root that is a zscore already, or the negative of one, is taken as it is; the depth limit is
    for what people write.
    """
    node = expression.node
    inner = node.args[0] if isinstance(node, Op) and node.name == "neg" else node
    if isinstance(inner, Op) and inner.name == "zscore":
        return expression
    return Expression(Op("zscore", (node,)))
