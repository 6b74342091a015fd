"""From text to syntax tree: an allow-list, so what is not in the grammar does not parse.

Numbers, names, + - * /, signs, parentheses and calls of the operator table; no attributes,
subscripts, keywords, comparisons or lambdas. Every refusal shows the text with a caret under the
column, and a suggestion where a name was nearly right. It never evaluates anything.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from hft.core.errors import ValidationError
from hft.research.data.aliases import column_of
from hft.research.expressions.nodes import BINARY, OPERATORS, WINDOW_MAX, Const, Field, Node, Op

DEPTH_MAX = 3
TEXT_MAX = 2_000  # characters
NESTING_MAX = 64  # parentheses and signs
PRICE_WORDS = ("price", "px")
RELATIVE_WORDS = ("delta", "diff", "return", "spread", "ratio", "mid")

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol>[-+*/(),]))",
    re.ASCII,
)


class ExpressionError(ValidationError):
    """An expression that does not parse or breaks a rule; the text ends with a caret line."""

    def __init__(self, sentence: str, source: str, position: int) -> None:
        shown = "".join(char if char.isprintable() else " " for char in source)
        super().__init__(f"{sentence}\n  {shown}\n  {' ' * position}^")
        self.sentence, self.source, self.position = sentence, source, position

    def __reduce__(self) -> tuple[type, tuple[str, str, int]]:
        return type(self), (self.sentence, self.source, self.position)


@dataclass(frozen=True)
class Token:
    """One word of the text; `kind` is number, name, symbol or end."""

    kind: str
    text: str
    at: int


def tokens(source: str) -> list[Token]:
    """The words of the text, and an end mark."""
    found: list[Token] = []
    at = 0
    stop = len(source.rstrip())
    while at < stop:
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None:
            start = at + len(source[at:]) - len(source[at:].lstrip())
            raise ExpressionError(_stray(source[start]), source, start)
        word = match.group(match.lastgroup)
        found.append(Token(match.lastgroup, word, match.start(match.lastgroup)))
        at = match.end()
    return [*found, Token("end", "", stop)]


def _stray(char: str) -> str:
    hints = {
        ".": "attributes are not part of the language",
        "[": "subscripts are not part of the language; look back with ts_delta(x, w)",
        "^": "powers are not part of the language",
        "=": "keywords and comparisons are not part of the language",
        "<": "comparisons are not part of the language",
        ">": "comparisons are not part of the language",
        "{": "fill in the template's names before it is parsed",
    }
    hint = hints.get(char, "use numbers, names, + - * / ( ) , and the operators")
    return f"{char!r} is not allowed here: {hint}"


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, source: str, fields: Collection[str] | None) -> None:
        self.source, self.fields = source, fields
        self.words = tokens(source)
        self.next, self.nesting = 0, 0
        self.written_at: dict[int, int] = {}  # id of a node -> where its operator or name stands

    @property
    def word(self) -> Token:
        return self.words[self.next]

    def fail(self, sentence: str, at: int) -> ExpressionError:
        return ExpressionError(sentence, self.source, at)

    def accept(self, symbol: str) -> bool:
        if self.word.kind == "symbol" and self.word.text == symbol:
            self.next += 1
            return True
        return False

    def whole(self) -> Node:
        if self.word.kind == "end":
            raise self.fail("the expression is empty", 0)
        node = self.total()
        if self.word.kind != "end":
            raise self.fail(f"did not expect {self.word.text!r} here", self.word.at)
        return node

    def deeper(self, at: int) -> None:
        self.nesting += 1
        if self.nesting > NESTING_MAX:
            raise self.fail(f"more than {NESTING_MAX} nested parentheses or signs", at)

    def placed(self, node: Node, at: int) -> Node:
        self.written_at[id(node)] = at
        return node

    def total(self) -> Node:
        return self.chain(("+", "-"))

    def product(self) -> Node:
        return self.chain(("*", "/"))

    def chain(self, symbols: tuple[str, str]) -> Node:
        below = self.product if "+" in symbols else self.signed
        node = below()
        while self.word.kind == "symbol" and self.word.text in symbols:
            word, self.next = self.word, self.next + 1
            node = self.placed(Op(BINARY[word.text], (node, below())), word.at)
        return node

    def signed(self) -> Node:
        at = self.word.at
        for symbol in ("-", "+"):
            if self.accept(symbol):
                self.deeper(at)
                node = self.signed()
                self.nesting -= 1
                return self.placed(Op("neg", (node,)), at) if symbol == "-" else node
        return self.atom()

    def atom(self) -> Node:
        word, self.next = self.word, self.next + 1
        if word.kind == "number":
            value = float(word.text)
            if not math.isfinite(value):
                raise self.fail(f"{word.text} is too large for a number", word.at)
            return self.placed(Const(value), word.at)
        if word.kind == "name":
            return self.call(word) if self.accept("(") else self.field(word)
        if word.kind == "symbol" and word.text == "(":
            self.deeper(word.at)
            node = self.total()
            if not self.accept(")"):
                raise self.fail("the parenthesis is not closed: expected ')'", self.word.at)
            self.nesting -= 1
            return node
        what = "the expression ends too early" if word.kind == "end" else f"found {word.text!r}"
        raise self.fail(f"{what}: expected a number, a name or '('", word.at)

    def field(self, word: Token) -> Node:
        name = word.text
        if name in OPERATORS:
            usage = OPERATORS[name].signature
            raise self.fail(f"{name} is an operator: write {usage}", word.at)
        column = name if self.fields is None else column_of(name, self.fields)
        for one in (name, column or name):
            if refused_price(one):
                words = ", ".join(RELATIVE_WORDS)
                raise self.fail(
                    f"field {one!r} is a price level, which is not comparable over time; use a "
                    f"field whose name has one of {words}",
                    word.at,
                )
        if column is None:
            raise self.fail(f"unknown field {name!r}{_near(name, self.fields or ())}", word.at)
        return self.placed(Field(column), word.at)

    def call(self, word: Token) -> Node:
        operator = OPERATORS.get(word.text)
        if operator is None:
            raise self.fail(f"unknown operator {word.text!r}{_near(word.text, OPERATORS)}", word.at)
        self.deeper(word.at)
        args: list[Node] = []
        for position in range(operator.arity):
            if position and not self.accept(","):
                raise self.fail(f"expected ',' in {operator.signature}", self.word.at)
            if self.word.kind == "symbol" and self.word.text == ")":
                raise self.fail(f"too few arguments: write {operator.signature}", self.word.at)
            args.append(self.total())
        window = self.window(operator.signature) if operator.windowed else 0
        if not self.accept(")"):
            expected = "')'" if self.word.kind == "end" else f"')' to end {operator.signature}"
            raise self.fail(f"expected {expected}", self.word.at)
        self.nesting -= 1
        return self.placed(Op(operator.name, tuple(args), window), word.at)

    def window(self, usage: str) -> int:
        if not self.accept(","):
            raise self.fail(f"the window is missing: write {usage}", self.word.at)
        word = self.word
        if word.kind != "number" or not word.text.isdigit() or int(word.text) < 1:
            sentence = f"the window of {usage} is a whole number of rows >= 1, written out"
            raise self.fail(sentence, word.at)
        if int(word.text) > WINDOW_MAX:
            raise self.fail(f"a window is at most {WINDOW_MAX} rows", word.at)
        self.next += 1
        return int(word.text)


def refused_price(name: str) -> bool:
    """Whether a name says it is a raw price level."""
    lower = name.lower()
    named = any(word in lower for word in PRICE_WORDS)
    return named and not any(word in lower for word in RELATIVE_WORDS)


def _near(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    listed = sorted(known)
    shown = ", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")
    return f"; known: {shown or 'none'}"


def syntax_tree(source: str, fields: Collection[str] | None = None) -> Node:
    """The tree of a text as written. Raises: ExpressionError."""
    if len(source) > TEXT_MAX:
        raise ExpressionError(f"longer than {TEXT_MAX} characters", source[:60], 0)
    parser = _Parser(source, fields)
    node = parser.whole()
    deep = _too_deep(node, 1)
    if deep is not None:
        raise ExpressionError(
            f"nested deeper than {DEPTH_MAX} levels (a leaf is one, each call or binary step adds "
            "one): split it, or give the inner part a column of its own",
            source,
            parser.written_at[id(deep)],
        )
    return node


def _too_deep(node: Node, level: int) -> Node | None:
    """The first node below the deepest level allowed."""
    if level > DEPTH_MAX:
        return node
    if isinstance(node, Op):
        step = 0 if node.name == "neg" else 1
        found = (_too_deep(arg, level + step) for arg in node.args)
        return next((deep for deep in found if deep is not None), None)
    return None
