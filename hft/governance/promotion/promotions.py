"""The folder of promotion files: which file speaks for an alpha, and which files cannot be read.

`<folder>/<UTC YYYYMMDD>/<alpha_id>.yaml`; the newest date wins, even when it is disabled or cannot
be read: an older file never takes the place of a damaged newer one. Listings are sorted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hft.core.errors import PromotionError
from hft.governance.promotion.document import Promotion

DATE_FOLDER = re.compile(r"\d{8}")
SUFFIX = ".yaml"
UNAUDITED = "UNAUDITED_PROMOTION"
UNSIGNED = "UNSIGNED_PROMOTION"
UNREADABLE = "UNREADABLE_PROMOTION"


@dataclass(frozen=True)
class Finding:
    """A file that does not count, and why."""

    path: Path
    code: str
    sentence: str


@dataclass(frozen=True)
class File:
    """One file: its promotion, or what is wrong with it."""

    path: Path
    date: str
    alpha_id: str
    promotion: Promotion | None
    finding: Finding | None = None


@dataclass(frozen=True)
class Promotions:
    """Every file of a folder; iterating gives the readable promotions that speak."""

    folder: Path
    files: tuple[File, ...]
    findings: tuple[Finding, ...] = field(default=())

    def __iter__(self) -> Iterator[Promotion]:
        return (file.promotion for file in self.speaking() if file.promotion is not None)

    def speaking(self) -> list[File]:
        """The newest file of each alpha, by id."""
        newest: dict[str, File] = {}
        for file in self.files:
            newest[file.alpha_id] = file  # files are in order of date
        return [newest[name] for name in sorted(newest)]

    def file(self, alpha_id: str) -> File | None:
        """The file that speaks for an alpha; None where there is none."""
        return next((file for file in self.speaking() if file.alpha_id == alpha_id), None)

    def active(self) -> list[File]:
        """What is enabled and can be read, by id."""
        return [file for file in self.speaking() if file.promotion and file.promotion.enabled]


def read(folder: Path) -> Promotions:
    """Read every file under `folder`; an unreadable one is a finding, never an error."""
    found = [_read(path, folder) for path in sorted(folder.rglob(f"*{SUFFIX}")) if path.is_file()]
    found.sort(key=lambda file: (file.date, str(file.path)))
    return Promotions(folder, tuple(found), tuple(f.finding for f in found if f.finding))


def path_for(folder: Path, alpha_id: str, now_ns: int) -> Path:
    """Where approval at this time writes."""
    day = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).strftime("%Y%m%d")
    return folder / day / f"{alpha_id}{SUFFIX}"


def _read(path: Path, folder: Path) -> File:
    parent = path.parent.name
    date = parent if DATE_FOLDER.fullmatch(parent) and path.parent.parent == folder else ""
    named = path.name.removesuffix(SUFFIX)
    try:
        promotion = Promotion.from_bytes(path.read_bytes(), str(path))
        _in_place(promotion, path, date, named)
    except (PromotionError, OSError) as error:
        sentence = str(error) if isinstance(error, PromotionError) else f"{path}: {error.strerror}"
        lacks_profile = "profile: is missing" in sentence
        code = UNAUDITED if lacks_profile else UNREADABLE
        return File(path, date, named, None, Finding(path, code, sentence))
    return File(path, date, promotion.alpha_id, promotion)


def _in_place(promotion: Promotion, path: Path, date: str, named: str) -> None:
    if promotion.alpha_id != named:
        raise PromotionError(f"{path}: alpha_id is {promotion.alpha_id!r}; the file name differs")
    if not date:
        raise PromotionError(f"{path}: does not lie in a folder named by its date, like 20261121")
