"""A user's file is run by its text: bytecode dated to the second never stands in for an edit."""

import os
import py_compile
import sys
from pathlib import Path

import pytest

from hft.core.jit import JIT_DISABLED
from hft.feeds.registry import decoder
from hft.research.alphas import loader
from hft.research.workspace import Workspace
from hft.runs.code.location import file_of
from hft.runs.code.sources import strategies_in
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
from hft.research.alphas.manifest import AlphaManifest
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


def test_a_file_given_by_a_relative_path_is_still_found_from_another_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(STRATEGY.format(n=1))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    made = strategies_in(Path("mine.py"))["body"]
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert file_of(made) == str((tmp_path / "mine.py").resolve())
    assert "def body" in made.source


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
        said.append(loader.load_folder(Workspace(tmp_path).alphas / "a").manifest.formula)
        py_compile.compile(str(beside), invalidation_mode=BY_TIME)  # as an editor's tools may do
    assert said == ["1.0", "2.0"]


def test_a_file_that_fails_leaves_no_half_of_a_module(tmp_path):
    path = tmp_path / "half.py"
    path.write_text("A = 1\nraise ValueError('so')\n")
    with pytest.raises(ValueError, match="so"):
        load(path, "half_of_a_module")
    assert "half_of_a_module" not in sys.modules


def test_a_module_that_a_file_imports_by_a_plain_name_leaves_no_bytecode(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "plain_beside.py").write_text("N = 1\n")
    (tmp_path / "mine.py").write_text("from plain_beside import N\n")
    assert load(tmp_path / "mine.py", "hft_test_of_mine").N == 1
    assert not (tmp_path / "__pycache__").exists()
    assert sys.dont_write_bytecode is False
    del sys.modules["plain_beside"], sys.modules["hft_test_of_mine"]


@pytest.mark.parametrize("module", ["weights", "whole.__init__", "__pycache__.weights"])
def test_code_of_an_alpha_that_its_hash_leaves_out_is_a_file_that_it_reads(tmp_path, module):
    folder = tmp_path / "research/alphas/a"
    beside = folder.joinpath(*module.split(".")).with_suffix(".py")
    beside.parent.mkdir(parents=True, exist_ok=True)
    (folder / "impl.py").write_text(ALPHA.format(module=module.removesuffix(".__init__")))
    beside.write_text("WEIGHT = 1.0\n")
    if not module.startswith("__pycache__"):
        assert loader.load_folder(Workspace(tmp_path).alphas / "a").reads == ()
        py_compile.compile(str(beside), cfile=str(beside.with_suffix(".pyc")))
        beside.unlink()
        beside = beside.with_suffix(".pyc")
    assert loader.load_folder(Workspace(tmp_path).alphas / "a").reads == (str(beside),)


BY_PLAIN_NAME = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
from weights_by_name import WEIGHT
"""


def test_two_alphas_with_a_helper_of_one_name_on_the_path_have_each_their_own(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, weight in (("a", 1.0), ("b", 2.0)):
        folder = tmp_path / "research/alphas" / name
        folder.mkdir(parents=True)
        text = ALPHA.replace("from .{module} import WEIGHT", BY_PLAIN_NAME)
        (folder / "impl.py").write_text(text.replace('"a"', f'"{name}"'))
        (folder / "weights_by_name.py").write_text(f"WEIGHT = {weight}\n")
    tests = tmp_path / "research/alphas/b/tests/test_at_work.py"
    tests.parent.mkdir()
    tests.write_text("")
    at_work = load(tests, "test_at_work")
    said = [
        loader.load_folder(Workspace(tmp_path).alphas / name).manifest.formula for name in "aba"
    ]
    assert sys.modules.pop("test_at_work") is at_work
    assert said == ["1.0", "2.0", "1.0"]
    del sys.modules["weights_by_name"]


COMPILED = """
import numba
from .weights import weight

@numba.njit(cache=True)
def cached():
    return weight()

WEIGHT = cached()
"""


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_compiled_code_of_an_alpha_is_of_its_text_and_not_of_a_cache_beside_it(tmp_path):
    folder = tmp_path / "research/alphas/a"
    folder.mkdir(parents=True)
    (folder / "impl.py").write_text(ALPHA.replace("from .{module} import WEIGHT", COMPILED))
    said = []
    for weight in (1.0, 2.0):
        text = f"import numba\n@numba.njit\ndef weight():\n    return {weight}\n"
        (folder / "weights.py").write_text(text)
        found = loader.load_folder(Workspace(tmp_path).alphas / "a")
        assert found.reads == ()
        said.append(found.manifest.formula)
    assert said == ["1.0", "2.0"]
