"""What a folder of segments takes and how much room its disk has: the one reading of a disk."""

from collections.abc import Callable
from pathlib import Path

from hft.recorder.pressure import Reading
from hft.storage.disk import REAL, Disk
from hft.storage.log import SUFFIX


def reading_of(folder: Path, disk: Disk = REAL) -> Callable[[], Reading]:
    """A reading whenever it is called; a folder that is not there yet is empty.

    Its sub-folders (archive, quarantine) are not counted. Raises, when called: OSError.
    """

    def read() -> Reading:
        used = 0
        for name in disk.names(folder):
            if name.endswith(SUFFIX):
                try:
                    used += disk.size(folder / name)
                except FileNotFoundError:  # loaded meanwhile
                    continue
        return Reading(used, disk.free(folder))

    return read
