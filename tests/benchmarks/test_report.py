"""The page and the file of figures."""

import json

from benchmarks import report
from benchmarks.measure import Goal, Row, Series

MACHINE = {
    "cores": 2,
    "processor": "a processor",
    "memory_gb": 8,
    "system": "Linux x86_64",
    "python": "3.11.0",
    "ours": {"numpy": "2.4"},
    "peers": {"hftbacktest": "numpy 2.2"},
    "load_at_start": 0.5,
}


def _rows() -> list[Row]:
    done = Row("fast", "a row", "M events/s", peer_name="hftbacktest", goal=Goal(2.5))
    done.ours, done.peer = Series((20.0, 22.0, 21.0)), Series((7.0, 7.0, 7.0))
    done.ratio = Series((20 / 7, 22 / 7, 3.0))
    done.facts = {"digest": "abc", "refused": {"RATE_LIMIT": 3}}
    absent = Row("absent", "another", "s", goal=Goal(1.0), reason="no network")
    return [done, absent]


def test_the_page_shows_medians_spread_ratio_goal_verdict_digest_and_refusals():
    page = report.as_markdown({"Group": _rows()}, MACHINE, 3)
    line = next(line for line in page.splitlines() if line.startswith("| fast"))
    assert "21 [20 .. 22]" in line
    assert "7 [7 .. 7] (hftbacktest 2.4.4)" in line
    assert "3 [2.86 .. 3.14]" in line
    assert ">= 2.5 | met |" in line
    assert "digest: abc" in page and "refused: RATE_LIMIT 3" in page
    assert "2 cores of a processor" in page


def test_a_row_that_was_not_measured_says_why():
    page = report.as_markdown({"Group": _rows()}, MACHINE, 3)
    line = next(line for line in page.splitlines() if line.startswith("| absent"))
    assert line.endswith("not measured |")
    assert "- absent: not measured: no network" in page


def test_the_file_of_figures_holds_every_value():
    told = json.loads(report.as_json({"Group": _rows()}, MACHINE, 3))
    assert told["rows"][0]["ours"] == [20.0, 22.0, 21.0]
    assert told["rows"][1]["reason"] == "no network"
    assert told["machine"] == MACHINE


def test_a_group_measured_alone_takes_its_place_among_the_groups_of_the_last_report():
    before = {"First": _rows(), "Second": _rows()[:1]}
    kept = report.kept_groups(report.as_json(before, MACHINE, 3))
    assert kept == before
    again = Row("fast", "a row", "s", ours=Series((1.0,)), judged="ours")
    page = report.as_markdown(kept | {"First": [again]}, MACHINE, 3)
    assert page.index("## First") < page.index("## Second")
    assert page.count("| fast |") == 2 and "| absent |" not in page
