"""A workspace of small bad files, and the commands that meet them."""

import contextlib
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np

from hft.cli import app

ROOT = Path(__file__).resolve().parents[1]
START_NS = 1_700_000_000_000_000_000
FILE_LIMIT = 2 << 20  # bytes: more than the reserve of a run folder, less than a long journal
STRATEGIES = """
import hft

@hft.strategy(every="1s", state={"n": 0, "ring": [0, 0, 0]})
def compiled(view, order, p, s):
    s["n"] += 1
    if s["n"] == 50:
        view.to_ticks(1000.123)

@hft.strategy(every="1s", state={"n": 0})
class Called:
    def __init__(self):
        self.n = 0

    def on_wake(self, view, order):
        self.n += 1
        if self.n == 50:
            raise RuntimeError("my own mistake")

@hft.strategy(every="10s")
def many(view, order, p, s):
    for k in range(100):
        order.new(hft.BUY, view.bid_tick - k, 1)

@hft.strategy(every="1ms", state={"n": 0}, track=("n",))
def busy(view, order, p, s):
    s["n"] += 1

@hft.strategy(every="10s")
class Endless:
    def on_wake(self, view, order):
        while True:
            pass

@hft.strategy(every="1s")
def misspelt(view, order, p, s):
    order.quote(hft.BUY, view.bid_tik, 1)

@hft.strategy(every="1s")
def too_few(view):
    pass
"""
INSTRUMENTS = """
AAA: {tick: "0.5", lot: "1", currency: USD}
BBB: {tick: "0.5", lot: "1", currency: BTC}
"""


def quotes(rows: int = 2000) -> str:
    """Quotes every 100 ms around a random walk, with a trade at the touch now and then."""
    steps = np.random.Generator(np.random.PCG64(1)).integers(-1, 2, rows)
    lines = ["ts,bid,ask,bid_qty,ask_qty,price,qty,side"]
    for i, mid in enumerate(2000 + np.cumsum(steps)):
        bid, ask = (mid - 1) * 0.5, (mid + 1) * 0.5
        trade = f"{ask},1,buy" if i % 5 == 0 else f"{bid},2,sell" if i % 5 == 2 else ",,"
        lines.append(f"{START_NS + i * 100_000_000},{bid},{ask},5,5,{trade}")
    return "\n".join(lines) + "\n"


class Workspace:
    """A folder with two small datasets, strategies and one sealed run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "config").mkdir()
        (path / "config" / "instruments.yaml").write_text(INSTRUMENTS)
        (path / "mine.py").write_text(STRATEGIES)
        for name in ("AAA", "BBB"):
            (path / f"{name}.csv").write_text(quotes())
            self.ok("data", "ingest", f"{name}.csv", "--out", name)
        self.ok("replay", "run", "AAA", "-s", "two_sided")
        self.sealed = self.hashes()

    def start(self, *args: str, **named: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "hft.cli.app", *args]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.path, text=True, **pipes, **named)

    def hft(self, *args: str, **named: object) -> tuple[int, str, str]:
        """Exit code, output and errors; in a new process when that is to be special."""
        if named:
            process = self.start(*args, **named)
            told = process.communicate(timeout=300)
            return process.returncode, *told
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.path),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = app.run(list(args))
        return code, out.getvalue(), err.getvalue()

    def ok(self, *args: str) -> str:
        code, out, err = self.hft(*args)
        assert code == 0, err
        return out

    def fails(self, code: int, *args: str, **named: object) -> str:
        """The one sentence a failing command says; it leaves the sealed run as it was."""
        found, _, err = self.hft(*args, **named)
        assert "Traceback" not in err, err
        assert found == code, err
        said = [line for line in err.splitlines() if line.strip()]
        assert len(said) == 1 and said[0].startswith("hft: "), err
        assert self.hashes() == self.sealed
        return said[0].removeprefix("hft: ")

    def hashes(self) -> dict[str, str]:
        """sha256 of every file of every sealed run and of the tapes."""
        files = [*self.path.glob("runs/*/**/*"), *self.path.glob("AAA/*"), *self.path.glob("BBB/*")]
        return {
            str(file.relative_to(self.path)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(files)
            if file.is_file() and ".partial" not in str(file)
        }
