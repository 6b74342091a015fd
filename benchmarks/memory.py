"""Resident memory of another process, with the pages of its mapped tape told apart.

Read from outside while it works, so that the measured process does nothing for the measurement.
"""

import re
from pathlib import Path
from typing import NamedTuple

from benchmarks.environments import NotMeasured
from benchmarks.worker import Worker

SAMPLE_SECONDS = 0.05
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$")


class Resident(NamedTuple):
    """Resident kilobytes by what backs them."""

    anonymous: int  # heap, stacks, arrays
    files: int  # libraries and other mapped files
    tape: int  # mapped files under the tape's folder

    @property
    def beyond_tape(self) -> int:
        return self.anonymous + self.files


def parse_smaps(text: str, tape: str) -> Resident:
    """Sum the mappings of one smaps file; `tape` is a path that the tape's files begin with."""
    anonymous = files = on_tape = rss = 0
    path = ""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "Rss":
            rss = int(rest.split()[0])
        elif name == "Anonymous":
            private = int(rest.split()[0])
            anonymous += private
            if path.startswith(tape):
                on_tape += rss - private
            else:
                files += rss - private
        elif found := _MAPPING.match(line):
            path = found.group(1)
    return Resident(anonymous, files, on_tape)


def peak_while(worker: Worker, tape: Path) -> Resident:
    """The largest residence beyond the tape seen until the worker has answered."""
    source = Path(f"/proc/{worker.process.pid}/smaps")
    if not source.exists():
        raise NotMeasured("this system has no /proc/PID/smaps to read resident memory from")
    peak = Resident(0, 0, 0)
    waiting = True
    while waiting:
        waiting = worker.is_waiting(SAMPLE_SECONDS)
        try:
            now = parse_smaps(source.read_text(), str(tape))
        except OSError:
            break
        peak = max(peak, now, key=lambda seen: seen.beyond_tape)
    return peak
