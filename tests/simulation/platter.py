"""What a power cut would leave of a journal at this moment, read from the platter itself."""

from pathlib import Path

from hft.storage import frame
from hft.storage.groups import FIRST
from tests.simulation.disk import Folder, Inode, ModelDisk

FOLDER = Path("/journal")


def durable_records(disk: ModelDisk, path: Path = FOLDER, record_bytes: int = 256) -> int:
    """The number of the last record that is on the platter, under a name that is."""
    folder: Folder | Inode | None = disk.root
    for part in path.parts[1:]:
        folder = folder.platter.get(part) if isinstance(folder, Folder) else None
    if not isinstance(folder, Folder):
        return 0
    names = sorted(name for name in folder.platter if name.endswith(".wal"))
    for name in reversed(names):
        inode = folder.platter[name]
        assert isinstance(inode, Inode)
        last = _last_record(inode, record_bytes)
        if last:
            return last
    return 0


def _last_record(inode: Inode, record_bytes: int) -> int:
    size = len(inode.platter)
    if inode.scanned[0] == size:
        return inode.scanned[1]
    data = bytes(inode.platter)
    last = 0
    if not frame.is_torn_header(data):
        found = frame.scan(data, frame.decode_header(data, "platter").first_seq).frames
        if len(found):
            start, length = int(found.offsets[-1]) + frame.HEAD_BYTES, int(found.lengths[-1])
            (first,) = FIRST.unpack_from(data, start)
            last = first + (length - FIRST.size) // record_bytes - 1
    inode.scanned = (size, last)
    return last
