"""Others read the gateway's numbers as they were at one moment, or are told that they cannot."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
from service_world import SYMBOLS, Answers, Gateways, intent

from hft.core.codes import Reason
from hft.core.errors import DataError
from hft.services.health import Shown, snapshot
from hft.services.life import Phase
from hft.services.scoreboard import Reader, Scoreboard


def test_health_and_scoreboard_say_what_the_gateway_did(tmp_path: Path) -> None:
    world, answers = Gateways(41), Answers()
    service, *_ = world.begin()
    for key in ("a", "a", "b"):
        service.submit(intent(key=key), answers.of(key))
    service.submit(intent(qty=0), answers.of("bad"))
    world.until(lambda: sum(map(len, answers.heard.values())) == 4)
    said = snapshot(service)
    assert said["running"] and said["ready"] and said["leader_active"]
    assert (said["dispatched"], said["dedup_hits"], said["fence"]) == (2, 1, 1)
    assert said["rejected"] == 1 and said["unknown_outcomes"] == 0
    shown = Shown(service, tmp_path / "board", list(SYMBOLS))
    shown.write(world.now_ns())
    seen = Reader(tmp_path / "board").read()
    assert seen.tables["service"]["dispatched"].tolist() == [2]
    assert seen.tables["service"]["phase"].tolist() == [Phase.READY.value]
    gw = service.desk.trading.gw
    assert seen.tables["gateway"]["orders_rejected"] == gw.head["orders_rejected"]
    assert seen.tables["reasons"][Reason.OK.value] == gw.counts[0]
    assert seen.facts["symbols"] == list(SYMBOLS) and seen.is_alive(world.now_ns())
    assert not seen.is_alive(world.now_ns() + 6 * 10**9)


def _write_for_ever(path: Path) -> None:
    numbers = np.zeros(4096, np.int64)
    board = Scoreboard(path, {"numbers": numbers})
    while True:
        numbers += 1
        board.write(time.time_ns())


def test_a_reader_in_another_process_never_sees_two_moments_at_once(tmp_path: Path) -> None:
    path = tmp_path / "board"
    writer = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(path,))
    writer.start()
    try:
        while not path.exists():
            time.sleep(0.01)
        reader, seen = Reader(path), set()
        while len(seen) < 200:
            try:
                numbers = reader.read().tables["numbers"]
            except DataError:  # nothing was written yet, or the writer was always quicker
                continue
            assert numbers.min() == numbers.max()
            seen.add(int(numbers[0]))
    finally:
        writer.kill()
        writer.join()


def test_a_half_written_board_and_a_file_that_is_none_are_one_sentence_each(tmp_path: Path) -> None:
    path, numbers = tmp_path / "board", np.arange(3)
    board = Scoreboard(path, {"numbers": numbers})
    with pytest.raises(DataError, match="died or never wrote"):
        Reader(path).read()
    board.write(1)
    assert Reader(path).read().tables["numbers"].tolist() == [0, 1, 2]
    board._mark(2)
    with pytest.raises(DataError, match="died or never wrote"):
        Reader(path).read()
    for content in (b"", b"something else", path.read_bytes()[:-1]):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(DataError, match="no scoreboard"):
            Reader(tmp_path / "other")
    with pytest.raises(DataError, match="is not made of int64"):
        Scoreboard(path, {"floats": np.zeros(2)})
