"""An alpha in a process of its own: the same numbers, and whatever goes wrong is a sentence."""

import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hft.core.errors import ValidationError
from hft.research.alphas import loader, signals
from hft.research.alphas.examples import examples
from hft.research.alphas.recount import confirmed
from hft.research.alphas.signals import counted
from hft.research.data.sample import sample
from hft.research.reproduction import digests
from hft.research.worker import walls
from hft.research.worker.client import WorkerAlpha
from hft.research.worker.roster import find
from hft.research.workspace import Workspace

HEAD = """
import os, sys, time
import numpy as np
import polars as pl
from hft.research.alphas.manifest import AlphaManifest

MANIFEST = AlphaManifest("one", "h", "f", data_fields=("mid",), horizon_ns=10**9)
"""
STREAM = (
    HEAD
    + """
class One:
    manifest = MANIFEST
    def update(self, mid):
        {update}
        return mid
    def reset(self):
        pass
    def get_signal(self):
        return 0.0
"""
)
BATCH = (
    HEAD
    + """
SEEN = []
class One:
    manifest = MANIFEST
    def signals(self, frame):
        {signals}
"""
)


def folder_of(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "impl.py").write_text(text)
    return folder


def rows(count: int = 400):
    return sample(count, fields=("mid",))


@pytest.mark.parametrize("name", sorted(examples()))
def test_every_shipped_alpha_says_the_same_in_a_worker(name: str) -> None:
    folder = examples()[name]
    here = loader.load_folder(folder)
    data = sample(900, seed=3, fields=here.manifest.data_fields)
    with WorkerAlpha(folder) as alpha:
        assert alpha.manifest == here.manifest and alpha.code_hash == here.code_hash
        expected = signals.evaluate(here, data)
        assert np.array_equal(signals.evaluate(alpha, data), expected, equal_nan=True)
        assert np.array_equal(counted(alpha, data), expected, equal_nan=True)
        assert len(set(digests(alpha, data, 2)[0])) == 1


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ("os.abort()", "ended by SIGABRT"),
        ("import signal; signal.raise_signal(9)", "ended by SIGKILL|Operation not permitted"),
        ("os._exit(3)", r"update\(\) raised ProcessEnded"),
        ("sys.exit(3)", r"update\(\) raised SystemExit: 3"),
        ("os.write(4, b'x' * 64); os.abort()", "announced|no JSON|ended by"),
        ("os.close(4); time.sleep(0.1)", "ended with exit code|ended"),
        ("raise ValueError('no such day')", r"raised ValueError: no such day at row 1 \(2023"),
        ("time.sleep(60)", "took longer than 3 s"),
        ("bytearray(6 << 30)", "MemoryError"),
        ("open('big', 'wb').write(bytes(200 << 20))", r"File too large|ended by SIGXFSZ"),
        ("return 'much'", "could not convert string to float|raised ValueError"),
    ],
)
def test_what_a_worker_does_wrong_is_a_sentence(tmp_path: Path, update: str, said: str) -> None:
    folder = folder_of(tmp_path, STREAM.format(update=update))
    limits = walls.Limits(memory=4 << 30)
    with (
        WorkerAlpha(folder, limits=limits, wait_s=3.0) as alpha,
        pytest.raises(ValidationError, match=said) as error,
    ):
        alpha.evaluate(rows())
    assert "hft-worker" not in str(error.value), "the copy's place means nothing to a user"


FORGED = """
import json, os, struct
def say(said, body=b""):
    text = json.dumps(said).encode()
    os.write(4, struct.pack("<IQ", len(text), len(body)) + text + body)
"""
TRUE = (
    '{"manifest": {}, "batch": True, "stream": True, "reads": [], "tried": [], "expression": "", '
)
TRUE += '"quotes": None}'


@pytest.mark.parametrize(
    "forged",
    [
        "say({})",
        "say([1])",
        "say(3)",
        f"say({TRUE} | {{'manifest': 3}})",
        f"say({TRUE} | {{'manifest': {{'alpha_id': ['x']}}}})",
        f"say({TRUE} | {{'manifest': {{'nothing': 1}}}})",
        f"say({TRUE} | {{'reads': 7}})",
        f"say({TRUE} | {{'tried': [None]}})",
        f"say({TRUE} | {{'quotes': 5}})",
        "say({'error': ['no text']})",
        "say({}, b'x' * 50)",
        "os.write(4, b'\\xff' * 12)",
        "os.write(4, struct.pack('<IQ', 4, 1 << 62) + b'null')",
        "os.write(4, struct.pack('<IQ', 3, 0) + b'{]}')",
        "os.write(4, struct.pack('<IQ', 8, 0) + b'\\xff' * 8)",
        "os.write(4, struct.pack('<IQ', 99999, 0) + b'[' * 99999)",
    ],
)
def test_a_forged_answer_is_a_sentence_and_never_a_traceback(tmp_path: Path, forged: str) -> None:
    folder = folder_of(tmp_path, f"{FORGED}{forged}\n{STREAM.format(update='pass')}")
    with pytest.raises(ValidationError):
        WorkerAlpha(folder, wait_s=5.0)


@pytest.mark.skipif(bool(walls.missing()), reason="limits stand with the walls")
def test_a_worker_that_only_computes_ends_with_its_processor_time(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, STREAM.format(update="while True: pass"))
    began = time.monotonic()
    with (
        WorkerAlpha(folder, limits=walls.Limits(cpu_s=2)) as alpha,
        pytest.raises(ValidationError, match=r"more than 2 s of processor time|SIGKILL"),
    ):
        alpha.evaluate(rows())
    assert time.monotonic() - began < 60


def test_an_alpha_that_cannot_be_loaded_is_told_with_the_users_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "import nothing_of_this_name")
    with pytest.raises(ValidationError, match="cannot be imported: ModuleNotFoundError") as error:
        WorkerAlpha(folder)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_brings_no_file_of_the_judge_into_a_worker(tmp_path: Path, kind: str) -> None:
    key = tmp_path / "keys" / "id"
    key.parent.mkdir()
    key.write_text("secret")
    folder = folder_of(tmp_path, STREAM.format(update="pass"))
    (folder / "data").symlink_to(key if kind == "file" else key.parent)
    if kind == "file":
        with pytest.raises(ValidationError, match=r"one/data: is a link or lies behind one"):
            WorkerAlpha(folder)
        return
    with WorkerAlpha(folder) as alpha:  # what lies behind a linked folder is no part of it
        assert not list(alpha._place.folder.rglob("id"))


def test_an_alphas_folder_has_a_size(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, STREAM.format(update="pass"))
    with (folder / "weights.bin").open("wb") as file:
        file.truncate(300 << 20)
    with pytest.raises(ValidationError, match="holds more than 256 MB"):
        WorkerAlpha(folder)


def test_an_alpha_that_cannot_answer_for_two_rows_is_no_matter_of_luck(tmp_path: Path) -> None:
    gradient = BATCH.format(signals="return np.gradient(frame['mid'].to_numpy(), edge_order=2)")
    with WorkerAlpha(folder_of(tmp_path, gradient)) as alpha:
        assert all(np.isfinite(counted(alpha, rows(40))).all() for _ in range(12))
        with pytest.raises(ValidationError, match="raised ValueError"):
            alpha.evaluate(rows(40).head(2))


def test_an_error_in_a_late_block_has_the_row_of_the_data(tmp_path: Path) -> None:
    data = rows()
    late = repr(float(data.field("mid")[250]))
    update = f"if mid == {late}: raise ValueError('this one')"
    with (
        WorkerAlpha(folder_of(tmp_path, STREAM.format(update=update))) as alpha,
        pytest.raises(ValidationError, match=r"ValueError: this one at row 251 \("),
    ):
        counted(alpha, data)


def test_words_of_an_alpha_draw_nothing_over_a_terminal(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, STREAM.format(update="raise ValueError('\\x1b[2K PASS')"))
    (folder / "tests").mkdir()
    test = "def test_one():\n    print('\\x1b[2K PASS')\n    assert False\n"
    (folder / "tests" / "test_one.py").write_text(test)
    with WorkerAlpha(folder) as alpha:
        with pytest.raises(ValidationError, match="PASS") as error:
            alpha.evaluate(rows())
        told = alpha.tests(60.0)
    assert "\x1b" not in str(error.value) and "PASS" in told["stdout"]
    assert told["exit_code"] == 1 and "\x1b" not in told["stdout"] and "\n" in told["stdout"]


def test_a_long_expression_is_told_whole_since_trials_are_known_by_it(tmp_path: Path) -> None:
    text = STREAM.format(update="pass") + "    class expression: canonical = 'f(x)+' * 200\n"
    with WorkerAlpha(folder_of(tmp_path, text)) as alpha:
        assert alpha.expression == "f(x)+" * 200


def test_what_an_alpha_prints_is_no_answer(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, STREAM.format(update="print('1' * 1000); sys.stdout.flush()"))
    with WorkerAlpha(folder) as alpha:
        assert np.array_equal(alpha.evaluate(rows()), rows().field("mid"))


def test_the_copy_that_runs_is_what_was_hashed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, STREAM.format(update="pass"))
    with WorkerAlpha(folder) as alpha:
        (folder / "impl.py").write_text(STREAM.format(update="mid = 0.0"))
        assert alpha.code_hash != loader.code_hash(folder)
        assert alpha.again().evaluate(rows()).max() > 0.0, "a copy made later runs the same code"


def test_a_signal_that_remembers_later_rows_gains_nothing_by_it(tmp_path: Path) -> None:
    """It answers well wherever it was shown all rows before; the number that counts never was."""
    code = """SEEN.append(frame) if not SEEN or frame.height > SEEN[0].height else None
        if SEEN and SEEN[-1].height > frame.height: SEEN[:] = [SEEN[0]]
        whole = max(SEEN, key=lambda one: one.height)
        return whole["mid"].shift(-1).fill_null(0.0)[: frame.height]"""
    folder = folder_of(tmp_path, BATCH.format(signals=code))
    data = rows()
    with WorkerAlpha(folder) as alpha:
        known = alpha.evaluate(data)
        found = counted(alpha, data)
    price, session = data.field("mid"), data.session
    last = np.append(session[1:] != session[:-1], True)
    assert np.array_equal(known[:-1], price[1:]), "shown everything it knows the next price"
    assert np.all(found[last] == 0.0), "at the end of each session it does not"
    assert signals.difference(known, found).largest > 0


def test_a_batch_alpha_is_shown_what_was_and_never_a_later_session(tmp_path: Path) -> None:
    code = "return pl.Series([float(frame.height)] * frame.height)"
    folder = folder_of(tmp_path, BATCH.format(signals=code))
    with WorkerAlpha(folder) as alpha:
        shown = counted(alpha, rows(300))
    assert [shown[k] for k in (99, 199, 299)] == [100.0, 200.0, 300.0]
    assert np.all(np.diff(shown) >= 0) and np.all(shown >= np.arange(1, 301))
    assert np.all(shown <= np.repeat([100.0, 200.0, 300.0], 100))


LOOKS = {
    "a frame above it": STREAM.format(
        update="""own = sys._getframe(2).f_locals
        ahead = own["row"] + 1 if "row" in own else 0
        if own.get("columns") and ahead + 1 < len(own["columns"][0]):
            return own["columns"][0][ahead + 1]"""
    ),
    "rows that it was handed": BATCH.format(
        signals="return frame['mid'].shift(-1, fill_value=0.0)"
    ),
}


@pytest.mark.parametrize("how", LOOKS)
def test_a_look_ahead_inside_a_session_shows_where_a_block_ends(tmp_path: Path, how: str) -> None:
    data = rows(2_000)
    with WorkerAlpha(folder_of(tmp_path, LOOKS[how])) as alpha:
        assert signals.difference(alpha.evaluate(data), counted(alpha, data)).largest > 0
        with pytest.raises(ValidationError, match=r"shown .* it answers otherwise than block"):
            confirmed(alpha, data)


def test_where_a_block_ends_is_drawn_anew(tmp_path: Path) -> None:
    code = "return pl.Series([float(frame.height)] * frame.height)"
    with WorkerAlpha(folder_of(tmp_path, BATCH.format(signals=code))) as alpha:
        first, second = (counted(alpha, rows(1_000)) for _ in range(2))
    assert not np.array_equal(first, second)


def test_the_hash_seed_of_a_run_is_that_of_its_process(tmp_path: Path) -> None:
    text = STREAM.format(update="return float(hash('seed') % 1000)")
    with WorkerAlpha(folder_of(tmp_path, text)) as alpha:
        found, said = digests(alpha, rows(), 3)
    assert len(set(found)) == 3 and not said


def test_names_whose_sessions_overlap_keep_their_rows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, STREAM.format(update="pass"))
    one = sample(200, fields=("mid",)).frame.with_columns(pl.lit("a").alias("symbol"))
    named = pl.lit("b").alias("symbol"), pl.col("session") - 1, pl.col("mid") + 1000.0
    other = one.with_columns(*named)  # its day has another name
    frame = pl.concat([one, other]).sort("ts", "symbol")
    data = rows().with_frame(frame)
    assert (data.session[1:] < data.session[:-1]).any()
    with WorkerAlpha(folder) as alpha:
        assert np.array_equal(counted(alpha, data), data.field("mid"))


def test_a_worker_starts_without_the_compiler(tmp_path: Path) -> None:
    """It took half of the start. An alpha whose text names it has it loaded first, so none does."""
    name = '"compiler" if "num" + "ba" in sys.modules else "one"'
    text = STREAM.format(update="pass").replace('"one", "h"', f'{name}, "h"')
    with WorkerAlpha(folder_of(tmp_path, text)) as alpha:
        assert alpha.alpha_id == "one"


def test_finding_an_alpha_imports_none_here(tmp_path: Path) -> None:
    for name in ("first", "second"):
        folder = tmp_path / "research" / "alphas" / name
        folder.mkdir(parents=True)
        text = STREAM.format(update="pass").replace('"one"', f'"{name}_id"')
        (folder / "impl.py").write_text(f"import sys\nsys.modules['leaked'] = sys\n{text}")
    workspace = Workspace(tmp_path)
    with find(workspace, "second_id") as alpha:
        assert alpha.alpha_id == "second_id"
    with pytest.raises(ValidationError, match=r"did you mean 'first_id'\? there are first_id, sec"):
        find(workspace, "first_i")

    assert "leaked" not in sys.modules


LATE = {
    "a library": "from scipy.signal import lfilter",
    "a compiler": "import numba; numba.njit(lambda x: x + 1.0)(mid)",
    "a part of Python": "import wave, colorsys, sqlite3.dbapi2 as _",
}


@pytest.mark.parametrize("late", LATE)
def test_what_an_alpha_imports_late_is_nothing_it_tried(tmp_path: Path, late: str) -> None:
    folder = folder_of(tmp_path, STREAM.format(update=LATE[late]))
    with WorkerAlpha(folder) as alpha:
        alpha.evaluate(sample(20))
        assert alpha.tried == () and alpha.reads == ()
