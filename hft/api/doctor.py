"""What of an installation works, and what to do about the rest: `hft doctor`.

Each check looks at one thing, changes nothing and ends with a state. `bad` stands where a command
would fail, `missing` where one needs something that is not there, and each has its cure.
"""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hft.core.errors import HftError
from hft.reports.figures import counted

OK, MISSING, BAD = "ok", "missing", "bad"
ENOUGH_FREE = 5_000_000_000
PACKAGES = ("numba", "llvmlite", "numpy", "polars", "pyarrow", "scipy")
EXTRAS = {
    "chdb": ("embedded", "the embedded database, to which audit rows are delivered"),
    "ipykernel": ("notebook", "notebooks"),
    "gymnasium": ("rl", "agents that learn"),
}
CACHE_CURE = "set HFT_CACHE_DIR to a folder of your own"
EVENTS, MINUTES = 2_000, 5  # of a synthetic day; without the compiler a day would take an hour


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `cure` is empty where nothing is to be done."""

    what: str
    state: str
    says: str
    cure: str = ""

    def to_dict(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


def examine(config: str | None = None, root: str | Path | None = None) -> list[Check]:
    """Every check, in the order in which a command meets them."""
    found: list[Check] = []
    for what, look in _checks(config, root):
        try:
            found += [Check(what, *said) for said in look()]
        except HftError as error:
            found.append(Check(what, BAD, str(error), "mend what the sentence names"))
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            found.append(Check(what, BAD, f"{place}{error.strerror or error}", "see the place"))
    return found


Said = Iterator[tuple[str, ...]]


def _checks(config: str | None, root: Any) -> list[tuple[str, Callable[[], Said]]]:
    return [
        ("python", _python),
        ("packages", _packages),
        ("kernels", _kernels),
        ("engine", _engine),
        ("settings", lambda: _settings(config)),
        ("disk", lambda: _disk(config)),
        ("workspace", lambda: _workspace(root, config)),
        ("keys", lambda: _keys(root, config)),
        ("database", lambda: _database(root, config)),
    ]


def _python() -> Said:
    says = f"{platform.python_implementation()} {platform.python_version()}, {sys.platform}"
    yield OK, f"{says} {platform.machine()}, {os.cpu_count()} cores"


def _packages() -> Said:
    from hft.core.version import VERSION

    yield OK, ", ".join([f"hft {VERSION}", *(f"{name} {version(name)}" for name in PACKAGES)])
    for name, (extra, why) in EXTRAS.items():
        with suppress(PackageNotFoundError):
            version(name)
            continue
        yield MISSING, f"{name} is not installed; it is for {why}", f"pip install 'hft[{extra}]'"


def _kernels() -> Said:
    from hft.core import kernel_cache
    from hft.core.jit import JIT_DISABLED
    from hft.runs.code.compilation import ENGINE

    if JIT_DISABLED:
        yield (
            BAD,
            "NUMBA_DISABLE_JIT is set: all runs in plain Python, 100 times slower",
            "unset it",
        )
        return
    folders = kernel_cache.FOLDERS
    yield OK, _prebuilt()
    if not folders.own:
        yield BAD, f"{_unusable(kernel_cache.cache_root())}: each process compiles", CACHE_CURE
    elif kernel_cache.is_cached(ENGINE):
        yield OK, f"the engine is compiled; own kernels are in {folders.own}"
    else:
        yield MISSING, "the engine is not compiled: the first replay takes a minute", "hft warmup"


def _unusable(root: Path) -> str:
    """Why no compiled kernels are kept under `root`."""
    from hft.core import kernel_cache

    with suppress(OSError):
        if kernel_cache.stranger_may_write(root / kernel_cache.sources_key()):
            return f"{root} or a folder beside it is another user's, or open to all"
    return f"{root} cannot be written"


def _prebuilt() -> str:
    """Are the compiled kernels of a wheel in use, and if not, why?"""
    from hft.core import kernel_cache

    root = kernel_cache.prebuilt_root()
    if kernel_cache.FOLDERS.prebuilt:
        return "those that the wheel brought are in use"
    if not root.is_dir():
        return "this installation brought none that are compiled"
    pins = root / "constraints.txt"
    made = ", ".join(pins.read_text().split()) if pins.is_file() else "other versions"
    return f"those that the wheel brought are not in use: they are for {made}, without flags"


def _engine() -> Said:
    from hft.api import replays
    from hft.runs.ingest import synthetic

    digests = []
    with tempfile.TemporaryDirectory() as name:
        tapes = synthetic(events=EVENTS, seed=1, out=Path(name) / "tapes")
        end = datetime.fromtimestamp(tapes.span[0] / 1e9 + 60 * MINUTES, UTC).isoformat()
        for k in range(2):
            out = Path(name) / str(k)
            run = replays.replay(tapes, "market_making", end=end, out=out, record="digest")
            digests.append(run.digest)
    if digests[0] != digests[1]:
        yield BAD, f"two runs of one replay differ: {digests[0]} and {digests[1]}", "report this"
    else:
        says = f"{MINUTES} minutes of a synthetic market replayed twice"
        yield OK, f"{says}, one digest {digests[0][:12]}"


def _settings(config: str | None) -> Said:
    from hft.settings import load_settings

    data = load_settings(file=config).to_dict()
    sources = sorted({str(row["source"]) for row in data["settings"].values()})
    count = len(data["settings"])
    yield OK, f"{count} from {', '.join(sources)}; hash {str(data['hash'])[:12]}"


def _disk(config: str | None) -> Said:
    from hft.settings import load_settings

    runs = Path(load_settings(file=config).replay_out).absolute()
    seen = set()
    for folder in (Path.cwd(), runs, Path(tempfile.gettempdir())):
        here = next(path for path in (folder, *folder.parents) if path.exists())
        if here in seen:
            continue
        seen.add(here)
        free = shutil.disk_usage(here).free
        says = f"{here}: {free / 1e9:.0f} GB free"
        if not os.access(here, os.W_OK):
            yield BAD, f"{here} cannot be written", "give `--out` another folder"
        elif free < ENOUGH_FREE:
            yield MISSING, f"{says}; a full record of a day takes some", "free some, or `--record`"
        else:
            yield OK, says


def _workspace(root: Any, config: str | None) -> Said:
    from hft.api.desk import MARKS, open_desk

    desk = open_desk(root, config=config)
    if any((desk.root / mark).is_dir() for mark in MARKS):
        alphas = desk.workspace.alphas
        count = sum(path.is_dir() for path in alphas.iterdir()) if alphas.is_dir() else 0
        yield (
            OK,
            f"{desk.root}: {counted(count, 'alpha')}{', a rehearsal' if desk.rehearsal else ''}",
        )
    else:
        yield MISSING, "not in a workspace: replays work, alphas need one", "hft init DIR"


def _keys(root: Any, config: str | None) -> Said:
    from hft.api.desk import open_desk
    from hft.audit.sign import PROGRAM

    if shutil.which(PROGRAM) is None:
        yield MISSING, f"{PROGRAM} is not installed: nothing can be signed", "install OpenSSH"
    desk = open_desk(root, config=config)
    if not desk.workspace.keys.is_file():
        yield MISSING, f"{desk.workspace.keys_file} is not there: nobody can sign", "hft init DIR"
        return
    people = len({key.name for key in desk.keys})
    yield OK, f"{desk.workspace.keys_file}: {people} people may sign"


def _database(root: Any, config: str | None) -> Said:
    from hft.api.desk import open_desk
    from hft.storage.database import EMBEDDED, opened

    source = open_desk(root, config=config).database
    if source.is_embedded and find_spec(EMBEDDED) is None:
        says = f"{source.shown}: needs chdb; until then audit rows wait in the journal"
        yield MISSING, says, "pip install 'hft[embedded]'"
        return
    if source.is_absent:
        yield OK, f"{source.shown}: is made when the first row is delivered"
        return
    with opened(source) as database:
        found = database.look("SELECT version()")
    yield OK, f"{source.shown}: answers, ClickHouse {found.item()}"
