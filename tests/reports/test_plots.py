from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_runs import records, write_run

from hft.core.errors import ConfigError
from hft.reports.plots import POINTS, thinned


def test_one_figure_has_the_panels_that_were_asked_for(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(wakes=60))
    names = [trace.name for trace in run.plot().data]
    assert {"net", "BTCUSDT lots", "BTCUSDT mid", "buy BTCUSDT", "sell BTCUSDT"} <= set(names)
    assert {trace.name for trace in run.plot("series").data} == {"fair", "half"}
    only = run.plot("equity", series="half")
    assert {trace.name for trace in only.data} == {"net", "before fees", "half"}
    assert "fair" in {trace.name for trace in run.plot(series=("fair", "half")).data}
    with pytest.raises(ConfigError, match="no series 'hal'; this run tracked fair, half"):
        run.plot(series="hal")


def test_an_unknown_panel_and_a_run_without_samples_are_refused(tmp_path: Path) -> None:
    made = records(wakes=20)
    with pytest.raises(ConfigError, match="'weather' is none of equity, position, price, series"):
        write_run(tmp_path, made).plot("weather")
    with pytest.raises(ConfigError, match="kept no samples"):
        write_run(tmp_path, made, record="digest").plot()


def test_a_long_line_is_thinned_and_keeps_its_extremes() -> None:
    n = 100_000
    values = np.random.default_rng(0).normal(size=n)
    ts = pl.Series(np.arange(n) * 10**9).cast(pl.Datetime("ns", "UTC"))
    x, y = thinned(ts, values)
    assert len(x) == len(y) <= 2 * POINTS
    assert y.min() == values.min() and y.max() == values.max()
    assert (np.diff(x.astype(np.int64)) >= 0).all()
