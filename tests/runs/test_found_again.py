"""A strategy of a file that is found again keeps the body that was compiled, and no other's."""

from pathlib import Path

import pytest

import hft
from hft.core.jit import JIT_DISABLED
from hft.runs.code.sources import find_again
from hft.runs.result import Run
from hft.strategies import base
from hft.tape.dataset import Tapes

pytestmark = pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")

TEXT = """
import hft
{head}
CAP = 9

@hft.strategy(every="5s", params={{"lots": 1}}, state={{"n": 0}})
def mine(view, order, p, s):
    s["n"] += 1
    if s["n"] < CAP:
        order.quote(hft.BUY, view.mid_tick - 5, p["lots"])
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(TEXT.format(head=""))
    return path


def test_an_unchanged_file_gives_the_compiled_body_with_what_is_declared_now(file: Path) -> None:
    first = find_again(str(file))
    second = find_again(str(file)).with_params({"lots": 2})
    assert second.body is first.body and second.params == {"lots": 2}
    assert base._waker(first) is base._waker(second), "it is compiled once"


@pytest.mark.parametrize(
    ("old", "new"),
    [("CAP = 9", "CAP = 99"), ("- 5", "- 6"), ("\nCAP", "\n\nCAP")],
)
def test_a_file_of_another_text_gives_another_body(file: Path, old: str, new: str) -> None:
    first = find_again(str(file))
    file.write_text(file.read_text().replace(old, new))
    second = find_again(str(file))
    assert second.body is not first.body
    assert find_again(str(file)).body is second.body


def test_what_is_declared_beside_a_body_is_what_the_file_says_now(file: Path) -> None:
    first = find_again(str(file))
    file.write_text(
        file.read_text().replace('"5s"', '"7s"').replace('{"n": 0}', '{"n": 3, "k": 0}')
    )
    second = find_again(str(file))
    assert second.body is first.body
    assert (second.every_ns, second.state) == (7_000_000_000, {"n": 3, "k": 0})
    assert base._waker(first) is not base._waker(second)


def test_a_body_whose_constant_was_set_since_is_not_used(file: Path) -> None:
    first = find_again(str(file))
    first.body.__globals__["CAP"] = 99
    assert find_again(str(file)).body is not first.body


def test_what_imports_more_than_its_text_or_keeps_objects_is_made_anew(file: Path) -> None:
    file.write_text(TEXT.format(head="import random"))
    assert find_again(str(file)).body is not find_again(str(file)).body
    file.write_text(
        "import hft\n\n@hft.strategy(every='5s')\nclass Mine:\n"
        "    def on_wake(self, view, order):\n        pass\n"
    )
    assert find_again(str(file)).body is not find_again(str(file)).body


def test_a_plain_replay_begins_with_nothing_that_another_one_kept(
    file: Path, market: object, tmp_path: Path
) -> None:
    text = TEXT.format(head="class Kept:\n    n = 0\nKEPT = Kept()")
    text = text.replace('s["n"] += 1', "KEPT.n += 1")
    file.write_text(text.replace("mid_tick - 5", "mid_tick - 5 - min(KEPT.n, 50)"))
    tapes: Tapes = market("l2")  # type: ignore[operator]

    def run() -> Run:
        end = "2024-01-02T00:30:00Z"
        return hft.replay(
            tapes, str(file), plain=True, limits="off", end=end, out=tmp_path / "runs"
        )

    assert run().digest == run().digest


def test_two_replays_of_a_file_give_the_digests_of_their_texts(
    file: Path, market: object, tmp_path: Path
) -> None:
    tapes: Tapes = market("l2")  # type: ignore[operator]

    def digest() -> str:
        return hft.replay(
            tapes, str(file), out=tmp_path / "runs", record="digest", fresh=True
        ).digest

    first = digest()
    assert digest() == first
    file.write_text(file.read_text().replace("CAP = 9", "CAP = 99"))
    assert digest() != first
    file.write_text(file.read_text().replace("CAP = 99", "CAP = 9"))
    assert digest() == first
