"""The search beside pandas, polars and gplearn: many expressions on a million real rows.

Values of 5000 expressions by ours, in the chunks of the search, and of a random sample of the same
expressions by each peer, one by one; then the same with what the search adds (standardise, trade,
score). Parity is checked first. Ours and the peers alternate within one run, so that a busy machine
hurts all of them alike.
Bars are the recorded ones of `--data DIR` or `HFT_TEST_DATA`, else planted ones; the first row says
which. `python -m benchmarks.search [--small] [--data DIR]`.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.search_peers import in_pandas, in_polars

SEED = 42
BARS, DAYS = "qqq_micro_bars_1m", 234
# Of the values' spread. Windows of one value have a deviation of rounding errors only; what divides
# by such is left out of the comparison.
PARITY = 1e-6


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: int
    expressions: int
    sample: int  # expressions a peer gets in each round
    rounds: int
    programs: int  # of gplearn's functions


FULL = Size(1_000_000, 5000, 40, 4, 40)
SMALL = Size(100_000, 500, 20, 3, 12)


def bars_of(data: str | None) -> Any:
    """The 234 days of recorded one-minute bars of QQQ, or as many that are made here."""
    from hft.research.data.load import load
    from hft.research.data.planted import planted
    from hft.research.search.market import of_research

    if data:
        return of_research(load(f"{data}/{BARS}/*.parquet"), returns_field="close")
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        planted(0.05, days=DAYS, seed=SEED).write_parquet(file.name)
        return of_research(load(file.name), returns_field="mid")


def market(rows: int, data: str | None) -> Any:
    """Those bars, repeated until there are enough rows."""
    bars = bars_of(data)
    index = np.arange(rows) % bars.rows
    turn = np.arange(rows) // bars.rows
    days = len(bars.days)
    session = bars.session[index] + turn * days
    sessions = int(session[-1]) + 1
    return replace(
        bars,
        table=np.array(bars.table[:, index]),
        earned=np.array(bars.earned[index]),
        cost=np.array(bars.cost[index]),
        session=session,
        starts=np.array([0, rows]),
        pool=np.zeros((0, rows)),
        days=tuple(range(sessions)),
        day_ns=tuple(range(sessions)),
    )


def expressions(fields: Sequence[str], count: int) -> list[Any]:
    """Different expressions as random mode draws them."""
    from hft.research.search.candidates import Drawn, stream

    drawn, found = Drawn(fields, stream(SEED, 0)), {}
    while len(found) < count:
        expression = drawn.random()
        found.setdefault(expression.canonical, expression)
    return list(found.values())


class Seconds(NamedTuple):
    """Time by the wall and time of this process on all cores; a busy machine moves the first."""

    wall: float
    cpu: float


def _timed(call: Callable[[], Any], count: int = 1) -> Seconds:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Seconds((time.perf_counter() - wall) / count, (time.process_time() - cpu) / count)


def parity(sample: Sequence[Any], columns: dict[str, np.ndarray]) -> int:
    """Compare values with pandas. Returns: expressions compared. Raises: ValueError."""
    import pandas as pd

    from hft.research.expressions.evaluate import evaluate

    frame = pd.DataFrame(columns)
    for expression in sample:
        ours = evaluate([expression], columns)[0]
        theirs = in_pandas(expression.node, frame).to_numpy()
        scale = np.nanstd(ours) + PARITY * PARITY
        wrong = np.nanmax(np.abs(ours - theirs) / (np.abs(ours) + scale), initial=0.0)
        if wrong > PARITY and not _fragile(expression):
            raise ValueError(f"{expression}: pandas differs by {wrong:.1e} of the value")
    return len(sample)


def _fragile(expression: Any) -> bool:
    """Ratios and correlations of a pandas rolling sum carry its rounding: not comparable."""
    return any(name in expression.canonical for name in ("ts_std", "ts_corr", "div", "zscore"))


def against(size: Size, data: str | None) -> Iterator[dict[str, Any]]:
    """Ours beside pandas and polars, alternating."""
    import pandas as pd
    import polars as pl

    from hft.research.expressions.expression import parse
    from hft.research.search.measure import measure
    from hft.research.search.run import chunks_of, in_order

    place = market(size.rows, data)
    every = expressions(place.fields, size.expressions)
    columns = {
        name: np.nan_to_num(place.table[k]) for k, name in enumerate(place.fields)
    }  # pandas and polars treat gaps otherwise; ours keeps the real ones
    rng = np.random.Generator(np.random.Philox(key=SEED))
    few = {name: column[:20_000] for name, column in columns.items()}
    compared = parity([every[k] for k in rng.choice(len(every), 40, replace=False)], few)
    chunks = [[parse(text) for text in chunk] for chunk in chunks_of(in_order(every))]
    frames = pd.DataFrame(columns), pl.DataFrame(columns)
    measure(chunks[0][:8], place)
    names = ("ours", "ours_with_scores", "pandas", "polars")
    seconds: dict[str, list[Seconds]] = {name: [] for name in names}
    shares = np.array_split(np.arange(len(chunks)), size.rounds)
    for share in shares:
        mine = [chunks[k] for k in share]
        count = sum(len(chunk) for chunk in mine)
        seconds["ours"].append(_timed(lambda c=mine: [values(one, place) for one in c], count))
        scored = [mine[0][:256]]
        seconds["ours_with_scores"].append(
            _timed(lambda c=scored: [measure(one, place) for one in c], len(scored[0]))
        )
        picked = [every[k] for k in rng.choice(len(every), size.sample, replace=False)]
        seconds["pandas"].append(_mean(picked, lambda e: in_pandas(e.node, frames[0])))
        said = [e for e in picked if in_polars(e.node) is not None]
        seconds["polars"].append(
            _mean(said, lambda e: frames[1].select(in_polars(e.node).alias("x")))
        )
    yield {
        "row": "expressions",
        "what": f"{len(every)} expressions on {size.rows:,} rows of real bars (repeated)",
        "compared_with_pandas": compared,
        "sampled": f"pandas {size.sample * size.rounds} of them, polars those without rank()",
        "ours_with_scores_per_s": round(
            1 / statistics.fmean(one.cpu for one in seconds["ours_with_scores"]), 2
        ),
        **_figures(seconds, "pandas"),
        **_figures(seconds, "polars"),
    }


def values(chunk: Sequence[Any], place: Any) -> None:
    """The values of every expression on every row, block by block; what takes them is left out."""
    from hft.research.expressions.evaluate import BLOCK, Evaluation, graphs, rank_whole
    from hft.research.search.measure import Lanes
    from hft.research.search.trade import LANES

    for _, _, graph in graphs(chunk, place.fields, place.rows, BLOCK, 2048):
        lanes, evaluation = Lanes.of(graph), Evaluation(graph)
        whole, answers = np.empty((graph.whole, place.rows)), np.empty((LANES, BLOCK))
        for phase, parts in enumerate(lanes.parts):
            for lo in range(0, place.rows, BLOCK):
                hi = min(place.rows, lo + BLOCK)
                for part in parts:
                    evaluation.steps(part.program, place.table, whole, answers, lo, hi)
            rank_whole(graph, phase, whole)


def _figures(seconds: dict[str, list[Seconds]], peer: str) -> dict[str, Any]:
    """Throughputs and ratios by both clocks, over the run and round by round."""
    ours, theirs = seconds["ours"], seconds[peer]
    found: dict[str, Any] = {}
    for clock in Seconds._fields:
        mine, other = ([getattr(one, clock) for one in series] for series in (ours, theirs))
        found[f"ours_per_{clock}_s"] = round(1 / statistics.fmean(mine), 2)
        found[f"{peer}_per_{clock}_s"] = round(1 / statistics.fmean(other), 2)
        found[f"over_{peer}_{clock}"] = round(statistics.fmean(other) / statistics.fmean(mine), 2)
        found[f"over_{peer}_{clock}_by_round"] = [
            round(b / a, 1) for a, b in zip(mine, other, strict=True)
        ]
    return found


def _mean(picked: Sequence[Any], call: Callable[[Any], Any]) -> Seconds:
    return _timed(lambda: [call(one) for one in picked], len(picked))


GPLEARN = {"add": "add", "sub": "sub", "mul": "mul", "div": "div", "abs": "abs", "neg": "neg"}


def gplearn(size: Size, data: str | None) -> Iterator[dict[str, Any]]:
    """gplearn's own random programs on its own functions: its fitness beside our whole score."""
    from gplearn.fitness import _fitness_map
    from gplearn.functions import _function_map

    from hft.research.search.measure import measure

    place = market(size.rows, data)
    table = np.ascontiguousarray(np.nan_to_num(place.table).T)
    target, weight = np.append(place.earned[1:], 0.0), np.ones(size.rows)
    functions = [_function_map[name] for name in GPLEARN]
    programs = _programs(size.programs, len(place.fields), functions, _fitness_map["pearson"])
    mine = [_ours(program.program, place.fields) for program in programs]
    measure(mine[:4], place)
    seconds: dict[str, list[Seconds]] = {"ours": [], "gplearn": []}
    for part in np.array_split(np.arange(len(programs)), size.rounds):
        chosen = [mine[k] for k in part]
        seconds["ours"].append(_timed(lambda c=chosen: measure(c, place), len(part)))
        seconds["gplearn"].append(
            _mean([programs[k] for k in part], lambda p: p.raw_fitness(table, target, weight))
        )
    yield {
        "row": "gplearn",
        "what": f"{len(programs)} random programs of add sub mul div abs neg, {size.rows:,} rows",
        **_figures(seconds, "gplearn"),
    }


def _programs(count: int, fields: int, functions: list[Any], metric: Any) -> list[Any]:
    """Different random programs of two levels of functions, as gplearn makes them."""
    from gplearn._program import _Program

    arities: dict[int, list[Any]] = {}
    for function in functions:
        arities.setdefault(function.arity, []).append(function)
    found: dict[str, Any] = {}
    seed = SEED
    while len(found) < count:
        program = _Program(
            function_set=functions,
            arities=arities,
            init_depth=(2, 2),
            init_method="full",
            n_features=fields,
            const_range=None,
            metric=metric,
            p_point_replace=0.05,
            parsimony_coefficient=0.0,
            random_state=np.random.RandomState(seed),
        )
        seed += 1
        found.setdefault(str(program), program)
    return list(found.values())


def _ours(program: list[Any], fields: Sequence[str]) -> Any:
    """A gplearn program (prefix order) as an expression of ours."""
    from hft.research.expressions.expression import parse

    words = iter(program)

    def text() -> str:
        word = next(words)
        if isinstance(word, int | np.integer):
            return fields[int(word)]
        return f"{word.name}({', '.join(text() for _ in range(word.arity))})"

    return parse(text(), fields)


def whole_search(size: Size, data: str | None) -> Iterator[dict[str, Any]]:
    """The search by one worker, two and Dask, and once stopped in the middle and resumed."""
    from hft.research.search.run import Plan, ranking, run

    place = market(size.rows, data)
    plan = Plan(trials=size.expressions)
    outcomes: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for name, options in (
        ("one worker", {}),
        ("two workers", {"workers": 2}),
        ("two Dask workers", {"workers": 2, "executor": "dask"}),
    ):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            state = run(plan, place, Path(folder), **options)  # type: ignore[arg-type]
            seconds[name] = time.perf_counter() - start
            outcomes[name] = [(f.expression.canonical, f.figures) for f in ranking(state)]
    with tempfile.TemporaryDirectory() as folder:
        reached = _killed(plan, place, Path(folder))
        state = run(plan, place, Path(folder))
        outcomes["killed and resumed"] = [
            (f.expression.canonical, f.figures) for f in ranking(state)
        ]
    first = outcomes["one worker"]
    yield {
        "row": "search",
        "what": f"random search of {size.expressions} on {size.rows:,} rows",
        "seconds": {name: round(took, 1) for name, took in seconds.items()},
        "ranked": len(first),
        "killed_after": reached,
        "identical": {name: outcome == first for name, outcome in outcomes.items()},
    }


class _Stop(Exception):
    """Stands for a kill: nothing of the search's own code runs after it."""


def _killed(plan: Any, place: Any, folder: Path) -> int:
    from hft.research.search.run import run

    reached = 0

    def stop(done: int, total: int) -> None:
        nonlocal reached
        reached = done
        if done >= total // 2:
            raise _Stop

    try:
        run(plan, place, folder, progress=stop)
    except _Stop:
        return reached
    raise ValueError("the search ended before it was stopped")


def peak_memory(size: Size, data: str | None) -> Iterator[dict[str, Any]]:
    """The most memory a search in one process ever held, data included."""
    command = [sys.executable, "-m", "benchmarks.search", "--only-ours"]
    command += [] if data is None else ["--data", data]
    if size is SMALL:
        command.append("--small")
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    yield {"row": "memory", "what": "peak of one process, data included", **json.loads(text)}


def only_ours(size: Size, data: str | None) -> dict[str, Any]:
    """Measure everything once in this process and say how much memory that took."""
    from hft.research.expressions.expression import parse
    from hft.research.search.measure import measure
    from hft.research.search.run import chunks_of, in_order

    place = market(size.rows, data)
    for chunk in chunks_of(in_order(expressions(place.fields, size.expressions))):
        measure([parse(text) for text in chunk], place)
    return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


PARTS = (against, gplearn, whole_search, peak_memory)


def rows(size: Size, data: str | None) -> Iterator[dict[str, Any]]:
    """Every row of the report; a peer that is not installed is a row with the reason."""
    yield {"row": "market", "what": data or "made here: HFT_TEST_DATA names no recorded bars"}
    for part in PARTS:
        try:
            yield from part(size, data)
        except ModuleNotFoundError as error:
            yield {"row": part.__name__, "not_measured": f"{error.name} is not installed"}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rows as JSON lines."""
    parser = argparse.ArgumentParser(description="The search beside its peers.")
    parser.add_argument("--small", action="store_true", help="a tenth of the size")
    recorded = os.environ.get("HFT_TEST_DATA")
    parser.add_argument("--data", default=recorded, help="folder of recorded markets")
    parser.add_argument("--only-ours", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    size = SMALL if given.small else FULL
    if given.only_ours:
        print(json.dumps(only_ours(size, given.data)))
        return 0
    for row in rows(size, given.data):
        print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
