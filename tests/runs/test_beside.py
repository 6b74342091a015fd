"""Jobs beside: in order, a few at most, and no error and no job is lost."""

import threading
import time

import pytest

from hft.runs.folder.beside import Beside

pytestmark = pytest.mark.nojit


class Broken(Exception):
    pass


def test_jobs_are_done_in_order_on_another_thread_that_ends_with_them() -> None:
    beside, done, threads = Beside(3), [], set()
    for k in range(200):
        beside.put(lambda k=k: (done.append(k), threads.add(threading.get_ident())))
    beside.settle()
    assert done == list(range(200))
    assert threading.get_ident() not in threads
    deadline = time.monotonic() + 10
    while any(one.name == "run-folder" for one in threading.enumerate()):
        assert time.monotonic() < deadline, "a thread without jobs is gone"
        time.sleep(0.001)


def test_no_more_jobs_wait_than_may() -> None:
    beside, gate, begun = Beside(2), threading.Event(), []
    for k in range(2):
        beside.put(lambda k=k: (begun.append(k), gate.wait(10)))
    third = threading.Thread(target=lambda: beside.put(lambda: begun.append(2)))
    third.start()
    third.join(0.1)
    assert third.is_alive(), "the one who asks waits until there is room"
    gate.set()
    third.join(10)
    beside.settle()
    assert begun == [0, 1, 2]


def _broken(gate: threading.Event) -> None:
    gate.wait(10)
    raise Broken("the first")


def test_the_first_error_drops_what_waits_and_is_raised_for_every_later_job() -> None:
    beside, gate, done = Beside(3), threading.Event(), []
    beside.put(lambda: _broken(gate))
    beside.put(lambda: done.append(1))
    gate.set()
    beside.rest()
    for _ in range(2):
        with pytest.raises(Broken, match="the first"):
            beside.put(lambda: done.append(2))
    beside.settle()  # who was told need not be told again to end in order
    assert done == []


def test_an_error_of_the_last_job_is_raised_where_one_waits_for_it_once() -> None:
    beside, gate = Beside(3), threading.Event()
    beside.put(lambda: _broken(gate))
    gate.set()
    with pytest.raises(Broken):
        beside.settle()
    beside.settle()
    beside.rest()


def test_where_no_thread_can_be_started_one_is_told_and_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    beside, done = Beside(1), []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none)
        with pytest.raises(OSError, match="can't start new thread"):
            beside.put(lambda: done.append(1))
    ended = threading.Thread(target=beside.settle, daemon=True)
    ended.start()
    ended.join(10)
    assert not ended.is_alive() and done == []
    beside.put(lambda: done.append(2))
    beside.settle()
    assert done == [2]


def test_nothing_to_do_is_done_at_once() -> None:
    before = threading.active_count()
    idle = Beside(1)
    idle.settle()
    idle.rest()
    assert threading.active_count() == before, "no thread without a job"
