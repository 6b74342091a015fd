"""The lease: one leader at a time under a growing fence, whoever dies or is stopped when."""

import os
import subprocess
import sys

import pytest

from hft.core.errors import JournalError
from hft.services.lease import file_lease
from hft.services.lease.file_lease import FileLease
from hft.services.lease.lease import AlwaysLeads
from tests.services.lease_drill import drill

pytestmark = pytest.mark.nojit
TTL = 1000


class Clock:
    def __init__(self) -> None:
        self.ns = 10_000

    def __call__(self) -> int:
        return self.ns


def pair(folder, clock) -> tuple[FileLease, FileLease]:
    return FileLease(folder, ttl_ns=TTL, now_ns=clock), FileLease(folder, ttl_ns=TTL, now_ns=clock)


def test_the_first_leads_the_second_waits_and_a_release_lets_it_lead_under_a_higher_fence(
    tmp_path,
) -> None:
    one, two = pair(tmp_path, Clock())
    assert one.acquire() and one.leads() and one.fence == 1
    assert not two.acquire() and not two.leads() and two.fence == 0
    one.release()
    assert not one.leads() and two.acquire() and two.leads() and two.fence == 2


def test_what_a_lease_says_of_another_start_of_the_machine_holds_up_nobody(
    tmp_path, monkeypatch
) -> None:
    one, two = pair(tmp_path, Clock())
    with monkeypatch.context() as before:
        before.setattr(file_lease, "_boot", lambda: "the start before")
        assert one.acquire() and not two.acquire()
    assert two.acquire() and two.leads(), "a time of another start says nothing about now"
    assert not one.renew() and not one.leads()


def test_a_leader_that_does_not_renew_stops_before_another_may_lead(tmp_path) -> None:
    clock = Clock()
    one, two = pair(tmp_path, clock)
    assert one.acquire()
    clock.ns += TTL * 3 // 4
    assert not one.leads() and not two.acquire(), "a quarter of the time nobody leads"
    clock.ns += TTL // 4
    assert two.acquire() and two.leads() and two.fence == 2
    assert not one.renew() and one.fence == 0 and not one.acquire()


def test_a_renewal_in_time_goes_on_under_the_same_fence(tmp_path) -> None:
    clock = Clock()
    one, two = pair(tmp_path, clock)
    one.acquire()
    for _ in range(10):
        clock.ns += TTL // 2
        assert one.acquire() and one.leads() and one.fence == 1 and not two.acquire()


def test_who_renewed_while_another_took_over_is_waited_for(tmp_path, monkeypatch) -> None:
    """The holder looks at the clock and is stopped; it writes while the other takes over."""
    clock = Clock()
    one, two = pair(tmp_path, clock)
    one.acquire()
    end, write, is_held = clock.ns + TTL, one._write, two._is_held

    def stopped_before_it_writes(until_ns: int) -> None:
        clock.ns = end
        with monkeypatch.context() as between:
            between.setattr(two, "_is_held", lambda fence: is_held(fence) or write(until_ns))
            assert two.acquire(), "when it looked, the time of the first was over"

    monkeypatch.setattr(one, "_write", stopped_before_it_writes)
    clock.ns = end - 1
    assert not one.renew() and not one.leads()
    assert not two.leads(), "until the first could no longer believe to lead"
    clock.ns = end - 1 + TTL
    assert two.leads() and two.renew() and two.fence == 2


def test_a_fence_is_above_the_one_that_the_journal_knows_even_in_an_empty_folder(tmp_path) -> None:
    one, _ = pair(tmp_path, Clock())
    assert one.acquire(above=41) and one.fence == 42
    alone = AlwaysLeads()
    assert alone.acquire(above=41) and alone.fence == 42 and alone.renew() and alone.leads()
    alone.release()
    assert alone.fence == 0


def test_a_dead_process_is_followed_at_once_whatever_its_file_says(tmp_path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from hft.services.lease.file_lease import *;"
        "lease = FileLease(Path(sys.argv[1]), ttl_ns=10**15); assert lease.acquire();"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    lease = FileLease(tmp_path)
    held = lease.holder()
    assert (
        held is not None and held.fence == 1 and held.until_ns > 10**14 and held.pid != os.getpid()
    )
    assert lease.acquire() and lease.leads() and lease.fence == 2


def test_a_damaged_record_of_a_holder_that_lives_is_waited_for_once(tmp_path) -> None:
    clock = Clock()
    one, two = pair(tmp_path, clock)
    one.acquire()
    os.pwrite(one._file, b"\xff", 3)
    assert not two.acquire()
    clock.ns += TTL
    assert two.acquire() and two.fence == 2


def test_any_error_means_not_leader(tmp_path, monkeypatch) -> None:
    one, _ = pair(tmp_path, Clock())
    assert one.acquire()

    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pwrite", fails)
    assert not one.renew() and not one.leads()
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot keep a lease"):
        FileLease(tmp_path / "file")


def test_two_processes_never_share_a_fence_when_leaders_are_killed_and_stopped() -> None:
    venue, kills, stops = drill(kills=2, stops=2, ttl_ms=400)
    assert venue.taken > 0 and len(venue.owners) >= 5
    assert all(len(owners) == 1 for owners in venue.owners.values())
    assert len(kills) == len(stops) == 2
