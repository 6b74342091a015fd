"""Pages of help at 80 columns: no word is broken, nothing is cut, a flag takes no kind."""

import re
import subprocess
import sys

import pytest

from hft.cli import app, reference

NAMES = [name.split()[1:] for name, _ in reference.commands()]


def page(
    words: list[str],
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    assert app.run([*words, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", NAMES, ids=lambda words: " ".join(words) or "hft")
def test_no_word_of_a_page_of_help_is_broken_at_80_columns(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = page(words, 80, monkeypatch, capsys)
    whole = page(words, 400, monkeypatch, capsys)
    assert "…" not in narrow
    assert "<" not in re.sub(r"x<=|<=x", "", narrow), "kinds are words, and flags have none"
    assert words_of(narrow) == words_of(whole)


def words_of(text: str) -> set[str]:
    """The words of a page without the frames round them."""
    return set(re.sub("[─╭╮╰╯│]", " ", text).split())


@pytest.mark.parametrize("width", [44, 80, 200])
@pytest.mark.parametrize("words", [[], ["replay", "run"], ["replay", "list"]], ids=" ".join)
def test_every_line_of_a_frame_ends_at_the_edge_of_the_terminal(
    words: list[str],
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = page(words, width, monkeypatch, capsys).splitlines()
    framed = [line for line in lines if line[:1] in "╭│╰" and line]
    assert len(framed) > 6
    assert {len(line) for line in framed} == {width}
    assert max(map(len, lines)) == width


def test_colours_are_for_a_terminal_and_change_no_character(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = page(["replay", "run"], 80, monkeypatch, capsys)
    assert "\x1b" not in plain
    monkeypatch.setattr("hft.cli.page._coloured", lambda: True)
    # The printer takes colours out again of what goes elsewhere.
    monkeypatch.setattr("typer._click.utils.should_strip_ansi", lambda *_: False)
    shown = page(["replay", "run"], 80, monkeypatch, capsys)
    assert "\x1b[1;36m--strategy\x1b[0m" in shown and "\x1b[2m[default: 0]\x1b[0m" in shown
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == plain


def test_the_first_page_loads_neither_a_renderer_nor_what_commands_need() -> None:
    program = """
import sys
from hft.cli import app
assert app.run(["--help"]) == 0
print(sorted({"rich", "pydantic", "numpy", "numba", "polars"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr
