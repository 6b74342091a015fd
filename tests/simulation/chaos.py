"""Scenarios by the thousand, or one again by its seed: `python -m tests.simulation.chaos`.

`--seeds N` plays N of them in two processes and says what was met and what was not; `--seed n`
plays one twice, compares the traces, and of a violation prints what happened last, with the fewest
kinds of trouble that still lead to it. `--planted` hunts the planted bugs instead.
"""

import argparse
import gc
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable
from hashlib import blake2b
from multiprocessing import get_context
from typing import NamedTuple

from hft.core.errors import HftError
from tests.simulation.fault_coverage import to_meet
from tests.simulation.faults import KINDS
from tests.simulation.ledger import Wrong
from tests.simulation.product import PLANTED, Product
from tests.simulation.scenario import STEPS
from tests.simulation.worlds import WORLDS, play

CHUNK, TRAIL, SHOWN = 20, 60, 10
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


def play_all(seeds: Iterable[int], steps: int = STEPS, world: str = "core") -> Result:
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


def _chunk(task: tuple[range, int, str]) -> Result:
    return play_all(*task)


def play_many(first: int, count: int, processes: int, steps: int, world: str) -> Result:
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
    return [name for names in to_meet(world).values() for name in names if not seen[name]]


def found_after(bug: type[Product], most: int, world: str = "core") -> tuple[int, str] | None:
    """How many scenarios it took to find a planted bug, and what was said."""
    for seed in range(most):
        try:
            play(seed, bug(), STEPS, world)
        except (Wrong, HftError) as error:
            if _fails(seed, Product, list(KINDS), STEPS, world):
                continue  # not because of this bug
            return seed + 1, f"{type(error).__name__}: {error}"
    return None


def again(seed: int, product: type[Product], steps: int, world: str) -> int:
    """Play one scenario twice and say what happened. Returns: the exit code."""
    traces = []
    for _ in range(2):
        try:
            traces.append(play(seed, product(), steps, world).trace.hexdigest())
        except Exception as error:
            traces.append(f"{type(error).__name__}: {error}")
    print(f"seed {seed}, first time:  {traces[0]}\nseed {seed}, second time: {traces[1]}")
    if traces[0] != traces[1]:
        print("NOT DETERMINISTIC")
        return 1
    if ":" not in traces[0]:
        return 0
    faults, steps = _shrunk(seed, product, steps, world)
    played = WORLDS[world](seed, product(), steps=steps, faults=faults)
    played.trail = deque(maxlen=TRAIL)
    try:
        played.play()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        print(f"with {steps} steps and these troubles: {', '.join(faults) or 'none'}")
        print(*played.trail, said, sep="\n")
    return 1


def _shrunk(seed: int, product: type[Product], steps: int, world: str) -> tuple[list[str], int]:
    """The fewest kinds of trouble and the fewest steps that still end badly, found greedily."""
    faults = list(KINDS)
    for kind in KINDS:
        fewer = [one for one in faults if one != kind]
        if _fails(seed, product, fewer, steps, world):
            faults = fewer
    for shorter in (50, 100, 200, 400, 700):
        if shorter < steps and _fails(seed, product, faults, shorter, world):
            return faults, shorter
    return faults, steps


def _fails(seed: int, product: type[Product], faults: list[str], steps: int, world: str) -> bool:
    try:
        WORLDS[world](seed, product(), steps=steps, faults=faults).play()
    except Exception:
        return True
    return False


def report(result: Result, count: int, seconds: float, cpu: float, world: str) -> int:
    """Print what was met. Returns: the exit code; of a thousand, each state has to be met."""
    seen = result.seen
    for group, names in to_meet(world).items():
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
    for name, bug in PLANTED.items():
        found = found_after(bug, most, world)
        missed += found is None
        print(f"{name:24} " + (f"after {found[0]}: {found[1][:90]}" if found else "NOT FOUND"))
    return 1 if missed else 0


def main(given: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="tests.simulation.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--world", choices=WORLDS, default="service")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--bug", choices=PLANTED, help="with --seed: play it with this bug planted")
    asked = parser.parse_args(given)
    if asked.seed is not None:
        return again(asked.seed, PLANTED.get(asked.bug, Product), asked.steps, asked.world)
    if asked.planted:
        return _hunt(asked.seeds, asked.world)
    began = time.perf_counter()
    result = play_many(asked.first, asked.seeds, asked.processes, asked.steps, asked.world)
    children = sum(_cpu_of_children())
    return report(result, asked.seeds, time.perf_counter() - began, children, asked.world)


def _cpu_of_children() -> tuple[float, float]:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime, used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
