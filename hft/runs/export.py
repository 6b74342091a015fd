"""A run as one archive for another machine: the same run gives the same bytes."""

import gzip
import tarfile
from pathlib import Path

from hft.core.errors import ConfigError
from hft.runs.folder.reader import RunReader
from hft.storage.atomic import staged


def export(run: RunReader, path: str | Path) -> Path:
    """Write the run's folder to `path` as a gzipped tar; tapes are not in it.

    Unpacked into a folder of runs (`tar xf FILE -C runs`) it can be listed, shown, compared and,
    with the folder of the tapes, verified: they are found by their hash. Raises: ConfigError.
    """
    target = Path(path)
    if target.is_dir():
        raise ConfigError(f"{target}: is a folder; name a file, such as {run.id}.tar.gz")
    with (
        staged(target.parent) as stage,
        stage.aside(target.name).open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in sorted(run.path.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                archive.add(file, f"{run.path.name}/{file.relative_to(run.path)}", filter=_plain)
    return target


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose file it was, and when, is not part of the run."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry
