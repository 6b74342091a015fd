"""Reads Prometheus' text format 0.0.4 as its specification has it, and refuses all else.

The reader of prometheus-client takes a good deal more: a family in two pieces, a series twice, a
histogram without its last bucket.
"""

import re
from dataclasses import dataclass, field

NAME, LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r"[a-zA-Z_][a-zA-Z0-9_]*"
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\\\|\\n)*)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
PAIR = re.compile(rf'({LABEL})="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
SAMPLE = re.compile(
    rf'({NAME})(?:\{{((?:{LABEL}="(?:[^"\\\n]|\\\\|\\"|\\n)*"(?:,(?!\}})|(?=\}})))+)\}})? '
    r"(NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
)
ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
PARTS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
Key = tuple[str, tuple[tuple[str, str], ...]]  # of a sample: its name, and its labels in order


class NotSo(ValueError):
    """Text that is none of the format."""


@dataclass
class Family:
    name: str
    says: str
    kind: str = ""
    samples: dict[Key, float] = field(default_factory=dict)


def read(text: str) -> dict[str, Family]:
    """Families by name. Raises: NotSo naming the line."""
    if text and not text.endswith("\n"):
        raise NotSo("the last line does not end")
    found: dict[str, Family] = {}
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            _take(line, found)
        except NotSo as error:
            raise NotSo(f"line {number}: {line!r}: {error}") from None
    for one in found.values():
        _complete(one)
    return found


def _take(line: str, found: dict[str, Family]) -> None:
    now = list(found.values())[-1] if found else None
    if match := HELP.fullmatch(line):
        if match[1] in found:
            raise NotSo("a family begins twice")
        found[match[1]] = Family(match[1], _plain(match[2]))
    elif match := TYPE.fullmatch(line):
        if now is None or now.name != match[1] or now.kind or now.samples:
            raise NotSo("a type that does not follow its help")
        now.kind = match[2]
    elif match := SAMPLE.fullmatch(line):
        names = [] if now is None else [now.name + part for part in PARTS.get(now.kind, ())]
        if now is None or match[1] not in names:
            raise NotSo("a sample outside of its family")
        labels = tuple((one[1], _plain(one[2])) for one in PAIR.finditer(match[2] or ""))
        if len(dict(labels)) < len(labels):
            raise NotSo("a label twice")
        if (key := (match[1], labels)) in now.samples:
            raise NotSo("a series twice")
        now.samples[key] = float(match[3])
    else:
        raise NotSo("is neither help nor type nor sample")


def _plain(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda found: ESCAPED[found[0]], text)


def _complete(one: Family) -> None:
    """Raises: NotSo."""
    if not one.kind or not one.samples:
        raise NotSo(f"{one.name}: a family without type or samples")
    if one.kind == "counter" and not all(value >= 0 for value in one.samples.values()):
        raise NotSo(f"{one.name}: a counter below 0")
    if one.kind != "histogram":
        return
    buckets = [(dict(at), n) for (name, at), n in one.samples.items() if name.endswith("_bucket")]
    ends = [float(at["le"]) for at, _ in buckets if set(at) == {"le"}]
    counts = [count for _, count in buckets]
    if len(ends) < len(buckets) or ends != sorted(set(ends)) or ends[-1:] != [float("inf")]:
        raise NotSo(f"{one.name}: buckets {ends}")
    whole = one.samples.get((f"{one.name}_count", ()))
    if counts != sorted(counts) or counts[-1] != whole:
        raise NotSo(f"{one.name}: {counts} in buckets, {whole} in all")
    if (f"{one.name}_sum", ()) not in one.samples:
        raise NotSo(f"{one.name}: has no sum")
