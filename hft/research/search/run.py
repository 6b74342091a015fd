"""A search from its plan to its ranking: draw, leave out what is known, measure, record, rank.

Rounds follow each other (one for random and template, one a generation for genetic); within a round
chunks are of a size that does not depend on the workers. Trials are recorded before a chunk counts
as done, so nothing that was looked at is missing from the ledger after a kill. It owns the run
folder; the ledger is the caller's.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.core.json_text import line
from hft.research.expressions.expression import Expression, parse
from hft.research.search.candidates import (
    POPULATION_MIN,
    Drawn,
    from_template,
    is_constant,
    next_generation,
    read_grid,
    stream,
)
from hft.research.search.identity import functions
from hft.research.search.journal import Journal
from hft.research.search.market import Market
from hft.research.search.measure import Measured
from hft.research.search.workers import Workers

MODES = ("random", "template", "genetic")
VERSION = "expressions 2"  # changes when a value or a return of the same expression changes
SCORED = 2  # changes when a score does: a search begins again, its trials stay the same trials
CHUNK_MIN, CHUNK_MAX = 16, 2048
CHUNKS_MIN = 4  # of a round, so that a kill costs a part of it only
DRAWS = 50  # how often a new expression is looked for before a family is called exhausted


@dataclass(frozen=True)
class Plan:
    """What is searched for; everything that can change the outcome is here or in the market."""

    mode: str = "random"
    trials: int = 100
    template: str | None = None
    grid: str = ""
    population: int = 40
    generations: int = 10
    seed: int = 42
    threshold: float = 0.3
    taker_bps: float = 0.2

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(f"mode: {self.mode!r} is none of {', '.join(MODES)}")
        if self.mode == "template" and not self.template:
            raise ConfigError("mode template needs a template; give --template 'ts_mean(x, {w})'")
        if self.trials < 1 or self.generations < 1:
            raise ConfigError("trials and generations are at least 1")
        if self.population < POPULATION_MIN:
            raise ConfigError(f"population: {self.population} is not at least {POPULATION_MIN}")
        if self.seed < 0:
            raise ConfigError(f"seed: {self.seed} is negative")

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return self.generations if self.mode == "genetic" else 1

    @property
    def scoring(self) -> dict[str, Any]:
        """What a score depends on besides expression and data; part of every trial's id."""
        return {"threshold": self.threshold, "taker_bps": self.taker_bps, "version": VERSION}


@dataclass
class Found:
    """One candidate as it was measured; `twin` is the expression whose positions it repeats."""

    expression: Expression
    figures: dict[str, Any]
    path: int
    twin: str = ""


@dataclass
class State:
    """What a search knows so far."""

    found: dict[str, Found] = field(default_factory=dict)  # canonical -> figures, in order
    known_functions: dict[str, str] = field(default_factory=dict)
    known_paths: dict[int, str] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)  # canonical not run -> what it repeats
    counts: dict[str, int] = field(
        default_factory=lambda: {"canonical": 0, "function": 0, "behaviour": 0}
    )
    drawn: int = 0
    price: str = ""  # as it was when the search first began


Record = Callable[[Sequence[tuple[Expression, str, tuple[float, ...]]]], None]
Progress = Callable[[int, int], None]


def digest(value: Any) -> str:
    """First 16 hex digits of the sha-256 of the sorted compact JSON."""
    return hashlib.sha256(line(value, finite=False).encode()).hexdigest()[:16]


def search_hash(plan: Plan, market: Market) -> str:
    """The name of a search: equal plan, equal data, equal outcome."""
    return digest(
        {"plan": asdict(plan), "market": market.hash, "version": VERSION, "scored": SCORED}
    )


def run(
    plan: Plan,
    market: Market,
    folder: Path,
    *,
    record: Record | None = None,
    workers: int = 1,
    executor: str = "processes",
    address: str | None = None,
    cache_mb: float = 2048,
    progress: Progress | None = None,
    price: str = "",
) -> State:
    """Search, or go on with a search that was interrupted in the same folder.

    `record` takes (expression, canonical form it counts as, daily net returns out of sample) of
    every candidate that was run, failures with no returns, before the search goes on.
    """
    journal = Journal(folder, search_hash(plan, market), price)
    state = State(price=journal.price)
    pool = Workers(
        market,
        folder,
        workers=workers,
        executor=executor,
        address=address,
        threshold=plan.threshold,
        cache_mb=cache_mb,
    )
    total = plan.population * plan.generations if plan.mode == "genetic" else 0
    with pool:
        for turn in range(plan.rounds):
            wanted = _candidates(plan, market, state, turn)
            fresh = _fresh(wanted, market, state)
            _measure(fresh, state, journal, pool, record, progress, total)
    return state


def first_round(plan: Plan, market: Market) -> list[Expression]:
    """What the first round will run; all of it where there is only one round."""
    state = State()
    return _fresh(_candidates(plan, market, state, 0), market, state)


def _candidates(plan: Plan, market: Market, state: State, turn: int) -> list[Expression]:
    """What a round would like to try, duplicates and all."""
    if plan.mode == "template":
        return from_template(plan.template or "", read_grid(plan.grid), market.fields)
    rng = stream(plan.seed, turn)
    if plan.mode == "genetic":
        ranked = [one.expression for one in ranking(state)] if turn else []
        return next_generation(ranked, plan.population, market.fields, rng)
    drawn = Drawn(market.fields, rng)
    found: dict[str, Expression] = {}
    for _ in range(DRAWS * plan.trials):
        expression = drawn.random()
        state.drawn += 1
        if expression.canonical in found:
            state.counts["canonical"] += 1
        found.setdefault(expression.canonical, expression)
        if len(found) == plan.trials:
            break
    state.drawn -= len(found)
    return list(found.values())


def _fresh(wanted: Sequence[Expression], market: Market, state: State) -> list[Expression]:
    """What of a round was never run: new in canonical form and new as a function."""
    state.drawn += len(wanted)
    unseen: dict[str, Expression] = {}
    for expression in wanted:
        known = expression.canonical in state.found or expression.canonical in state.same
        if known or expression.canonical in unseen:
            state.counts["canonical"] += 1
        else:
            unseen[expression.canonical] = expression
    fresh = []
    keys = functions(list(unseen.values()), market.fields)
    for (text, expression), key in zip(unseen.items(), keys, strict=True):
        if key is not None and key in state.known_functions:
            state.counts["function"] += 1
            state.same[text] = state.known_functions[key]
            continue
        if key is not None:
            state.known_functions[key] = text
        fresh.append(expression)
    return fresh


def in_order(expressions: Sequence[Expression]) -> list[str]:
    """Canonical texts so that what shares its largest part stands together."""
    return [expression.canonical for expression in sorted(expressions, key=_neighbourhood)]


def chunks_of(texts: Sequence[str], workers: int = 1) -> list[list[str]]:
    """Consecutive chunks, large ones: within a chunk what is shared is computed once.

    Results are taken in order, so the size of chunks decides nothing but the time it takes.
    """
    size = -(-len(texts) // max(CHUNKS_MIN, 2 * workers))
    size = min(CHUNK_MAX, max(CHUNK_MIN, size))
    return [list(texts[first : first + size]) for first in range(0, len(texts), size)]


def _neighbourhood(expression: Expression) -> tuple[str, str]:
    parts = [arg.text for arg in getattr(expression.node, "args", ())]
    return max(parts, key=len, default=""), expression.canonical


def _measure(
    fresh: Sequence[Expression],
    state: State,
    journal: Journal,
    pool: Workers,
    record: Record | None,
    progress: Progress | None,
    total: int,
) -> None:
    """Run what is new, chunk by chunk: record its trials, then keep its figures."""
    texts = in_order(fresh)
    known = [text for text in texts if text in journal.results]
    _keep([journal.results[text] for text in known], state)
    done = len(state.found)
    chunks = chunks_of(texts[len(known) :], pool.count)
    total = max(total, done + len(texts) - len(known))
    for chunk, figures in zip(chunks, pool.run(chunks), strict=True):
        results = [_row(text, one) for text, one in zip(chunk, figures, strict=True)]
        if record is not None:
            twins = _twins(results, state.known_paths)
            nets = [one.scored.net for one in figures]
            record([(parse(t), w, n) for t, w, n in zip(chunk, twins, nets, strict=True)])
        journal.finish(results)
        _keep(results, state)
        done += len(chunk)
        if progress is not None:
            progress(done, total)


def _row(text: str, one: Measured) -> dict[str, Any]:
    figures = one.scored.to_dict()
    del figures["net"]
    return {"expression": text, "path": one.path, "figures": figures}


def _twins(results: Sequence[dict[str, Any]], known: dict[int, str]) -> list[str]:
    """The canonical form each result counts as: its own, or the first with the same positions."""
    seen = dict(known)
    found = []
    for row in results:
        text, path = row["expression"], row["path"]
        trades = row["figures"]["reason"] != "never trades"
        found.append(seen.setdefault(path, text) if trades else text)
    return found


def _keep(results: Sequence[dict[str, Any]], state: State) -> None:
    for row, twin in zip(results, _twins(results, state.known_paths), strict=True):
        text = row["expression"]
        own = twin == text
        if own and row["figures"]["reason"] != "never trades":
            state.known_paths[row["path"]] = text
        state.counts["behaviour"] += not own
        state.found[text] = Found(parse(text), row["figures"], row["path"], "" if own else twin)


def ranking(state: State) -> list[Found]:
    """Every candidate that is one of its own, best first; those without a score last."""

    def key(one: Found) -> tuple[bool, float, str]:
        score = one.figures["score"]
        return score is None, -(score or 0.0), one.expression.canonical

    kept = [one for one in state.found.values() if not one.twin]
    return sorted((one for one in kept if not is_constant(one.expression)), key=key)
