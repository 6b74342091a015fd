"""A strategy with other arguments, or with state that cannot be kept, is told its line."""

from pathlib import Path

import pytest

import hft
from hft.core.errors import ConfigError, HftError
from hft.runs.code.sources import find, find_queue
from hft.runs.ingest import synthetic
from hft.strategies.base import Strategy

BODIES = [
    (
        "def mine(view, order):\n    pass",
        'every="1s"',
        4,
        "a strategy takes (view, order, p, s), found (view, order)",
    ),
    (
        "def mine(view, order, s):\n    pass",
        'every="1s"',
        4,
        "a strategy takes (view, order, p, s), found (view, order, s)",
    ),
    (
        "def mine(sim, p):\n    pass",
        "loop=True",
        4,
        "a pull loop takes (sim, p, s), found (sim, p)",
    ),
    (
        "class mine:\n    def on_wake(self, view):\n        pass",
        'every="1s"',
        5,
        "its on_wake takes (self, view, order), found (self, view)",
    ),
    (
        "class mine:\n    def wake(self, view, order):\n        pass",
        'every="1s"',
        4,
        "has no on_wake; a class is woken by def on_wake(self, view, order)",
    ),
    (
        "def mine(view, order, p, s):\n    pass",
        'every="1s", state={"last": {}}',
        3,
        "state 'last': {} is neither a number nor an array; it does not grow: write [0.0] * n",
    ),
    (
        "def mine(view, order, p, s):\n    pass",
        'every="1s", state={"last": None}',
        3,
        "state 'last': None is neither a number nor an array; write 0.0",
    ),
    (
        "def mine(view, order, p, s):\n    pass",
        'every="1s", params={"last": []}',
        3,
        "parameter 'last': [] is neither a number nor an array; it does not grow",
    ),
]


def refusals(one: Strategy, folder: Path) -> list[str]:
    """What a replay, a plain replay and a check say of a strategy."""
    tapes = synthetic(events=200, out=folder / "tapes")
    found = []
    for asked in (
        lambda: hft.replay(tapes, one, out=folder / "runs"),
        lambda: hft.replay(tapes, one, plain=True, out=folder / "runs"),
        lambda: hft.replay(tapes, {"name": one}, out=folder / "runs"),
        lambda: one.check(tapes, wakes=3),
    ):
        with pytest.raises(HftError) as caught:
            asked()
        found.append(str(caught.value))
    return found


@pytest.mark.nojit
@pytest.mark.parametrize(("body", "declared", "line", "says"), BODIES)
def test_what_does_not_fit_is_said_with_its_line_before_anything_is_compiled(
    tmp_path, body: str, declared: str, line: int, says: str
):
    (tmp_path / "mine.py").write_text(f"import hft\n\n@hft.strategy({declared})\n{body}\n")
    for said in refusals(find(f"{tmp_path / 'mine.py'}:mine"), tmp_path):
        assert said.startswith(f"{tmp_path / 'mine.py'}, line {line}: `")
        assert says in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.nojit
def test_what_is_called_as_it_is_written_is_passed_over(tmp_path):
    text = """import hft

@hft.strategy(every="1s", state={"ring": [0.0] * 3, "n": 0}, params={"half": float("nan")})
def mine(view, order, p, s, more=1):
    pass

@hft.strategy(every="1s", params={"mood": "wild"})
class other:
    def __init__(self, mood):
        pass

    def on_wake(self, view, order):
        pass
"""
    (tmp_path / "mine.py").write_text(text)
    tapes = synthetic(events=200, out=tmp_path / "tapes")
    for name in ("mine", "other"):
        assert find(f"{tmp_path / 'mine.py'}:{name}").check(tapes, wakes=3).wakes >= 0


def test_a_function_without_its_decorator_is_told_what_to_put_above_it(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import hft\n\ndef maker(view, order, p, s):\n    pass\n\nclass other:\n    pass\n"
    )
    says = r"'maker'; it has none; put @hft.strategy\(every=...\) above `def maker`, line 3"
    with pytest.raises(ConfigError, match=says):
        find(f"{file}:maker")
    with pytest.raises(ConfigError, match=r"above `class other`, line 6$"):
        find(f"{file}:other")
    with pytest.raises(ConfigError, match=r"no strategy 'nobody'; it has none$"):
        find(f"{file}:nobody")
    with pytest.raises(ConfigError, match=r"put @hft.queue_model above `def maker`, line 3"):
        find_queue(f"{file}:maker")
    tapes = synthetic(events=200, out=tmp_path / "tapes")
    with pytest.raises(ConfigError, match=r"put @hft.strategy\(every=...\) above 'idle'"):
        hft.replay(tapes, idle, out=tmp_path / "runs")


def idle(view, order, p, s):
    pass
