"""What every test may use: the recorded markets, seeds from the command line, a quiet environment.

`--seed N` replays one simulated case, `--seeds N` soaks, `--lite` leaves slow tests out, `--quick`
keeps those of `tests/quick.py`, `--bless` rewrites golden files. A test takes `sim_seed` to run
once per seed.
"""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import quick
from hypothesis import Phase, settings

pytest_plugins = ["shared_judgements", "forked_workers"]

ROOT = Path(__file__).resolve().parents[1]
KEPT_VARIABLES = ("HFT_TEST_DATA", "HFT_CACHE_DIR")
DEFAULT_SEEDS = 5
ON_REQUEST = ("browser", "soak")

# A developer's own settings must not change what a test sees.
for _name in [name for name in os.environ if name.startswith("HFT_") or name == "GATEWAY_CONFIG"]:
    if _name not in KEPT_VARIABLES:
        del os.environ[_name]

# Time limits per example would make slow machines fail; a failing example prints how to repeat it.
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
# Whether anything fails, not the smallest case of it: `make quick-faults` asks no more.
settings.register_profile(
    "first",
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hft")
    group.addoption("--seed", type=int, default=None, help="run seeded tests with this seed only")
    group.addoption("--seeds", type=int, default=None, help="run seeded tests with seeds 0..N-1")
    group.addoption("--lite", action="store_true", help="leave out tests marked slow")
    group.addoption("--quick", action="store_true", help="keep the tests listed in tests/quick.py")
    group.addoption("--bless", action="store_true", help="rewrite golden files instead of checking")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sim_seed" in metafunc.fixturenames:
        seed, count = metafunc.config.getoption("seed"), metafunc.config.getoption("seeds")
        seeds = [seed] if seed is not None else range(DEFAULT_SEEDS if count is None else count)
        metafunc.parametrize("sim_seed", list(seeds), ids=lambda value: f"seed={value}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where one mark alone is asked for, as by `-m nojit`, a file that never names it has none."""
    mark, file = config.option.markexpr, collection_path
    if not mark.isidentifier() or not file.name.startswith("test_"):
        return None
    return True if file.is_file() and mark not in file.read_text(encoding="utf-8") else None


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their argument: a packed file holds the time of packing, and test
    processes that name a test differently cannot share the work."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if _is_left_out(config, item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=_long_ones_first(items))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: without this the collector walks it again and again."""
    gc.collect()
    gc.freeze()


def _long_ones_first(items: list[pytest.Item]) -> Callable[[pytest.Item], tuple[bool, int]]:
    """Files with slow tests, then those about the whole product, then the parts: processes that
    share the work end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    return lambda item: (item.path not in slow, len(item.path.parts))


def _is_left_out(config: pytest.Config, item: pytest.Item) -> bool:
    """Slow tests under --lite; those of a mark in ON_REQUEST unless `-m` names it."""
    if item.get_closest_marker("slow") and config.getoption("lite"):
        return True
    if config.getoption("quick"):
        return not quick.belongs(item.nodeid, item.get_closest_marker("nojit") is not None)
    asked = config.option.markexpr
    return any(item.get_closest_marker(mark) and mark not in asked for mark in ON_REQUEST)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded markets; a test that needs it skips, with the reason, without it."""
    given = os.environ.get("HFT_TEST_DATA")
    path = Path(given) if given else ROOT / ".." / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no recorded markets in {path}: set HFT_TEST_DATA to a folder that has them")
    return path.resolve()


@pytest.fixture(scope="session")
def bless(pytestconfig: pytest.Config) -> bool:
    """True when golden files are to be rewritten."""
    return bool(pytestconfig.getoption("bless"))


@pytest.fixture(scope="session")
def lite(pytestconfig: pytest.Config) -> bool:
    """True when a simulation should be short."""
    return bool(pytestconfig.getoption("lite"))
