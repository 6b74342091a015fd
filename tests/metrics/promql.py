"""The names of a PromQL expression, read strictly and without Prometheus: what is not known here
is refused, also where Prometheus would take it and answer with nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hft.metrics.catalogue import CATALOGUE

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*")|\[(?P<span>[\w$:]+)\]|(?P<number>\d[\d.]*(?:e\d+)?)
    |(?P<word>[a-zA-Z_][\w]*)|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/(){},=<>]))""",
    re.VERBOSE,
)
SUMS = {"sum", "max", "min", "avg", "count", "topk"}
OF_COUNTERS, OF_GAUGES = {"rate", "increase"}, {"changes", "max_over_time"}
FUNCTIONS = SUMS | OF_COUNTERS | OF_GAUGES | {"histogram_quantile", "vector", "label_values"}
LISTS, OPERATORS = {"by", "on"}, {"and", "or", "unless"}
TARGET = {"job", "instance"}  # what Prometheus adds
# Of Prometheus itself.
FOREIGN = {"up": set[str](), "ALERTS": {"alertstate", "alertname", "severity"}}
PARTS = {"histogram": ("_bucket", "_sum", "_count")}


class Wrong(ValueError):
    """An expression that this reader does not take."""


@dataclass
class Selector:
    """A metric as an expression names it: `metric` in the catalogue, and the labels it is asked."""

    name: str
    metric: str
    labels: set[str]  # all that its series have
    asked: dict[str, str] = field(default_factory=dict)


@dataclass
class Expression:
    """`kept` are the labels of what comes out."""

    selectors: list[Selector] = field(default_factory=list)
    groups: list[set[str]] = field(default_factory=list)

    @property
    def kept(self) -> set[str]:
        sums = [one for one in self.groups if not one <= TARGET]
        return sums[0] if sums else set[str]().union(*(one.labels for one in self.selectors))


def read(text: str) -> Expression:
    """Raises: Wrong."""
    return _Reader(list(_tokens(text)), text).read()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise Wrong(f"{text!r}: cannot be read from {text[at : at + 20]!r} on")
        at = found.end()
        assert found.lastgroup is not None
        yield found.lastgroup, found[found.lastgroup]


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], text: str) -> None:
        self.tokens, self.text, self.at = [*tokens, ("end", "")], text, 0
        self.found, self.inside = Expression(), list[str]()

    def read(self) -> Expression:
        while self.tokens[self.at][0] != "end":
            kind, text = self._next()
            if kind == "word":
                self._word(text)
            elif text == "(":
                self.inside.append("")
            elif text == ")":
                if not self.inside:
                    raise self._wrong("a bracket is closed that is not open")
                self.inside.pop()
            elif kind == "span" or text in "{}":
                raise self._wrong(f"{text!r} stands after no metric")
        if self.inside:
            raise self._wrong("a bracket stays open")
        if not self.found.selectors:
            raise self._wrong("names no metric")
        known = TARGET | {"le"} | set[str]().union(*(one.labels for one in self.found.selectors))
        for labels in self.found.groups:
            if not labels <= known:
                raise self._wrong(f"no metric of it has {sorted(labels - known)}")
        return self.found

    def _word(self, word: str) -> None:
        follows = self.tokens[self.at][1]
        if word in LISTS:
            self._expect("(")
            self.found.groups.append(set(self._list(")")))
        elif word in OPERATORS:
            pass
        elif follows == "(" or (word in SUMS and follows in LISTS):
            if word not in FUNCTIONS:
                raise self._wrong(f"{word} is no function that is used here")
            if follows != "(":
                self._word(self._next()[1])
            self._expect("(")
            self.inside.append(word)
        else:
            self._metric(word)

    def _metric(self, name: str) -> None:
        one = self._known(name)
        if self.tokens[self.at][1] == "{":
            self._next()
            one.asked = dict(self._matchers())
        if unknown := set(one.asked) - one.labels - TARGET:
            raise self._wrong(f"{name} has no label {sorted(unknown)}")
        if self.tokens[self.at][0] == "span":
            self._next()
            self._over_time(one)
        self.found.selectors.append(one)

    def _over_time(self, one: Selector) -> None:
        function = self.inside[-1] if self.inside else ""
        kind = CATALOGUE[one.metric].kind
        allowed = OF_GAUGES if kind == "gauge" else OF_COUNTERS
        if function not in allowed:
            raise self._wrong(f"{function or 'a span'} of {one.name}, which is a {kind}")

    def _known(self, name: str) -> Selector:
        if name in FOREIGN:
            return Selector(name, name, FOREIGN[name] | TARGET)
        for metric in CATALOGUE.values():
            for part in PARTS.get(metric.kind, ("",)):
                if name == metric.name + part:
                    labels = {*metric.labels, *({"le"} if part == "_bucket" else ())}
                    return Selector(name, metric.name, labels)
        raise self._wrong(f"{name} is no metric of the catalogue")

    def _matchers(self) -> Iterator[tuple[str, str]]:
        while True:
            kind, label = self._next()
            sign, (text, value) = self._next()[1], self._next()
            if kind != "word" or sign not in ("=", "=~", "!=", "!~") or text != "text":
                raise self._wrong(f"{label!r} {sign!r} {value!r} is no matcher")
            yield label, value[1:-1]
            if self._next()[1] == "}":
                return

    def _list(self, end: str) -> Iterator[str]:
        while True:
            kind, label = self._next()
            if kind != "word":
                raise self._wrong(f"{label!r} is no label")
            yield label
            if self._next()[1] == end:
                return

    def _next(self) -> tuple[str, str]:
        token = self.tokens[self.at]
        if token[0] == "end":
            raise self._wrong("ends in the middle")
        self.at += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._next()[1] != sign:
            raise self._wrong(f"{sign!r} is missing")

    def _wrong(self, why: str) -> Wrong:
        return Wrong(f"{self.text!r}: {why}")
