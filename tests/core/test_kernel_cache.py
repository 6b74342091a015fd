"""The cache folder is named by everything that a compiled kernel depends on."""

import ast
import os
from pathlib import Path

import numba
import pytest

from hft.core import kernel_cache
from hft.runs import job

pytestmark = pytest.mark.nojit


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up source tree that the key function takes for ours."""
    root = tmp_path / "hft"
    for package in ("core", "gateway", "replay", "feeds", "cli"):
        (root / package).mkdir(parents=True)
        (root / package / "module.py").write_text("x = 1\n")
    monkeypatch.setattr(kernel_cache, "__file__", str(root / "core" / "kernel_cache.py"))
    return root


@pytest.mark.parametrize("package", ["core", "gateway", "replay", "feeds"])
def test_an_edit_of_a_source_with_kernels_moves_the_folder(tree: Path, package: str) -> None:
    before = kernel_cache.sources_key()
    (tree / package / "module.py").write_text("x = 2\n")
    assert kernel_cache.sources_key() != before


def test_a_new_or_renamed_source_moves_the_folder(tree: Path) -> None:
    before = kernel_cache.sources_key()
    (tree / "core" / "module.py").rename(tree / "core" / "other.py")
    renamed = kernel_cache.sources_key()
    (tree / "core" / "new.py").write_text("")
    assert len({before, renamed, kernel_cache.sources_key()}) == 3


def test_every_compiled_kernel_is_in_the_key() -> None:
    package = Path(kernel_cache.__file__).parents[1]
    hashed = [package / name for name in (*BELOW, *kernel_cache.PACKAGES_WITH_KERNELS)]
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
BELOW = kernel_cache.PACKAGES_BELOW_THE_LINE


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
        seen |= {kernel_cache.sources_key(), job.code_hash.__wrapped__()}
    assert len(seen) == 4


def test_the_packages_below_the_line_are_those_of_the_style(tree: Path) -> None:
    import test_tidy

    assert set(test_tidy.BELOW) == set(BELOW), "one is not hashed, or not held"


def test_an_edit_above_the_line_leaves_the_folder(tree: Path) -> None:
    before = kernel_cache.sources_key()
    (tree / "cli" / "module.py").write_text("x = 2\n")
    assert kernel_cache.sources_key() == before


@pytest.mark.parametrize(
    "flag", ["BOUNDSCHECK", "DEBUGINFO_DEFAULT", "OPT", "CPU_NAME", "CPU_FEATURES"]
)
def test_a_flag_moves_the_folder(tree: Path, monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    before = kernel_cache.sources_key()
    monkeypatch.setattr(numba.config, flag, "changed")
    assert kernel_cache.sources_key() != before


def test_a_processor_that_hides_instructions_of_its_model_has_a_folder_of_its_own(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kernel_cache.sources_key()
    monkeypatch.setattr(kernel_cache, "get_host_cpu_features", lambda: "+sse2,-avx2")
    hidden = kernel_cache.sources_key()
    assert hidden != before
    for features in ("", "+sse2,-avx2"):
        monkeypatch.setattr(numba.config, "CPU_NAME", kernel_cache.ANY_PROCESSOR)
        monkeypatch.setattr(numba.config, "CPU_FEATURES", features)
        same = kernel_cache.sources_key() == kernel_cache.sources_key(kernel_cache.ANY_PROCESSOR)
        assert same == (features == ""), "a wheel brings what any processor can run"


@pytest.mark.parametrize("module", ["numba", "llvmlite", "np"])
def test_a_version_moves_the_folder(
    tree: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    before = kernel_cache.sources_key()
    monkeypatch.setattr(getattr(kernel_cache, module), "__version__", "0.0.0")
    assert kernel_cache.sources_key() != before


def test_only_the_newest_folders_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path))
    root = kernel_cache.cache_root()
    for k in range(5):
        (root / f"old{k}").mkdir(parents=True)
        os.utime(root / f"old{k}", (1000 + k, 1000 + k))
    own = kernel_cache.Folders().own
    kept = {path.name for path in root.iterdir()}
    assert kept == {kernel_cache.sources_key(), "old4", "old3"}
    assert own == str(root / kernel_cache.sources_key())


def test_a_folder_that_another_process_removes_meanwhile_is_no_reason_to_keep_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path))
    root = kernel_cache.cache_root()
    root.mkdir(parents=True)
    (root / "gone").symlink_to(root / "nowhere")  # listed, and not there when it is looked at
    assert kernel_cache.Folders().own == str(root / kernel_cache.sources_key())


def test_where_no_folder_can_be_made_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hft").write_text("a file where the folder should be")
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path))
    assert kernel_cache.Folders().own == ""


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "gone"])
def test_a_damaged_file_holds_nothing_and_is_written_anew(
    tmp_path: Path, ending: str, damage: str
) -> None:
    files = kernel_cache.Files(str(tmp_path), "a.kernel-7", "")
    files.save("signature", ("code", 1))
    assert files.load("signature") == ("code", 1)
    (file,) = tmp_path.glob(f"*.{ending}")
    data = file.read_bytes()
    changed = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": data[:-9], "changed": changed, "empty": b""}[damage])
    assert files.load("signature") is None
    files.save("signature", ("code", 2))
    assert files.load("signature") == ("code", 2)


def test_two_signatures_never_share_a_file_though_neither_index_knew_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (kernel_cache.Files(str(tmp_path), "a.kernel-7", "") for _ in range(2))
    monkeypatch.setattr(there, "_load_index", dict)
    here.save("first", "code of the first")
    there.save("second", "code of the second")
    assert len(list(tmp_path.glob("*.nbc"))) == 2
    assert here.load("first") in (None, "code of the first")


@pytest.mark.parametrize("level", ["folder", "root", "above"])
@pytest.mark.parametrize("fault", ["open to all", "of another user"])
def test_a_folder_that_another_user_could_fill_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, fault: str
) -> None:
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path))
    own = kernel_cache.Folders().own
    folder = Path(own)
    assert own and not kernel_cache.stranger_may_write(folder)
    path = {"folder": folder, "root": folder.parent, "above": folder.parent.parent}[level]
    if fault == "open to all":
        path.chmod(0o777)
    elif os.getuid() == 0:
        os.chown(path, 12_345, -1)
    else:
        pytest.skip("only root can give a folder away")
    assert kernel_cache.Folders().own == ""


def test_an_open_umask_leaves_the_folder_to_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path / "of" / "mine"))
    before = os.umask(0)
    try:
        assert kernel_cache.Folders().own
    finally:
        os.umask(before)
