"""What a strategy uses outside its own text is part of its run; chance of its own is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

import hft
from hft.core.errors import ConfigError, StrategyError
from hft.runs.code.sources import strategies_in

HEAD = """
import random, time
from random import gauss
import numba, numpy as np, hft
STEP = np.array([1, 2])
PAIR = (1, 2)

def inner(x):
    return x - 1

@numba.njit
def off(x):
    return x - 3

class Base:
    def away(self):
        return inner(2)

@hft.strategy(every="1s")
def body(view, order, p, s):
    order.quote(hft.BUY, off(view.bid_tick) - STEP[0] - PAIR[0], 1)

@hft.strategy(every="1s")
class Mine(Base):
    def on_wake(self, view, order):
        order.quote(hft.BUY, view.bid_tick - self.away(), 1)
"""


def uses(folder: Path, text: str, name: str) -> dict[str, str]:
    from hft.runs.code.captures import outside

    folder.mkdir()
    (folder / "mine.py").write_text(text)
    return outside(strategies_in(folder / "mine.py")[name])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("body", "x - 3", "x - 4"),
        ("body", "array([1,", "array([5,"),
        ("body", "PAIR = (1,", "PAIR = (7,"),
        ("Mine", "x - 1", "x - 9"),
        ("Mine", "inner(2)", "inner(3)"),
    ],
)
def test_an_edited_helper_or_constant_makes_another_run(tmp_path, name: str, old: str, new: str):
    before = uses(tmp_path / "a", HEAD, name)
    assert before == uses(tmp_path / "b", HEAD, name)
    assert before != uses(tmp_path / "c", HEAD.replace(old, new), name)


def test_what_a_strategy_does_not_use_leaves_its_run_alone(tmp_path):
    before = uses(tmp_path / "a", HEAD, "Mine")
    assert before == uses(tmp_path / "b", HEAD.replace("x - 3", "x - 4"), "Mine")


def test_an_edited_helper_is_replayed_and_not_taken_from_the_old_run(tmp_path):
    tapes = hft.tapes("synthetic", seed=1)
    digests = []
    for k, text in enumerate([HEAD, HEAD, HEAD.replace("x - 3", "x - 8")]):
        (tmp_path / f"{k}.py").write_text(text)
        found = strategies_in(tmp_path / f"{k}.py")["body"]
        digests.append(hft.replay(tapes, found, record="digest", out=tmp_path / "runs").digest)
    assert digests[0] == digests[1] != digests[2]
    assert len(list((tmp_path / "runs").iterdir())) == 2


@pytest.mark.parametrize(
    "word", ["random.random()", "gauss(0, 1)", "np.random.random()", "time.time()"]
)
def test_chance_and_clocks_of_its_own_are_refused_with_their_name(tmp_path, word: str):
    text = HEAD.replace("- STEP[0]", f"- {word}")
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(ConfigError, match=r"uses \S+, which is not the same in two runs"):
        hft.replay(
            hft.tapes("synthetic", seed=1),
            strategies_in(tmp_path / "mine.py")["body"],
            out=tmp_path / "runs",
        )
    assert not (tmp_path / "runs").exists()


def test_a_strategy_that_writes_its_parameters_is_refused(tmp_path):
    @hft.strategy(every="1s", params={"a": 1.0})
    def greedy(view, order, p, s):  # type: ignore[no-untyped-def]
        p["a"] += 1.0

    with pytest.raises(ConfigError, match=r"writes to its parameters \(p\['a'\]\)"):
        hft.replay(hft.tapes("synthetic", seed=1), greedy, out=tmp_path / "runs")


COUNT = 0


def test_a_body_that_the_compiler_cannot_read_is_a_sentence(tmp_path):
    @hft.strategy(every="1s")
    def counting(view, order, p, s):  # type: ignore[no-untyped-def]
        global COUNT
        COUNT += 1

    with pytest.raises(StrategyError, match=r"cannot be compiled: .*STORE_GLOBAL"):
        hft.replay(hft.tapes("synthetic", seed=1), counting, out=tmp_path / "runs")


WRONG = """
import hft
from hft.core.errors import StrategyError

@hft.strategy(every="1s", state={"ring": [0.0] * 4, "n": 0, "short": [0]})
def wrong(view, order, p, s):
    s["n"] += 1
    ACT

try:
    hft.replay(hft.tapes("synthetic", seed=1), wrong, out=OUT)
except StrategyError as error:
    print(error)
"""


@pytest.mark.soak
@pytest.mark.parametrize(
    ("act", "says"),
    [
        ('s["ring"][s["n"]] = 1.0', "IndexError: index is out of bounds at wake-up 4"),
        ('s["ring"][1 << 40] = 1.0', "IndexError"),
        ('s["n"] += view.order_tick(1 << 40)', "IndexError: no such order"),
        ('s["n"] += view.next_order(-7)', "IndexError: no such order"),
        ('s["n"] += view.bid_ticks[50]', "IndexError: a ladder has levels 0 to 9"),
        ('s["n"] += view.order_flow(s["short"])', "ValueError: order_flow"),
        ("order.quote(1 << 40, 5, 1)", ""),
    ],
)
def test_a_compiled_strategy_cannot_reach_beyond_its_own_memory(tmp_path, act: str, says: str):
    # In a process of its own, without the bounds checks that the suite runs with.
    import os

    script = tmp_path / "wrong.py"
    script.write_text(WRONG.replace("ACT", act).replace("OUT", repr(str(tmp_path / "runs"))))
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_BOUNDSCHECK"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "strategy 'wrong' raised " + says in done.stdout if says else not done.stdout
