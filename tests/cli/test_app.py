"""The root command: quick to start, one sentence and the right code for every error."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hft.cli import app as root
from hft.cli import context, reference
from hft.core import errors

HEAVY = ("numpy", "numba", "llvmlite", "polars", "pyarrow", "scipy", "plotly", "rich")


def python(*args: str, **named: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, **named)


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*[m for m in {HEAVY} if m in sys.modules])"
    result = python("-c", code)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split())


def test_importing_the_root_loads_nothing_heavy() -> None:
    assert loaded_by("import hft") == set()


def test_the_command_table_loads_nothing_compiled() -> None:
    assert loaded_by("import hft.cli.app; hft.cli.app.run(['--version'])") <= {"rich"}


@pytest.mark.parametrize("module", ["hft.api.validation", "hft.api.replays", "hft.cli.demo"])
def test_only_a_replay_waits_for_the_engine_to_be_compiled(module: str) -> None:
    first = f"import sys, hft.governance.validation.validate, {module}"
    code = f"{first}; print('hft.replay.compiled' in sys.modules)"
    assert python("-c", code).stdout.strip() == "False"


@pytest.mark.parametrize("name", [name for name, _ in reference.commands()])
def test_every_command_answers_a_bad_flag_with_64(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert root.run([*name.split()[1:], "--no-such-flag"]) == 64
    captured = capsys.readouterr()
    assert "--no-such-flag" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("name", [name for name, _ in reference.commands()])
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run([*name.split()[1:], "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize("name", list(root.GROUPS))
def test_every_entry_of_the_table_loads(name: str) -> None:
    assert root.load_group(name).name == name


def test_an_unknown_command_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["confg"]) == 64
    assert "config" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run([]) == 64
    assert "replay" in capsys.readouterr().out


def test_the_version_is_a_document_under_json(capsys: pytest.CaptureFixture[str]) -> None:
    import hft

    for words in (["--json", "--version"], ["--version", "--json"]):
        assert root.run(words) == 0
        assert json.loads(capsys.readouterr().out) == {"version": hft.__version__}


def test_quiet_holds_before_and_behind_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for n, words in enumerate((["--quiet", "init"], ["init", "--quiet"])):
        assert root.run([*words, f"desk{n}"]) == 0 and context.current.quiet
    assert root.run(["init", "loud"]) == 0 and not context.current.quiet
    assert root.run(["data", "--quiet", "report", "nowhere"]) == 65 and context.current.quiet
    assert root.run(["data", "report", "--", "--quiet"]) == 65
    assert "--quiet" in capsys.readouterr().err and not context.current.quiet


def test_version_is_the_one_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    import hft

    assert root.run(["--version"]) == 0
    assert capsys.readouterr().out == f"hft {hft.__version__}\n"


def failing(error: BaseException) -> Any:
    def main(*args: Any, **named: Any) -> None:
        raise error

    return lambda _: SimpleNamespace(main=main)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("a.yaml: capital: write a number"), 78),
        (errors.DataError("x.csv: row 88: local_ts goes back 5 ns"), 65),
        (errors.JournalError("runs/a: torn at record 7"), 74),
        (errors.InvariantError("held is not open"), 1),
        (OSError(28, "No space left on device", "runs/a/journal"), 74),
        (FileNotFoundError(2, "No such file or directory", "gone.csv"), 74),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_one_sentence_and_its_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    monkeypatch.setattr(root.typer.main, "get_command", failing(error))
    assert root.run([]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("hft: ")


def test_a_defect_shows_its_traceback_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(root.typer.main, "get_command", failing(ZeroDivisionError("1/0")))
    assert root.run([]) == 1
    text = capsys.readouterr().err
    assert "Traceback" in text and "defect" in text.splitlines()[-1]


def test_a_missing_group_or_package_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(root.GROUPS, "ghost", ("hft.cli.ghost", "Nothing."))
    assert root.run(["ghost", "now"]) == 69
    assert "ghost: this command is not part" in capsys.readouterr().err


def test_python_without_assertions_is_refused() -> None:
    result = python("-O", "-m", "hft.cli.app", "--version")
    assert result.returncode == 78
    assert "-O" in result.stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hft.cli.app", "config", "show", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    text = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0, text
    assert text == b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_terminal_that_is_not_utf8_gets_valid_json_and_what_it_can_of_text(encoding: str) -> None:
    code = """
import sys
from hft.cli import app, context
context.current.json = sys.argv[1] == "json"
app.readable()
context.emit({"net": "\u2212\u00e91"}, "net \u22121")
"""
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    given = {"env": environment, "capture_output": True, "check": True}
    made = subprocess.run([sys.executable, "-c", code, "json"], **given)
    assert json.loads(made.stdout.decode(encoding)) == {"net": "\u2212\u00e91"}
    made = subprocess.run([sys.executable, "-c", code, "text"], **given)
    assert made.stdout.decode(encoding).strip() in ("net \u22121", "net ?1")


def test_completion_lists_the_commands() -> None:
    environment = os.environ | {
        "_HFT_COMPLETE": "complete_bash",
        "COMP_WORDS": "hft c",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_TESTING": "True",
    }
    result = python("-m", "hft.cli.app", env=environment)
    assert "config" in result.stdout


def test_config_show_says_what_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("HFT_GATEWAY_STARTUP_HOLDOFF_S: 7\n")
    monkeypatch.setenv("HFT_CAPITAL", "1000")
    for args in (["--json", "config", "show"], ["config", "show", "--json"]):
        assert root.run(["--config", str(mine), *args]) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["settings"]["HFT_GATEWAY_STARTUP_HOLDOFF_S"]["value"] == 7
        assert data["settings"]["capital"]["source"] == "environment HFT_CAPITAL"
        assert len(data["hash"]) == 64
    assert root.run(["config", "show"]) == 0
    text = capsys.readouterr().out
    assert "environment HFT_CAPITAL" in text and text.splitlines()[-1].startswith("hash ")


def test_config_show_refuses_a_typo_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HFT_CAPITLA", "1000")
    assert root.run(["config", "show"]) == 78
    assert "did you mean 'HFT_CAPITAL'" in capsys.readouterr().err
