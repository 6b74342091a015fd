"""What a person is told of the compiler."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from hft.cli.app import run
from hft.core import kernel_cache
from hft.core.jit import JIT_DISABLED
from hft.feeds import checks
from hft.runs.code import compilation
from hft.runs.code.compilation import first_compile, first_decode
from hft.runs.ingest import synthetic


def nothing_compiled(change, folder):
    """No kernel in the folder of this machine, and none brought by a wheel."""
    change.setattr(kernel_cache.FOLDERS, "own", folder)
    change.setattr(kernel_cache.FOLDERS, "prebuilt", "")


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
@pytest.mark.parametrize("folder", ["", "empty"])
def test_a_machine_that_has_compiled_nothing_is_told_of_the_minute(tmp_path, monkeypatch, folder):
    nothing_compiled(monkeypatch, folder and str(tmp_path))
    assert "compiling the engine" in first_compile()


def test_nothing_is_said_once_the_engine_is_in_the_cache():
    from hft.replay.compiled import loop

    loop()
    assert first_compile() == ""


def test_nothing_is_said_once_the_readers_are_in_the_cache(tmp_path):
    synthetic(events=50, out=tmp_path)
    assert first_decode() == ""


@pytest.mark.nojit
@pytest.mark.parametrize("folder", ["", "empty"])
def test_an_ingest_on_a_machine_that_has_compiled_nothing_says_that_it_takes_a_while(
    tmp_path, monkeypatch, capsys, folder
):
    monkeypatch.chdir(tmp_path)
    Path("own.csv").write_text("ts,bid,ask\n2024-01-02T12:00:00Z,100.25,100.5\n")
    words = ["data", "ingest", "own.csv", "--symbol", "X", "--tick", "0.25", "--lot", "1"]
    is_cached = compilation.is_cached

    def compiling(name):
        with monkeypatch.context() as change:  # only this asks: the readers run in plain Python
            change.setattr("hft.core.jit.JIT_DISABLED", False)
            nothing_compiled(change, folder and str(tmp_path / folder))
            return is_cached(name)

    monkeypatch.setattr(compilation, "is_cached", compiling)
    assert run(words) == 0
    said = capsys.readouterr()
    assert "compiling the readers" in said.err and "compiling" not in said.out
    assert run(["--quiet", *words, "--out", "again"]) == 0
    assert "compiling" not in capsys.readouterr().err


@pytest.mark.nojit
def test_what_is_looked_for_in_the_cache_is_a_kernel_that_every_ingest_runs(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(compilation, "is_cached", lambda name: asked.append(name) or True)
    assert first_decode() == ""
    module, name = asked[0].rsplit(".", 1)
    assert getattr(importlib.import_module(f"hft.{module}"), name) is checks.look
    looked, look = [], checks.look
    monkeypatch.setattr(checks, "look", lambda *given: looked.append(given) or look(*given))
    synthetic(events=50, out=tmp_path)
    assert looked


@pytest.mark.nojit
def test_plain_python_has_nothing_to_compile(monkeypatch):
    monkeypatch.setattr("hft.core.jit.JIT_DISABLED", True)
    assert first_compile() == first_decode() == ""


PROGRAM = """
import sys
import numba
import numpy as np
from hft.runs.code.compilation import load_compiler

load_compiler()
load_compiler()
assert "numba.np.arraymath" in sys.modules
assert not [name for name in sys.modules if name.startswith("scipy.linalg")]


@numba.njit
def total(a):
    return (a @ a).sum()


print(int(total(np.full((2, 2), 3.0))))
"""


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_the_compiler_starts_without_linear_algebra_and_strategies_can_use_it_all_the_same():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "72\n", done.stderr
