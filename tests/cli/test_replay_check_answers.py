"""Unchanged replays are answered by their sealed runs, at the price of the command's start.

What a key is computed from is noticed when it changes; one replay a day is run all the same, and in
CI every one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
import replays_world as world

from hft.api import regression, regression_run
from hft.cli import app
from hft.runs.regression.draw import drawn
from hft.runs.regression.junit import junit
from hft.runs.regression.outcome import Outcome
from hft.runs.result import Run

ROOT = Path(__file__).resolve().parents[2]
MANY = "replays:\n" + "".join(
    f"""  r{k:02}:
    tapes: tapes/x
    strategy: quoter.py:quote
    params: {{half_ticks: {1 + k % 3}}}
    limits: tight.yaml
    venue: {{fees: {{maker_bps: {k % 2}, taker_bps: {k % 2}}}}}
    seed: {k}
"""
    for k in range(20)
)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def blessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twenty blessed replays, to be copied."""
    folder = tmp_path_factory.mktemp("twenty")
    file = world.make(folder, MANY)
    (folder / "tight.yaml").write_text("max_position_size: 5\n")
    assert app.run(["replay", "check", str(file), "--bless", "--out", str(folder / "runs")]) == 0
    return folder


@pytest.fixture
def here(blessed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, always at one place: what this process has compiled of it serves again."""
    repo = blessed.with_name(f"{blessed.name}_copy")
    shutil.rmtree(repo, ignore_errors=True)
    shutil.copytree(blessed, repo)
    monkeypatch.chdir(repo)
    monkeypatch.delenv("CI", raising=False)
    return repo


def hows(found: regression.Checked) -> dict[str, list[str]]:
    by: dict[str, list[str]] = {}
    for one in found.outcomes:
        by.setdefault(one.how, []).append(one.name)
    return by


def test_one_replay_a_day_is_run_again_and_each_has_its_turn(here: Path) -> None:
    day = date(2026, 3, 1)
    names = [f"r{k:02}" for k in range(20)]
    first = hows(regression.check(today=day))
    assert len(first["key"]) == 19 and first["drawn"] == [drawn(names, day)]
    assert hows(regression.check(today=day)) == {"key": names}
    assert hows(regression.check(today=day + timedelta(1)))["drawn"] == [
        drawn(names, day + timedelta(1))
    ]
    turns = {drawn(names, day + timedelta(k)) for k in range(150)}
    assert turns == set(names) and drawn(names[::-1], day) == drawn(names, day)


def test_a_second_run_that_is_not_the_same_is_told_though_no_input_moved(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2026, 3, 1)
    name = drawn([f"r{k:02}" for k in range(20)], day)
    honest = regression_run.replay_of

    def other(spec, tapes, out, *, fresh=False, progress=None) -> Run:
        return honest(
            replace(spec, given={**spec.given, "seed": 99}) if fresh else spec,
            *(tapes, out),
            fresh=fresh,
            progress=progress,
        )

    monkeypatch.setattr(regression_run, "replay_of", other)
    found = regression.check(today=day)
    assert found.exit_code == 2 and [one.name for one in found.outcomes if not one.ok] == [name]
    assert found[name].how == "drawn" and found[name].first["kind"] == "step"


def test_where_ci_is_set_every_replay_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert set(hows(regression.check(keyword="r1"))) == {"replayed"}
    monkeypatch.setenv("CI", "false")
    assert set(hows(regression.check(keyword="r1"))) <= {"key", "drawn"}


def run_hft(here: Path, *args: str, package: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "CI"}
    environment |= {"PYTHONPATH": str(package), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", "from hft.cli.app import main; main()", *args]
    return subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True)


def test_twenty_unchanged_replays_are_answered_without_loading_engine_or_frames(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_hft(here, "replay", "check").returncode == 0
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    done = run_hft(here, "replay", "check", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and len(found["replays"]) == 20
    assert {one["how"] for one in found["replays"]} == {"key"}
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "hft.cli.app" in loaded, "imports are told"
    assert not loaded & {"numba", "polars", "pyarrow", "scipy", "pandas"}


def touched_tape(here: Path) -> None:
    for path in (here / "tapes").rglob("*.arrow"):
        os.utime(path, ns=(1, 1))


CHANGES: dict[str, Callable[[Path], None]] = {
    "the strategy's text": lambda here: world.change(here / "quoter.py", lambda t: t + "\n"),
    "a limits file": lambda here: (here / "tight.yaml").write_text("max_position_size: 4\n"),
    "a tape's time": touched_tape,
    "a tape more": lambda here: (here / "tapes" / "x" / "more").write_text(""),
    "the file itself": lambda here: world.change(here / "replays.yaml", lambda t: "\n" + t),
    "a config folder": lambda here: (
        (here / "config").mkdir(),
        (here / "config" / "default.yaml").write_text("fees: {maker_bps: 1}\n"),
    ),
    "a run's digest": lambda here: [
        (path / "digest").write_text("0" * 64) for path in (here / "runs").glob("*_*")
    ],
    "the runs are gone": lambda here: shutil.rmtree(here / "runs"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_key_depends_on_is_noticed(
    what: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2026, 3, 1)
    assert regression.check(keyword="r03", today=day).ok
    asked: list[str] = []
    monkeypatch.setattr(
        regression_run, "run_one", lambda spec, *_: asked.append(spec.name) or 1 / 0
    )
    assert hows(regression.check(keyword="r03", today=day)) == {"key": ["r03"]} and not asked
    CHANGES[what](here)
    with pytest.raises(ZeroDivisionError):
        regression.check(keyword="r03", today=day)
    assert asked == ["r03"]


@pytest.mark.parametrize("variable", ["HFT_FEES_MAKER_BPS", "GATEWAY_CONFIG"])
def test_a_setting_of_the_environment_is_noticed(
    variable: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2026, 3, 1)
    assert regression.check(keyword="r03", today=day).ok
    monkeypatch.setattr(regression_run, "run_one", lambda *_: 1 / 0)
    (here / "own.yaml").write_text("fees: {maker_bps: 1}\n")
    monkeypatch.setenv(variable, "1" if variable.startswith("HFT") else "own.yaml")
    with pytest.raises(ZeroDivisionError):
        regression.check(keyword="r03", today=day)


@pytest.mark.parametrize(
    "line",
    [
        *("import helper", "from . import x", "W = np.load('w.npy')", "import os", "import polars"),
        *("from numpy import fromfile as weights", "from hft import features as seen"),
        *("import numpy.random as chance", "W = np.fromregex('w.txt', 'x', int)"),
    ],
)
def test_a_strategy_that_may_read_more_than_its_text_has_its_key_computed(
    line: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hft.runs.code.alone import is_pure

    assert is_pure(here / "quoter.py")
    world.change(here / "quoter.py", lambda text: f"{line}\n{text}")
    assert not is_pure(here / "quoter.py")


def test_answers_that_cannot_be_read_are_none(here: Path) -> None:
    day = date(2026, 3, 1)
    assert regression.check(keyword="r03", today=day).ok
    for text in ("[]", "{", "null", "{}"):
        (here / ".hft" / "replays.yaml.answers.json").write_text(text)
        assert regression.check(keyword="r03", today=day).ok


@pytest.mark.slow
def test_one_changed_line_of_the_kernel_names_the_step_in_the_replays_it_touches_alone(
    here: Path, tmp_path: Path
) -> None:
    """Fees twice as high: the replays without fees have another kernel, and the same digest."""
    shutil.copytree(
        ROOT / "hft", tmp_path / "other" / "hft", ignore=shutil.ignore_patterns("prebuilt")
    )
    shutil.copytree(ROOT / "config", tmp_path / "other" / "config")
    line = "    fee = mul_div_half_even(value_money(instrument, price, qty), rate, FEE_SCALE)\n"
    positions = tmp_path / "other" / "hft" / "portfolio" / "positions.py"
    world.change(positions, lambda text: text.replace(line, line.replace(", rate,", ", 2 * rate,")))
    done = run_hft(here, "replay", "check", "--json", package=tmp_path / "other")
    assert done.returncode == 2, done.stderr
    for one in json.loads(done.stdout)["replays"]:
        pays = int(one["name"][1:]) % 2 == 1
        assert one["state"] == ("differs" if pays else "same")
        assert list(one["moved"]) == ["kernel"]
        if pays:
            first = one["first"]
            assert first["kind"] == "step" and first["fields"] == ["fee_money"]
            assert "FILL" in first["now"] and first["state"]["now"]["net"] is not None
        else:
            assert one["first"] is None and one["was"] == one["now"]


def test_a_second_tool_reads_the_junit_file(here: Path, tmp_path: Path, capsys: Capture) -> None:
    world.change(here / "replays.yaml", lambda text: text.replace("seed: 4\n", "seed: 44\n"))
    world.change(here / "replays.yaml", lambda text: text.replace("tapes/x", "tapes/<&>", 1))
    junitparser = pytest.importorskip("junitparser", reason="the extra `dev` is not installed")
    out = tmp_path / "new" / "junit.xml"
    assert app.run(["replay", "check", "--junit", str(out)]) == 2
    (suite,) = junitparser.JUnitXml.fromfile(str(out))
    cases = {case.name: case for case in suite}
    assert (suite.tests, suite.failures, suite.errors, len(cases)) == (20, 1, 1, 20)
    (failed,) = cases["r04"].result
    assert isinstance(failed, junitparser.Failure) and "moved: config (seed)" in failed.message
    (broken,) = cases["r00"].result
    assert isinstance(broken, junitparser.Error) and "tapes/<&>" in broken.message
    assert all(case.is_passed for name, case in cases.items() if name not in ("r00", "r04"))
    assert cases["r04"].classname == "replays.yaml" and suite.time > 0


def test_what_xml_cannot_hold_is_no_part_of_the_junit_file() -> None:
    said = Outcome("one", "error", sentence="a\x00b \ud800 <c> \N{SNOWMAN}", code=65)
    (case,) = ElementTree.fromstring(junit("f\x1b.yaml", [said])).iter("testcase")
    (error,) = case.iter("error")
    assert case.get("classname") == "f?.yaml"
    assert error.get("message") == "a?b ? <c> \N{SNOWMAN}"


@pytest.mark.slow
def test_two_at_a_time_give_what_one_after_the_other_does(here: Path, capsys: Capture) -> None:
    def outcomes(*args: str) -> list[dict[str, object]]:
        capsys.readouterr()
        app.run(["replay", "check", "--json", "--out", *args])
        found = json.loads(capsys.readouterr().out)["replays"]
        return [{k: one[k] for k in ("name", "state", "now", "moved", "figures")} for one in found]

    file = here / "replays.yaml"
    world.change(file, lambda text: text.replace("half_ticks: 2", "half_ticks: 4"))
    world.change(file, lambda text: re.sub(r"(?s)  r03:\n.*?(?=\n# Written)", "", text, count=1))
    alone = outcomes("one")
    assert len(alone) == 3
    assert outcomes("two", "--jobs", "2") == alone
    assert {one["state"] for one in alone} == {"same", "differs"}
