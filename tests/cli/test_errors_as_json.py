"""Under --json an error is one document on stdout, and its sentence is on stderr as ever."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hft.cli import app, context, reference
from hft.core import errors

NAMES = [name.split()[1:] for name, _ in reference.commands()]


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one document on stdout, whose sentence also ends the words on stderr."""
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert captured.err.endswith(f"hft: {found['error']}\n")
    return dict(found)


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
def test_every_command_says_a_bad_flag_as_a_document(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["--json", *words, "--no-such-flag"]) == 64
    found = document(capsys)
    assert (found["kind"], found["exit_code"]) == ("UsageError", 64)
    assert "--no-such-flag" in found["error"]


def test_json_behind_what_cannot_be_parsed_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["replay", "list", "--nonsense", "--json"]) == 64
    assert document(capsys)["kind"] == "UsageError"
    assert app.run(["replay", "list", "--nonsense"]) == 64
    assert capsys.readouterr().out == "", "no word of the call before is left"
    assert app.run(["replay", "show", "--", "--json"]) == 65
    assert capsys.readouterr().out == "", "behind -- it is a name"


@pytest.mark.parametrize("words", [[], ["replay"], ["alpha", "canary"]])
def test_a_group_without_a_command_is_an_error_and_no_page_of_help(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["--json", *words]) == 64
    assert "Missing command" in document(capsys)["error"]


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (errors.ConfigError("capital: write a number"), "ConfigError", 78),
        (errors.DataError("x.csv: row 88"), "DataError", 65),
        (errors.Busy("held"), "Busy", 75),
        (OSError(28, "No space left on device", "runs/a"), "OSError", 74),
        (KeyboardInterrupt(), "Interrupted", 130),
        (ZeroDivisionError("1/0"), "Defect", 1),
        (SystemExit("a library has had enough"), "Defect", 1),
    ],
)
def test_kind_and_code_are_those_of_the_error(
    error: BaseException,
    kind: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def main(*args: Any, **named: Any) -> None:
        raise error

    monkeypatch.setattr(app.typer.main, "get_command", lambda _: SimpleNamespace(main=main))
    assert app.run(["--json"]) == code
    found = document(capsys)
    assert (found["kind"], found["exit_code"]) == (kind, code)
    page = reference.exit_codes_page()
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {code} |")]
    assert f"`{kind}`" in row


def test_an_error_after_the_result_adds_no_second_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(*args: Any, **named: Any) -> None:
        context.current.json = True
        context.emit({"rows": 1}, "")
        raise errors.Unavailable("the database went")

    monkeypatch.setattr(app.typer.main, "get_command", lambda _: SimpleNamespace(main=main))
    assert app.run(["--json"]) == 69
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"rows": 1}
    assert captured.err == "hft: the database went\n"


@pytest.mark.parametrize(
    "words", [["verify"], ["show"], ["drain"], ["overrides"], ["export", "--out", "e"]], ids=str
)
def test_an_audit_outside_of_a_workspace_makes_nothing_and_is_an_error(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.run(["--json", "audit", *words]) == 65
    assert "is in no workspace" in document(capsys)["error"]
    assert not [*tmp_path.iterdir()]


def test_a_reason_that_is_empty_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "research" / "alphas").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for words in (
        ["audit", "retire", "--before", "2026-01-01", "--reason", ""],
        ["alpha", "canary", "rollback", "x", "--reason", " "],
        ["alpha", "vault", "x", "--reason", " "],
    ):
        assert app.run(["--json", *words]) == 64, words
        assert "--reason" in document(capsys)["error"]
