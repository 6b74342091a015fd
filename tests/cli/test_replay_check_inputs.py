"""A replay of a file is the replay that `hft.replay` makes of the same arguments."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import replays_world as world

import hft
from hft.api.regression_inputs import replay_of
from hft.core.errors import ConfigError
from hft.runs.code.sources import find, find_queue
from hft.runs.regression import file as replays
from hft.runs.regression.inputs import inputs_of, moved
from hft.runs.result import Run

QUEUE = """

@hft.queue_model
def hopeful(ahead_micro, before, after, traded):
    return ahead_micro // 2
"""
END = "2023-11-14T22:15:20Z"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to be copied."""
    folder = tmp_path_factory.mktemp("inputs")
    world.make(folder)
    (folder / "tight.yaml").write_text("max_position_size: 4\n")
    (folder / "plan.yaml").write_text("reject: 0.2\n")
    return folder


@pytest.fixture
def here(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, always at one place: what this process has compiled of it serves again."""
    repo = made.with_name(f"{made.name}_copy")
    shutil.rmtree(repo, ignore_errors=True)
    shutil.copytree(made, repo)
    monkeypatch.chdir(repo)
    return repo


def of_file(here: Path, fields: str) -> Run:
    (here / "replays.yaml").write_text(f"replays:\n  one:\n    {fields}\n")
    (spec,) = replays.read("replays.yaml").specs
    return replay_of(spec, None, "by_file")


def quoter(**params: Any) -> Any:
    return find("quoter.py:quote").with_params(params)


Call = Callable[[], dict[str, Any]]
SAME: dict[str, tuple[str, Call]] = {
    "params, seed, span": (
        f"strategy: quoter.py\n    params: {{lots: 2}}\n    seed: 5\n    end: {END}",
        lambda: {"strategy": quoter(lots=2), "seed": 5, "end": END},
    ),
    "limits and faults beside the file": (
        "strategy: quoter.py\n    limits: tight.yaml\n    faults: plan.yaml",
        lambda: {"strategy": quoter(), "limits": "tight.yaml", "faults": "plan.yaml"},
    ),
    "a preset": (
        "strategy: two_sided\n    venue: cme",
        lambda: {"strategy": "two_sided", "venue": hft.Venue.cme()},
    ),
    "a venue by its parts": (
        "strategy: two_sided\n    venue:\n"
        "      {preset: cme, latency: {entry: 1ms}, fees: {per_lot: 1.38}}",
        lambda: {
            "strategy": "two_sided",
            "venue": hft.Venue(
                {"entry": "1ms"}, "fifo", fees={"per_lot": 1.38}, name="cme", fills=None
            ),
        },
    ),
    "a distribution and a queue of one's own": (
        "strategy: two_sided\n    venue:\n"
        "      {latency: [uniform, 1ms, 2ms], queue: 'quoter.py:hopeful'}",
        lambda: {
            "strategy": "two_sided",
            "venue": hft.Venue(("uniform", "1ms", "2ms"), find_queue("quoter.py:hopeful")),
        },
    ),
    "several strategies": (
        "strategies: {a: 'quoter.py:quote', b: {strategy: momentum, params: {max_lots: 3}}}",
        lambda: {
            "strategy": {"a": quoter(), "b": find("momentum").with_params({"max_lots": 3})},
        },
    ),
    "symbols and days": (
        "strategy: momentum\n    symbols: [X]\n    days: 2023-11-14",
        lambda: {"strategy": "momentum"},
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_fields_mean_what_the_arguments_of_a_replay_mean(what: str, here: Path) -> None:
    if "queue" in what:
        world.change(here / "quoter.py", lambda text: text + QUEUE)
    fields, arguments = SAME[what]
    by_file = of_file(here, f"tapes: tapes/x\n    {fields}")
    by_call = hft.replay(hft.tapes("tapes/x"), **arguments(), out="by_call")
    assert by_file.manifest["key"] == by_call.manifest["key"]
    assert by_file.digest == by_call.digest and by_file.record == "full"


def test_every_is_another_clock(here: Path) -> None:
    slow = of_file(here, "tapes: tapes/x\n    strategy: quoter.py\n    every: 20s")
    quick = of_file(here, "tapes: tapes/x\n    strategy: quoter.py")
    assert 3 * slow.totals["wakes"] < quick.totals["wakes"]


def test_a_synthetic_market_is_made_once_beside_the_file(here: Path) -> None:
    market = "{synthetic: {seed: 3, events: 60, kind: l3}}"
    fields = f"tapes: {market}\n    strategy: quoter.py\n    every: 1800s"
    first = of_file(here, fields)
    (folder,) = (here / "tapes").glob("synthetic-*")
    assert folder.name == "synthetic-seed3-events60-kindl3"
    made = [path.stat().st_mtime_ns for path in folder.iterdir()]
    assert of_file(here, fields).path == first.path
    assert [path.stat().st_mtime_ns for path in folder.iterdir()] == made


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("tapes: tapes/x\n    strategy: nobody", "'nobody' is neither a shipped one"),
        ("tapes: tapes/x\n    strategy: none.py", "none.py: no such strategy file"),
        ("tapes: tapes/x\n    strategy: quoter.py:nobody", "no strategy 'nobody'; it has quote"),
        ("tapes: tapes/x\n    strategy: quoter.py\n    every: often", "every='often' is not a"),
        ("tapes: tapes/x\n    strategy: quoter.py\n    params: {lot: 1}", "'lot'"),
        ("tapes: tapes/x\n    strategy: momentum\n    venue: {preset: moon}", "'moon' is not one"),
        ("tapes: tapes/x\n    strategy: momentum\n    venue: {latncy: 1ms}", "'latncy' is none of"),
        (
            "tapes: tapes/x\n    strategy: momentum\n    limits: tigt",
            "'tigt': there is no such file",
        ),
        ("tapes: {synthetic: {sed: 1}}\n    strategy: momentum", "tapes.synthetic: sed: 1 is none"),
        ("tapes: tapes/x\n    strategy: momentum\n    symbols: [[X]]", "is no list of names"),
        (
            "tapes: tapes/x\n    strategy: momentum\n    venue: {queue_power: x}",
            "venue.queue_power: 'x' is not a number",
        ),
        ("tapes: {real: {seed: 1}}\n    strategy: momentum", "tapes: write paths, or"),
        (
            "tapes: tapes/x\n    strategies: {a: {strategy: momentum, "
            f"params: {{hold: {10**20}}}}}}}",
            "strategy 'momentum': a parameter does not fit",
        ),
    ],
)
def test_what_cannot_be_run_is_one_sentence(fields: str, said: str, here: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        of_file(here, fields)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "which"),
    [
        ("params: {lots: 2}", {"config": ["params"]}),
        ("every: 4s", {"config": ["wake-ups"]}),
        ("seed: 9", {"config": ["seed"]}),
        ("venue: cme", {"config": ["venue"]}),
        ("limits: 'off'", {"config": ["limits"]}),
        (f"end: {END}", {"config": ["span"]}),
        ("faults: {reject: 0.1}", {"config": ["faults"]}),
        (f"controls: [{{at: {END}, kind: kill}}]", {"config": ["controls"]}),
        ("venue: {queue: 'quoter.py:hopeful'}", {"code": [], "config": ["venue"]}),
    ],
)
def test_a_changed_input_is_told_as_what_it_is(
    fields: str, which: dict[str, list[str]], here: Path
) -> None:
    world.change(here / "quoter.py", lambda text: text + QUEUE)
    before = of_file(here, "tapes: tapes/x\n    strategy: 'quoter.py:quote'")
    after = of_file(here, f"tapes: tapes/x\n    strategy: 'quoter.py:quote'\n    {fields}")
    assert moved(inputs_of(before.manifest), inputs_of(after.manifest)) == which
