"""Who watches a gateway sees its recorder too: what waits, how long the rest takes, the disk."""

import re
from pathlib import Path

import pytest
from moves import House, damaged, dropped, recorded, recorder_beats

from hft.api.watched import Watched
from hft.cli.gateway_top import recorder_rows


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.chdir(tmp_path)
    return House(tmp_path)


def said(house: House) -> dict[str, str]:
    """The lines of the recorder, by their names; a sentence of many lines as one."""
    found: dict[str, str] = {}
    for name, text in recorder_rows(Watched(house.root).page()["recorder"]):
        assert len(text) <= 69, "a terminal of 80 columns shows it whole"
        name = name or list(found)[-1]
        found[name] = f"{found.get(name, '')} {text}".strip()
    return found


def test_a_folder_in_which_nothing_was_recorded_says_so(house: House) -> None:
    assert said(house) == {"recorder": "nothing is recorded here"}


def test_what_waits_since_when_and_how_long_the_rest_takes(house: House) -> None:
    recorded(house)
    house.record().close()
    found = said(house)
    assert found["recorder"] == "at work"
    assert re.fullmatch(r"2 segments, 0\.0 MB, .+ old, time to load unknown", found["backlog"])
    assert re.fullmatch(r"OK: \d+ MB recorded, [\d,]+ MB free", found["disk"])
    house.load()
    assert said(house)["backlog"] == "none"
    house.record().close()
    assert re.fullmatch(r"1 segment, 0\.0 MB, .+ old, [\d.]+ m?s to load", said(house)["backlog"])


def test_what_went_wrong_stands_there(house: House) -> None:
    dropped(house)
    assert said(house)["recorder"].endswith("at work, 5 lost rows")
    damaged(house)
    assert said(house)["recorder"].endswith("at work, 1 damaged segment, 5 lost rows")


def test_a_big_backlog_and_everything_wrong_still_fits_a_line(house: House) -> None:
    recorded(house)
    big = {"files": 123_456, "bytes": 123_456 << 20, "oldest_s": 9e5, "eta_s": 9e4}
    bad = {"quarantined": 12_345, "lost": 123_456_789, "level": "CRITICAL", "records": False}
    full = {"used_bytes": 1 << 43, "free_bytes": 1 << 43}
    rows = recorder_rows({**Watched(house.root).page()["recorder"], **big, **bad, **full})
    assert [text for _, text in rows] == [
        "not at work, 12,345 damaged segments, 123,456,789 lost rows",
        "123,456 segments, 123,456.0 MB, 10.4 days old, 25 h to load",
        "CRITICAL: 8,388,608 MB recorded, 8,388,608 MB free",
    ]
    assert max(len(text) for _, text in rows) <= 69


def test_settings_of_a_recorder_that_are_none_do_not_hide_the_gateway(house: House) -> None:
    recorder_beats(house)
    (house.root / "config").mkdir()
    (house.root / "config" / "recorder.yaml").write_text("budget_gb: 1\n")
    assert "'budget_gb' is no key of the recorder" in said(house)["recorder"]
    assert Watched(house.root).page()["fence"] == 1
