"""Scenarios by the thousand, or one again by its seed: `python -m tests.simulation.chaos`.

`--seeds N` plays N of each world in two processes and says what was met and what was not;
`--seed n` plays one twice, compares the traces, and of a violation prints what happened last, with
the fewest kinds of trouble that still lead to it. `--planted` hunts the planted bugs instead.
"""

import argparse
import gc
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable
from hashlib import blake2b
from multiprocessing import get_context
from typing import Any, NamedTuple

from hft.core.errors import HftError
from tests.simulation.ledger import Wrong
from tests.simulation.worlds import WORLDS, play

CHUNK, TRAIL, SHOWN = 20, 60, 10
DEFAULT = ("service",)  # worlds that are played where none is named
ALL_FROM = 1000  # so many scenarios meet every trouble and every state, or it is a failure


class Result(NamedTuple):
    """Some scenarios: what was met, and by seed what was violated."""

    seen: Counter[str]
    wrong: dict[int, str]
    traces: dict[int, str]

    def digest(self) -> str:
        """Of the traces of all of them, in the order of their seeds."""
        whole = "".join(self.traces[seed] for seed in sorted(self.traces))
        return blake2b(whole.encode(), digest_size=16).hexdigest()


def play_all(seeds: Iterable[int], steps: int | None = None, world: str = "core") -> Result:
    """Play scenarios one after the other."""
    seen: Counter[str] = Counter()
    wrong: dict[int, str] = {}
    traces: dict[int, str] = {}
    for seed in seeds:
        gc.collect()  # a world is one knot, and few objects with large arrays
        try:
            played = play(seed, None, steps, world)
            seen += played.count()
            traces[seed] = played.trace.hexdigest()
        except Exception as error:
            wrong[seed] = f"{type(error).__name__}: {error}"
    return Result(seen, wrong, traces)


def _chunk(task: tuple[range, int | None, str]) -> Result:
    return play_all(*task)


def play_many(first: int, count: int, processes: int, steps: int | None, world: str) -> Result:
    """Play `count` scenarios from seed `first`; which process has which makes no difference."""
    play(first, None, 20, world)  # compiles before processes share the cache
    seen: Counter[str] = Counter()
    wrong: dict[int, str] = {}
    traces: dict[int, str] = {}
    ranges = [
        range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)
    ]
    with get_context("fork").Pool(processes) as pool:
        for part in pool.imap_unordered(_chunk, [(seeds, steps, world) for seeds in ranges]):
            seen += part.seen
            wrong |= part.wrong
            traces |= part.traces
        pool.close()
        pool.join()  # else their CPU seconds are nobody's
    return Result(seen, wrong, traces)


def not_hit(seen: Counter[str], world: str = "core") -> list[str]:
    """Kinds of trouble and states that were never met."""
    return [name for names in WORLDS[world].meets.values() for name in names if not seen[name]]


def found_after(name: str, most: int, world: str = "core") -> tuple[int, str] | None:
    """How many scenarios it took to find a planted bug, and what was said."""
    bug = WORLDS[world].planted[name]
    for seed in range(most):
        try:
            play(seed, bug(), world=world)
        except (Wrong, HftError, AssertionError) as error:
            if _fails(seed, None, world):
                continue  # not because of this bug
            return seed + 1, f"{type(error).__name__}: {error}"
    return None


def again(seed: int, bug: str | None, steps: int | None, world: str) -> int:
    """Play one scenario twice and say what happened. Returns: the exit code."""
    traces = []
    for _ in range(2):
        try:
            traces.append(play(seed, _product(bug, world), steps, world).trace.hexdigest())
        except Exception as error:
            traces.append(f"{type(error).__name__}: {error}")
    print(f"{world}: seed {seed}, first time:  {traces[0]}")
    print(f"{world}: seed {seed}, second time: {traces[1]}")
    if traces[0] != traces[1]:
        print("NOT DETERMINISTIC")
        return 1
    if ":" not in traces[0]:
        return 0
    faults, fewest = _shrunk(seed, bug, steps, world)
    played = WORLDS[world](seed, _product(bug, world), steps=fewest, faults=faults)
    played.trail = deque(maxlen=TRAIL)
    try:
        played.play()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        print(f"with {fewest} steps and these troubles: {', '.join(faults) or 'none'}")
        print(*played.trail, said, sep="\n")
    return 1


def _product(bug: str | None, world: str) -> Any:
    return None if bug is None else WORLDS[world].planted[bug]()


def _shrunk(seed: int, bug: str | None, steps: int | None, world: str) -> tuple[list[str], int]:
    """The fewest kinds of trouble and the fewest steps that still end badly, found greedily."""
    most = WORLDS[world].length if steps is None else steps
    faults = list(WORLDS[world].kinds)
    for kind in WORLDS[world].kinds:
        fewer = [one for one in faults if one != kind]
        if _fails(seed, bug, world, fewer, most):
            faults = fewer
    for part in (5, 10, 20, 40, 70):
        if _fails(seed, bug, world, faults, most * part // 100):
            return faults, most * part // 100
    return faults, most


def _fails(
    seed: int,
    bug: str | None,
    world: str,
    faults: list[str] | None = None,
    steps: int | None = None,
) -> bool:
    try:
        WORLDS[world](seed, _product(bug, world), steps=steps, faults=faults).play()
    except Exception:
        return True
    return False


def report(result: Result, count: int, seconds: float, cpu: float, world: str) -> int:
    """Print what was met. Returns: the exit code; of a thousand, each state has to be met."""
    seen = result.seen
    for group, names in WORLDS[world].meets.items():
        print(f"{group}: " + ", ".join(f"{name} {seen[name]}" for name in names))
    print(
        f"{count} scenarios ({world}), {seen['steps']} steps, {seen['lives']} lives, "
        f"{seen['rows']} records, {seconds:.0f} s ({cpu:.0f} CPU s): {len(result.wrong)} violations"
    )
    print(f"trace of all: {result.digest()}")
    missing = not_hit(seen, world)
    print(f"never met: {', '.join(missing) or 'nothing'}")
    for seed, said in sorted(result.wrong.items())[:SHOWN]:
        print(f"seed {seed}: {said[:200]}\n  make fuzz-crash SEED={seed} ARGS='--world {world}'")
    return 1 if result.wrong or (missing and count >= ALL_FROM) else 0


def _hunt(most: int, world: str) -> int:
    missed = 0
    for name in WORLDS[world].planted:
        found = found_after(name, most, world)
        missed += found is None
        said = f"after {found[0]}: {found[1][:90]}" if found else "NOT FOUND"
        print(f"{world:9} {name:34} {said}", flush=True)
    return 1 if missed else 0


def main(given: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="tests.simulation.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3000, help="of each world")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--world", choices=WORLDS, action="append", help="can be repeated")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--bug", help="with --seed: play it with this bug planted")
    asked = parser.parse_args(given)
    return max(_asked(asked, world) for world in asked.world or DEFAULT)


def _asked(asked: argparse.Namespace, world: str) -> int:
    if asked.seed is not None:
        return again(asked.seed, asked.bug, asked.steps, world)
    if asked.planted:
        return _hunt(asked.seeds, world)
    began, before = time.perf_counter(), sum(_cpu_of_children())
    result = play_many(asked.first, asked.seeds, asked.processes, asked.steps, world)
    seconds, cpu = time.perf_counter() - began, sum(_cpu_of_children()) - before
    return report(result, asked.seeds, seconds, cpu, world)


def _cpu_of_children() -> tuple[float, float]:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime, used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
