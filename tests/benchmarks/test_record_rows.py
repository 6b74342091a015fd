"""The rows of a full record, out of answers of our own making."""

import pytest

import hft
from benchmarks import record_cost, record_rows, run
from benchmarks.bench import Bench
from benchmarks.worker import Failed
from hft.runs.ingest import synthetic

ANSWER = {"digest_s": 0.25, "full_s": 0.75, "megabytes": 26.0, "journal": 17.2}
ANSWER |= {"steps": 1000, "digest": "ab", "same": True}


class Answers(Bench):
    """A bench whose one side gives these answers, the first to warm up."""

    def __init__(self, tmp_path, *answers) -> None:
        super().__init__(len(answers) - 1, tmp_path / "python")
        self.answers = list(answers)

    def ours(self):
        return self

    def ask(self, call, **arguments):
        assert call == "record_day"
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise Failed(answer)
        return answer


def test_a_full_record_is_judged_by_its_wall_time_over_the_digest_alone_and_by_its_size(tmp_path):
    slow = {**ANSWER, "full_s": 9.0}
    times, size = record_rows.record(Answers(tmp_path, slow, ANSWER, ANSWER, ANSWER))
    assert times.ours.values == (3.0, 3.0, 3.0) and times.verdict == "met"
    assert times.facts["digests"] == "the same" and times.facts["full, s"] == 0.75
    assert size.ours.median == 26.0 and size.verdict == "met"


@pytest.mark.parametrize(("key", "value", "missed"), [("full_s", 1.1, 0), ("megabytes", 61.0, 1)])
def test_one_that_is_slow_or_large_misses_its_goal(tmp_path, key, value, missed):
    answer = {**ANSWER, key: value, "same": False}
    rows = list(record_rows.record(Answers(tmp_path, answer, answer, answer, answer)))
    assert rows[missed].verdict == "missed" and rows[1 - missed].verdict == "met"
    assert rows[0].facts["digests"] == "NOT the same"


def test_one_that_fails_says_why_and_is_a_group_of_the_report(tmp_path):
    rows = list(record_rows.record(Answers(tmp_path, "no room")))
    assert [row.reason for row in rows] == ["no room", "no room"]
    assert run.GROUPS["record"][1] is record_rows.record


def test_a_measured_day_has_both_levels_of_one_run_and_leaves_nothing(tmp_path, monkeypatch):
    market = synthetic(seed=5, out=tmp_path / "t", events=20_000)
    monkeypatch.setattr(record_cost, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(hft, "tapes", lambda *_, **__: market)
    answer = record_cost.record_day(0.0)
    assert answer["same"] and len(answer["digest"]) == 64 and answer["steps"] > 100
    assert 0 < answer["journal"] < answer["megabytes"] and answer["digest_s"] > 0 < answer["full_s"]
    assert not (tmp_path / "runs").exists()
