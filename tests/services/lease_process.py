"""A gateway that does nothing but lead: `python lease_process.py FOLDER SOCKET TTL_MS NAME`.

While it leads it sends its fence and its number of the command to the venue, a datagram each.
"""

import socket
import struct
import sys
import time
from pathlib import Path

from hft.services.lease.file_lease import FileLease

COMMAND = struct.Struct("<qqq")  # fence, process, number


def main() -> None:
    folder, venue, ttl_ms, name = sys.argv[1:]
    lease = FileLease(Path(folder), ttl_ns=int(ttl_ms) * 1_000_000)
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wire.connect(venue)
    number = 0
    refresh_s = int(ttl_ms) / 4000
    due = 0.0
    while True:
        if time.monotonic() >= due:
            lease.acquire()
            due = time.monotonic() + refresh_s
        if lease.leads():
            number += 1
            wire.send(COMMAND.pack(lease.fence, int(name), number))
        time.sleep(0.001)


if __name__ == "__main__":
    main()
