"""A run is computed with the values that its manifest has, not with those compiled before."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hft
from hft.core.jit import JIT_DISABLED
from hft.runs.code.sources import strategies_in

pytestmark = pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")

BODY = """
import hft
{head}

@hft.strategy(every="5s", state={{"n": 0}})
def body(view, order, p, s):
    s["n"] += 1
    if s["n"] < {cap}:
        order.quote(hft.BUY, view.mid_tick - 5, 1)
"""
KERNEL = "from hft.core.jit import kernel\n{head}\n@kernel\ndef cap():\n    return {what}\n"
NJIT = "import numba\n{head}\n@numba.njit(cache=True)\ndef cap():\n    return {what}\n"
BOTH = """
import sys, hft, cached_of
cached_of.cap()
for file in ("mine.py", "plain.py"):
    tapes = hft.tapes(sys.argv[1])
    print(hft.replay(tapes, file, out="runs", record="digest", fresh=True).digest)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def digest(tapes, made, out: Path) -> str:
    return hft.replay(tapes, made, out=out, record="digest", fresh=True).digest


def wanted(tapes, out: Path) -> tuple[str, str]:
    """The digests of 9 and of 99, written into the body itself."""
    found = []
    for n in (9, 99):
        path = out / f"plain_{n}.py"
        path.write_text(BODY.format(head="", cap=n))
        found.append(digest(tapes, strategies_in(path)["body"], out / "runs"))
    assert found[0] != found[1]
    return found[0], found[1]


def test_a_constant_that_is_set_to_another_value_is_the_value_of_the_next_run(here, market):
    (here / "constant_of.py").write_text(BODY.format(head="K = 9", cap="K"))
    one = importlib.import_module("constant_of")
    first = digest(market(), one.body, here / "runs")
    one.K = 99
    assert (first, digest(market(), one.body, here / "runs")) == wanted(market(), here)
    one.K = 9
    assert digest(market(), one.body, here / "runs") == first


def test_a_constant_of_a_helpers_helper_is_the_value_of_the_next_run(here, market):
    (here / "deep_of.py").write_text(KERNEL.format(head="K = 9", what="K"))
    (here / "near_of.py").write_text(KERNEL.format(head="import deep_of", what="deep_of.cap()"))
    (here / "uses_of.py").write_text(BODY.format(head="from near_of import cap", cap="cap()"))
    made = importlib.import_module("uses_of").body
    first = digest(market(), made, here / "runs")
    sys.modules["deep_of"].K = 99
    assert (first, digest(market(), made, here / "runs")) == wanted(market(), here)


@pytest.mark.slow
@pytest.mark.parametrize("helper", [KERNEL, NJIT])
def test_an_edit_of_another_file_is_what_runs_whatever_the_compiler_has_on_disk(
    here, market, helper
):
    (here / "cached_of.py").write_text(helper.format(head="from edited_of import K", what="K"))
    (here / "mine.py").write_text(BODY.format(head="from cached_of import cap", cap="cap()"))
    tape = str(market().tapes[0].path)
    said = []
    for n in (9, 99):
        (here / "edited_of.py").write_text(f"K = {n}\n")
        (here / "plain.py").write_text(BODY.format(head="", cap=n))
        done = subprocess.run(
            [sys.executable, "-c", BOTH, tape],
            cwd=here,
            env={**os.environ, "PYTHONPATH": f"{Path(hft.__file__).parents[1]}:{here}"},
            capture_output=True,
            text=True,
            check=True,
        )
        mine, plain = done.stdout.split()[-2:]
        assert mine == plain
        said.append(mine)
    assert said[0] != said[1]


def test_a_queue_model_is_compiled_with_the_constants_it_has(here):
    text = (
        "import hft\nK = 1\n@hft.queue_model\ndef mine(ahead_micro, before, after, traded):\n    "
    )
    (here / "queue_of.py").write_text(text + "return ahead_micro - K\n")
    one = importlib.import_module("queue_of")
    first = one.mine.address()
    one.K = 2
    assert one.mine.address() != first
    one.K = 1
    assert one.mine.address() == first
