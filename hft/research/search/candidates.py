"""Which expressions a search tries: families drawn at random, a template's grid, mutated trees.

Every draw comes from a Philox stream keyed by seed and round, so a round can be made again after an
interruption. What does not parse, or breaks a rule of the language, is never a candidate.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.research.expressions.canonical import canonical
from hft.research.expressions.expression import Expression, parse
from hft.research.expressions.nodes import OPERATORS, Const, Field, Node, Op, depth, walk
from hft.research.expressions.parse import DEPTH_MAX

WINDOWS = (3, 5, 10, 20, 50, 100)
MUTATION = 0.7
SURVIVORS = 0.3
POPULATION_MIN = 4
GRID_MAX = 100_000
VOLUME_WORDS = ("vol", "qty", "size", "lots", "trades", "notional", "count", "depth", "bsz", "asz")
FAMILIES: dict[str, tuple[str, ...]] = {
    "trend": (
        "ts_delta({x}, {w})",
        "ts_mean({x}, {w}) - ts_mean({x}, {u})",
        "decay_linear(ts_delta({x}, {w}), {u})",
        "ts_delta({x}, {w}) / ts_std({x}, {u})",
        "ts_sum(sign({x}), {w})",
        "ts_rank({x}, {w})",
        "ts_corr({x}, {y}, {w})",
        "decay_linear({x}, {w})",
    ),
    "mean_revert": (
        "ts_mean({x}, {w}) - {x}",
        "-ts_rank({x}, {w})",
        "-zscore(ts_delta({x}, {w}))",
        "-ts_delta({x}, {w}) / ts_std({x}, {u})",
        "decay_linear({x}, {w}) - {x}",
        "-rank(ts_delta({x}, {w}))",
    ),
    "volume": (
        "log1p({v}) - ts_mean({v}, {w})",
        "{v} / ts_mean({v}, {w})",
        "ts_corr({x}, {v}, {w})",
        "sign({x}) * log1p({v})",
        "ts_delta({x}, {w}) * ts_rank({v}, {u})",
        "ts_sum({x} / {v}, {w})",
        "ts_delta(log1p({v}), {w})",
    ),
}
_NAME = re.compile(r"(?<![A-Za-z0-9_.])[A-Za-z_][A-Za-z0-9_]*")
_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def stream(seed: int, turn: int) -> np.random.Generator:
    """The random numbers of one round of a search."""
    return np.random.Generator(np.random.Philox(key=[seed, turn]))


class Drawn:
    """Expressions drawn from the families over some fields."""

    def __init__(self, fields: Sequence[str], rng: np.random.Generator) -> None:
        self.fields, self.rng = tuple(fields), rng
        lower = [(name, name.lower()) for name in self.fields]
        volumes = [n for n, low in lower if any(word in low for word in VOLUME_WORDS)]
        self.volumes = tuple(volumes) or self.fields

    def pick(self, options: Sequence[Any]) -> Any:
        """One of them, all alike."""
        return options[int(self.rng.integers(len(options)))]

    def random(self) -> Expression:
        """One expression of a family chosen at random."""
        family = self.pick((*FAMILIES, "mix"))
        if family == "mix":
            return Expression(canonical(self.tree(DEPTH_MAX)))
        window = self.pick(WINDOWS)
        words = {
            "x": self.pick(self.fields),
            "y": self.pick(self.fields),
            "v": self.pick(self.volumes),
            "w": window,
            "u": self.pick([other for other in WINDOWS if other != window]),
        }
        return parse(self.pick(FAMILIES[family]).format(**words), self.fields)

    def tree(self, levels: int) -> Node:
        """A tree of at most so many levels, with a field in it."""
        if levels <= 1 or self.rng.random() < (0.1 if levels == DEPTH_MAX else 0.35):
            return Field(self.pick(self.fields))
        operator = OPERATORS[self.pick(sorted(OPERATORS))]
        args = tuple(self.tree(levels - 1) for _ in range(operator.arity))
        window = self.pick(WINDOWS) if operator.windowed else 0
        return Op(operator.name, args, window)

    def mutated(self, parent: Expression) -> Expression:
        """A neighbour of an expression: one node of its tree is another."""
        for _ in range(20):
            node = self._mutate(parent.node)
            if depth(node) <= DEPTH_MAX and any(isinstance(part, Field) for part in walk(node)):
                child = Expression(canonical(node))
                if child != parent:
                    return child
        return self.random()

    def _mutate(self, node: Node) -> Node:
        parts = list(_paths(node))
        path, part = self.pick(parts)
        return _replaced(node, path, self._changed(part))

    def _changed(self, part: Node) -> Node:
        kind = self.pick(("window", "operator", "wrap", "unwrap", "subtree", "field"))
        if isinstance(part, Op):
            operator = OPERATORS[part.name]
            if kind == "window" and part.window:
                return replace(part, window=self.pick(WINDOWS))
            if kind == "operator":
                alike = [
                    one.name
                    for one in OPERATORS.values()
                    if (one.arity, one.windowed) == (operator.arity, operator.windowed)
                ]
                return replace(part, name=self.pick(alike))
            if kind == "unwrap":
                return self.pick(part.args)
        if kind == "wrap":
            one = self.pick([o for o in OPERATORS.values() if o.arity == 1])
            return Op(one.name, (part,), self.pick(WINDOWS) if one.windowed else 0)
        if kind == "subtree":
            return self.tree(2)
        return Field(self.pick(self.fields)) if not isinstance(part, Op) else part


def _paths(node: Node, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Node]]:
    yield path, node
    if isinstance(node, Op):
        for place, arg in enumerate(node.args):
            yield from _paths(arg, (*path, place))


def _replaced(node: Node, path: tuple[int, ...], new: Node) -> Node:
    if not path or not isinstance(node, Op):
        return new
    args = list(node.args)
    args[path[0]] = _replaced(args[path[0]], path[1:], new)
    return replace(node, args=tuple(args))


def next_generation(
    ranked: Sequence[Expression], population: int, fields: Sequence[str], rng: np.random.Generator
) -> list[Expression]:
    """Survivors first, then as many children as fill the population: 70 % mutated, the rest new."""
    keep = max(1, int(np.ceil(SURVIVORS * population)))
    survivors = list(ranked[:keep])
    drawn = Drawn(fields, rng)
    found = list(survivors)
    while len(found) < population:
        mutate = bool(survivors) and rng.random() < MUTATION
        found.append(drawn.mutated(drawn.pick(survivors)) if mutate else drawn.random())
    return found


def read_grid(text: str) -> dict[str, tuple[str, ...]]:
    """ "w=5,10;lag=1,2" as values by name. Raises: ConfigError."""
    grid: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        name, equals, values = part.partition("=")
        options = tuple(value.strip() for value in values.split(","))
        if not equals or not name.strip().isidentifier() or not all(options):
            raise ConfigError(f"grid: {part!r} is not name=value,value; write w=5,10;lag=1,2")
        if name.strip() in grid:
            raise ConfigError(f"grid: {name.strip()!r} is given twice")
        grid[name.strip()] = options
    return grid


def check_holes(template: str, grid: Mapping[str, Sequence[Any]]) -> None:
    """Every hole has values and every value a hole. Raises: ConfigError."""
    holes = set(_HOLE.findall(template))
    unfilled, unused = sorted(holes - set(grid)), sorted(set(grid) - holes)
    if unfilled:
        raise ConfigError(f"template: {{{unfilled[0]}}} has no values; add {unfilled[0]}=... to it")
    if unused:
        raise ConfigError(f"grid: {unused[0]!r} is not in the template {template!r}")


def named_in(template: str, grid: str) -> tuple[str, ...]:
    """Every name that a template and the values of its grid write, operators left out."""
    words = _HOLE.sub(" ", template) + " " + " ".join(itertools.chain(*read_grid(grid).values()))
    return tuple(n for n in dict.fromkeys(_NAME.findall(words)) if n not in OPERATORS)


def from_template(
    template: str, grid: Mapping[str, Sequence[Any]], fields: Sequence[str]
) -> list[Expression]:
    """The Cartesian product of the sorted keys, filled into the template.

    Raises: ConfigError for a hole without values or values without a hole, ExpressionError where a
    filled template does not parse.
    """
    check_holes(template, grid)
    keys = sorted(grid)
    count = int(np.prod([len(grid[key]) for key in keys], dtype=object)) if keys else 1
    if count > GRID_MAX:
        raise ConfigError(f"grid: {count} combinations; at most {GRID_MAX}")
    found = []
    for values in itertools.product(*(grid[key] for key in keys)):
        filled = dict(zip(keys, values, strict=True))
        text = _HOLE.sub(lambda hole: str(filled[hole[1]]), template)  # noqa: B023
        found.append(parse(text, fields))
    return found


def is_constant(expression: Expression) -> bool:
    """Whether it reads no field."""
    return not expression.fields or isinstance(expression.node, Const)
