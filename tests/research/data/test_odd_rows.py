"""What `hft data report` says of odd rows."""

from pathlib import Path

import polars as pl
import pytest

from hft.cli.app import run
from hft.research.data.sample import sample


def test_the_report_tells_rows_of_one_time_and_prices_that_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = sample(600).frame.select("ts", close="mid")
    rows.write_parquet("good.parquet")
    assert run(["data", "report", "good.parquet"]) == 0
    said = capsys.readouterr().out
    assert "600 rows" in said and "earlier row" not in said and "below 0" not in said
    again = rows.slice(100, 30).with_columns(close=pl.col("close") + 1.0)
    wrong = pl.Series([-3.0, 0.0])
    low = rows.slice(300, 2).with_columns(close=wrong)
    whole = pl.concat([rows.filter(~pl.col("ts").is_in(low["ts"].implode())), again, low])
    whole.sort("ts", maintain_order=True).write_parquet("odd.parquet")
    assert run(["data", "report", "odd.parquet"]) == 0
    said = capsys.readouterr().out
    assert "30 rows at the time of an earlier row: kept, the first at 2023-01-03T13:31" in said
    assert "2 prices at or below 0: kept, the first, -3, at 2023-01-05T13:31" in said
