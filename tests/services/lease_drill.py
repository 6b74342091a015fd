"""Two gateways and one lease, the leader killed or stopped again and again; what the venue saw.

python -m tests.services.lease_drill --kills 100 --stops 20 --ttl-ms 2000
"""

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.lease_process import COMMAND

PROCESS = Path(__file__).with_name("lease_process.py")


@dataclass
class Venue:
    """Takes commands, refuses a fence below the highest it has seen, and notes who had which."""

    wire: socket.socket
    highest: int = 0
    refused: int = 0
    taken: int = 0
    owners: dict[int, set[int]] = field(default_factory=dict)

    def listen(self, seconds: float, *, until_above: int | None = None) -> float | None:
        """Take what comes; when a fence above `until_above` came, or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.wire.settimeout(left)
            try:
                fence, process, _ = COMMAND.unpack(self.wire.recv(COMMAND.size))
            except TimeoutError:
                break
            if fence < self.highest:
                self.refused += 1
                continue
            self.highest = fence
            self.taken += 1
            self.owners.setdefault(fence, set()).add(process)
            if until_above is not None and fence > until_above:
                return time.monotonic()
        return None


def started(folder: Path, venue: Path, ttl_ms: int, name: int) -> "subprocess.Popen[bytes]":
    words = [sys.executable, str(PROCESS), str(folder), str(venue), str(ttl_ms), str(name)]
    return subprocess.Popen(words)


def drill(kills: int, stops: int, ttl_ms: int) -> tuple[Venue, list[float], list[float]]:
    """The venue, and the seconds from each kill and stop to the next leader's first command."""
    took: dict[str, list[float]] = {"kill": [], "stop": []}
    with tempfile.TemporaryDirectory() as root:
        folder, address = Path(root) / "lease", Path(root) / "venue"
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        wire.bind(str(address))
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        venue, name = Venue(wire), 2
        running = {k: started(folder, address, ttl_ms, k) for k in (1, 2)}
        try:
            for how in ["kill"] * kills + ["stop"] * stops:
                if venue.highest == 0:
                    assert venue.listen(30, until_above=0) is not None, "nobody ever led"
                [leader] = venue.owners[venue.highest]
                began = time.monotonic()
                running[leader].send_signal(signal.SIGKILL if how == "kill" else signal.SIGSTOP)
                next_led = venue.listen(30, until_above=venue.highest)
                assert next_led is not None, f"nobody took over after a {how}"
                took[how].append(next_led - began)
                if how == "stop":
                    running[leader].send_signal(signal.SIGCONT)
                    venue.listen(ttl_ms / 4000)  # what it sends now, if anything, is refused
                else:
                    running.pop(leader).wait()
                    name += 1
                    running[name] = started(folder, address, ttl_ms, name)
                    # It must be there to take over; its first look at the lease makes no file.
                    venue.listen(1.0)
        finally:
            for process in running.values():
                os.kill(process.pid, signal.SIGCONT)
                process.kill()
                process.wait()
            wire.close()
    return venue, took["kill"], took["stop"]


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("--kills", 100), ("--stops", 20), ("--ttl-ms", 2000)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    venue, kills, stops = drill(asked.kills, asked.stops, asked.ttl_ms)
    several = [fence for fence, owners in venue.owners.items() if len(owners) > 1]
    print(f"{venue.taken} commands taken under {len(venue.owners)} fences, {venue.refused} refused")
    print(f"fences that two processes had: {len(several)}")
    for what, took in (("killed", kills), ("stopped", stops)):
        if took:
            middle, most = statistics.median(took), max(took)
            print(
                f"takeover after the leader was {what} {len(took)} times: "
                f"median {middle:.2f} s, most {most:.2f} s"
            )
    sys.exit(1 if several else 0)


if __name__ == "__main__":
    main()
