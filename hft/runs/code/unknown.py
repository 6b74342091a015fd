"""A name in a strategy's text that is not there: its line, what it was asked of, what is near.

The compiler says it in its own words, or with an exception of its own; the text says it in ours.
Asked only of a strategy that could not be compiled, and what cannot be known is passed over.
"""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hft.runs.nearest import nearest
from hft.strategies.base import Strategy
from hft.strategies.members import LADDERS, ORDER_METHODS, VIEW_ATTRIBUTES, VIEW_METHODS
from hft.strategies.view import Order

VIEW, ORDER, PARAMS, STATE = "view", "order", "parameter", "state field"
SIGHT = (*VIEW_ATTRIBUTES, *LADDERS, *VIEW_METHODS)
WORDS = (*ORDER_METHODS, "new", "target")


@dataclass(frozen=True)
class Unknown:
    """What is not there, in words, and the lines of the statement it stands in."""

    line: int
    last: int
    says: str


@dataclass(frozen=True)
class _Text:
    """A strategy's body: what its names stand for."""

    roles: Mapping[str, str]  # name -> view, order, parameter, state field
    fields: Mapping[str, Mapping[str, Any]]  # of parameters and state
    space: Mapping[str, Any]  # globals and enclosing names
    own: frozenset[str]  # names that the body itself binds
    called: frozenset[int]  # ids of the nodes that are called

    def role(self, node: ast.expr) -> str:
        """What an expression is, "" where that is not known."""
        if isinstance(node, ast.Subscript):
            found = self.role(node.value)
            return found if found in (VIEW, ORDER) else ""
        if isinstance(node, ast.Name) and node.id not in self.own:
            return self.roles.get(node.id, "")
        return ""


def unknowns(strategy: Strategy) -> list[Unknown]:
    """All that a function strategy names and that is not there, in the order of its lines."""
    body = getattr(strategy.body, "py_func", strategy.body)
    try:
        rows, first = inspect.getsourcelines(body)
        function = ast.parse(textwrap.dedent("".join(rows))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return []
    if not isinstance(function, ast.FunctionDef):
        return []
    text = _text(strategy, body, function)
    found = []
    for statement in _statements(function.body):
        for node in _within(statement):
            if says := _says(text, node):
                last = statement.end_lineno or statement.lineno
                if isinstance(statement, ast.If | ast.While | ast.For | ast.With):
                    last = getattr(node, "end_lineno", None) or statement.lineno
                line = getattr(node, "lineno", statement.lineno)
                found.append(Unknown(first + line - 1, first + last - 1, says))
    return sorted(found, key=lambda one: one.line)


def _text(strategy: Strategy, body: Callable[..., Any], function: ast.FunctionDef) -> _Text:
    names = [one.arg for one in function.args.args]
    stands = (VIEW, ORDER, PARAMS, STATE) if len(names) == 4 else ()
    own = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    enclosed = inspect.getclosurevars(body).nonlocals
    return _Text(
        dict(zip(names, stands, strict=False)),
        {PARAMS: strategy.params, STATE: strategy.state},
        {**vars(builtins), **body.__globals__, **enclosed},
        frozenset(own),
        frozenset(id(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)),
    )


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement, the inner ones by themselves; not those of inner functions."""
    for one in body:
        yield one
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(one, name, []))


def _within(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement, without the statements inside it and inner functions."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp):
            continue  # with names of its own
        yield node
        waiting += [
            one
            for one in ast.iter_child_nodes(node)
            if not isinstance(one, ast.stmt | ast.excepthandler)
        ]


def _says(text: _Text, node: ast.AST) -> str:
    """What is wrong with a node, "" where nothing is."""
    if isinstance(node, ast.Attribute):
        return _attribute(text, node)
    if isinstance(node, ast.Subscript):
        return _field(text, node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _call(text, node, node.func)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        known = {*text.space, *text.own, *text.roles}
        return "" if node.id in known else f"there is no {node.id!r}{nearest(node.id, known)}"
    return ""


def _attribute(text: _Text, node: ast.Attribute) -> str:
    asked = ast.unparse(node.value)
    if role := text.role(node.value):
        if role in (PARAMS, STATE):
            return _of_record(text, role, node)
        known = {VIEW: SIGHT, ORDER: WORDS}[role]
        if node.attr in known:
            return _uncalled(text, role, node)
        if near := nearest(node.attr, known):
            return f"{asked} has no {node.attr!r}{near}"
        other = {VIEW: (ORDER, WORDS), ORDER: (VIEW, SIGHT)}[role]
        if node.attr in other[1]:
            return f"{asked} has no {node.attr!r}, but {other[0]}.{node.attr} is there"
        return f"{asked} has no {node.attr!r}; it has {', '.join(sorted(known))}"
    if not isinstance(node.value, ast.Name) or asked in text.own:
        return ""
    module = text.space.get(asked)
    if not isinstance(module, ModuleType) or hasattr(module, node.attr):
        return ""
    return f"{asked} has no {node.attr!r}{nearest(node.attr, dir(module))}"


def _of_record(text: _Text, role: str, node: ast.Attribute) -> str:
    """`p.get`: a record has its fields, and no function."""
    known, asked = text.fields[role], ast.unparse(node.value)
    if node.attr in known:
        return ""
    has = ", ".join(map(repr, known)) or "none"
    such = f"{asked}[{next(iter(known), 'name')!r}]"
    return f"{asked} has no {node.attr!r}; a {role} is read as {such}; declared are: {has}"


def _uncalled(text: _Text, role: str, node: ast.Attribute) -> str:
    """`view.imbalance + 1`: a function where its value was meant."""
    shape = signature_of(role, node.attr)
    if shape is None or id(node) in text.called:
        return ""
    said = ast.unparse(node)
    return f"{said} is a function; write {said}({', '.join(shape.parameters)})"


def _field(text: _Text, node: ast.Subscript) -> str:
    role, index = text.role(node.value) or _name_role(text, node.value), node.slice
    if role not in (PARAMS, STATE) or not isinstance(index, ast.Constant):
        return ""
    known, name = text.fields[role], index.value
    if name in known:
        return ""
    has = ", ".join(map(repr, known)) or "none"
    near = nearest(name, known)
    if not near:
        other = STATE if role == PARAMS else PARAMS
        near = f", but there is a {other} of that name" if name in text.fields[other] else ""
    return f"there is no {role} {name!r}{near}" + ("" if near else f"; declared are: {has}")


def _name_role(text: _Text, node: ast.expr) -> str:
    return text.role(node) if isinstance(node, ast.Name) else ""


def _call(text: _Text, node: ast.Call, member: ast.Attribute) -> str:
    """A member that is no function, or is not called with its arguments."""
    role, name = text.role(member.value), member.attr
    said = ast.unparse(member)
    if role == VIEW and name in VIEW_ATTRIBUTES:
        return f"{said} is a value, not a function; write {said} without ()"
    if role == VIEW and name in LADDERS:
        return f"{said} is not a function; write {said}[0] for its first"
    starred = any(isinstance(one, ast.Starred) for one in node.args)
    if not role or starred or any(one.arg is None for one in node.keywords):
        return ""
    shape = signature_of(role, name)
    if shape is None:
        return ""
    try:
        bound = shape.bind(*node.args, **{str(one.arg): one.value for one in node.keywords})
    except TypeError as error:
        words = ", ".join(
            one.name + ("" if one.default is one.empty else f"={one.default}")
            for one in shape.parameters.values()
        )
        return f"{said}({words}): {error}"
    for name, given in bound.arguments.items():
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            what = "hft.BUY or hft.SELL" if name == "side" else "a number"
            return f"{said}({', '.join(shape.parameters)}): {name} is {what}, not {given.value!r}"
    return ""


def signature_of(role: str, name: str) -> inspect.Signature | None:
    """The arguments of a member of view or order as a strategy gives them; None for no member."""
    if role == ORDER and name in WORDS:
        found = inspect.signature(getattr(Order, name))
        skipped = 1
    elif role == VIEW and name in VIEW_METHODS:
        function = VIEW_METHODS[name]
        found = inspect.signature(getattr(function, "py_func", function))
        skipped = 2
    else:
        return None
    kept = list(found.parameters.values())[skipped:]
    return inspect.Signature([one.replace(annotation=inspect.Parameter.empty) for one in kept])
