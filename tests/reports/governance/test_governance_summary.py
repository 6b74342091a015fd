import io
import re

import pytest
from made_documents import MADE, validation

from hft.reports.governance import cards, plots, summary
from hft.reports.governance.document import Document
from hft.reports.governance.evidence import WalkForward

ANSI = re.compile(r"\x1b\[")


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_summary_keeps_its_width_and_is_plain_away_from_a_terminal(
    name: str, width: int
) -> None:
    said = summary.text(MADE[name](), width=width, stream=io.StringIO())
    assert max(len(line) for line in said.splitlines()) <= width
    assert not ANSI.search(said) and not re.search(r" $", said, re.MULTILINE)
    assert Document.of(MADE[name]()).title in said


def test_a_terminal_gets_colours_and_the_same_words() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    plain = summary.text(validation("fail"), width=110, stream=io.StringIO())
    bright = summary.text(validation("fail"), width=110, stream=Terminal())
    assert ANSI.search(bright)
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", bright)
    assert [line.rstrip() for line in stripped.splitlines()] == plain.splitlines()


def test_verdict_then_shopping_list_then_checks_and_the_price_last() -> None:
    said = summary.text(validation("wait"), width=110, stream=io.StringIO())
    marks = ["Not decided yet", "What would turn it", "152 more days", "Gate A  admissible"]
    marks += ["deflated Sharpe (DSR)", "digest", "trial 18 of family ofi"]
    places = [said.index(mark) for mark in marks]
    assert places == sorted(places)
    assert said.rstrip().endswith("hurdle SR 1.31 -> 1.34")


def test_margins_are_drawn_around_their_line_where_there_is_room() -> None:
    wide = summary.text(validation("fail"), width=110, stream=io.StringIO())
    assert "█████│" in wide and "│█" in wide
    assert "█" not in summary.text(validation("fail"), width=80, stream=io.StringIO())


def test_a_stream_that_knows_only_ascii_gets_ascii() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    said = summary.text(validation("fail"), width=110, stream=out)
    said.encode("ascii")
    assert "x Not passed" in said and ">= 0.95" in said


def test_square_brackets_of_users_are_not_read_as_styles() -> None:
    doc = {"title": "[bold red]boo[/bold red]", "words": "[/]"}
    assert summary.text(doc, stream=io.StringIO()).startswith("[bold red]boo[/bold red]")


@pytest.mark.parametrize("name", MADE)
def test_a_card_has_at_most_twelve_figures_no_script_and_both_schemes(name: str) -> None:
    card = cards.html_card(MADE[name]())
    figures = card.count("class=l>") + card.count("<th scope=row>")
    assert figures <= 12 and "<script" not in card and "prefers-color-scheme:dark" in card
    assert Document.of(MADE[name]()).title in card


@pytest.mark.parametrize("name", MADE)
def test_a_card_has_no_element_that_a_notebook_gives_a_place_of_its_own(name: str) -> None:
    card = cards.html_card(MADE[name]())
    table = {"table", "thead", "tbody", "tr", "th", "td"}  # their rules name the class three times
    assert set(re.findall(r"<(\w+)", card)) <= {"div", "span", "b", "small", "style"} | table


def test_a_card_without_styles_has_signs_and_words() -> None:
    bare = re.sub(r"<style>.*?</style>", "", cards.html_card(validation("fail")))
    text = re.sub(r"<[^>]+>", "", bare)
    assert "✕ Not passed" in text and "✓ Gate A pass" in text and "✕ Gate C fail" in text


def test_a_card_shows_what_decides_first_and_the_price_last() -> None:
    card = cards.html_card(validation("fail"))
    rows = re.findall(r'scope=row><span><span class="light (\w+)"', card)
    assert rows[:2] == ["fail", "fail"] and set(rows[2:]) == {"pass"}
    assert "15 more checks are on the page" in card and card.index("trial 18") > card.index(
        "class=fs>"
    )


def test_a_card_escapes_what_users_named() -> None:
    card = cards.html_card({"title": "<script>x</script>", "facts": [("<b>", "<i>", "<u>")]})
    assert "<script>x" not in card and "<u>" not in card and "<b>&lt;i&gt;</b>" in card


@pytest.mark.parametrize("name", ["validation", "pool", "canary"])
def test_pictures_become_plotly_figures_on_demand(name: str) -> None:
    for picture in Document.of(MADE[name]()).pictures:
        if picture.kind in plots.FIGURES:
            assert plots.figure(picture).data


def test_a_picture_without_a_plotly_figure_is_refused_by_name() -> None:
    from hft.core.errors import ConfigError

    with pytest.raises(ConfigError, match="'walk_forward' is none of path_fan"):
        plots.figure(WalkForward.__new__(WalkForward))


def test_importing_the_pages_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    program = (
        "import sys, hft.reports.governance.pages, hft.reports.governance.cards\n"
        "print([n for n in ('plotly', 'scipy', 'pandas', 'matplotlib') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
