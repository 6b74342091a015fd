"""No sentinel, NaN or infinity in what random runs show."""

import polars as pl
import pytest

from benchmarks import random_runs


def test_a_sample_of_random_runs_shows_numbers_only():
    counts, found = random_runs.scan(range(12))
    assert list(found.values()) == []
    told = ("with fills", "with trips", "with orders at an empty side")
    assert all(counts[name] > 0 for name in told), counts


class Told:
    """A run that shows what it is told to."""

    def __init__(self, tmp_path, **frames) -> None:
        self._page = tmp_path / "report.html"
        words = "net nan USD, best 9223372036854775807, +5,764,607,523,034,143.00 USD"
        self._page.write_text(f"<p>{words}</p>")
        self.metrics, self.totals = {}, {}
        for name in random_runs.FRAMES:
            setattr(self, name, frames.get(name, pl.DataFrame()))

    def report(self):
        return self._page

    def to_json(self) -> dict[str, object]:
        return {}

    def _repr_html_(self) -> str:
        return "information about banana"


@pytest.mark.nojit
def test_a_sentinel_a_nan_and_an_infinity_are_seen(tmp_path):
    frames = {
        "fills": pl.DataFrame({"price": [1.0, float("nan")]}),
        "equity": pl.DataFrame({"net": [float("inf")]}),
        "orders": pl.DataFrame({"bid_tick": [-(1 << 62)]}),
    }
    places = [one.split(":")[0] for one in random_runs.complaints(Told(tmp_path, **frames))]
    assert places == ["fills.price", "orders.bid_tick", "equity.net", "page", "page", "page"]
