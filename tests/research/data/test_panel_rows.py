"""Which rows of a panel belong to which name."""

from pathlib import Path

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


def quotes(seed: int, first: int = 0) -> pl.DataFrame:
    ts = 1_700_000_000_000_000_000 + (first + np.arange(50)) * 86_400_000_000_000
    price = 50.0 + np.random.Generator(np.random.Philox(seed)).random(50)
    return pl.DataFrame({"ts": ts, "price": price})


def test_numbered_files_of_the_same_times_are_names_and_of_later_ones_parts(
    tmp_path: Path,
) -> None:
    names, parts = tmp_path / "names", tmp_path / "parts"
    for folder in (names, parts):
        folder.mkdir()
    for k in range(3):
        quotes(k).write_parquet(names / f"alder_{k}.parquet")
        quotes(k, 50 * k).write_parquet(parts / f"alder_{k}.parquet")
    quotes(9).write_parquet(names / "birch.parquet")
    assert load(names).symbols == ("alder_0", "alder_1", "alder_2", "birch")
    assert not load(parts).panel and len(load(parts)) == 150


def test_the_same_file_twice_under_two_numbers_is_one_name(tmp_path: Path) -> None:
    for k in range(2):
        quotes(1).write_parquet(tmp_path / f"alder_{k}.parquet")
    data = load(tmp_path)
    assert not data.panel and len(data) == 50 and data.counts["repeated"] == 50
