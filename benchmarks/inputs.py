"""Ready again: a million keys and a tail of the journal, beside reading and checking those files.

`python -m benchmarks.inputs` writes the journal of a gateway that decided a million intents with a
key each, half of them approved and their orders ended by an answer, and a checkpoint a hundred
thousand records before its end. In turns it reads and checks the files, makes a gateway ready from
checkpoint and tail, and decides everything again from the first record; and it starts a process
that does the second. The states must be equal bit for bit.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.measure import Goal, Series
from hft.core.codes import ResponseKind
from hft.core.instruments import Instrument
from hft.core.numbers import resolve as resolve_instrument
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.services.checkpoint import FOLDER, Checkpoints
from hft.services.desk_file import keep_plan, load_desk
from hft.services.history import TOPIC, History
from hft.services.recovery import recover
from hft.settings.limits import read_limits
from hft.storage.commit import GROUP_KIND
from hft.storage.groups import FIRST, GROUP_MAX
from hft.storage.log import LogWriter, segment_paths
from hft.storage.raw import read_raw
from hft.trading.desk import Desk
from hft.trading.inputs import HEARD, INPUT, SCHEMA, InputKind

ACCOUNT = "account"
START_NS = 1_700_000_000_000_000_000
STEP_NS = 20_000
MID = 10_000
READY, AGAIN = 3.0, 2.0  # what is aimed at


def new_desk(keys: int) -> Desk:
    """A gateway of one instrument with every check on and room for all keys."""
    instrument = Instrument("X", Decimal("0.1"), Decimal("0.001"), max_price=Decimal(100_000))
    table = np.array([resolve_instrument(instrument, 4, 1_000_000, 7)])
    given = Limits.from_dict(read_limits("bench"), "bench")
    limits = resolve(given, [instrument], [{"first_mid": MID}])
    return Desk(table, limits, accounts=[ACCOUNT], strategies=["one"], dedup_window=keys, room=1024)


def rows_of(intents: int, first_ns: int, seed: int) -> np.ndarray:
    """So many intents with a key each; every second one is too large, the other's order ends."""
    number = np.arange(intents)
    random = np.random.default_rng(seed)
    said = np.zeros(intents, INPUT)
    said["kind"] = InputKind.INTENT
    said["intent_id"], said["next_id"] = number + 1, number + 2
    said["side"] = number // 2 % 2
    said["price"] = MID + np.where(said["side"] == 0, -1, 1) * random.integers(1, 20, intents)
    said["qty"] = np.where(number % 2 == 0, 1, 1 << 30)
    said["order_type"] = 1
    said["key_hi"], said["key_lo"] = random.integers(1, 1 << 62, (2, intents))
    said["bid_tick"], said["ask_tick"], said["valid"] = MID - 1, MID + 1, 1
    answers = np.zeros((intents + 1) // 2, HEARD)
    answers["kind"], answers["code"] = InputKind.ANSWER, ResponseKind.CANCELLED
    answers["order_id"] = said["intent_id"][::2]
    answers["session"], answers["seq"] = 1, 1 + np.arange(len(answers))
    rows = np.zeros(intents + len(answers), INPUT)
    place = number + (number + 1) // 2
    rows[place] = said
    rows[place[::2] + 1] = answers.view(INPUT)
    rows["ts_ns"] = first_ns + STEP_NS * np.arange(len(rows))
    rows["touch_ns"] = np.where(rows["kind"] == InputKind.INTENT, rows["ts_ns"], rows["touch_ns"])
    return rows


@dataclass(frozen=True)
class World:
    """What lies on the disk, and what it must lead to."""

    folder: Path
    checkpoint: Path
    tail: int  # the first record behind the checkpoint
    records: int
    digest: str
    decisions: int = 0
    approved: int = 0


def write(folder: Path, intents: int, tail: int) -> World:
    """The journal, its checkpoint, and the state of the gateway that wrote them."""
    desk = new_desk(intents)
    keep_plan(desk, folder, ACCOUNT)
    rows = np.concatenate([desk.begin(START_NS), rows_of(intents, START_NS + 1, 5)])
    history, checkpoints = History(folder, ACCOUNT), Checkpoints(folder / FOLDER, ACCOUNT)
    options = {"schema": SCHEMA, "owner": ACCOUNT}
    log = LogWriter(history.place(1), TOPIC, **options)  # type: ignore[arg-type]
    cut = len(rows) - tail
    at, path = 0, None
    while at < len(rows):
        end = min(at + GROUP_MAX, len(rows) if at >= cut else cut)
        desk.replay(rows[at:end])
        log.append(START_NS, GROUP_KIND, FIRST.pack(at + 1) + rows[at:end].tobytes())
        at = end
        if at == cut:
            log.sync()
            for _ in history.read(cut):
                pass
            path = checkpoints.write(desk, history.mark())
    log.close()
    if path is None:
        raise ValueError(f"a tail of {tail} in {len(rows)} records leaves no checkpoint")
    head = desk.trading.head[0]
    decided = int(head["decisions"]), int(head["orders"])
    return World(folder, path, cut + 1, len(rows), desk.digest(), *decided)


def timed(call: Callable[[], str]) -> tuple[float, str]:
    began = time.perf_counter()
    said = call()
    return time.perf_counter() - began, said


def check_checkpoint_and_tail(world: World) -> str:
    read_raw(world.checkpoint)
    return str(sum(len(rows) for rows in History(world.folder, ACCOUNT).read(world.tail - 1)))


def check_journal(world: World) -> str:
    return str(sum(len(rows) for rows in History(world.folder, ACCOUNT).read()))


def ready(world: World) -> Desk:
    """A gateway that goes on: from checkpoint and tail."""
    desk = load_desk(world.folder, ACCOUNT)
    recover(desk, History(world.folder, ACCOUNT), Checkpoints(world.folder / FOLDER, ACCOUNT))
    return desk


def again(world: World) -> Desk:
    """The same from the first record, without the checkpoint."""
    desk = load_desk(world.folder, ACCOUNT)
    recover(desk, History(world.folder, ACCOUNT), Checkpoints(world.folder / "none", ACCOUNT))
    return desk


def start(world: World) -> float:
    """A whole process, from its first instruction until it is ready; seconds."""
    command = [sys.executable, "-m", "benchmarks.inputs", "--ready", str(world.folder)]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.stdout.strip() != world.digest:
        raise AssertionError(f"the process says {done.stdout}, not {world.digest}")
    return seconds


def plain(paths: list[Path]) -> None:
    """Every byte read at once and a crc over it, without looking at a frame; for scale."""
    for path in paths:
        zlib.crc32(path.read_bytes())


def a_round(world: World) -> dict[str, float]:
    """Every way once, in seconds; states are compared outside of the measured time."""
    out: dict[str, float] = {}
    out["check files"], _ = timed(lambda: check_checkpoint_and_tail(world))
    began = time.perf_counter()
    desk = ready(world)
    out["ready"] = time.perf_counter() - began
    assert desk.digest() == world.digest, "from checkpoint and tail"
    out["check journal"], _ = timed(lambda: check_journal(world))
    began = time.perf_counter()
    desk = again(world)
    out["again"] = time.perf_counter() - began
    segments = segment_paths(History(world.folder, ACCOUNT).place(1))
    began = time.perf_counter()
    plain(segments)
    out["plain journal"] = time.perf_counter() - began
    assert desk.digest() == world.digest, "from the first record"
    out["process"] = start(world)
    return out


def report(rounds: list[dict[str, float]]) -> list[str]:
    """A line a figure, then the ratios and whether they are what was aimed at."""
    lines = []
    for name in rounds[0]:
        series = Series(tuple(one[name] for one in rounds))
        lines.append(f"{name:14}{series.median:8.3f} s  [{series.low:.3f} .. {series.high:.3f}]")
    for what, base, aim in (("ready", "check files", READY), ("again", "check journal", AGAIN)):
        ratio = Series(tuple(one[what] / one[base] for one in rounds))
        verdict = Goal(aim, at_least=False).verdict(ratio)
        lines.append(
            f"{what} / {base}: {ratio.median:.2f} [{ratio.low:.2f} .. {ratio.high:.2f}], "
            f"aim {aim:g} at most: {verdict}"
        )
    return lines


def measure(intents: int, tail: int, count: int, place: Path) -> None:
    """Write, measure in turns, print."""
    folder = Path(tempfile.mkdtemp(prefix="bench-inputs-", dir=place))
    try:
        world = write(folder, intents, tail)
        segments = segment_paths(History(folder, ACCOUNT).place(1))
        size = sum(path.stat().st_size for path in segments)
        print(
            f"{world.decisions:,} intents with a key each, {world.approved:,} approved, in "
            f"{world.records:,} records, {size / 1e6:.0f} MB; checkpoint "
            f"{world.checkpoint.stat().st_size / 1e6:.0f} MB, tail {tail:,} records"
        )
        rounds = [a_round(world) for _ in range(count + 1)][1:]  # the first one warms up
        print("\n".join(report(rounds)))
        print(f"all states equal bit for bit: {world.digest[:16]}")
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure and print, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--intents", type=int, default=1_000_000)
    parser.add_argument("--tail", type=int, default=100_000, help="records behind the checkpoint")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("."), help="on the disk to measure")
    parser.add_argument("--ready", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ready is not None:
        print(ready(World(given.ready, given.ready, 0, 0, "")).digest())
        return
    facts = describe()
    print(
        f"{facts['cores']} cores of {facts['processor']}, Python {facts['python']}, "
        f"load {facts['load_at_start']}"
    )
    measure(given.intents, given.tail, given.rounds, given.folder)


if __name__ == "__main__":
    main()
