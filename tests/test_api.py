"""`import hft`: exactly the promised names, each loaded on first use; every example runs."""

import doctest
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hft
from hft.core.codes import OrderType, Side, Tif
from hft.core.errors import ConfigError

FUNCTIONS = {
    "Limits",
    "Venue",
    "features",
    "ingest",
    "load",
    "queue_model",
    "replay",
    "runs",
    "strategy",
    "tapes",
}
MODULES = {"alpha", "audit"}
CONSTANTS = {
    "BUY": Side.BUY,
    "SELL": Side.SELL,
    "GTC": Tif.GTC,
    "IOC": Tif.IOC,
    "FOK": Tif.FOK,
    "DAY": Tif.DAY,
    "GTD": Tif.GTD,
    "GTX": Tif.GTX,
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
}


def run_examples(public: Any, name: str) -> None:
    """The examples in a docstring, which must be there."""
    finder = doctest.DocTestFinder(recurse=False)
    examples = [test for test in finder.find(public, name, globs={}) if test.examples]
    assert examples, f"hft.{name} has no example in its docstring"
    assert not any("+SKIP" in test.docstring for test in examples)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    told: list[str] = []
    for test in examples:
        runner.run(test, out=told.append)
    assert runner.failures == 0, "".join(told)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to work in, one for all examples: the synthetic market is made once."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("examples"))
    yield Path.cwd()
    os.chdir(before)


def test_the_root_offers_these_names_and_no_more() -> None:
    assert set(hft.__all__) == FUNCTIONS | MODULES | set(CONSTANTS)
    assert set(hft.__all__) <= set(dir(hft))


@pytest.mark.nojit
@pytest.mark.parametrize("name", sorted(CONSTANTS))
def test_a_constant_is_the_number_of_its_enum(name: str) -> None:
    # A plain int: strategies store it and index with it, compiled and plain alike.
    assert getattr(hft, name) == CONSTANTS[name].value
    assert type(getattr(hft, name)) is int


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_explains_itself_and_is_typed(name: str) -> None:
    public = getattr(hft, name)
    assert public.__doc__
    # A class is described by its fields.
    if inspect.isfunction(public):
        untyped = [
            parameter.name
            for parameter in inspect.signature(public).parameters.values()
            if parameter.annotation is inspect.Parameter.empty
        ]
        assert not untyped


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_example_of_a_name_runs(name: str, workspace: Path) -> None:
    run_examples(getattr(hft, name), name)


def test_the_example_of_join_runs(workspace: Path) -> None:
    (test,) = doctest.DocTestFinder(recurse=False).find(hft.tapes("synthetic").join, "join")
    told: list[str] = []
    runner = doctest.DocTestRunner()
    runner.run(test, out=told.append)
    assert runner.tries > 3 and runner.failures == 0, "".join(told)


GOVERNANCE = sorted(
    [f"alpha.{name}" for name in hft.alpha.__all__]
    + [f"audit.{name}" for name in hft.audit.__all__]
)
PROMISED = {
    "alpha": "scaffold try_ validate search pool promote approve canary ledger why asof vault "
    "inventory",
    "audit": "asof verify sql overrides pack",
}


def named(name: str) -> Any:
    module, _, own = name.partition(".")
    return getattr(getattr(hft, module), own)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal with one validated alpha, its bars, a day of tapes."""
    from hft.research.data.planted import planted
    from hft.research.data.planted_tapes import write_tapes

    root = tmp_path_factory.mktemp("governed") / "desk"
    hft.alpha.init(root, rehearsal=True)
    hft.alpha.scaffold("demo", source="order_flow_imbalance", horizon="1min", root=root)
    planted(0.2, days=4).write_parquet(root / "bars.parquet")
    write_tapes(root / "tapes", 0.2, days=1)
    bars = str(root / "bars.parquet")
    hft.alpha.validate("demo", bars, profile="base", skip_gate_b_tests=True, root=root)
    (root / "memo.md").write_text("Read.\n")
    return root


@pytest.mark.parametrize("module", sorted(PROMISED))
def test_governance_offers_what_is_promised(module: str) -> None:
    offered = getattr(hft, module)
    assert set(PROMISED[module].split()) <= set(offered.__all__) <= set(dir(offered))


@pytest.mark.parametrize("name", GOVERNANCE)
def test_a_governance_name_is_typed_and_takes_a_workspace(name: str) -> None:
    found = inspect.signature(named(name)).parameters.values()
    assert not [one.name for one in found if one.annotation is inspect.Parameter.empty]
    places = [one.name for one in found if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    if name.startswith("alpha.") and name not in ("alpha.list_", "alpha.init"):
        # What a call is about comes first; everything else is said by name.
        assert len(places) <= 2 and "root" not in places, places
    assert "root" in {one.name for one in found} or name == "alpha.init"


@pytest.mark.parametrize("name", GOVERNANCE)
def test_the_example_of_a_governance_name_runs(
    name: str, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path(shutil.copytree(desk, tmp_path / "desk", symlinks=True))
    monkeypatch.chdir(own)
    run_examples(named(name), name)


def test_importing_the_root_loads_nothing_heavy() -> None:
    heavy = ("numpy", "numba", "polars", "pyarrow", "yaml", "typer")
    code = f"import sys, hft; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_names_that_are_also_packages_stay_functions() -> None:
    import hft.replay.state
    import hft.runs.folder.listing

    assert inspect.isfunction(hft.replay) and inspect.isfunction(hft.runs)
    assert sys.modules["hft.runs.folder.listing"].listing


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no name 'repaly'.*replay"):
        hft.repaly  # noqa: B018


def test_the_root_shows_what_it_offers_and_nothing_of_its_making() -> None:
    assert [name for name in dir(hft) if not name.startswith("__")] == sorted(hft.__all__)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_frame_in_place_of_tapes_is_told_how_it_becomes_some(library: str) -> None:
    frame = pytest.importorskip(library).DataFrame({"ts": [1]})
    with pytest.raises(ConfigError, match=rf"{library} frame, not tapes.*hft.ingest"):
        hft.replay(frame, "market_making")


def test_a_strategy_is_checked_in_plain_python(workspace: Path) -> None:
    seen: list[str] = []

    @hft.strategy(every="1s", state={"n": 0})
    def plain(view, order, p, s):  # type: ignore[no-untyped-def]
        s["n"] += 1
        seen.append(type(view).__name__)

    checked = plain.check(hft.tapes("synthetic", seed=1), wakes=25)
    assert checked.wakes == 25 and checked.state == {"n": 25}
    assert seen == ["View"] * 25


def test_check_names_wake_up_time_and_state_of_what_is_wrong(workspace: Path) -> None:
    @hft.strategy(every="1s", state={"n": 0, "ring": [0, 0]})
    def wrong(view, order, p, s):  # type: ignore[no-untyped-def]
        s["ring"][s["n"]] = 1
        s["n"] += 1

    with pytest.raises(Exception, match=r"IndexError.*wake-up 3, 2024-.*n=2, ring=\[1, 1\]"):
        wrong.check(hft.tapes("synthetic", seed=1))


def test_check_says_when_a_strategy_is_never_woken(workspace: Path) -> None:
    @hft.strategy(on="status")
    def asleep(view, order, p, s):  # type: ignore[no-untyped-def]
        order.cancel_all()

    with pytest.raises(Exception, match="never woken"):
        asleep.check(hft.tapes("synthetic", seed=1))
