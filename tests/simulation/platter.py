"""What a power cut would leave of a journal at this moment, read from the platter itself."""

from pathlib import Path

from hft.storage import frame
from hft.storage.groups import FIRST
from tests.simulation.disk import ModelDisk
from tests.simulation.inodes import Folder, Inode
from tests.simulation.ledger import Wrong

FOLDER = Path("/journal")
RECORD_BYTES = 256


def durable_records(disk: ModelDisk, path: Path = FOLDER, rows: list[bytes] | None = None) -> int:
    """The number of the last record that is on the platter, under a name that is.

    With `rows`, those that were written, each is compared. Raises: Wrong for a number that is
    missing or there twice, and for another content.
    """
    last = 0
    for inode in _segments(disk, path):
        first, end = _records(inode, rows)
        if not end:
            continue
        if last and first != last + 1:
            raise Wrong(f"{path}: record {first} is on the platter behind record {last}")
        last = end
    return last


def torn_bytes(disk: ModelDisk, path: Path) -> int:
    """How many bytes behind the last whole record a power cut has left, in all its folders."""
    folder = _folder(disk, path)
    if folder is None:
        return 0
    count = sum(torn_bytes(disk, path / n) for n, node in folder.platter.items() if _is(node))
    for inode in _segments(disk, path):
        data = bytes(inode.platter)
        if frame.is_torn_header(data):
            count += len(data)
        else:
            count += frame.scan(data, frame.decode_header(data, "platter").first_seq).torn_bytes
    return count


def _is(node: Folder | Inode) -> bool:
    return isinstance(node, Folder)


def _folder(disk: ModelDisk, path: Path) -> Folder | None:
    folder: Folder | Inode | None = disk.root
    for part in path.parts[1:]:
        folder = folder.platter.get(part) if isinstance(folder, Folder) else None
    return folder if isinstance(folder, Folder) else None


def _segments(disk: ModelDisk, path: Path) -> list[Inode]:
    folder = _folder(disk, path)
    nodes = folder.platter if folder is not None else {}
    found = [nodes[name] for name in sorted(nodes) if name.endswith(".wal")]
    return [node for node in found if isinstance(node, Inode)]


def _records(inode: Inode, rows: list[bytes] | None) -> tuple[int, int]:
    """The first and the last record of a segment; 0 where there is none."""
    if inode.scanned is not None:
        found: tuple[int, int] = inode.scanned
        return found
    data = bytes(inode.platter)
    begins = last = 0
    if not frame.is_torn_header(data):
        frames = frame.scan(data, frame.decode_header(data, "platter").first_seq).frames
        for offset, length in zip(frames.offsets.tolist(), frames.lengths.tolist(), strict=True):
            start = offset + frame.HEAD_BYTES
            (first,) = FIRST.unpack_from(data, start)
            if last and first != last + 1:
                raise Wrong(f"record {first} is on the platter behind record {last}")
            begins, last = begins or first, first + (length - FIRST.size) // RECORD_BYTES - 1
            if rows is not None:
                _compare(data[start + FIRST.size : start + length], first, rows)
    inode.scanned = (begins, last)
    return begins, last


def _compare(content: bytes, first: int, rows: list[bytes]) -> None:
    due = b"".join(rows[first - 1 : first - 1 + len(content) // RECORD_BYTES])
    if content[: len(due)] != due:
        raise Wrong(f"from record {first} on the platter has other bytes than were written")
