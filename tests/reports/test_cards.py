import re
from dataclasses import replace
from html import escape
from pathlib import Path

import polars as pl
import pytest
from made_runs import records, write_run

from hft.reports.cards import FIGURES_MAX, card_lines, html_card, text_card
from hft.reports.figures import amount, counted, money, number, short, waited
from hft.reports.html import render
from hft.reports.view import View

ORDER = ["net P&L", "fills", "fill ratio", "markout 1 s", "spread captured", "refusals"]
ORDER += ["latency", "digest"]


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    return write_run(tmp_path_factory.mktemp("cards"), records(wakes=200, refused=0.3)).view()


def test_the_figures_stand_in_the_order_of_the_contract(view: View) -> None:
    labels = [line.label for line in card_lines(view)]
    assert len(labels) <= FIGURES_MAX
    assert [label for label in labels if label in ORDER] == ORDER


def test_the_card_has_no_script_and_both_colour_schemes(view: View) -> None:
    html = html_card(view)
    assert "<script" not in html and "prefers-color-scheme:dark" in html
    assert html.count("class=l>") == len(card_lines(view)) <= 12


def test_a_card_has_no_element_that_a_notebook_gives_a_place_of_its_own(view: View) -> None:
    """JupyterLab floats `dl`, and every exported page has its rules."""
    card = html_card(view)
    assert set(re.findall(r"<(\w+)", card)) == {"div", "span", "b", "small", "style"}
    parts = pl.DataFrame({"strategy": ["a", "b"], "net": [1.5, -2.0]})
    card = html_card(replace(view, parts=parts))
    rules = re.findall(r"[^{}]+(?={)", card[card.index("<style>") : card.index("</style>")])
    tables = [rule for rule in rules if re.search(r"\b(t[hdr]|thead|table)\b", rule)]
    assert len(tables) == 4 and all(".hft-card" * 3 in rule for rule in tables)


def test_a_card_without_styles_is_a_line_for_each_figure(view: View) -> None:
    """Web viewers take styles away; what is left must still be read."""
    bare = re.sub(r"<style>.*?</style>", "", html_card(view))
    shown = [re.sub(r"<[^>]+>", "", line).strip() for line in re.split(r"<div[^>]*>", bare)]
    for line in card_lines(view):
        assert escape(" ".join((line.label, line.text, line.note)).strip()) in shown


def test_the_refusal_line_comes_first(view: View) -> None:
    assert text_card(view).splitlines()[0] == view.notice
    html = html_card(view)
    assert html.index("of the intents were refused") < html.index("net P&amp;L")


def test_what_several_strategies_earned_is_said_of_each(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(wakes=50))
    assert run.view().parts is None, "one strategy on one instrument is the card itself"
    parts = pl.DataFrame({"strategy": ["a", "b"], "symbol": ["X", "X"], "net": [1.5, -2.0]})
    view = replace(run.view(full=True), parts=parts)
    rows = [line.split() for line in text_card(view).splitlines()[-2:]]
    assert rows == [["a", "X", "1.5"], ["b", "X", "−2"]]
    assert "<td>−2</td>" in html_card(view) and "By strategy and instrument" in render(view)
    assert "By strategy and instrument" not in render(run.view(full=True))


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"),
        (0.25, "0.25 ms"),
        (999.0, "999 ms"),
        (1500.0, "1.5 s"),
        (7_503_000.0, "2.08 h"),
        (240_000.0, "4 min"),
        (200_000_000.0, "2.31 days"),
    ],
)
def test_a_time_has_the_unit_that_keeps_it_short(ms: float | None, text: str) -> None:
    assert waited(ms) == text


def test_one_of_a_thing_is_not_several() -> None:
    assert [counted(n, "buy") for n in (0, 1, 1500)] == ["0 buys", "1 buy", "1,500 buys"]


def test_a_partial_run_is_labelled(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(wakes=50), partial=True)
    assert "(partial)" in repr(run) and "partial" in run._repr_html_()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1234567, "1,234,567"),
        (-3, "−3"),
        (0.0, "0"),
        (1234.5678, "1,234.57"),
        (-95336097.0, "−95,336,097"),
        (2.5, "2.5"),
        (0.00012, "0.00012"),
        (-1e-9, "−1e−09"),
    ],
)
def test_numbers_are_written_for_people(value: float | None, text: str) -> None:
    assert number(value) == text


def test_money_and_short_numbers_have_no_negative_zero() -> None:
    assert money(-0.0, "USD") == "0.00 USD"
    assert money(-1.5, "USD") == "−1.50 USD"
    assert money(0.0123, "USD") == "+0.0123 USD"
    assert short(-0.0) == "0" and short(12345.678) == "12,345.68" and short(0.5) == "0.5"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0000223, "−0.00002230 BTC"),
        (-1.6e-7, "−1.60e−07 BTC"),
        (0.00793, "+0.007930 BTC"),
        (0.0, "0.00 BTC"),
        (-1234.5, "−1,234.50 BTC"),
    ],
)
def test_an_amount_of_money_is_never_rounded_to_nothing(value: float, text: str) -> None:
    assert money(value, "BTC") == text


def test_a_margin_in_time_has_a_unit_that_fits() -> None:
    assert amount(-1_698_328.49, "ms") == "−28.3 min" and amount(-2.0, "ms") == "−2 ms"
    assert amount(-3.0, "lots") == "−3 lots"
