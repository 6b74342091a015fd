"""The cache folder is named by everything that a compiled kernel depends on."""

import ast
import os
from pathlib import Path

import numba
import numpy as np
import pytest

from hft.core import jit
from hft.runs import job

pytestmark = pytest.mark.nojit


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up source tree that the key function takes for ours."""
    root = tmp_path / "hft"
    for package in ("core", "gateway", "replay", "feeds", "cli"):
        (root / package).mkdir(parents=True)
        (root / package / "module.py").write_text("x = 1\n")
    monkeypatch.setattr(jit, "__file__", str(root / "core" / "jit.py"))
    return root


@pytest.mark.parametrize("package", ["core", "gateway", "replay", "feeds"])
def test_an_edit_of_a_source_with_kernels_moves_the_folder(tree: Path, package: str) -> None:
    before = jit._sources_key()
    (tree / package / "module.py").write_text("x = 2\n")
    assert jit._sources_key() != before


def test_a_new_or_renamed_source_moves_the_folder(tree: Path) -> None:
    before = jit._sources_key()
    (tree / "core" / "module.py").rename(tree / "core" / "other.py")
    renamed = jit._sources_key()
    (tree / "core" / "new.py").write_text("")
    assert len({before, renamed, jit._sources_key()}) == 3


def test_every_compiled_kernel_is_in_the_key() -> None:
    package = Path(jit.__file__).parents[1]
    hashed = [package / name for name in (*BELOW, *jit.PACKAGES_WITH_KERNELS)]
    holders = {path for path in package.rglob("*.py") if kernels(path.read_text())}
    assert len(holders) > 50, "the decorator has another name?"
    outside = {str(path) for path in holders if not any(h in path.parents for h in hashed)}
    assert not outside, "add their folder to PACKAGES_WITH_KERNELS, or an edit runs old code"


def kernels(source: str) -> list[str]:
    """The functions of a source that are compiled, by decorator or by call."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            callees = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
        else:
            callees = [node.func] if isinstance(node, ast.Call) else []
        compilers = [ast.unparse(c) for c in callees if ast.unparse(c).split(".")[-1] in COMPILERS]
        found += compilers
    return found


COMPILERS = ("kernel", "njit", "jit", "vectorize", "guvectorize", "cfunc")
BELOW = jit.PACKAGES_BELOW_THE_LINE


@pytest.mark.parametrize("package", [name for name in BELOW if name != "algos"])
def test_an_edit_of_a_file_below_the_line_is_another_run_and_another_cache(
    tree: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(job.core_package, "__file__", str(tree / "core" / "__init__.py"))
    deep = tree / package / "part" / "module.py"
    deep.parent.mkdir(parents=True)
    seen = set()
    for text in ("x = 1\n", "x = 2\n"):
        deep.write_text(text)
        seen |= {jit._sources_key(), job.code_hash.__wrapped__()}
    assert len(seen) == 4


def test_the_packages_below_the_line_are_those_of_the_style(tree: Path) -> None:
    import test_tidy

    assert set(test_tidy.BELOW) == set(BELOW), "one is not hashed, or not held"


def test_an_edit_above_the_line_leaves_the_folder(tree: Path) -> None:
    before = jit._sources_key()
    (tree / "cli" / "module.py").write_text("x = 2\n")
    assert jit._sources_key() == before


@pytest.mark.parametrize("flag", ["BOUNDSCHECK", "DEBUGINFO_DEFAULT", "OPT", "CPU_NAME"])
def test_a_flag_moves_the_folder(tree: Path, monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    before = jit._sources_key()
    monkeypatch.setattr(numba.config, flag, "changed")
    assert jit._sources_key() != before


@pytest.mark.parametrize("module", ["numba", "llvmlite", "np"])
def test_a_version_moves_the_folder(
    tree: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    before = jit._sources_key()
    monkeypatch.setattr(getattr(jit, module), "__version__", "0.0.0")
    assert jit._sources_key() != before


def test_only_the_newest_folders_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)
    root = jit._cache_root()
    for k in range(5):
        (root / f"old{k}").mkdir(parents=True)
        os.utime(root / f"old{k}", (1000 + k, 1000 + k))
    jit._choose_cache_folder()
    kept = {path.name for path in root.iterdir()}
    assert kept == {jit._sources_key(), "old4", "old3"}
    assert str(root / jit._sources_key()) == numba.config.CACHE_DIR


def test_a_folder_that_cannot_be_made_leaves_numbas_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hft").write_text("a file where the folder should be")
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "as before")
    jit._choose_cache_folder()
    assert numba.config.CACHE_DIR == "as before"


def test_a_record_is_read_and_written_at_its_address() -> None:
    row = np.dtype([("a", np.int64), ("b", np.float64)], align=True)
    rows = np.zeros(3, row)
    at = rows.ctypes.data + row.itemsize
    record = jit.array_at(at, 1, row)[0]
    record["a"], record["b"] = 7, 0.25
    assert rows[1].item() == (7, 0.25) and rows[0].item() == (0, 0.0)
