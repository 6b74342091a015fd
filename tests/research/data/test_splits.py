"""Splits are whole sessions, purged by the horizon, and part of what the data is."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.errors import ConfigError, DataError
from hft.research.data import features
from hft.research.data.load import load
from hft.research.data.sample import sample
from hft.research.data.splits import Splits, make, shares_of

NS = 1_000_000_000


@given(st.integers(3, 60), st.integers(1, 30), st.integers(0, 20))
def test_splits_are_disjoint_whole_sessions_in_time_order(
    sessions: int, per_session: int, horizon: int
) -> None:
    day = np.repeat(np.arange(sessions), per_session)
    ts = day * 100 * NS + np.tile(np.arange(per_session), sessions) * NS
    made = make(ts, 20240101 + day, horizon * NS)
    assert made is not None
    masks = [made.mask(name, ts, 20240101 + day) for name in ("explore", "validate", "vault")]
    assert np.all(np.sum(masks, axis=0) <= 1)
    assert all(mask.any() for mask in masks)
    for first, second in pairwise(masks):
        assert ts[first].max() + horizon * NS < ts[second].min() or horizon == 0
        assert not set(day[first]) & set(day[second])
    again = Splits.from_dict(made.to_dict(), "here")
    assert again == made and again.hash == made.hash


def test_rows_whose_label_reaches_the_next_split_belong_to_none() -> None:
    ts = np.arange(30) * NS
    day = 20240101 + np.arange(30) // 3
    made = make(ts, day, 2 * NS)
    assert made is not None
    explore = made.mask("explore", ts, day)
    assert explore[:10].all() and not explore[10:].any()
    assert made.mask("vault", ts, day)[-1]


def test_fewer_sessions_than_splits_make_none() -> None:
    assert make(np.arange(4), np.array([1, 1, 2, 2])) is None


@pytest.mark.parametrize("text", ["40,40", "50,50,50", "a,b,c", "-10,90,20", ""])
def test_shares_that_do_not_add_up_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="three percentages that add up to 100"):
        shares_of(text)


def test_a_dataset_keeps_its_splits_and_refuses_rows_that_were_changed(tmp_path: Path) -> None:
    source = tmp_path / "bars.parquet"
    sample(rows=1000).frame.write_parquet(source)
    made = features.write(source, tmp_path / "set", horizons="1min,5min")
    assert made.manifest["splits"]["horizon_ns"] == 300 * NS
    data = load(tmp_path / "set")
    parts = {name: data.select(name) for name in ("explore", "validate", "vault")}
    assert [len(part.sessions) for part in parts.values()] == [4, 4, 2]
    assert len({part.fingerprint for part in parts.values()} | {data.fingerprint}) == 4
    assert max(parts["explore"].sessions) < min(parts["validate"].sessions)
    assert load(tmp_path / "set", split="vault").fingerprint == parts["vault"].fingerprint
    # The same rows split otherwise are other data.
    other = features.write(source, tmp_path / "other", horizons="1min,5min", split="20,60,20")
    assert other.manifest["content_sha256"] != made.manifest["content_sha256"]
    frame = pl.read_parquet(tmp_path / "set" / "features.parquet")
    changed = frame.with_columns(pl.col("mid") * 1.0001)
    changed.write_parquet(tmp_path / "set" / "features.parquet")
    with pytest.raises(DataError, match=r"not those that manifest\.json pins"):
        load(tmp_path / "set")


def test_data_without_splits_counts_as_validate_in_whole() -> None:
    data = sample(rows=300)
    assert data.select("validate") is data
    with pytest.raises(ConfigError, match="has no splits"):
        data.select("vault")


def test_labels_of_a_dataset_are_those_of_its_rows(tmp_path: Path) -> None:
    source = tmp_path / "bars.parquet"
    sample(rows=600).frame.write_parquet(source)
    features.write(source, tmp_path / "set", horizons="5min")
    frame = pl.read_parquet(tmp_path / "set" / "features.parquet")
    stored = frame["label_5min"].fill_null(float("nan")).to_numpy()
    assert np.array_equal(stored, sample(rows=600).labels(300 * NS).value, equal_nan=True)
    ends = (frame["t_end_5min"] - frame["t_start"]).dt.total_seconds().unique().to_list()
    assert ends == [300]


def test_splits_hold_for_a_frame_that_names_them_and_datasets_do_not_mix(tmp_path: Path) -> None:
    source = tmp_path / "bars.parquet"
    sample(rows=1000).frame.write_parquet(source)
    for name in ("one", "two"):
        features.write(source, tmp_path / name, horizons="1min,5min")
    frame = pl.read_parquet(tmp_path / "one" / "features.parquet")
    whole, told = load(tmp_path / "one"), load(frame)
    for name in ("explore", "validate", "vault"):
        assert np.array_equal(told.select(name).ts_ns, whole.select(name).ts_ns)
    with pytest.raises(DataError, match="load one dataset at a time"):
        load([tmp_path / "one", tmp_path / "two"])
