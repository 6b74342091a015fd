"""Files beside an alpha's code that hold numbers: what they were fitted on, and until when.

A file of weights may hold the answers. Nobody can see that from outside, so its author says what it
was made of, and rows up to that time prove nothing.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hft.core.errors import ValidationError
from hft.research.alphas.loader import IMPL, sources
from hft.research.alphas.manifest import AlphaManifest, FittedFile
from hft.research.alphas.scaffold import manifest_of, with_manifest
from hft.storage.atomic import write_atomic

NOTHING = "nothing"
CODE = ".py"
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


@dataclass(frozen=True)
class Holding:
    """What lies in an alpha's folder beside code, and how much its code spells out."""

    files: Mapping[str, int]  # path inside the folder -> bytes
    spelled: Mapping[str, int]  # file of code -> bytes of its literal texts and numbers


def holding(folder: Path) -> Holding:
    """Every file that the code hash is of. An empty file holds nothing."""
    files, spelled = {}, {}
    for path in sources(folder):
        name, size = path.relative_to(folder).as_posix(), path.stat().st_size
        if path.suffix == CODE:
            spelled[name] = _literal_bytes(path)
        elif size:
            files[name] = size
    return Holding(files, spelled)


def _literal_bytes(path: Path) -> int:
    """Bytes of the numbers and texts that code spells out, docstrings aside."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    except (SyntaxError, ValueError):
        return path.stat().st_size
    words = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    total = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in words:
            held = node.value
            total += len(held) if isinstance(held, str | bytes) else len(repr(held))
    return total


def until_ns(entry: FittedFile) -> int | None:
    """The last moment a file knows of; None where it was fitted on nothing.

    A date alone is the whole of that day, UTC. Raises: ValidationError naming file and cure.
    """
    if entry.fitted_on.strip().lower() == NOTHING:
        return None
    try:
        moment = datetime.fromisoformat(entry.fitted_until.strip())
    except ValueError:
        raise ValidationError(
            f"files: {entry.path}: fitted_until {entry.fitted_until!r} is no time; write a date "
            '(2024-06-30) or a time (2024-06-30T16:00:00Z), or fitted_on "nothing"'
        ) from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    ns = int(zoned.timestamp()) * SECOND_NS + zoned.microsecond * 1000
    return ns + DAY_NS - 1 if len(entry.fitted_until.strip()) == len("2024-06-30") else ns


def declare(folder: Path, entries: Iterable[FittedFile]) -> None:
    """Write what files were fitted on into the manifest of `impl.py`, in place of what it said.

    Raises: ValidationError where the manifest is not written as `AlphaManifest(...)`.
    """
    path = folder / IMPL
    text = path.read_text(encoding="utf-8")
    manifest_of(text, str(path))
    told = tuple(entry.to_dict() for entry in entries)
    write_atomic(path, with_manifest(text, {"files": told}, str(path)).encode())


def undeclared(manifest: AlphaManifest, held: Holding) -> list[str]:
    """Files that the manifest does not speak of."""
    told = {entry.path for entry in manifest.files}
    return [name for name in held.files if name not in told]
