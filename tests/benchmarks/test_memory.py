"""Resident memory by what backs it."""

import sys

import pytest

from benchmarks.memory import parse_smaps, peak_while

SMAPS = """\
55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]
Size:                132 kB
Rss:                 100 kB
Anonymous:           100 kB
AnonHugePages:         0 kB
7f00aa000000-7f00ab000000 r--s 00000000 fe:00 1234                       /data/tapes/big/BTC.tape
Size:              16384 kB
Rss:               16000 kB
Anonymous:             0 kB
VmFlags: rd sh mr
7f00bb000000-7f00bb100000 r-xp 00000000 fe:00 99                         /usr/lib/libm and more.so
Size:               1024 kB
Rss:                 700 kB
Anonymous:            50 kB
7f00cc000000-7f00cc100000 rw-p 00000000 00:00 0
Size:               1024 kB
Rss:                  30 kB
Anonymous:            30 kB
"""


def test_the_mapped_tape_is_told_apart_from_heap_and_libraries():
    seen = parse_smaps(SMAPS, "/data/tapes")
    assert seen.tape == 16_000
    assert seen.anonymous == 180
    assert seen.files == 650
    assert seen.beyond_tape == 830


def test_without_the_tape_its_pages_count_as_any_file():
    seen = parse_smaps(SMAPS, "/elsewhere")
    assert seen.tape == 0
    assert seen.beyond_tape == 16_830


@pytest.mark.skipif(sys.platform != "linux", reason="smaps is a Linux file")
def test_the_own_process_has_heap_and_libraries():
    with open("/proc/self/smaps") as source:
        seen = parse_smaps(source.read(), "/elsewhere")
    assert seen.anonymous > 1_000
    assert seen.files > 1_000


@pytest.mark.skipif(sys.platform != "linux", reason="smaps is a Linux file")
def test_the_peak_of_a_worker_holds_what_it_allocated(side, tmp_path):
    side.send("heavy", megabytes=1)
    low = peak_while(side, tmp_path)
    assert side.receive() == {"held": 1 << 20}
    side.send("heavy", megabytes=65)
    high = peak_while(side, tmp_path)
    assert side.receive() == {"held": 65 << 20}
    grown_kb = high.beyond_tape - low.beyond_tape
    assert 60 * 1024 < grown_kb < 80 * 1024
