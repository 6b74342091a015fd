"""Databento files made by hand, and what their rows are; the names of the recorded ones."""

from decimal import Decimal
from pathlib import Path

import numpy as np

from hft.core.instruments import Instrument
from hft.feeds import databento
from hft.feeds.base import DecodeOptions
from hft.tape.schema import Feed
from tests.feeds.recordings import header, mbo

FIRST_DAY, SECOND_DAY = "esh4-glbx-mdp3-20231224.mbo", "esh4-glbx-mdp3-20231225.mbo"
QUOTES = "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02"
TRADES = "futures_trades_2024-07-01T23-58_2024-07-02T00-02"
DEFINITIONS = "futures_definition"
ES = Instrument("ESH4", Decimal("0.25"), Decimal(1), Decimal(50))
OPTIONS = DecodeOptions(format="databento", instruments={"ESH4": ES})


def write(path: Path, records: np.ndarray, schema: int = 0, version: int = 1) -> Path:
    path.write_bytes(header(schema, version) + records.tobytes())
    return path


def decode_mbo(tmp_path: Path, *events: tuple, version: int = 1) -> Feed:
    path = write(tmp_path / "a.dbn", mbo(*events), version=version)
    return databento.decode([path], OPTIONS)[0]


def table(feed: Feed) -> list[tuple]:
    """(kind, side, price, qty, order id, flags) of every row."""
    return list(zip(*(column.tolist() for column in feed.columns[2:]), strict=True))


def named(feed: Feed) -> dict[str, tuple[int, int]]:
    return {finding.name: (finding.count, finding.first_row) for finding in feed.findings}
