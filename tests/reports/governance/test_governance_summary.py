import io
import re
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from made_documents import MADE, validation
from made_evidence import heatmap

from hft.reports.chart import Chart
from hft.reports.governance import cards, plots, summary
from hft.reports.governance.document import Document
from hft.reports.governance.pictures import draw

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


@pytest.mark.parametrize("name", MADE)
def test_every_picture_of_a_page_is_an_svg_too(name: str) -> None:
    for picture in Document.of(MADE[name]()).pictures:
        plot, drawn = plots.plot(picture), draw(picture)
        words = "".join(fromstring(plot.svg).itertext())
        assert plot.title == drawn.title and repr(plot) == f"{drawn.title}: {drawn.says}"
        assert drawn.says.replace(" ", "") in words.replace(" ", "")
        for chart in drawn.charts:
            assert getattr(chart, "name", "") in words
            for at, text in chart.x.ticks() if isinstance(chart, Chart) and chart.times else ():
                assert text in words or not 0 <= at <= 1
        assert plots.plot(picture).svg == plot.svg


def test_a_field_of_tiles_shows_every_value_it_has_room_for() -> None:
    svg = plots.plot(heatmap(5)).svg
    drawn = draw(heatmap(5)).charts[0]
    shown = [text for text in fromstring(svg).itertext() if re.fullmatch(r"−?\d\.\d\d", text)]
    off = ~np.eye(5, dtype=bool)
    assert shown == [drawn.form(value) for value in drawn.values[off]]
    assert len(plots.plot(heatmap(200)).svg) < 4_000_000


def test_plotly_of_a_governance_picture_is_refused_in_a_sentence() -> None:
    from hft.core.errors import ConfigError

    with pytest.raises(ConfigError, match="drawn as SVG only"):
        plots.plot(heatmap(3)).plotly()


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
