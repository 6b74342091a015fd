"""What a replay's key was computed from, on disk: as long as none of it has changed, neither has
the key, and the sealed run answers without importing, opening or computing anything.

Compared are contents of the sources of hft, of configuration and of the user's files, and size and
times of tapes, which are sealed. Kept are only replays whose code can depend on nothing else
(`hft.runs.code.alone`): any other strategy has its key computed each time.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hft.core.json_text import line
from hft.storage.atomic import write_atomic

FOLDER = ".hft"
VERSION = 1
PACKAGE = Path(__file__).resolve().parents[2]
CONFIG = (".yaml", ".toml", ".json")


def file_hash(path: str | Path) -> str:
    """The hash of a file's content; "" where there is none."""
    try:
        with open(path, "rb", buffering=0) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def situation(environment: Mapping[str, str], files: Iterable[str], extra: Iterable[str]) -> str:
    """The hash of what every replay here depends on: hft itself, its settings, where we stand."""
    here = os.getcwd()
    digest = hashlib.sha256(repr([VERSION, sys.version, here, *extra]).encode())
    for root, suffixes in (
        (PACKAGE, (".py", *CONFIG)),
        (PACKAGE.parent / "config", CONFIG),
        (Path(here) / "config", CONFIG),
    ):
        for path in sorted(_below(str(root), suffixes)):
            digest.update(path.encode() + file_hash(path).encode())
    for path in files:
        digest.update(path.encode() + file_hash(path).encode())
    digest.update(repr(sorted(environment.items())).encode())
    return digest.hexdigest()


def _below(root: str, suffixes: tuple[str, ...]) -> Iterable[str]:
    for folder, inner, files in os.walk(root):
        inner[:] = [name for name in inner if name not in ("__pycache__", "prebuilt", "docs")]
        for name in files:
            if name.endswith(suffixes):
                yield os.path.join(folder, name)


def stamp(path: str) -> list[Any]:
    """Size and times of a tape, or of all in its folder: what a sealed file is known again by."""
    try:
        if os.path.isdir(path):
            return [[name, *stamp(os.path.join(path, name))] for name in sorted(os.listdir(path))]
        seen = os.stat(path)
        return [seen.st_size, seen.st_mtime_ns, seen.st_ino]
    except OSError:
        return []


class Answers:
    """The answers kept for one file of replays, in one situation. Mutates: its file, in `keep`."""

    def __init__(self, file: Path, here: str) -> None:
        self.path = file.parent / FOLDER / f"{file.name}.answers.json"
        self.text, self.here = file_hash(file), here
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        mine = isinstance(known, dict) and known.get("text") == self.text
        if not mine or known.get("here") != self.here:
            known = {}
        self.names: list[str] = known.get("names", [])
        self.drawn: str = known.get("drawn", "")
        self._kept: dict[str, Any] = known.get("replays", {})

    def get(self, name: str) -> dict[str, Any] | None:
        """The outcome of a replay, where nothing that its key depends on has changed."""
        kept = self._kept.get(name)
        if kept is None:
            return None
        same = all(file_hash(path) == known for path, known in kept["files"].items())
        same = same and all(stamp(path) == known for path, known in kept["tapes"].items())
        if not same or _first_line(kept["digest_file"]) != kept["outcome"]["now"]:
            return None
        return dict(kept["outcome"])

    def put(
        self, name: str, outcome: Mapping[str, Any], files: Iterable[str], tapes: Iterable[str]
    ) -> None:
        """Remember an answer, and what it depends on besides the situation."""
        self._kept[name] = {
            "outcome": dict(outcome),
            "digest_file": os.path.join(os.path.abspath(outcome["run"]), "digest"),
            "files": {path: file_hash(path) for path in files},
            "tapes": {path: stamp(path) for path in tapes},
        }

    def forget(self, name: str) -> None:
        self._kept.pop(name, None)

    def keep(self, names: Iterable[str], drawn: str) -> None:
        """Write it; a folder that cannot be written is none to remember in."""
        content = {"text": self.text, "here": self.here, "names": list(names), "drawn": drawn}
        try:
            kept = line({**content, "replays": self._kept}, finite=False)
            write_atomic(self.path, kept, contended=True)
            ignore = self.path.parent / ".gitignore"
            if not ignore.exists():
                write_atomic(ignore, "*\n", contended=True)
        except OSError:
            return


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, ValueError):
        return ""
