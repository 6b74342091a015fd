"""What stands in the way of a session: one sentence, the exit code of docs/paper.md, no trace."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import Forks
from killed_life import bury

from hft.api import gateway
from hft.runs.ingest import synthetic
from hft.services.paper.session import World
from hft.storage.lock import locked

COMMANDS: list[Forks] = []
HOUR_NS = 3_600_000_000_000
LOOP = """import hft


@hft.strategy(loop=True)
def turns(sim, p, s):
    while sim.next("1s"):
        pass
"""
# Nobody closes the files of a life that is killed, as nobody does in a process that is.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the session of an hour ago, whose process was killed after four seconds."""
    folder = tmp_path_factory.mktemp("killed")
    tape = synthetic(seed=1, out=folder / "market", events=50_000)
    clock = [time.time_ns() - HOUR_NS]
    begun = clock[0]

    def sleep(seconds: float) -> None:
        clock[0] += max(1, round(seconds * 1e9))
        if clock[0] - begun > 4_000_000_000:
            raise Killed

    world = World(wall_ns=lambda: clock[0], sleep=sleep)
    with pytest.raises(Killed):
        gateway.run(
            tape,
            "market_making",
            speed=1.0,
            home=folder / "gateway",
            out=folder / "runs",
            world=world,
        )
    bury()
    return folder


@pytest.fixture(scope="module", autouse=True)
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each command is a process of its own that does not import first."""
    forks = Forks(tmp_path_factory.mktemp("forks"), "import hft.api.gateway, hft.cli.gateway")
    COMMANDS.append(forks)
    yield
    COMMANDS.pop().close()


def content(folder: Path) -> dict[str, str]:
    """Every file and folder below, with a hash of what is in it; locks are empty."""
    found = {}
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b"/"
        found[str(path.relative_to(folder))] = hashlib.sha256(data).hexdigest()
    return found


def refused(folder: Path, code: int, sentence: str, *words: str) -> None:
    """The command is refused so, says it in one line, and the folder is as it was."""
    before = content(folder)
    script = "import sys; sys.argv = {}; from hft.cli.app import main; main()"
    done = COMMANDS[0].run(script.format(["hft", "gateway", *words]), folder)
    assert done.returncode == code, done
    last = done.stderr.strip().splitlines()[-1]
    assert sentence in last and "Traceback" not in done.stderr, done.stderr
    assert done.stdout == "" and "session" not in "".join(done.stderr.splitlines()[:-1])
    assert content(folder) == before


def segment(home: Path) -> Path:
    (found,) = (home / "journal").glob("*.wal")
    return found


def damage(home: Path) -> None:
    path = segment(home)
    path.write_bytes(path.read_bytes().replace(b'"step":', b'"stop":', 1))


def make_foreign(home: Path) -> None:
    """As an hft of another version writes it: the header names it, and its checksum is right."""
    from hft.storage import frame

    path = segment(home)
    data = path.read_bytes()
    header = frame.decode_header(data, "")
    other = frame.encode_header(header._replace(schema=b"hft-paper-9"))
    path.write_bytes(other + data[len(frame.encode_header(header)) :])


def lose(home: Path) -> None:
    segment(home).unlink()


def swap_owner(home: Path) -> None:
    (home / "journal" / "owner").write_text("20200101T000000-1\n")


def make_newer(home: Path) -> None:
    path = home / "session.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))


def step_back(home: Path) -> None:
    """The machine's clock is an hour before the journal's last record."""
    from hft.services.paper.journal import Mark, PaperJournal

    plan = json.loads((home / "session.json").read_text())
    journal = PaperJournal(home / "journal", plan["session"], time.time_ns())
    mark = journal.history.mark
    assert mark is not None
    journal.mark(time.time_ns() + HOUR_NS, Mark(*mark))
    journal.close()


@pytest.mark.parametrize(
    ("spoil", "code", "sentence"),
    [
        (damage, 74, "is damaged"),
        (
            make_foreign,
            74,
            "this hft reads 'paper', 'hft-paper-1'; go on with the hft that began it",
        ),
        (lose, 74, "its journal is gone"),
        (swap_owner, 74, "20200101T000000-1"),
        (make_newer, 74, "is of version 99, this hft reads"),
        (step_back, 78, "set it right, or where it is right and was ahead then, wait"),
    ],
)
def test_a_session_that_cannot_go_on_is_refused_and_is_as_it_was(
    killed: Path, tmp_path: Path, spoil: Callable[[Path], None], code: int, sentence: str
) -> None:
    home = tmp_path / "gateway"
    shutil.copytree(killed / "gateway", home)
    spoil(home)
    refused(tmp_path, code, sentence, "run")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--speed", "0"), 78, "is not from 0.001 to 1000000 times real time"),
        (("--latency", "0ms"), 78, "give one, such as --latency 5ms"),
        (("-s", "turns.py"), 78, "write its body as @hft.strategy(every=...)"),
        (("--limits", "live"), 78, "given"),
        (("--home", "/proc/hft"), 74, "; name a folder where one can be made"),
        (("--home", "."), 78, "is a folder of other things (turns.py); a session has a folder"),
        (("--home", "turns.py"), 78, "turns.py: is a file; name a folder with --home"),
    ],
)
def test_a_session_that_cannot_begin_leaves_nothing(
    killed: Path, tmp_path: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    (tmp_path / "turns.py").write_text(LOOP)
    refused(tmp_path, code, sentence, "run", str(killed / "market"), *words)


def test_a_second_writer_is_refused_and_touches_nothing(killed: Path, tmp_path: Path) -> None:
    home = tmp_path / "gateway"
    shutil.copytree(killed / "gateway", home)
    with locked(home / ".lock"):
        refused(tmp_path, 75, "runs this gateway", "run")


def test_an_empty_folder_is_not_asked_and_not_filled(tmp_path: Path) -> None:
    for words in ("status",), ("kill",), ("limits", "none.yaml"), ("top",):
        refused(tmp_path, 69, "no gateway has run here", *words)
