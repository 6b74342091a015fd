"""A folder with a small market, a strategy of one's own and a `replays.yaml`."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

import hft

QUOTER = """import hft


@hft.strategy(every="5s", params=dict(half_ticks=1, lots=1), state=dict(fair=0.0), track=["fair"])
def quote(view, order, p, s):
    s["fair"] = view.micro_tick
    order.quote(hft.BUY, view.bid_tick - p["half_ticks"] + 1, p["lots"])
    order.quote(hft.SELL, view.ask_tick + p["half_ticks"] - 1, p["lots"])
"""
TWO = """# What we care about.
replays:
  quoting:
    tapes: tapes/x
    strategy: quoter.py:quote
    limits: "off"
    metrics: {net: 50%, fills: exact}   # a comment of ours
  wider:
    tapes: tapes/x
    strategy: quoter.py:quote
    params: {half_ticks: 2}
    limits: "off"
    seed: 3
"""
ROWS = 240


def market(folder: Path, rows: int = ROWS) -> None:
    """Quotes and prints of one symbol, a second apart, that walk up and down."""
    start = 1_700_000_000_000_000_000
    mid = [1000 + (k * 7) % 11 - 5 + (k // 40) % 3 for k in range(rows)]
    frame = pl.DataFrame(
        {
            "t": [start + k * 1_000_000_000 for k in range(rows)],
            "b": [m * 0.5 for m in mid],
            "a": [m * 0.5 + 0.5 for m in mid],
            "bq": [5 + k % 3 for k in range(rows)],
            "aq": [4 + k % 5 for k in range(rows)],
        }
    )
    names = {"ts": "t", "bid": "b", "ask": "a", "bid_qty": "bq", "ask_qty": "aq"}
    hft.ingest(frame, folder / "tapes" / "x", columns=names, symbol="X", tick="0.5", lot=1)


def make(folder: Path, text: str = TWO) -> Path:
    """The folder with market, strategy and file; returns the file."""
    market(folder)
    (folder / "quoter.py").write_text(QUOTER)
    (folder / "replays.yaml").write_text(text)
    return folder / "replays.yaml"


def change(file: Path, edit: Callable[[str], str]) -> None:
    """Rewrite a file by its text; the edit has to change something."""
    text = file.read_text()
    assert edit(text) != text
    file.write_text(edit(text))
