"""Signals of a frame on tapes: seen when they could be known, in order, and by strategies only."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hft
from hft.core.errors import ConfigError, DataError
from hft.runs.ingest import synthetic
from hft.runs.join import _with_signals, join
from hft.tape.dataset import Tapes

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    return synthetic(seed=2, out=tmp_path_factory.mktemp("market"), events=20_000)


@pytest.fixture(scope="module")
def model(market: Tapes) -> pl.DataFrame:
    """A value a minute in two columns; the first is older than the tape, some say nothing."""
    start = market.span[0] // SECOND * SECOND - 30 * SECOND
    n = 600
    ts = [start + 60 * SECOND * k for k in range(n)]
    values = np.sin(np.arange(n))
    other = [None if k % 3 == 1 else (float("nan") if k % 3 == 2 else float(k)) for k in range(n)]
    return pl.DataFrame({"ts": ts, "alpha": values, "beta": other}).sample(
        fraction=1.0, shuffle=True, seed=1
    )


@hft.strategy(
    every="7s",
    state={"alpha": 0.0, "alpha_age": 0, "beta": 0.0, "beta_age": 0},
    track=("alpha", "alpha_age", "beta", "beta_age"),
)
def watch(view, order, p, s):  # type: ignore[no-untyped-def]
    s["alpha"], s["beta"] = view.signal[0], view.signal[1]
    s["alpha_age"] = view.now - view.signal_ns[0] if view.signal_ns[0] > 0 else -1
    s["beta_age"] = view.now - view.signal_ns[1] if view.signal_ns[1] > 0 else -1


def series(tapes: Tapes, out: Path) -> pl.DataFrame:
    found: Any = hft.replay(tapes, watch, limits="off", out=out).series
    return found.lazy().collect()


def test_a_strategy_sees_the_newest_value_whose_time_and_latency_have_passed(
    market: Tapes, model: pl.DataFrame, tmp_path: Path
) -> None:
    late = 90 * SECOND
    joined = join(
        market, model, ts="ts", columns=["alpha", "beta"], out=tmp_path / "j", latency="90s"
    )
    seen = series(joined, tmp_path / "runs")
    assert seen.height > 3_000
    for name in ("alpha", "beta"):
        known = model.filter(pl.col(name).is_not_null() & pl.col(name).is_not_nan()).sort("ts")
        times, values = known["ts"].to_numpy(), known[name].to_numpy()
        now = seen["ts"].dt.epoch("ns").to_numpy()
        at = np.searchsorted(times + late, now, side="right") - 1
        wanted = np.where(at >= 0, values[np.maximum(at, 0)], 0.0)
        assert np.allclose(seen[name].to_numpy(), wanted, rtol=0, atol=1e-9)
        age = np.where(at >= 0, now - times[np.maximum(at, 0)], -1)
        assert seen[f"{name}_age"].to_numpy().tolist() == age.tolist()
    assert (seen["alpha_age"] == -1).sum() > 0, "nothing was known at first"
    assert len(joined) == 2, "and it carries over midnight"


def test_what_was_known_before_the_tape_began_is_there_at_its_first_row(
    market: Tapes, model: pl.DataFrame, tmp_path: Path
) -> None:
    joined = join(market, model, ts="ts", columns=["alpha"], out=tmp_path / "j")
    seen = series(joined, tmp_path / "runs")
    woken = seen["ts"].dt.epoch("ns")[0]
    assert seen["alpha_age"][0] == woken - model["ts"].min() > 30 * SECOND
    assert joined.span == market.span


def test_a_run_that_reads_no_signal_has_the_digest_it_had(
    market: Tapes, model: pl.DataFrame, tmp_path: Path
) -> None:
    joined = join(market, model, ts="ts", columns=["alpha", "beta"], out=tmp_path / "j")
    for tape in joined:
        tape.verify()
    digests = {
        hft.replay(tapes, "market_making", limits="off", out=tmp_path / "runs").digest
        for tapes in (market, joined)
    }
    assert len(digests) == 1 and joined.rows > market.rows + 400
    before = market.quotes().collect()
    assert joined.quotes().collect().equals(before)


@settings(max_examples=50)
@given(st.lists(st.integers(-50, 1_050), min_size=1, max_size=30))
def test_every_row_of_the_tape_stays_and_every_signal_stands_after_the_rows_of_its_moment(
    offsets: list[int],
) -> None:
    from hft.runs.join import _signals
    from hft.tape.schema import Columns

    rng = np.random.default_rng(len(offsets))
    rows = Columns.empty(40)
    base = 1_700_000_000 * SECOND
    rows.local_ts[:] = base + np.sort(rng.integers(0, 1_000, 40))
    rows.flags[7::9] = 1  # seen by the venue only; their receive times say nothing
    rows.local_ts[7::9] = base
    rows.qty[:] = np.arange(40)

    class Made:
        def columns(self) -> Columns:
            return rows

    frame = pl.DataFrame({"t": [base + k for k in offsets], "x": [float(k) for k in offsets]})
    merged = _with_signals(Made(), _signals(frame, "t", ["x"], 0))  # type: ignore[arg-type]
    ours = merged.kind == 11
    for old, new in zip(rows, merged, strict=True):
        assert new[~ours].tolist() == old.tolist()
    seen = merged.local_ts[(merged.flags & 1) == 0]
    assert (np.diff(seen) >= 0).all()
    visible = rows.local_ts[(rows.flags & 1) == 0]
    kept = [base + k for k in offsets if visible[0] <= base + k <= visible[-1]]
    earlier = any(base + k < visible[0] for k in offsets)
    assert int(ours.sum()) == len(kept) + earlier
    for at in np.flatnonzero(ours):
        later = merged.local_ts[at + 1 :][(~ours & ((merged.flags & 1) == 0))[at + 1 :]]
        assert (later > merged.local_ts[at]).all()


BAD: list[tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = [
    ({}, {"columns": ["gamma"]}, ConfigError, "no column 'gamma'; it has ts, alpha"),
    ({}, {"columns": []}, ConfigError, "0 columns of signals; give 1 to 8"),
    ({"alpha": ["a", "b"]}, {}, DataError, "column 'alpha': String is no number"),
    ({"alpha": [1.0, float("inf")]}, {}, DataError, "row 2, column 'alpha': inf is too large"),
    ({"alpha": [1e10, 1.0]}, {}, DataError, "row 1, column 'alpha': 10000000000.0 is too large"),
    ({"ts": ["2024-01-02 10:00", "2024-01-02 10:01"]}, {}, DataError, "row 1: time .* has no zone"),
    ({"ts": [None, 1_704_153_600]}, {}, DataError, "row 1: the time is missing"),
]


@pytest.mark.parametrize(("changes", "given_", "error", "message"), BAD)
def test_a_frame_that_is_no_signal_is_refused(
    changes: dict[str, Any],
    given_: dict[str, Any],
    error: type[Exception],
    message: str,
    market: Tapes,
    tmp_path: Path,
) -> None:
    data = {"ts": [1_704_153_600, 1_704_153_601], "alpha": [0.5, 0.25]} | changes
    arguments: dict[str, Any] = {"ts": "ts", "columns": ["alpha"], "out": tmp_path / "j"} | given_
    with pytest.raises(error, match=message):
        join(market, pl.DataFrame(data), **arguments)
    assert not (tmp_path / "j").exists() or not list((tmp_path / "j").iterdir())


def test_the_tapes_themselves_are_never_overwritten(market: Tapes, model: pl.DataFrame) -> None:
    with pytest.raises(ConfigError, match="holds the tapes themselves"):
        join(market, model, ts="ts", columns="alpha", out=market[0].path.parent)
