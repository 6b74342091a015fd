"""One process a side, driven line by line."""

import pytest

from benchmarks.worker import Failed, timed


def test_replies_are_the_answers_and_not_what_libraries_print(side):
    assert side.ask("loud", value=4) == {"twice": 8}
    assert side.ask("loud", value=5) == {"twice": 10}


def test_a_failure_is_one_line_and_the_worker_lives_on(side):
    with pytest.raises(Failed, match=r"^ValueError: row 3: no such thing$"):
        side.ask("broken")
    assert side.ask("loud", value=1) == {"twice": 2}


def test_a_dead_worker_says_so(side):
    with pytest.raises(Failed, match="ended with code 3"):
        side.ask("gone")
    with pytest.raises(Failed, match="ended with code 3"):
        side.ask("loud", value=1)


def test_short_runs_are_repeated_until_the_clock_has_enough():
    answers = iter([(0.4, "a"), (0.4, "b"), (0.4, "c"), (0.4, "d")])
    seconds, runs, last = timed(lambda: next(answers), 1.0)
    assert (runs, last) == (3, "c")
    assert seconds == pytest.approx(0.4)
    assert timed(lambda: (0.1, "once"), 0.0)[1] == 1
