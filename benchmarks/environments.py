"""The peers' own environments, built from the lock files and kept between runs.

Each peer lives in a virtual environment under `.bench/`, installed with hashes required. A stamp
holds the lock's hash: a changed lock rebuilds the environment, an unchanged one costs nothing. A
peer that cannot be installed is a reason to print, never a failure of the run.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / ".bench"
LOCKS = Path(__file__).resolve().parent / "locks"
PEERS = {"hftbacktest": "hftbacktest==2.4.4", "nautilus": "nautilus_trader==1.221.0"}
INSTALL_SECONDS = 900


class NotMeasured(Exception):
    """A measurement that could not be taken, with the reason as its text."""


def interpreter(peer: str) -> Path:
    """The Python of a peer's environment, built first where it is missing or out of date.

    Raises: NotMeasured, when it cannot be installed.
    """
    lock = LOCKS / f"{peer}.txt"
    folder = BENCH / "peers" / peer
    stamp = folder / "lock.sha256"
    wanted = f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {sys.version_info[:3]}\n"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (stamp.exists() and stamp.read_text() == wanted and python.exists()):
        print(f"building the environment of {PEERS[peer]} in {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _call(peer, [sys.executable, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        _call(peer, [*install, "-r", str(lock)])
        stamp.write_text(wanted)
    return python


def _call(peer: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotMeasured(f"{PEERS[peer]} could not be installed: {error}") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        errors = [line for line in lines if line.startswith("ERROR")]
        reason = (errors or lines)[-1]
        raise NotMeasured(f"{PEERS[peer]} could not be installed: {reason}")
