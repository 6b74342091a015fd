import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.reports.charts import PIXELS, Span, bars, bins, table, value_ticks

DAY_NS = 86_400 * 10**9
START = 1_723_075_200 * 10**9


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(-1e9, 1e9)), min_size=1, max_size=300))
def test_thinning_keeps_every_pixels_extremes(points: list[tuple[int, float]]) -> None:
    points = sorted(points, key=lambda point: point[0])
    ts = np.array([t for t, _ in points])
    values = np.array([v for _, v in points])
    cut = bins(Span(0, 10**6), ts, values)
    assert cut.low.min() == values.min() and cut.high.max() == values.max()
    assert cut.last[-1] == values[-1]
    assert len(cut.index) <= PIXELS and (np.diff(cut.index) > 0).all()
    assert (cut.low <= cut.last).all() and (cut.last <= cut.high).all()


@pytest.mark.parametrize(
    ("seconds", "label"),
    [(5, "00:00:01"), (600, "00:02"), (86_400, "04:00"), (86_400 * 9, "08-11")],
)
def test_time_labels_are_round(seconds: int, label: str) -> None:
    ticks = Span(START, START + seconds * 10**9).ticks()
    assert 3 <= len(ticks) <= 10
    assert label in [text for _, text in ticks]
    assert all(0 <= x <= 1000 for x, _ in ticks)


@given(st.floats(-1e7, 1e7), st.floats(1e-4, 1e7))
def test_value_labels_lie_inside_and_are_few(low: float, length: float) -> None:
    if low + length == low:
        return
    ticks = value_ticks(low, low + length)
    assert 1 <= len(ticks) <= 9
    assert all(low - 1e-6 * length <= v <= low + length * (1 + 1e-6) for v, _ in ticks)


def test_a_day_in_a_table_stays_on_one_line() -> None:
    html = table(("day", "net"), [("2024-08-08", "1"), ("x" * 40, "2")])
    assert '<td class="day">2024-08-08</td>' in html and '<td class="long">xxx' in html


def test_bars_share_one_scale_around_zero() -> None:
    html = bars([("a", 30.0, "30", "up"), ("b", -10.0, "-10", "down")])
    assert 'style="left:25%;width:75%"' in html and 'style="left:0%;width:25%"' in html
    assert bars([]) == ""


def test_lots_are_never_divided_on_an_axis() -> None:
    assert [text for _, text in value_ticks(-0.1, 1.1, whole=True)] == ["0", "1"]
    ten = [text for _, text in value_ticks(-10.6, 10.6, whole=True)]
    assert ten == ["−10", "0", "10"]
    assert [text for _, text in value_ticks(-0.1, 1.1)] != ["0", "1"]
