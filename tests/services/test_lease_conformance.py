"""One suite for the lease of the simulation and for the files: processes see the same of both.

The files are on a real file system, each process is a real one that is killed or stopped with a
signal; only the clock is the test's, in memory that all of them share.
"""

import mmap
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hft.services.lease.file_lease import FileLease
from hft.services.lease.lease import Lease
from tests.simulation.lease import LeaseStore, ModelLease

TTL = 1000
HISTORIES, ACTS = 6, 60


class Model:
    """Processes of the simulation."""

    def __init__(self) -> None:
        self.ns = 10_000
        self.store = LeaseStore(lambda: self.ns)

    def passes(self, ns: int) -> None:
        self.ns += ns

    def process(self, name: str) -> "Lease":
        return ModelLease(self.store, name, ttl_ns=TTL)

    def kill(self, lease: Any) -> None:
        self.store.dies(lease.who)

    def stop(self, lease: Any) -> None:
        """It does nothing by itself."""

    go_on = stop

    def end(self) -> None:
        """There is nothing to end."""


class Served:
    """A lease in a process of its own; what is asked of it is asked there."""

    def __init__(self, wire: Connection, process: Any) -> None:
        self.wire, self.process = wire, process

    def _ask(self, name: str, **given: int) -> Any:
        self.wire.send((name, given))
        return self.wire.recv()

    @property
    def fence(self) -> int:
        return int(self._ask("fence"))

    def acquire(self, *, above: int = 0) -> bool:
        return bool(self._ask("acquire", above=above))

    def renew(self) -> bool:
        return bool(self._ask("renew"))

    def leads(self) -> bool:
        return bool(self._ask("leads"))

    def release(self) -> None:
        self._ask("release")


class Real:
    """Processes of this machine that share a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, mmap.mmap(-1, 8)
        self.started: list[Served] = []
        self.context = get_context("fork")
        self.passes(10_000)

    def now_ns(self) -> int:
        return int.from_bytes(self.clock[:8], "little")

    def passes(self, ns: int) -> None:
        self.clock[:8] = (self.now_ns() + ns).to_bytes(8, "little")

    def process(self, name: str) -> "Lease":
        here, there = self.context.Pipe()
        process = self.context.Process(target=self._serve, args=(there, here), daemon=True)
        process.start()
        there.close()
        self.started.append(Served(here, process))
        return self.started[-1]

    def kill(self, lease: Any) -> None:
        lease.process.kill()
        lease.process.join()

    def stop(self, lease: Any) -> None:
        os.kill(lease.process.pid, signal.SIGSTOP)

    def go_on(self, lease: Any) -> None:
        os.kill(lease.process.pid, signal.SIGCONT)

    def end(self) -> None:
        for one in self.started:
            self.kill(one)

    def _serve(self, wire: Connection, other_end: Connection) -> None:
        other_end.close()
        lease = FileLease(self.folder, ttl_ns=TTL, now_ns=self.now_ns)
        while True:
            try:
                name, given = wire.recv()
            except EOFError:
                os._exit(0)
            asked = getattr(lease, name)
            wire.send(asked(**given) if callable(asked) else asked)


Host = Model | Real


@pytest.fixture(params=["model", "real"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    made: Host = Model() if request.param == "model" else Real(tmp_path)
    yield made
    made.end()


def test_one_leads_and_a_release_lets_the_next_lead_under_a_higher_fence(host: Host) -> None:
    one, two = host.process("a"), host.process("b")
    assert one.fence == 0 and not one.leads()
    assert one.acquire() and one.leads() and one.fence == 1
    assert not two.acquire() and not two.leads() and two.fence == 0
    one.release()
    assert not one.leads() and two.acquire() and two.leads() and two.fence == 2
    one.release()
    assert two.leads() and not one.acquire(), "a release of nothing ends nobody's"


def test_who_does_not_renew_stops_a_quarter_before_another_may_lead(host: Host) -> None:
    one, two = host.process("a"), host.process("b")
    assert one.acquire()
    host.passes(TTL * 3 // 4 - 1)
    assert one.leads()
    host.passes(1)
    assert not one.leads() and not two.acquire()
    host.passes(TTL // 4)
    assert two.acquire() and two.leads() and two.fence == 2
    assert not one.renew() and one.fence == 0 and not one.acquire()


def test_a_renewal_in_time_goes_on_under_the_same_fence(host: Host) -> None:
    one, two = host.process("a"), host.process("b")
    assert one.acquire()
    for _ in range(5):
        host.passes(TTL - 1)
        assert one.renew() and one.leads() and one.fence == 1 and not two.acquire()
    host.passes(TTL)
    assert not one.renew() and one.fence == 0


def test_a_fence_is_above_what_is_known_elsewhere(host: Host) -> None:
    one, two = host.process("a"), host.process("b")
    assert one.acquire(above=41) and one.fence == 42
    one.release()
    assert two.acquire(above=7) and two.fence == 43


def test_a_process_that_was_killed_is_followed_at_once(host: Host) -> None:
    one, two = host.process("a"), host.process("b")
    assert one.acquire()
    host.kill(one)
    assert two.acquire() and two.leads() and two.fence == 2


def test_a_process_that_was_stopped_is_followed_when_its_time_is_over_and_harms_nobody(
    host: Host,
) -> None:
    one, two = host.process("a"), host.process("b")
    assert one.acquire()
    host.stop(one)
    host.passes(TTL - 1)
    assert not two.acquire(), "it may go on at any moment"
    host.passes(1)
    assert two.acquire() and two.leads()
    host.go_on(one)
    assert not one.leads(), "before it has looked at anything"
    one.release()
    assert two.leads() and two.renew() and two.fence == 2


def acted(host: Host, seed: int) -> list[Any]:
    """What processes were told in one history of a seed."""
    random, told = Random(seed), []
    running = {name: host.process(name) for name in "abc"}
    for _ in range(ACTS):
        name = random.choice("abc")
        lease, act = running[name], random.random()
        if act < 0.3:
            told.append((name, "acquire", lease.acquire(above=random.choice((0, 0, 50)))))
        elif act < 0.5:
            told.append((name, "renew", lease.renew()))
        elif act < 0.6:
            lease.release()
        elif act < 0.65:
            host.kill(lease)
            running[name] = host.process(name)
        else:
            host.passes(random.choice((1, TTL // 4, TTL // 2, TTL)))
        led = [who for who, one in running.items() if one.leads()]
        assert len(led) <= 1, f"{led} lead at once"
        told.append((led, [one.fence for one in running.values()]))
    return told


def test_in_any_history_both_say_the_same(tmp_path: Path) -> None:
    led: set[str] = set()
    for seed in range(HISTORIES):
        real = Real(tmp_path / str(seed))
        try:
            told = acted(real, seed)
        finally:
            real.end()
        assert told == acted(Model(), seed)
        led |= {who for said in told if len(said) == 2 for who in said[0]}
    assert led == set("abc"), "each of them led at some time"


def test_the_suite_finds_a_lease_that_two_may_hold() -> None:
    """What must fail: the same checks on a store that gives its fence to whoever asks."""
    host = Model()
    take: Callable[..., int] = LeaseStore.take
    host.store.take = lambda *given: (setattr(host.store, "until_ns", 0), take(host.store, *given))[
        1
    ]  # type: ignore[method-assign]
    with pytest.raises(AssertionError):
        test_one_leads_and_a_release_lets_the_next_lead_under_a_higher_fence(host)
    with pytest.raises(AssertionError, match="lead at once"):
        for seed in range(HISTORIES):
            acted(host, seed)
