"""What a hostile author tries beside system calls: excesses, look-alikes, looks into blocks."""

import os
import textwrap
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hft.core.errors import ValidationError
from hft.research.alphas.recount import apart, confirmed, drawn_ends, recounted, sides
from hft.research.alphas.signals import counted, difference
from hft.research.data.sample import sample
from hft.research.worker import place, walls
from hft.research.worker.client import WorkerAlpha

pytestmark = pytest.mark.skipif(bool(walls.missing()), reason=f"no walls: {walls.missing()}")

HEAD = """
import ctypes, mmap, os, sys, threading, time
import numpy as np
from hft.research.alphas.manifest import AlphaManifest

libc = ctypes.CDLL(None, use_errno=True)
"""
STREAM = """
class Spy:
    manifest = AlphaManifest("spy", "h", "f", data_fields=("mid",), horizon_ns=10**9)
    def update(self, mid):
{body}
        return 0.0
    def reset(self):
        pass
    def get_signal(self):
        return 0.0
"""


def spy(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "spy"
    folder.mkdir()
    (folder / "impl.py").write_text(HEAD + text)
    return folder


def updating(tmp_path: Path, body: str) -> Path:
    text = textwrap.indent(textwrap.dedent(body), " " * 8)
    return spy(tmp_path, STREAM.format(body=text))


UNNAMED = """
held = []
while True:
    file = open("x", "w+b")
    file.write(b"1" * (32 << 20))
    file.flush()
    held.append(mmap.mmap(file.fileno(), 4096))
    file.close()
    os.remove("x")
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("libc.syscall(234, os.getpid(), os.getpid(), 40)", "was ended by signal 40"),
        ("for k in range(1500): os.mkdir('d'); os.chdir('d')", "made folders more than 8 deep"),
        (UNNAMED, "wrote more than 96 MB to the disk"),
        ("os.posix_fallocate(os.open('x', os.O_CREAT | os.O_RDWR), 0, 1 << 30)", "not permitted"),
        ("os.preadv(0, [bytearray(1)], 0, os.RWF_NOWAIT)", "not permitted"),
        ("assert libc.prctl(4, 0, 0, 0, 0) == 0", "AssertionError"),
    ],
)
def test_an_excess_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, body: str, said: str, monkeypatch
) -> None:
    monkeypatch.setattr(place, "DEEP_MOST", 8)
    monkeypatch.setattr(place, "WRITTEN_MOST", 96 << 20)
    with (
        pytest.raises(ValidationError, match=said),
        WorkerAlpha(updating(tmp_path, body)) as alpha,
    ):
        left = alpha._place.folder
        alpha.evaluate(sample(3, fields=("mid",)))
    assert not left.exists()


def test_a_folder_of_any_depth_is_removed(tmp_path: Path) -> None:
    deep = tmp_path / "given" / place.SCRATCH
    deep.mkdir(parents=True)
    opened = os.open(deep, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=opened)
        below = os.open("d", os.O_RDONLY, dir_fd=opened)
        os.close(opened)
        opened = below
    os.close(opened)
    place.remove(tmp_path / "given")
    assert not (tmp_path / "given").exists()


OTHERWISE = """
class Spy:
    manifest = AlphaManifest(
        "spy", "h", "f", data_fields=("mid", "ofi")[: 1 + (os.urandom(1)[0] % 2 ^ {turn})],
        horizon_ns=10**9,
    )
    def signals(self, frame):
        return frame["mid"]
"""


def test_an_alpha_that_describes_itself_otherwise_in_another_process_is_refused(
    tmp_path: Path,
) -> None:
    """By chance: half of the copies ask for a field more, and one of many shows it."""
    with (
        pytest.raises(ValidationError, match=r"describes itself otherwise.*: manifest"),
        WorkerAlpha(spy(tmp_path, OTHERWISE.format(turn=0))) as alpha,
    ):
        for _ in range(40):
            alpha.again().close()


TALKS = """
SAID = []
def talk():
    while True:
        SAID.append(time.monotonic())
        time.sleep(0.001)

threading.Thread(target=talk, daemon=True).start()

class Spy:
    manifest = AlphaManifest("spy", "h", "f", data_fields=("mid",), horizon_ns=10**9)
    def signals(self, frame):
        between = [b for b in SAID if b - SAID[0] > 0]
        return np.full(len(frame), float(max(np.diff(between), default=0.0)))
"""


def test_a_process_that_is_not_asked_does_not_run(tmp_path: Path) -> None:
    """Else its threads would hear what the signal's maker says by the machine's state."""
    with WorkerAlpha(spy(tmp_path, TALKS)) as alpha:
        time.sleep(1.0)
        (slept,) = set(alpha.evaluate(sample(3, fields=("mid",))))
    assert slept > 0.8


# A look one row ahead where the next move is large, remembered by the time of the row: one row in
# a hundred, and never found by rows that were seen before.
SPARSE = """
SEEN = {}

class Spy:
    manifest = AlphaManifest("spy", "h", "f", data_fields=("mid", "ts_ns"), horizon_ns=10**9)
    def signals(self, frame):
        mid, ts = frame["mid"].to_numpy(), frame["ts"].to_numpy().astype(np.int64)
        moves = np.append(np.diff(mid) / mid[:-1], 0.0)
        cheats = np.abs(moves) > LEVEL
        SEEN.update(zip(ts[cheats].tolist(), np.sign(moves[cheats]).tolist()))
        return np.array([SEEN.get(t, 0.0) for t in ts.tolist()])
"""


def sparse(tmp_path: Path, data) -> Path:
    moves = np.abs(np.diff(data.price) / data.price[:-1])
    level = float(np.quantile(moves, 0.99))
    return spy(tmp_path, SPARSE.replace("LEVEL", repr(level)))


def test_a_rare_look_ahead_is_found_where_it_earns(tmp_path: Path) -> None:
    data = sample(4_000, seed=9)
    with WorkerAlpha(sparse(tmp_path, data)) as alpha:
        signal = counted(alpha, data)
        again = recounted(alpha, data, signal, 0.3)
        assert apart(again, signal, (0.3,)).largest > 0.3, "found, whatever the blocks were"
        with pytest.raises(ValidationError, match="in other blocks it answers otherwise"):
            confirmed(alpha, data)


def test_an_honest_alpha_says_the_same_in_other_blocks(tmp_path: Path) -> None:
    data = sample(3_000, seed=2)
    text = """
class Spy:
    manifest = AlphaManifest("spy", "h", "f", data_fields=("mid",), horizon_ns=10**9)
    def signals(self, frame):
        return (frame["mid"] - frame["mid"].rolling_mean(20)).fill_null(0.0) * 10.0
"""
    with WorkerAlpha(spy(tmp_path, text)) as alpha:
        signal = confirmed(alpha, data)
    assert np.ptp(signal) > 0.6, "it never takes a side"


def test_ends_lie_behind_what_earned_and_are_drawn_anew() -> None:
    data = sample(3_000, seed=4)
    signal = np.sign(np.append(np.diff(data.price), 0.0))
    first, second = (drawn_ends(data, signal, 0.3, 90) for _ in range(2))
    assert first != second and 60 <= len(first) <= 90
    moves = np.abs(np.append(np.diff(data.price), 0.0))
    assert np.median(moves[np.array(first) - 1]) > 1.2 * np.median(moves)
    assert drawn_ends(data, np.full(len(data), np.nan), 0.3, 90) == []
    assert drawn_ends(data.head(0), signal[:0], 0.3, 90) == []


def test_names_of_a_panel_are_cut_by_their_own_earnings() -> None:
    one = sample(400, seed=4).frame.with_columns(symbol=pl.lit("a"))
    two = one.with_columns(symbol=pl.lit("b"))
    data = sample(400, seed=4)
    data = data.with_frame(pl.concat([one, two]).sort("ts", "symbol"))
    signal = np.where(data.frame["symbol"].to_numpy() == "a", 1.0, np.nan)
    ends = np.array(drawn_ends(data, signal, 0.3, 60))
    assert len(ends) > 20 and np.all(ends % 2 == 1), "the rows of the name that decides"


def test_a_side_taken_on_the_last_digit_is_wholly_apart() -> None:
    near = np.array([0.1, 0.3, -0.3, np.nan])
    moved = np.array([0.1, 0.3 + 1e-12, -0.3, np.nan])
    assert difference(near, moved).largest < 1e-9
    assert apart(near, moved, (0.1, 0.3)).row == 1
    assert apart(near, moved, (0.1,)).largest < 1e-9
    assert sides(moved, 0.3).tolist() == [0.0, 1.0, 0.0, 0.0]
