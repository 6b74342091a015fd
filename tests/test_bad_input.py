"""Bad input through the real command line: one sentence, the documented code, nothing lost.

The cases share a workspace with one sealed run, which must still be there afterwards, byte for
byte. Where it is the process that suffers, `hft` runs in one of its own.
"""

import gzip
import json
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest
from bad_input_world import FILE_LIMIT, START_NS, Workspace, quotes


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("workspace"))


def replay(strategy: str, *more: str, tapes: str = "AAA") -> list[str]:
    return ["replay", "run", tapes, "-s", strategy, *more]


def test_a_truncated_gzip_names_file_and_line_and_leaves_no_tape(workspace: Workspace) -> None:
    whole = gzip.compress(quotes().encode())
    (workspace.path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    said = workspace.fails(65, "data", "ingest", "cut.csv.gz", "--symbol", "AAA", "--out", "cut")
    assert "cut.csv.gz" in said and "cut short" in said
    assert not (workspace.path / "cut").exists()


def test_wrong_columns_list_what_is_there_and_what_is_needed(workspace: Workspace) -> None:
    (workspace.path / "wrong.csv").write_text("when,what\n1,2\n")
    args = ["data", "ingest", "wrong.csv", "--symbol", "AAA", "--out", "wrong"]
    for more in ([], ["--format", "csv"]):
        said = workspace.fails(65, *args, *more)
        assert "wrong.csv" in said and "when, what" in said and "--columns" in said
    said = workspace.fails(65, *args, "--columns", "ts=whn", "--columns", "price=what")
    assert "'whn'" in said and "did you mean 'when'" in said
    assert not (workspace.path / "wrong").exists()


def test_your_own_column_names_need_no_format(workspace: Workspace) -> None:
    text = f"when,what,much\n{START_NS},1.5,1\n{START_NS + 1},2.0,2\n"
    (workspace.path / "own.csv").write_text(text)
    named = [f"--columns={pair}" for pair in ("ts=when", "price=what", "qty=much")]
    out = workspace.ok("data", "ingest", "own.csv", "--symbol", "AAA", "--out", "own", *named)
    assert "2 rows in own" in out


def test_time_that_goes_back_names_the_row(workspace: Workspace) -> None:
    lines = quotes(100).splitlines()
    lines[60], lines[70] = lines[70], lines[60]
    (workspace.path / "back.csv").write_text("\n".join(lines) + "\n")
    said = workspace.fails(65, "data", "ingest", "back.csv", "--symbol", "AAA", "--out", "back")
    assert "back.csv" in said and "row 62" in said and "receive_disorder" in said


def test_a_number_that_is_none_names_the_cell(workspace: Workspace) -> None:
    (workspace.path / "text.csv").write_text(f"ts,price,qty\n{START_NS},1.5,1\n{START_NS},x,1\n")
    said = workspace.fails(65, "data", "ingest", "text.csv", "--symbol", "AAA", "--out", "text")
    assert "text.csv" in said and "row 3" in said and "'price'" in said and "'x'" in said


def test_an_unknown_instrument_is_refused_or_its_guessed_grid_stays_on_the_tape(
    workspace: Workspace,
) -> None:
    unknown = ["data", "ingest", "AAA.csv", "--symbol", "XYZ", "--out", "unknown"]
    said = workspace.fails(65, *unknown)
    assert "AAA.csv" in said and "'XYZ' is unknown" in said
    assert "config/instruments.yaml" in said and "--tick, --lot" in said
    assert not (workspace.path / "unknown").exists()
    workspace.ok(*unknown, "--waive", "guessed_tick", "--waive", "guessed_lot")
    assert "guessed_tick" in workspace.ok("data", "show", "unknown")
    workspace.ok(
        "data",
        "ingest",
        "AAA.csv",
        *["--symbol", "XYZ", "--out", "told", "--tick", "0.5", "--lot", "1"],
    )
    assert "guessed" not in workspace.ok("data", "show", "told")
    args = [
        "data",
        "ingest",
        "AAA.csv",
        *["--symbol", "XYZ", "--out", "wrong_grid", "--tick", "0.4", "--lot", "1"],
    ]
    said = workspace.fails(65, *args)
    assert "off_grid" in said and "AAA.csv" in said and "row" in said and "--tick" in said


def test_an_instrument_that_no_tape_has_is_refused(workspace: Workspace) -> None:
    said = workspace.fails(78, *replay("arbitrage"))
    assert "'arbitrage'" in said and "2 instruments" in said and "AAA" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("risk.price_band_tikcs: 5\n", ("risk.price_band_tikcs", "risk.price_band_ticks")),
        ("max_position_size: 9000000000000000000\n", ("limits.yaml", "AAA", "overflow")),
        ("max_position_size: [1\n", ("limits.yaml", "line")),
        ("max_position_size: many\n", ("limits.yaml", "line 1", "max_position_size", "many")),
        ("name: x\nmax_position_size: 5 x moon\n", ("limits.yaml", "max_position_size", "moon")),
    ],
)
def test_a_bad_limits_file_names_the_key(
    workspace: Workspace, text: str, words: tuple[str, ...]
) -> None:
    (workspace.path / "limits.yaml").write_text(text)
    said = workspace.fails(78, *replay("two_sided", "--limits", "limits.yaml", "--fresh"))
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reejct: 0.1\n", ("reejct", "reject")),
        ("reject: 2\n", ("faults.reject", "0 to 1")),
        ("reject: [\n", ("faults.yaml", "line 2")),
        ("", ("faults.yaml", "empty")),
        ("reject: true\n", ("faults.yaml", "faults.reject", "True")),
        ("late_by: 1e300\n", ("faults.yaml", "faults.late_by", "73 years")),
        ("late_by: 5ms\nlate_by_ns: 5\n", ("faults.yaml", "faults.late_by", "twice")),
        ("down_ns: [a, b]\n", ("faults.yaml", "faults.down_ns", "[start, end]")),
        ("down_ns: [2, 1]\n", ("faults.yaml", "faults.down_ns", "later")),
    ],
)
def test_a_bad_fault_plan_names_the_key(
    workspace: Workspace, text: str, words: tuple[str, ...]
) -> None:
    (workspace.path / "faults.yaml").write_text(text)
    said = workspace.fails(78, *replay("two_sided", "--faults", "faults.yaml", "--fresh"))
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (replay("two_sided", tapes="nowhere"), ("nowhere",)),
        (replay("two_sided", "--set", "lotz=1"), ("lotz", "lots")),
        (replay("two_sided", "--venue", "mars"), ("mars", "binance_usdm")),
        (replay("no_such"), ("no_such", "two_sided")),
        (["replay", "show", "nothing"], ("nothing", "hft replay list")),
        (replay("two_sided", "--latency", "500000h"), ("venue.latency.entry", "a day")),
        (replay("two_sided", "--latency", "1e400ms"), ("venue.latency.entry", "73 years")),
        (replay("two_sided", "--fees", "maker_bps=nan"), ("venue.fees.maker_bps", "nan")),
        (replay("two_sided", "--seed", "9" * 30), ("seed", "2^63")),
        (replay("two_sided", "--set", f"lots={'9' * 30}"), ("two_sided", "does not fit")),
        (replay("two_sided", "--start", "2094-01-02T00:00:00Z"), ("start", "earlier")),
        (replay("two_sided", "--end", "2024-01-02"), ("end", "time zone")),
    ],
)
def test_an_unknown_name_lists_the_known_ones(
    workspace: Workspace, args: list[str], words: tuple[str, ...]
) -> None:
    absent = {"nowhere", "nothing"}.intersection(args)  # tapes, and a run
    said = workspace.fails(65 if absent else 78, *args)
    assert all(word in said for word in words), said


def test_a_word_that_an_option_does_not_take_is_answered_with_those_it_takes(
    workspace: Workspace,
) -> None:
    said = workspace.fails(64, *replay("two_sided", "--record", "all"))
    assert "'--record': 'all' is not one of 'digest', 'summary', 'full'. (see" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("compiled", ("ValueError", "wake-up 50", "2023-11-14T22:14:10", "n=50", "ring=[0, 0, 0]")),
        ("Called", ("RuntimeError", "my own mistake", "wake-up 50", "n=49")),
        ("misspelt", ("mine.py, line", "bid_tik", "misspelt")),
        ("too_few", ("too_few", "(view, order, p, s)")),
    ],
)
def test_a_strategy_that_raises_names_wake_up_time_and_state(
    workspace: Workspace, name: str, words: tuple[str, ...]
) -> None:
    said = workspace.fails(65, *replay(f"mine.py:{name}"))
    assert all(word in said for word in words), said


def test_intents_beyond_the_buffer_are_counted_and_the_run_goes_on(workspace: Workspace) -> None:
    path = workspace.path / "loops"
    done = json.loads(workspace.ok("--json", *replay("mine.py:many", "--out", str(path))))
    wakes = done["metrics"]["wakes"]["value"]
    assert wakes > 10
    assert done["metrics"]["lost_intents"]["value"] == 36 * wakes
    assert not done["partial"]


def test_a_strategy_that_never_returns_can_be_interrupted(workspace: Workspace) -> None:
    process = workspace.start(*replay("mine.py:Endless", "--out", "endless"))
    deadline = time.monotonic() + 200
    while not list(workspace.path.glob("endless/*.partial")):
        assert process.poll() is None and time.monotonic() < deadline, "the replay did not start"
        time.sleep(0.1)
    time.sleep(3)  # past the loading of the kernels, into the endless wake-up
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err and "Traceback" not in err


def test_a_tape_that_was_cut_is_unsealed(workspace: Workspace) -> None:
    tape = broken_copy(workspace, "cut_tape")
    os.truncate(tape, tape.stat().st_size - 1000)
    for command in (replay("two_sided", tapes="cut_tape"), ["data", "verify", "cut_tape"]):
        said = workspace.fails(65, *command)
        assert tape.name in said and "unsealed" in said and "again" in said


def test_a_tape_that_was_changed_does_not_match_its_seal(workspace: Workspace) -> None:
    tape = broken_copy(workspace, "changed_tape")
    with tape.open("r+b") as file:
        file.seek(tape.stat().st_size // 2)
        file.write(b"\xff\x00\xff")
    said = workspace.fails(65, "data", "verify", "changed_tape")
    assert tape.name in said and "changed" in said


def broken_copy(workspace: Workspace, name: str) -> Path:
    shutil.copytree(workspace.path / "AAA", workspace.path / name, dirs_exist_ok=True)
    return next((workspace.path / name).glob("*.tape.arrow"))


def test_two_tapes_of_the_same_time_are_refused(workspace: Workspace) -> None:
    other = broken_copy(workspace, "twice")
    shutil.copy(other, other.with_name("second.tape.arrow"))
    said = workspace.fails(65, *replay("two_sided", tapes="twice"))
    assert "overlaps" in said and "second.tape.arrow" in said


def test_two_settlement_currencies_are_refused(workspace: Workspace) -> None:
    said = workspace.fails(78, "replay", "run", "AAA", "BBB", "-s", "arbitrage")
    assert "one settlement currency" in said and "BTC" in said and "USD" in said


def test_a_full_disk_keeps_what_was_written(workspace: Workspace) -> None:
    def limit() -> None:
        # The write that would pass the limit fails as it does on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))

    args = replay("mine.py:busy", "--out", "full")
    said = workspace.fails(74, *args, preexec_fn=limit)
    assert "journal" in said and "kept" in said
    (partial,) = workspace.path.glob("full/*.partial")
    shown = json.loads(workspace.ok("--json", "replay", "show", str(partial)))
    assert shown["partial"]
    assert shown["metrics"]["wakes"]["value"] > 1000
    whole = json.loads(workspace.ok("--json", *args))
    assert not whole["partial"] and whole["digest"]


def test_the_run_from_before_all_this_still_verifies(workspace: Workspace) -> None:
    (run,) = [path for path in workspace.path.glob("runs/*") if path.suffix != ".partial"]
    assert "same digest" in workspace.ok("replay", "verify", str(run))


def test_the_file_named_by_config_reaches_the_replay(workspace: Workspace) -> None:
    (workspace.path / "mine.yaml").write_text("replay: {record: summary}\nmax_position_size: 3\n")
    args = replay("two_sided", "--out", "configured")
    shown = json.loads(workspace.ok("--json", "--config", "mine.yaml", *args))
    assert shown["record"] == "summary"
    limits = next(workspace.path.glob("configured/*/limits.yaml")).read_text()
    written = [row for row in limits.split("- key: ") if row.startswith("max_position_size")]
    assert written and all("value: '3'" in row for row in written), limits
