"""`hft docs` lists, prints and searches the pages."""

import json
from pathlib import Path

import pytest

from hft.cli.app import run

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_page_is_listed_with_its_title_and_records_are_counted(capsys):
    assert run(["docs"]) == 0
    said = capsys.readouterr().out
    for page in DOCS.glob("*.md"):
        title = page.read_text().splitlines()[0].removeprefix("# ")
        assert f"{page.stem} " in said and title in said
    assert "reference/venue" in said
    assert f"and {len(list((DOCS / 'adr').glob('*.md'))) - 1} records" in said


def test_a_page_is_printed_by_its_name_or_its_last_part(capsys):
    for name in ("reference/venue", "venue", "docs/reference/venue.md"):
        assert run(["docs", name]) == 0
        assert capsys.readouterr().out == (DOCS / "reference" / "venue.md").read_text()


def test_the_place_and_the_text_of_a_page_are_there_for_machines(capsys):
    assert run(["docs", "strategies", "--path"]) == 0
    assert Path(capsys.readouterr().out.strip()) == DOCS / "strategies.md"
    assert run(["docs", "strategies", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["markdown"] == (DOCS / "strategies.md").read_text()


def test_a_page_that_there_is_not_suggests_the_nearest(capsys):
    assert run(["docs", "strategy"]) == 78
    said = capsys.readouterr()
    assert "did you mean strategies" in said.err and not said.out


@pytest.mark.parametrize("word", ["quickstart", "Quick-Start", "getting_started", "install"])
def test_who_asks_for_a_beginning_is_shown_the_first_steps(word, capsys):
    assert run(["docs", word]) == 78
    told = capsys.readouterr().err
    page = told[told.index("hft docs ") + len("hft docs ") :].split("`")[0]
    assert page == "first-steps" and run(["docs", page]) == 0


def test_words_are_found_with_page_and_line(capsys):
    assert run(["docs", "--find", "queue prob_", "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)
    assert any(hit["page"] == "reference/venue" for hit in hits)
    for hit in hits:
        line = (DOCS / f"{hit['page']}.md").read_text().splitlines()[hit["line"] - 1].lower()
        assert "queue" in line and "prob_" in line
