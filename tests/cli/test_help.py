"""Pages of help at 80 columns: no word is broken, nothing is cut, a flag takes no kind."""

import re

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
