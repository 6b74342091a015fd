"""Which rows of a panel belong to which name."""

import numpy as np
import polars as pl

from hft.research.data.load import load


def test_the_rows_of_each_name_are_in_time_order_and_found_once() -> None:
    names = np.array(["zeta", "alpha", "Beta", "\u00e9toile"])
    symbol = names[np.random.Generator(np.random.Philox(1)).integers(0, 4, 300)]
    ts = 1_700_000_000_000_000_000 + np.arange(300) * 60_000_000_000
    frame = pl.DataFrame({"ts": ts, "symbol": symbol, "price": np.arange(300.0) + 1.0})
    data = load(frame)
    first, second = dict(data.groups()), dict(data.groups())
    assert list(first) == sorted(names) and sum(map(len, first.values())) == len(data) == 300
    for name, rows in first.items():
        assert rows.tolist() == [k for k, one in enumerate(data.frame["symbol"]) if one == name]
        assert second[name] is rows


def test_rows_without_names_are_one_group() -> None:
    frame = pl.DataFrame({"ts": [1_700_000_000 + k for k in range(5)], "price": [1.0] * 5})
    ((name, rows),) = load(frame).groups()
    assert name == "" and rows.tolist() == [0, 1, 2, 3, 4]
