"""`hft gateway` as somebody meets it: two terminals, an empty folder, Ctrl-C, and a kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hft.cli import app

HFT = (sys.executable, "-c", "from hft.cli.app import main; main()")
WAIT_S = 120
Command = Callable[..., "subprocess.CompletedProcess[str]"]
interrupted = signal.default_int_handler


@pytest.fixture
def hft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A command beside the session, to its end: sessions are processes, what asks them is here."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        code = app.run([*words])
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return command


def alone(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, as a second terminal has it."""
    return subprocess.run(
        [*HFT, *words], cwd=folder, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


def begun(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A session that trades by now: its board says that it has decided something."""
    process = subprocess.Popen(
        [*HFT, "gateway", "run", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and process.poll() is None:
        if page(folder).get("pid") == process.pid and page(folder)["decisions"] > 20:
            return process
        time.sleep(0.2)
    process.kill()
    raise AssertionError(process.communicate())


def page(folder: Path) -> dict[str, Any]:
    from hft.api import gateway
    from hft.core.errors import Unavailable

    try:
        return gateway.status(folder / "gateway")
    except Unavailable:
        return {}


@pytest.mark.slow
def test_first_minutes_from_an_empty_folder(tmp_path: Path, hft: Command) -> None:
    none = hft("gateway", "status")
    assert none.returncode == 69
    assert "gateway: no gateway has run here; start one with `hft gateway run`" in none.stderr

    session = begun(tmp_path, "--paper")
    try:
        second = hft("gateway", "run")
        assert second.returncode == 75 and "runs this gateway" in second.stderr
        shown = hft("gateway", "status")
        assert shown.returncode == 0 and ": alive" in shown.stdout and "life 1" in shown.stdout
        assert "at 20x" in shown.stdout
        assert "recorder   nothing is recorded here" in shown.stdout
        refused = hft("gateway", "mode", "loud", "--json")
        assert refused.returncode == 64
        assert "'loud' is not one of 'normal', 'degrade', 'halt'" in refused.stderr
        heard = alone(tmp_path, "gateway", "kill", "--cause", "enough")
        assert heard.returncode == 0 and heard.stdout.startswith("kill: heard at 2024-01-0")
        os.kill(session.pid, signal.SIGKILL)
        session.communicate()
        dead = hft("gateway", "status")
        assert "its process is not there, and it has not ended" in dead.stdout
        assert f"{session.pid} (gone), life 1, does not lead" in dead.stdout
        gone = hft("gateway", "reset")
        assert gone.returncode == 69 and "is not there; `hft gateway run` goes on" in gone.stderr
        kept = hft("gateway", "kill", "--cause", "still enough")
        assert kept.returncode == 69 and "the kill is kept" in kept.stderr
    finally:
        session.kill()

    again = begun(tmp_path)  # without a word: the session goes on
    again.send_signal(signal.SIGINT)
    out, told = again.communicate(timeout=WAIT_S)
    assert again.returncode == 0, told
    assert "session: stopped" in out and "to prove it: hft gateway reconcile" in told
    assert "goes on, life 2, in gateway; Ctrl-C ends it" in told
    assert "a kill that was kept is in force" in told
    shown = json.loads(hft("gateway", "status", "--json").stdout)
    assert (shown["ending"], shown["alive"], shown["running"]) == ("stopped", False, False)
    assert not shown["leader_active"] and shown["policy_mode"] == "HALT"
    (run,) = (tmp_path / "runs").iterdir()
    heard = json.loads((run / "manifest.json").read_text())["config"]["controls"]
    kinds = [one["kind"] for one in heard]
    # A busy machine may let a session wait for so long that it was dead meanwhile, at any time.
    assert [kind for kind in kinds if kind != "down"] == ["kill", "kill", "stop", "end"]
    assert "down" in kinds[kinds.index("kill") : kinds.index("stop")]

    proof = hft("gateway", "reconcile", "last")
    assert proof.returncode == 0 and "the same digest" in proof.stdout
    over = hft("gateway", "kill")
    assert over.returncode == 69


@pytest.mark.slow
@pytest.mark.parametrize("in_a_script", [False, True])
def test_a_service_manager_ends_a_session_as_ctrl_c_does(tmp_path: Path, in_a_script: bool) -> None:
    # `hft gateway run &` of a shell script is begun with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if in_a_script else interrupted)
    try:
        session = begun(tmp_path, "--paper")
    finally:
        signal.signal(signal.SIGINT, before)
    session.terminate()
    out, told = session.communicate(timeout=WAIT_S)
    assert session.returncode == 0, told
    assert "session: stopped" in out and len(list((tmp_path / "runs").iterdir())) == 1


def test_a_replay_is_no_session(hft: Command) -> None:
    hft("data", "synth", "--out", "tape", "--events", "2000")
    hft("replay", "run", "tape", "-s", "market_making")
    found = hft("gateway", "reconcile", "last")
    assert found.returncode == 65
    assert "is a replay, not a session; `hft replay verify` verifies it" in found.stderr
