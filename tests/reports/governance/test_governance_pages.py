import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_documents import MADE, check, gate, validation
from made_evidence import timeline

from hft.reports.governance import pages
from hft.reports.governance.document import Document

VOID = {"meta", "br", "link", "img", "hr", "input"}
ROOT = Path(__file__).resolve().parents[3]
EVIL = '<script>alert("x")</script>&"\'</style>'


class Read(HTMLParser):
    """Fails on unbalanced tags; collects what is loaded, ids, figures and visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.scripts = 0
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [str(given[k]) for k in ("src", "href", "srcset", "data") if given.get(k)]
        self.ids += [str(given["id"])] if given.get("id") else []
        self.labelled += [str(given["aria-labelledby"])] if given.get("aria-labelledby") else []
        assert not [name for name in given if name.startswith("on")], "an inline handler"
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)


def read(page: str) -> Read:
    found = Read()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_well_formed_loads_nothing_and_has_unique_ids(name: str) -> None:
    page = pages.page(MADE[name](), name)
    found = read(page)
    assert found.loads == [] and "@import" not in page and "url(" not in page
    assert len(set(found.ids)) == len(found.ids)
    assert set(found.labelled) <= set(found.ids)
    assert page.startswith("<!doctype html>") and '<html lang="en">' in page


@pytest.mark.parametrize("name", MADE)
def test_every_picture_says_in_words_what_it_shows(name: str) -> None:
    page = pages.page(MADE[name](), name)
    wanted = len(Document.of(MADE[name]()).pictures)
    shown = re.findall(r'<section class="picture[^"]*">(.*?)</section>', page, re.DOTALL)
    assert len(shown) == wanted
    for one in shown:
        assert re.search(r"<h2>[^<]+.*?</h2><p>[^<]{20,}</p>", one), "title and sentence"
        assert one.count("<figcaption>") == one.count("<figure ")
        assert "<table" in one, "the figures behind it"
        for svg in re.findall(r"<svg role.*?</svg>", one, re.DOTALL):
            assert re.search(r'<title id="f\d+-t">[^<]{20,}</title>', svg)


@pytest.mark.parametrize("name", MADE)
def test_the_same_document_gives_the_same_bytes_in_fresh_processes(
    name: str, tmp_path: Path
) -> None:
    if name not in ("validation", "pool"):
        assert pages.page(MADE[name](), name) == pages.page(MADE[name](), name)
        return
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from made_documents import MADE\n"
        "from hft.reports.governance import pages\n"
        "sys.stdout.buffer.write(pages.page(MADE[sys.argv[2]](), sys.argv[2]).encode())\n"
    )
    worlds = [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C", "COLUMNS": "60"},
        {"PYTHONHASHSEED": "77", "TZ": "America/New_York", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
    ]
    here = str(Path(__file__).parent)
    made = [
        subprocess.run(
            [sys.executable, "-c", program, here, name],
            env=os.environ | world | {"PYTHONPATH": str(ROOT)},
            cwd=folder,
            capture_output=True,
            check=True,
        ).stdout
        for world, folder in zip(worlds, (tmp_path, Path.cwd()), strict=True)
    ]
    assert made[0] == made[1] == pages.page(MADE[name](), name).encode()


def test_a_document_read_back_from_json_gives_the_same_page() -> None:
    document = Document.of(validation())
    again = json.loads(json.dumps(document.to_json()))
    assert pages.validation_page(again) == pages.validation_page(document)


def evil(data: object) -> object:
    """The document with every text that somebody else may have chosen replaced."""
    if isinstance(data, str):
        return data if data in KEPT or data.startswith("_") else EVIL + data
    if isinstance(data, list):
        return [evil(one) for one in data]
    if isinstance(data, dict):
        return {key: value if key == "kind" else evil(value) for key, value in data.items()}
    return data


KEPT = {"PASS", "FAIL", "INSUFFICIENT", ""}


@pytest.mark.parametrize("name", MADE)
def test_no_text_of_a_document_becomes_markup(name: str) -> None:
    data = evil(Document.of(MADE[name]()).to_json())
    assert isinstance(data, dict)
    data["inputs"] = {EVIL: EVIL}
    data["absent"] = {EVIL: EVIL}
    data["gates"] = [*data["gates"], gate(EVIL, check(EVIL, EVIL, EVIL, None, reason=EVIL))]
    page = pages.page(data, name)
    found = read(page)
    assert found.scripts == read(pages.page(MADE[name](), name)).scripts
    assert EVIL in "".join(found.words) and "<script>alert" not in page
    assert page.count("</style>") == 1


def test_the_page_is_read_in_the_order_of_a_decision() -> None:
    page = pages.validation_page(validation("fail"))
    marks = [
        "Not passed",
        "What would turn it",
        '<dl class="kpi">',
        "<h2>Gate A <small>",
        "Is there an edge?",
        "How much of it is luck?",
        "Regimes",
        "What this page is a function of",
    ]
    places = [page.index(mark) for mark in marks]
    assert places == sorted(places)


def test_a_failed_check_comes_first_in_its_gate_and_says_what_would_turn_it() -> None:
    page = pages.validation_page(validation("fail"))
    gate_c = page[page.index("Gate C <small>") :]
    rows = re.findall(r'<tr class="(\w+)"><th scope="row">', gate_c[: gate_c.index("</section>")])
    assert rows == sorted(rows, key=["fail", "wait", "pass", "none"].index)
    assert "0.0766 too low" in gate_c and "0.11 too high" in gate_c


def test_no_verdict_is_told_by_colour_alone() -> None:
    page = pages.validation_page(validation("fail"))
    rows = re.findall(
        r'<th scope="row"><span><svg class="light (\w+)"[^>]*aria-label="([^"]+)"', page
    )
    words = {"pass": "pass", "fail": "fail", "wait": "not decided"}
    assert rows and all(word == words.get(tone, word) for tone, word in rows)
    assert {"n/a", "note"} <= {word for tone, word in rows if tone == "none"}


def test_a_picture_carries_the_worst_light_of_its_checks() -> None:
    page = pages.validation_page(validation("fail"))
    titles = dict(re.findall(r"<h2>([A-Z][^<]+)<em class=(\w+)>", page))
    assert titles["Luck of many trials"] == "fail" and titles["Backtest overfitting"] == "fail"
    assert titles["Cross-validated paths"] == "pass" and "What the trials cost" not in titles


def test_a_picture_that_is_missing_is_named_with_its_reason() -> None:
    few = validation() | {"pictures": [], "absent": {"pbo_histogram": "nothing can be swept"}}
    page = pages.validation_page(few)
    assert "<dt>Backtest overfitting</dt><dd>nothing can be swept</dd>" in page
    assert "<dt>Equity</dt><dd>not measured</dd>" in page
    assert "<script" not in page, "without pictures there is nothing to read out"
    assert "Not drawn" not in pages.validation_page(validation())


def test_a_document_of_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'poem' is none of validation"):
        pages.page({"title": "x", "kind": "poem"})
    assert pages.page({"title": "x", "kind": "pool"}) == pages.pool_page({"title": "x"})


def test_words_without_a_verdict_carry_no_light() -> None:
    page = pages.search_page({"title": "x", "words": "The best of 9 passes."})
    assert "<p>The best of 9 passes.</p>" in page and "<svg" not in page


def test_a_document_with_only_a_title_is_a_page() -> None:
    for name in MADE:
        found = read(pages.page({"title": "nothing yet"}, name))
        assert "nothing yet" in "".join(found.words)


def test_a_table_of_ten_thousand_rows_is_cut_and_says_so() -> None:
    rows = [[f"alpha_{k}", k] for k in range(10_000)]
    table = {"title": "All", "head": ["alpha", "n"], "rows": rows}
    page = pages.page({"title": "x", "tables": [table]}, "inventory")
    assert "the first 300 of 10,000" in page and len(page) < 100_000


def test_the_life_of_a_promotion_is_listed_in_order_of_time() -> None:
    made = timeline()
    shuffled = type(made)(**{**vars(made), "events": tuple(reversed(made.events))})
    assert pages.promotion_page({"title": "x", "pictures": [shuffled]}) == pages.promotion_page(
        {"title": "x", "pictures": [made]}
    )
