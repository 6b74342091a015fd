"""Rows of the report on start-up: commands over bare Python, and the first ones of a fresh wheel.

The wheel is `dist/*.whl` as `make wheel` leaves it, with its compiled kernels and the versions they
were compiled with; without one these rows say so.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.edit import edit_command
from benchmarks.environments import ROOT, NotMeasured
from benchmarks.measure import Goal, Row, Series
from benchmarks.startup import Starts, Times, hft_command, once, starts

# The least that any strategy costs which is compiled: what numba takes for one line.
ONE_LINE = "import numba\n@numba.njit('int64(int64)')\ndef f(x):\n    return x + 1\n"
CSV_ROWS = 2_000


def startup(bench: Bench) -> Iterator[Row]:
    """Whole commands in fresh processes, each beside a Python that does nothing."""
    python = str(bench.our_python)
    yield _row("import", "`import hft`", 3.0, lambda: _plain(bench, [python, "-c", "import hft"]))
    yield _row("help", "`hft --help`", 12.0, lambda: _plain(bench, [*hft_command(), "--help"]))
    edit = _row("edit", "edit a strategy file, replay it, warm cache", 90.0, lambda: _edited(bench))
    least = starts([python, "-c", ONE_LINE], 3, python).cpu_ratio
    edit.facts["numba alone, a function of one line, over bare Python"] = round(least.median, 1)
    yield edit
    with tempfile.TemporaryDirectory() as name:
        try:
            world: Wheel | NotMeasured = Wheel(Path(name))
        except NotMeasured as error:
            world = error
        for row, title in (
            ("first-ingest", "first ingest of a fresh wheel, compiled kernels brought"),
            ("first-replay", "first replay of a fresh wheel, compiled kernels brought"),
        ):
            yield _row(row, title, 200.0, partial(_first, bench, world, row))


def _row(name: str, title: str, bound: float, measure: Callable[[], Starts]) -> Row:
    row = Row(name, f"{title}, over bare Python", "CPU s", goal=Goal(bound, at_least=False))
    try:
        found = measure()
    except NotMeasured as error:
        row.reason = str(error)
        return row
    row.ours, row.peer, row.ratio = *map(_seconds, found), found.cpu_ratio
    wall = Series(tuple(a.wall_s / b.wall_s for a, b in zip(*found, strict=True)))
    row.facts["the same of wall time"] = round(wall.median, 1)
    return row


def _seconds(found: tuple[Times, ...]) -> Series:
    """Of the processor: on a machine that others use, wall time says more of them than of us."""
    return Series(tuple(one.cpu_s for one in found))


def _plain(bench: Bench, command: list[str]) -> Starts:
    return starts(command, bench.runs, str(bench.our_python))


def _edited(bench: Bench) -> Starts:
    """Each run edits the file first, so that the strategy and nothing else is compiled again."""
    command = edit_command(0)
    return starts(command, bench.runs, str(bench.our_python), before=edit_command)


class Wheel:
    """An environment that has the wheel of `dist`, and files of one's own to begin with."""

    def __init__(self, home: Path) -> None:
        found = sorted((ROOT / "dist").glob("hft-*.whl"))
        if not found:
            raise NotMeasured("there is no wheel in dist; `make wheel` builds one")
        sys.path.insert(0, str(ROOT / "tests"))
        import foreign_repo

        self.home = home
        self.bin = foreign_repo.make_environment(home / "env")
        words = ["-m", "pip", "--python", str(self.bin / "python"), "install", "-q", "--no-index"]
        subprocess.run([sys.executable, *words, "--no-deps", str(found[-1])], check=True)
        for path in [*(home / "env").rglob("*"), home / "env"]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
        lines = ["ts,bid,bid_qty,ask,ask_qty"]
        lines += [
            f"{1_700_000_000_000 + 100 * k},{k % 7 + 100},5,{k % 7 + 101},5"
            for k in range(CSV_ROWS)
        ]
        (home / "quotes.csv").write_text("\n".join(lines) + "\n")

    def first(self, name: str, run: int) -> Times:
        """One first command on a machine that compiled nothing; it must leave nothing compiled."""
        cache = self.home / f"cache-{name}-{run}"
        hft = str(self.bin / "hft")
        ingest = [hft, "data", "ingest", "quotes.csv", "--columns", "ts=ts", "--symbol", "X"]
        ingest += ["--tick", "1", "--lot", "1", "--out", f"tapes-{name}-{run}"]
        replay = [hft, "replay", "run", f"tapes-{name}-{run}", "-s", "market_making"]
        replay += ["--record", "digest"]
        # Bytecode is there; what is compiled to machine code would be in the cache.
        more = {"HFT_CACHE_DIR": str(cache)}
        if name == "first-replay":
            once(ingest, self.home, more)
        took = once(ingest if name == "first-ingest" else replay, self.home, more)
        compiled = sorted(path.name for path in cache.rglob("*.nbi"))
        if compiled:
            raise NotMeasured(f"it compiled {', '.join(compiled)}")
        return took


def _first(bench: Bench, world: Wheel | NotMeasured, name: str) -> Starts:
    if isinstance(world, NotMeasured):
        raise world
    python = [str(world.bin / "python"), "-c", "pass"]
    world.first(name, 0)  # pages of the files into memory
    pairs = [(world.first(name, k + 1), once(python, world.home)) for k in range(bench.runs)]
    return Starts(tuple(mine for mine, _ in pairs), tuple(bare for _, bare in pairs))
