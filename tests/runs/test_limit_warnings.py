"""A run under limits that look like another configuration's numbers says so before all else."""

from pathlib import Path

import polars as pl
import pytest

import hft

START = 1_700_000_000 * 10**9


@pytest.mark.nojit
def test_the_first_line_of_a_card_names_a_limit_that_looks_scaled(tmp_path: Path) -> None:
    names = {name: name for name in ("ts", "bid", "ask", "bid_qty", "ask_qty")}
    rows = [
        {"ts": START + k * 10**9, "bid": 99 + k % 2, "ask": 101 + k % 2, "bid_qty": 5, "ask_qty": 5}
        for k in range(20)
    ]
    made = hft.ingest(pl.DataFrame(rows), tmp_path / "x", columns=names, symbol="X", tick=1, lot=1)
    limits = hft.Limits.research()
    scaled = limits.replace(max_position_size=100_000)
    run = hft.replay(made, "market_making", limits=scaled, out=tmp_path / "runs", plain=True)
    first = repr(run).splitlines()[0]
    assert "max_position_size: 100000 is" in first and "max_position_size_x: 100000" in first
    assert "max_position_size_x" in run.view().notice and "max_position_size_x" in str(
        run.to_json()
    )
    written = limits.replace(max_position_size_x=1_000_000)
    run = hft.replay(made, "market_making", limits=written, out=tmp_path / "runs", plain=True)
    assert "_x" not in run.view().notice
