"""The planted market as tapes: what a strategy sees of it is what was planted."""

from pathlib import Path

import numpy as np
import pytest

from hft.alpha.data.of_tapes import from_tapes
from hft.alpha.data.planted import make, planted
from hft.alpha.data.planted_tapes import write_tapes
from hft.core.errors import ConfigError


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
