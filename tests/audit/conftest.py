"""Both engines of the audit: embedded in this process, and a server reached over HTTP."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hft.audit.auditor import Auditor
from hft.audit.journal import Journal
from hft.storage.database import Source

FAULTS = ("down", "mute", "cut", "refuse", "again", "twice")  # see http_front
FRONT = Path(__file__).with_name("http_front.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A command under every fault costs seconds each: two of them unless `--seeds` soaks."""
    if "fault" in metafunc.fixturenames and metafunc.module.__name__.endswith("by_command"):
        soaked = metafunc.config.getoption("seeds") is not None
        metafunc.parametrize("fault", FAULTS if soaked else FAULTS[:2])


class Server:
    """A running front over a real engine, and the faults it can be given."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(FRONT), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin and self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.source = Source(f"http://127.0.0.1:{self.port}", connect_s=2.0, answer_s=20.0)

    def fault(self, **faults: float) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/fault", json.dumps(faults).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()

    def stop(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server") / "engine")
    yield server
    server.stop()


@pytest.fixture
def server(running_server: Server) -> Iterator[Server]:
    yield running_server
    running_server.fault()


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(f"chdb://{tmp_path_factory.mktemp('embedded') / 'engine'}")


@pytest.fixture(params=["embedded", "server"])
def source(request: pytest.FixtureRequest) -> Source:
    """Each engine in turn; every test has a journal, and so rows, of its own."""
    if request.param == "embedded":
        return request.getfixturevalue("embedded")
    return request.getfixturevalue("server").source


@pytest.fixture
def auditor(tmp_path: Path, source: Source) -> Auditor:
    return Auditor(tmp_path / "audit", source, actor="ada", keys_hash="k" * 64)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "audit")
