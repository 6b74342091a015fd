"""A user's file is run by its text: bytecode dated to the second never stands in for an edit."""

import os
import py_compile
import sys
from pathlib import Path

import pytest

from hft.alpha import loader
from hft.alpha.workspace import Workspace
from hft.feeds.registry import decoder
from hft.runs.sources import strategies_in
from hft.storage.python_file import load

BY_TIME = py_compile.PycInvalidationMode.TIMESTAMP
STRATEGY = """
import hft


@hft.strategy(every="100ms", state={{"n": {n}}})
def body(view, order, p, s):
    pass
"""
PLUG_IN = 'NAMES = ("mine",)\nDESCRIPTION = "{n}"\nsniff = decode = print\n'
ALPHA = """
from hft.alpha.manifest import AlphaManifest
from .{module} import WEIGHT


class A:
    manifest = AlphaManifest("a", "h", str(WEIGHT), (), ("mid",), horizon_ns=1, owner="o")

    def update(self, *, mid):
        return WEIGHT

    def reset(self):
        pass

    def get_signal(self):
        return WEIGHT
"""


@pytest.fixture(autouse=True)
def bytecode_is_kept(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def edited(path: Path, text: str) -> None:
    """Other text of the same length, dated as the file was."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def test_python_itself_would_run_the_text_before_such_an_edit(tmp_path, monkeypatch):
    """Else the tests below could not fail."""
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "stale_of_python.py"
    path.write_text("N = 1\n")
    before = __import__("stale_of_python").N
    edited(path, "N = 2\n")
    del sys.modules["stale_of_python"]
    assert before == __import__("stale_of_python").N


def test_an_edit_of_a_strategy_in_the_second_of_its_last_load_is_the_strategy_that_runs(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(STRATEGY.format(n=1))
    assert strategies_in(path)["body"].state == {"n": 1}
    edited(path, STRATEGY.format(n=2))
    assert strategies_in(path)["body"].state == {"n": 2}
    assert not (tmp_path / "__pycache__").exists()


def test_an_edit_of_a_plug_in_in_the_second_of_its_last_load_is_the_decoder_that_reads(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUG_IN.format(n=1))
    assert decoder(str(path))[1].DESCRIPTION == "1"
    edited(path, PLUG_IN.format(n=2))
    assert decoder(str(path))[1].DESCRIPTION == "2"


@pytest.mark.parametrize("module", ["weights", "deep.weights", "whole.weights"])
def test_an_edit_of_a_module_beside_an_alpha_is_what_the_alpha_computes_with(tmp_path, module):
    folder = tmp_path / "research/alphas/a"
    beside = folder.joinpath(*module.split(".")).with_suffix(".py")
    beside.parent.mkdir(parents=True, exist_ok=True)
    if module.startswith("whole"):
        (beside.parent / "__init__.py").write_text("")
    (folder / "impl.py").write_text(ALPHA.format(module=module))
    beside.write_text("WEIGHT = 1.0\n")
    said = []
    for weight in ("1.0", "2.0"):
        edited(beside, f"WEIGHT = {weight}\n")
        said.append(loader.load(Workspace(tmp_path), "a").manifest.formula)
        py_compile.compile(str(beside), invalidation_mode=BY_TIME)  # as an editor's tools may do
    assert said == ["1.0", "2.0"]


def test_a_file_that_fails_leaves_no_half_of_a_module(tmp_path):
    path = tmp_path / "half.py"
    path.write_text("A = 1\nraise ValueError('so')\n")
    with pytest.raises(ValueError, match="so"):
        load(path, "half_of_a_module")
    assert "half_of_a_module" not in sys.modules
