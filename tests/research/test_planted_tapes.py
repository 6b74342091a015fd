"""The planted market as tapes: what a strategy sees of it is what was planted."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hft.core.errors import ConfigError
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.data.planted_market import make
from hft.research.data.planted_tapes import write_tapes
from hft.research.data.tapes import from_tapes


def test_the_order_flow_of_the_tapes_is_the_planted_one(tmp_path: Path) -> None:
    bars = planted(0.07, days=4, seed=5)
    tapes = write_tapes(tmp_path / "tapes", 0.07, days=4, seed=5)
    for day, mine in bars.group_by("session", maintain_order=True):
        name = f"{str(day[0])[:4]}-{str(day[0])[4:6]}-{str(day[0])[6:]}"
        data = from_tapes(tapes[name], "60s")
        assert data.ts_ns.tolist() == mine["ts"].dt.epoch("ns").to_list()
        # The first row of a session has nothing before it to flow from.
        assert data.field("ofi")[1:].tolist() == mine["ofi"].to_list()[1:]


def test_the_touch_of_the_tapes_is_that_of_the_bars(tmp_path: Path) -> None:
    bars = planted(0.0, days=1, seed=1)
    data = from_tapes(write_tapes(tmp_path / "tapes", 0.0, days=1, seed=1), "60s")
    np.testing.assert_allclose(data.field("bid_px"), bars["bid_px"].to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(data.field("ask_px"), bars["ask_px"].to_numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "l3"}, "bars or l2"),
        ({"start": "soon"}, "no date"),
        ({"snr": 1.5}, "correlation"),
        ({"days": 0}, "at least 1"),
    ],
)
def test_a_wrong_wish_is_one_sentence(tmp_path: Path, change: dict, words: str) -> None:
    given = {"snr": 0.1, "kind": "bars", "days": 2, "seed": 0, "start": "2021-01-04"} | change
    with pytest.raises(ConfigError, match=words):
        make(tmp_path / "out", given.pop("snr"), **given)
    assert not (tmp_path / "out").exists()


def test_a_planted_edge_has_one_coefficient_from_bars_and_from_tapes(tmp_path: Path) -> None:
    """Over a change of the clock, weekends, a holiday and a half day."""
    made: dict = {"days": 18, "seed": 4, "start": date(2021, 11, 4)}
    bars = planted(0.2, **made)
    middle = (pl.col("bid_px") + pl.col("ask_px")) / 2
    from_bars = load(bars.with_columns(mid=middle).drop("volume", "signed_volume"))
    of_tapes = from_tapes(write_tapes(tmp_path / "tapes", 0.2, **made), "60s")
    assert of_tapes.ts_ns.tolist() == from_bars.ts_ns.tolist()
    assert of_tapes.session.tolist() == from_bars.session.tolist()
    assert 20211125 not in of_tapes.sessions
    assert int((of_tapes.session == 20211126).sum()) == 210
    found = [coefficient(data) for data in (from_bars, of_tapes)]
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    assert found[0] > 0.02  # the edge itself, not noise


def coefficient(data: ResearchData) -> float:
    """Correlation of the order flow with the next minute's return."""
    value = data.labels(60_000_000_000).value
    # The first row of a session has nothing before it to flow from.
    usable = np.isfinite(value) & (np.diff(data.session, prepend=0) == 0)
    return float(np.corrcoef(data.field("ofi")[usable], value[usable])[0, 1])
