"""Evidence of sessions: from a CSV, row by row; from sealed run folders, day by day."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import records, write_run

from hft.core.errors import DataError
from hft.governance.canary import verification
from hft.governance.canary.verification import Known
from hft.governance.sessions import COLUMNS, from_csv, from_runs, of_run, parse_csv
from hft.research.workspace import Workspace

HEAD = ",".join(COLUMNS)
ROW = "2026-11-03,60,12.5,1.1,0,200," + "f" * 64


def test_a_csv_of_sessions_is_read_by_date() -> None:
    second = ROW.replace("-03", "-02")
    rows = parse_csv(f"{HEAD}\n{ROW}\n{second}\n", "x.csv")
    assert [row.date for row in rows] == [date(2026, 11, 3), date(2026, 11, 2)]
    assert rows[0].pnl == 12.5 and rows[0].n_fills == 60


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "row 1: the header is not"),
        ("date,pnl\n", "row 1: the header is not"),
        (f"{HEAD}\n{ROW},9\n", "row 2: has 8 fields, not 7"),
        (f"{HEAD}\n{ROW}\n{ROW}\n", "row 3: date: 2026-11-03 is already in row 2"),
        (f"{HEAD}\n{ROW.replace('2026-11-03', '2026-11-31')}\n", "row 2: date: '2026-11-31'"),
        (f"{HEAD}\n{ROW.replace(',60,', ',6.5,')}\n", "row 2: n_fills: '6.5'"),
        (f"{HEAD}\n{ROW.replace(',12.5,', ',nan,')}\n", "row 2: pnl: 'nan' is not a number"),
        (f"{HEAD}\n{ROW.replace(',1.1,', ',,')}\n", "row 2: slippage_bps: ''"),
        (f"{HEAD}\n{ROW.replace(',0,200,', ',201,200,')}\n", "rejects: 201 of 200"),
        (f"{HEAD}\n{ROW[:-1]}\n", "run_digest"),
        (f"{HEAD}\n{ROW}\0\n", "zero byte"),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_field(text: str, said: str) -> None:
    with pytest.raises(DataError, match=r"x\.csv") as caught:
        parse_csv(text, "x.csv")
    assert said in str(caught.value)


@given(st.text(max_size=200) | st.text('0123456789,-.naif\n"', max_size=200))
def test_any_text_is_rows_or_a_sentence(text: str) -> None:
    for content in (text, f"{HEAD}\n{text}"):
        try:
            parse_csv(content, "x.csv")
        except DataError as error:
            assert str(error).startswith("x.csv")


def test_a_run_folder_gives_a_row_a_day_with_what_it_counted(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(seed=3, wakes=200))
    rows = of_run(run)
    assert [row.date for row in rows] == [date(2024, 8, 8)]
    assert rows[0].n_fills == run.fills.height
    assert rows[0].decisions == run.decisions.height
    assert rows[0].rejects == run.totals["refused"]
    assert rows[0].pnl == pytest.approx(run.equity["net"][-1])
    signed = [
        (fill["price"] - fill["mid"]) / fill["mid"] * (1e4 if fill["side"] == "BUY" else -1e4)
        for fill in run.fills.to_dicts()
    ]
    assert rows[0].slippage_bps == pytest.approx(sum(signed) / len(signed))


def test_a_digest_counts_once_and_one_that_fails_is_missing_data(tmp_path: Path) -> None:
    write_run(tmp_path, records(seed=3, wakes=50), run_id="20260101T000000Z_00000001")
    write_run(tmp_path, records(seed=3, wakes=50), run_id="20260102T000000Z_00000002")
    found = from_runs([tmp_path], verify=lambda run: "")
    assert len(found.counted) == 1 and not found.missing
    found = from_runs([tmp_path], verify=lambda run: "not the same")
    assert not found.counted and found.missing[0].wrong == "not the same"


def test_a_run_that_cannot_be_replayed_is_missing_data(tmp_path: Path) -> None:
    write_run(tmp_path, records(seed=3, wakes=50))
    found = from_runs([tmp_path])
    assert not found.counted and "cannot be verified" in found.missing[0].wrong


def test_a_run_that_was_counted_stands_when_the_alpha_has_moved_on(tmp_path: Path) -> None:
    """A renewal with other code or another target takes no counted session back."""
    run = write_run(tmp_path, records(seed=3, wakes=50))
    desk = Workspace(tmp_path)  # which has no such alpha any more
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "replayed", lambda run: "")
        assert verification.of_alpha(desk, "flow")(run)
        assert verification.of_alpha(desk, "flow", counted={run.digest})(run) == ""
        patch.setattr(verification, "replayed", lambda run: "was changed")
        assert verification.of_alpha(desk, "flow", counted={run.digest})(run) == "was changed"


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no run folder"):
        from_runs([tmp_path])


def test_a_csv_row_counts_when_its_run_says_the_same(tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", records(seed=3, wakes=50), digest="ab" * 32)
    own = of_run(run)[0]
    fields = [own.date, own.n_fills, own.pnl, own.slippage_bps, own.rejects, own.decisions]

    def judged(values: list[object]) -> str:
        path = tmp_path / "e.csv"
        path.write_text(f"{HEAD}\n{','.join(str(value) for value in values)},{'ab' * 32}\n")
        known = Known([tmp_path / "runs"], lambda run: "")
        return from_csv(path, known).rows[0].wrong

    assert judged(fields) == ""
    assert "n_fills" in judged([own.date, own.n_fills + 1, *fields[2:]])
    assert "pnl" in judged([*fields[:2], own.pnl + 1.0, *fields[3:]])
    assert own.slippage_bps is not None
    assert "slippage_bps" in judged([*fields[:3], own.slippage_bps - 1.0, *fields[4:]])
    assert "no session" in judged([date(2020, 1, 1), *fields[1:]])
    unknown = Known([], lambda run: "")
    assert "no sealed run" in unknown(own)
