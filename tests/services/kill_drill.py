"""Real processes, killed at random moments under load: `make kill-drill` (200 times).

A gateway trades with a venue that is a process of its own; it is killed with -9 and started again.
In the end: no command reached the venue twice, no answered intent is missing in the journal, none
was answered in two ways, and gateway and venue agree on orders and positions. That syncs are done a
kill cannot show, since memory survives it: the simulation does.
"""

import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Client
from pathlib import Path
from typing import IO, Any

from hft.gateway.stores import key_of_text
from hft.services.journal import Journal
from hft.trading.inputs import InputKind

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 1.0  # of a life under load


@dataclass
class Result:
    """What was seen; `told` has the answer of each key."""

    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)  # keys that were answered in two ways
    ready_s: list[float] = field(default_factory=list)  # from the start of the service to ready
    start_s: list[float] = field(default_factory=list)  # from the start of the process to ready
    records: int = 0
    lost: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    believes: dict[str, Any] = field(default_factory=dict)

    def complaints(self) -> list[str]:
        """What must not be."""
        facts, found = self.facts, []
        if facts["twice"] or facts["orders twice"]:
            found.append(f"{facts['twice']} commands and {facts['orders twice']} orders came twice")
        if self.lost:
            found.append(f"{self.lost} answered intents are not in the journal")
        if self.changed:
            found.append(f"keys were answered in two ways: {self.changed[:3]}")
        resting = {one: lots for one, (_, lots) in facts["resting"].items()}
        if resting != self.believes["resting"]:
            found.append(f"the venue has {resting}, the gateway {self.believes['resting']}")
        lots = [facts["lots"].get(divmod(at, 2), 0) for at in range(4)]
        if lots != self.believes["positions"]:
            found.append(f"the venue filled {lots}, the gateway holds {self.believes['positions']}")
        return found


@contextlib.contextmanager
def _process(module: str, *given: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"tests.services.{module}", *given]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def drill(folder: Path, kills: int, seed: int = 0) -> Result:
    """Kill a gateway so many times, then look at all of it."""
    result, draw = Result(), random.Random(seed)
    with tempfile.TemporaryDirectory() as short:  # a socket's name may not be long
        address = os.path.join(short, "venue")
        with _process("kill_venue", address, str(seed)) as venue:
            _line(venue.stdout)
            for number in range(kills):
                _one_life(result, folder, address, number, draw.random() * LONGEST_S)
            _look(result, folder, address)
            with Client(address, "AF_UNIX") as asking:
                asking.send(("over",))
    _read_journal(result, folder)
    return result


def _line(output: IO[str] | None) -> list[str]:
    assert output is not None
    return output.readline().split()


def _one_life(result: Result, folder: Path, address: str, number: int, load_s: float) -> None:
    began = time.perf_counter()
    with _process("kill_process", str(folder), address, str(number), "load") as process:
        word, *said = _line(process.stdout)
        assert word == "ready", (word, said)
        result.start_s.append(time.perf_counter() - began)
        result.ready_s.append(float(said[0]))
        timer = time.perf_counter() + load_s
        while time.perf_counter() < timer:
            _hear(result, _line(process.stdout))
        process.kill()
        assert process.stdout is not None
        for line in process.stdout.read().split("\n")[:-1]:  # the last may be cut
            _hear(result, line.split())


def _hear(result: Result, words: list[str]) -> None:
    """An answer: the first of a key counts, but for those that say to ask again."""
    if not words or words[0] != "told":
        return
    _, key, reason, cmd_id = words
    if reason.startswith("DEDUP"):
        return
    said = (reason, cmd_id if reason == "OK" else "0")
    if result.told.setdefault(key, said) != said:
        result.changed.append(f"{key} {result.told[key]} {said}")


def _look(result: Result, folder: Path, address: str) -> None:
    """A last life that decides nothing, and what the venue has seen when it is quiet."""
    with Client(address, "AF_UNIX") as asking:
        asking.send(("quiet",))
        with _process("kill_process", str(folder), address, "0", "look") as process:
            lines = [_line(process.stdout) for _ in range(2)]
        result.believes = _believed(*lines[1][1:])
        asking.send(("facts",))
        result.facts = asking.recv()


def _believed(positions: str, *resting: str) -> dict[str, Any]:
    """What a process said of itself: lots held, and `order:open lots` of what it has working."""
    orders = [one.split(":") for one in resting]
    return {
        "positions": [int(lots) for lots in positions.split(",")],
        "resting": {int(one): int(lots) for one, lots in orders},
    }


def _read_journal(result: Result, folder: Path) -> None:
    journal = Journal(folder / "journal", "account0", shared=True)
    keys: set[tuple[int, int]] = set()
    for rows in journal.read(1 << 60):
        result.records += len(rows)
        intents = rows[rows["kind"] == InputKind.INTENT]
        keys |= set(zip(intents["key_hi"].tolist(), intents["key_lo"].tolist(), strict=True))
    result.lost = sum(key_of_text(key) not in keys for key in result.told)


def main(given: list[str]) -> int:
    """The command."""
    kills = int(given[0]) if given else 200
    with tempfile.TemporaryDirectory() as folder:
        result = drill(Path(folder), kills, int(given[1]) if len(given) > 1 else 0)
    facts = result.facts
    print(
        f"{kills} kills: {facts['commands']} commands and {facts['fills']} fills at the venue, "
        f"{facts['twice']} twice; {len(result.told)} answered intents, {result.lost} lost; "
        f"{result.records} records"
    )
    for name, times in (("service", result.ready_s), ("process", result.start_s)):
        print(
            f"start of the {name} to ready: median {statistics.median(times) * 1e3:.0f} ms, "
            f"longest {max(times) * 1e3:.0f} ms"
        )
    found = result.complaints()
    print(*found or ["nothing to complain of"], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
