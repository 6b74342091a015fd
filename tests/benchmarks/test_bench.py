"""Rows out of the answers of both sides, with sides of our own making."""

from pathlib import Path

import pytest

from benchmarks import rows, run
from benchmarks.bench import Bench
from benchmarks.environments import NotMeasured
from benchmarks.measure import Goal, Row, Series
from benchmarks.worker import Failed

ENDED = {"orders": 10, "fills": 4, "position_lots": -9, "balance": 100.0, "fee": -1.0}


class Side:
    """Answers at once; keeps what it was asked."""

    def __init__(self, **answer) -> None:
        self.answer = answer
        self.asked = []

    def ask(self, call, **arguments):
        self.asked.append((call, arguments))
        if "failed" in self.answer:
            raise Failed(self.answer["failed"])
        return {"events": 1_000_000} | ENDED | self.answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class FakeBench(Bench):
    def __init__(self, mine, theirs, runs=3):
        super().__init__(runs, Path("python"))
        self.mine, self.theirs = mine, theirs

    def ours(self):
        return self.mine

    def new_ours(self):
        return self.mine

    def peer(self, name):
        if isinstance(self.theirs, str):
            raise NotMeasured(self.theirs)
        return self.theirs


def _measured(mine, theirs, goal=None) -> Row:
    row = Row("name", "title", "M events/s", peer_name="hftbacktest", goal=goal or Goal(2.5))
    return rows._quoting(FakeBench(mine, theirs), row, "file.npz", False, 1.0, 1_000_000)


def test_equal_ends_and_a_fast_engine_meet_the_goal():
    mine = Side(seconds=0.1, digest="abc", refused={})
    row = _measured(mine, Side(seconds=0.4))
    assert row.ours.median == pytest.approx(10.0)
    assert row.peer.median == pytest.approx(2.5)
    assert row.ratio.median == pytest.approx(4.0)
    assert row.verdict == "met"
    assert row.facts["parity"] == "equal"
    assert row.facts["digest"] == "abc"
    assert row.facts["refused"] == 0
    assert row.facts["balance against the peer"] == "equal"
    assert row.facts["ordinary run"] == "same digest"


def test_warming_up_is_not_measured_and_runs_are_counted():
    mine, theirs = Side(seconds=0.1, digest="abc"), Side(seconds=0.4)
    _measured(mine, theirs)
    quotes = [arguments for call, arguments in mine.asked if call == "quote"]
    assert [arguments.get("at_least_s") for arguments in quotes] == [0.0, None, None, None]
    assert len(theirs.asked) == 4


def test_ends_that_differ_are_shown():
    mine = Side(seconds=0.1, digest="abc", fills=5, fee=-1.5)
    row = _measured(mine, Side(seconds=0.4))
    assert row.facts["parity"] == "fills 5 / 4"
    assert row.facts["fee against the peer"] == "-0.500000"


def test_without_the_peer_ours_is_measured_alone_and_the_reason_stands():
    row = _measured(Side(seconds=0.1, digest="abc"), "no network")
    assert row.verdict == "not measured"
    assert row.ours.median == pytest.approx(10.0)
    assert row.peer is None and row.ratio is None
    assert row.reason == "hftbacktest==2.4.4: no network"


def test_without_ours_the_peer_is_measured_alone_and_the_reason_stands():
    row = _measured(Side(failed="row 3 is broken"), Side(seconds=0.4))
    assert row.ours is None
    assert row.peer.median == pytest.approx(2.5)
    assert row.reason == "hft: row 3 is broken"


class Hesitant(Side):
    """Slow and fast by turns around the goal, then steady."""

    times = (1.0, 1.0, 1.0, 0.5, 1.0, 0.1, 0.1, 0.1)

    def ask(self, call, **arguments):
        answer = super().ask(call, **arguments)
        count = len([1 for name, _ in self.asked if name == "quote"])
        return answer | {"seconds": self.times[min(count, len(self.times)) - 1]}


def test_what_is_not_decided_is_measured_again_once():
    row = _measured(Hesitant(digest="abc"), Side(seconds=1.0), Goal(1.2))
    assert "twice" in row.facts["measured"]
    assert row.verdict == "met"


@pytest.fixture
def one_group(tmp_path, monkeypatch):
    (tmp_path / "benchmarks").mkdir()

    def group(_bench):
        row = Row("quick", "a row", "s", goal=Goal(1.0, at_least=False), judged="ours")
        row.ours = Series((0.5, 0.6, 0.7))
        yield row

    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "GROUPS", {"one": ("One", group)})
    return tmp_path


def test_a_whole_run_writes_the_page_and_the_figures(one_group, capsys):
    assert run.main([]) == 0
    assert "quick: 0.6 [0.5 .. 0.7] s: met" in capsys.readouterr().out
    assert "| quick | a row |" in (one_group / "docs" / "benchmarks.md").read_text()
    assert (one_group / "benchmarks" / "results.json").exists()


@pytest.mark.parametrize("arguments", [["--quick"], ["--only", "one"]])
def test_a_part_of_a_run_leaves_the_written_page_alone(one_group, arguments):
    run.main(arguments)
    assert not (one_group / "docs").exists()
    run.main([*arguments, "--write"])
    assert (one_group / "docs" / "benchmarks.md").exists()
