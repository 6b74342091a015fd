import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from made_runs import records, write_run

from hft.reports.governance.pages import _read as governance_style
from hft.reports.html import render
from hft.reports.page import style
from hft.reports.plots import figure
from hft.runs.result import Run

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Balanced(HTMLParser):
    """Fails on a tag that is closed without being open; collects what is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [v for k, v in given.items() if k in ("src", "href", "srcset") and v]
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


def parsed(html: str) -> Balanced:
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_run(tmp_path_factory.mktemp("report"), records(wakes=900, refused=0.1))


def test_the_same_digest_gives_the_same_bytes_wherever_and_whenever(
    run: Run, tmp_path: Path
) -> None:
    other = write_run(
        tmp_path / "elsewhere",
        records(wakes=900, refused=0.1),
        run_id="20300101T112233Z_5e5e5e5e",
        blocks=31,
        manifest={"machine": {"cpu": "another"}, "started_ns": 1, "wall_s": 99.5},
    )
    a, b = run.report(tmp_path / "a.html"), other.report(tmp_path / "b.html")
    assert a.read_bytes() == b.read_bytes()


def test_the_report_loads_nothing_and_is_well_formed(run: Run) -> None:
    html = render(run.view(full=True))
    page = parsed(html)
    assert page.loads == [] and len(page.ids) == len(set(page.ids))
    assert "url(" not in html and "@import" not in html
    assert html.count("<script") == 2


def test_the_report_says_what_a_reader_needs(run: Run) -> None:
    html = render(run.view(full=True))
    wanted = [run.digest, "POSITION_LIMIT", "max_position_size", "2 ms each way", "after fees"]
    wanted[-1] = "before fees"
    wanted += ["Position", "Price", "What a replay cannot know", "c0" * 8, "half_ticks = 2.0"]
    missing = [text for text in wanted if text not in html]
    assert not missing
    assert html.index("of the intents were refused") < html.index("net P&amp;L")


def test_no_machine_time_or_place_is_in_the_report(run: Run) -> None:
    html = render(run.view(full=True))
    for text in (run.id, str(run.path), "somewhere.py", "tapes/btc"):
        assert text not in html


def test_both_colour_schemes_and_narrow_screens_are_served(run: Run) -> None:
    html = render(run.view(full=True))
    assert "prefers-color-scheme:dark" in html and "max-width:760px" in html
    assert 'name="viewport"' in html


def test_paper_keeps_the_colours_and_takes_neither_the_dark_scheme_nor_the_narrow_page() -> None:
    for css in (style(), governance_style("governance.css")):
        queries = re.findall(r"@media([^{]*)\{", css)
        for query in queries:
            assert query.strip() == "print" or query.strip().startswith("screen and"), query
    paper = style()[style().index("@media print") :]
    assert "print-color-adjust:exact" in paper
    assert not re.search(r"section\{[^}]*break-inside:avoid", paper)  # a long one would move whole
    assert re.search(r"figure,tr[^}]*break-inside:avoid", paper)


def test_names_cannot_become_markup(run: Run) -> None:
    view = replace(
        run.view(full=True),
        title="<script>alert(1)</script>",
        notice="a <b> & 'c'",
        labels={"</style>": "<img src=x onerror=y>"},
    )
    html = render(view)
    assert "<script>alert" not in html and "<img" not in html and "</style><" not in html[:200]
    parsed(html)


@pytest.mark.parametrize("record", ["summary", "digest"])
def test_a_brief_run_has_a_report_too(tmp_path: Path, record: str) -> None:
    run = write_run(tmp_path, records(wakes=60), record=record)
    html = run.report(tmp_path / "r.html").read_text()
    parsed(html)
    assert run.digest in html
    assert ("Nothing to draw" in html) == (record == "digest")


def test_a_tape_that_is_gone_is_said_to_be(run: Run) -> None:
    html = render(run.view(full=True))
    assert "The tape is not where it was (tape 1)" in html
    assert "took at its wake-ups" in html and "Prices are the tape" not in html


def test_instruments_and_pairs_that_are_not_drawn_are_counted(run: Run) -> None:
    view = run.view(full=True)
    assert "Drawn are" not in render(view) and "Drawn are" not in figure(view).says
    assert view.equity is not None
    symbols = [f"S{k}" for k in range(8)]
    equity = pl.concat([view.equity.with_columns(symbol=pl.lit(name)) for name in symbols])
    pairs = {"strategy": ["a"] * 8, "symbol": symbols, "net": [0.0] * 8, "gross": [0.0] * 8}
    parts = pl.DataFrame(pairs | {"fees": [0.0] * 8, "fills": [0] * 8, "position": [0] * 8})
    many = replace(view, equity=equity, parts=parts)
    said = "Drawn are the first 6 of 8 instruments"
    assert f"{said}, and the P&amp;L of the first 6 of 8 pairs" in render(many)
    assert said in figure(many).says
    parsed(render(many))


def test_every_fill_is_drawn_and_counted(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(wakes=5_000))
    html = render(run.view(full=True))
    buys = run.fills.filter(run.fills["side"] == "BUY").height
    assert f"{buys:,} buys" in html and "shown)" not in html and buys > 1_400
    drawn = re.search(r'class="dots[^"]*buy" data-e="0" d="([^"]*)"', html)
    assert drawn and drawn[1].count("h0") > 0.8 * buys  # the others lie under one of these


def test_a_run_without_a_fill_has_a_report(tmp_path: Path) -> None:
    made = records(wakes=60)
    made.fills, made.steps = made.fills[:0], made.steps[made.steps["kind"] < 2]
    html = write_run(tmp_path, made).report(tmp_path / "r.html").read_text()
    parsed(html)
    assert "nothing was traded" in html and not re.search(r"\bnan\b|\binf\b", html)


def test_a_long_run_stays_small(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(wakes=20_000))
    path = run.report(tmp_path / "r.html")
    assert run.fills.height > 10_000
    assert path.stat().st_size < 3_000_000


def test_the_two_style_sheets_give_no_class_of_sections_two_meanings() -> None:
    """Governance pages take both: what lies a section out there must not be said for replays."""
    mine = set(re.findall(r"^\.([a-z]+)\{display:grid", style(), re.MULTILINE))
    theirs = {"picture", "wide", "together", "beside", "verdict"}  # classes of a governance section
    assert mine and not mine & theirs
