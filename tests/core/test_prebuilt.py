"""Compiled kernels are kept, brought by a wheel, and never used where they are not right."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hft.core import kernel_cache

PROGRAM = """
from hft.core.jit import is_cached
from hft.core.numbers import div_half_even
print(div_half_even(7, 2), sum(div_half_even.stats.cache_hits.values()))
print(is_cached("core.numbers.div_half_even"))
"""


def run_in(cache: Path, package: Path | None = None, **more: str) -> list[str]:
    """What a process prints that calls one kernel: the result, loads from the cache, and if it is
    there. It uses the `hft` beside `package` where one is given."""
    environment = {key: value for key, value in os.environ.items() if "NUMBA_" not in key}
    environment |= {"HFT_CACHE_DIR": str(cache), **more}
    if package is not None:
        environment["PYTHONPATH"] = str(package.parent)
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, cwd=cache, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_kernel_is_compiled_once_and_loaded_by_the_next_process(tmp_path: Path) -> None:
    assert run_in(tmp_path) == ["4", "0", "True"]
    assert run_in(tmp_path) == ["4", "1", "True"]


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation of hft with kernels that were compiled for any processor."""
    home = tmp_path_factory.mktemp("brought")
    package = home / "site" / "hft"
    ignored = shutil.ignore_patterns("__pycache__", "prebuilt")
    shutil.copytree(Path(kernel_cache.__file__).parents[1], package, ignore=ignored)
    (home / "cache").mkdir()
    run_in(home / "cache", package, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    (folder,) = (home / "cache" / "hft" / "kernels").iterdir()
    shutil.move(folder, package / "prebuilt" / folder.name)
    return package


def test_kernels_that_a_wheel_brings_are_loaded_on_a_machine_that_compiled_nothing(
    brought: Path, tmp_path: Path
) -> None:
    assert run_in(tmp_path, brought) == ["4", "1", "True"]
    assert not list(tmp_path.rglob("*.nb?")), "nothing was compiled"


def test_they_are_used_where_nothing_can_be_written(brought: Path, tmp_path: Path) -> None:
    (tmp_path / "hft").write_text("no folder can be made here")
    assert run_in(tmp_path, brought) == ["4", "1", "True"]


@pytest.mark.parametrize("change", ["source", "flag", "damage"])
def test_kernels_of_other_sources_flags_or_bytes_are_not_used(
    brought: Path, tmp_path: Path, change: str
) -> None:
    package = tmp_path / "site" / "hft"
    shutil.copytree(brought, package)
    (folder,) = (package / "prebuilt").iterdir()
    flags = {}
    if change == "source":
        source = package / "venue" / "queue.py"
        source.write_text(source.read_text() + "# another comment\n")
    elif change == "flag":
        flags = {"NUMBA_BOUNDSCHECK": "1"}
    else:
        for file in folder.glob("core.numbers.div_half_even-*.nbc"):
            file.write_bytes(file.read_bytes()[:-1])
    assert run_in(tmp_path, package, **flags) == ["4", "0", "True"]


def test_processes_that_start_at_once_on_an_empty_cache_all_end_well(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: run_in(tmp_path)[0], range(3)))
    assert found == ["4"] * 3
    assert run_in(tmp_path) == ["4", "1", "True"]
