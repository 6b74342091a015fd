from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.reports.axes import Linear, Time
from hft.reports.chart import Chart
from hft.reports.shapes import COLUMNS, held
from hft.reports.track import (
    GAP,
    Track,
    decimals,
    events,
    fitted,
    joined,
    packed,
    sized,
    track,
    track_of,
    within,
)

START = 1_723_075_200 * 10**9
points = st.lists(
    st.tuples(st.integers(0, 10**12), st.one_of(st.just(GAP), st.integers(-(10**6), 10**6))),
    min_size=1,
    max_size=120,
)


def made(some: list[tuple[int, int]]) -> Track:
    some = sorted(some, key=lambda point: point[0])
    return track(START + np.array([t for t, _ in some]), np.array([v for _, v in some]), 0.5)


def unpacked(text: str) -> list[int]:
    """The numbers of a text, read as the script reads them."""
    out, value, scale = [], 0, 1
    for byte in b64decode(text):
        value += (byte & 127) * scale
        if byte & 128:
            scale *= 128
        else:
            out.append(value)
            value, scale = 0, 1
    return out


def signed(value: int) -> int:
    return -(value + 1) // 2 if value % 2 else value // 2


def steps(text: str, first: int) -> list[tuple[int, int | None, int | None, int]]:
    """(step, lowest, highest, last or GAP) of a packed track: a naive reader."""
    raw, out, value = iter(unpacked(text)), [], 0
    step = first
    for head in raw:
        step += next(raw) if head % 2 else 1
        both = next(raw)
        a, b = divmod(both, 11) if both < 121 else (both - 121, next(raw))
        if head // 2:
            value += signed(head // 2 - 1)
            out.append((step, value - a, value + b, value))
        else:
            low = value + signed(a - 1)
            out.append((step, low if a else None, low + b if a else None, GAP))
    return out


@given(points, st.integers(1, 60))
def test_what_the_script_reads_is_the_track(some: list[tuple[int, int]], most: int) -> None:
    one = fitted(made(some), most)
    inside = one.low <= one.high
    wanted = [
        (at, low if there else None, high if there else None, last)
        for at, low, high, last, there in zip(
            *(part.tolist() for part in (*one[1:5], inside)), strict=True
        )
    ]
    assert steps(packed(one, START), START // one.step_ns) == wanted


@given(points, st.integers(1, 60))
def test_no_extreme_is_lost_however_few_steps_are_left(
    some: list[tuple[int, int]], most: int
) -> None:
    one = fitted(made(some), most)
    values = [v for _, v in some if v != GAP]
    assert len(one.at) <= most and (np.diff(one.at) > 0).all()
    if values:
        assert one.extremes() == (min(values) * 0.5, max(values) * 0.5)
        assert one.last[-1] == sorted(some, key=lambda point: point[0])[-1][1]
    else:
        assert one.extremes() is None


@given(points, st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_part_begins_with_what_held(some: list[tuple[int, int]], low: int, wide: int) -> None:
    part = within(made(some), START + low, START + low + wide)
    before = [v for t, v in sorted(some, key=lambda point: point[0]) if t // 1000 * 1000 <= low]
    inside = [v for t, v in some if low < t // 1000 * 1000 <= low + wide and v != GAP]
    seen = inside + ([before[-1]] if before and before[-1] != GAP else [])
    reach = part.extremes()
    assert (reach is None) == (not seen)
    if reach is not None and seen:
        assert reach == (min(seen) * 0.5, max(seen) * 0.5)


def test_two_parts_are_one_track() -> None:
    ts = START + np.arange(2000) * 10**6
    values = np.arange(2000) % 37
    whole = fitted(track(ts, values, 1.0), 100)
    halves = [track(ts[:900], values[:900], 1.0), track(ts[900:], values[900:], 1.0)]
    for a, b in zip(joined(halves, 100), whole, strict=True):
        assert np.array_equal(a, b)


def test_a_track_takes_the_room_that_it_is_given() -> None:
    rng = np.random.default_rng(0)
    ts = START + np.cumsum(rng.integers(1, 10**9, 50_000))
    one = track(ts, np.cumsum(rng.integers(-3, 4, 50_000)), 0.1)
    small = sized(one, 20_000, START)
    assert 8_000 < len(packed(small, START)) <= 20_000
    assert small.extremes() == one.extremes()


@pytest.mark.parametrize(
    "values", [[1e13, 1e13 + 1], [1e-9, 2e-9], [0.0, 0.0], [5.0], [-3.5, 7.25]]
)
def test_floats_keep_four_digits_of_their_range(values: list[float]) -> None:
    one = track_of(START + np.arange(len(values)), np.array(values))
    wide = (max(values) - min(values)) or max(abs(values[0]), 1e-300)
    reach = one.extremes()
    assert reach is not None
    assert abs(reach[0] - min(values)) <= 1e-4 * wide + 0.5 * (abs(values[0]) > 1e12)
    assert abs(reach[1] - max(values)) <= 1e-4 * wide + 0.5 * (abs(values[0]) > 1e12)
    assert 0 <= decimals(np.array(values)) <= 12


def test_what_is_no_number_is_a_gap() -> None:
    one = track_of(START + np.arange(3) * 10**6, np.array([1.0, np.nan, 2.0]))
    assert one.last.tolist()[1] == GAP
    path = held(one, START, START + 3 * 10**6, Linear(0.0, 3.0))
    assert path.count("M") == 2 and "nan" not in path


def test_the_path_reaches_every_extreme_between_two_pixels() -> None:
    ts = START + np.arange(100_000) * 10**6
    values = np.zeros(100_000, np.int64)
    values[54_321], values[77_777] = 900, -900
    one = track(ts, values, 1.0)
    path = held(one, START, int(ts[-1]), Linear(-1000.0, 1000.0))
    assert "V5" in path and "V95" in path
    assert len(path) < 20 * COLUMNS


def test_moments_are_counted_from_the_start() -> None:
    text = events(
        START + np.array([0, 2_000, 5_500]), START, np.array([7, 5, 5]), np.array([1, 2, 3])
    )
    assert [v for v in unpacked(text)] == [0, 14, 1, 4, 3, 2, 6, 0, 3]


def test_every_moment_is_drawn_and_those_in_one_place_once() -> None:
    ts = START + np.arange(5_000) * 10**6
    chart = Chart("x", Time(START, int(ts[-1]))).moments(
        "buy", ts, np.arange(5_000) % 50, np.ones(5_000), 0.1, "5,000 buys", 1
    )
    html = chart.html(1, "x")
    drawn = html.split('data-e="0" d="')[1].split('"')[0].count("h0")
    places = {(round(k / 4_999 * 2000), k % 50) for k in range(5_000)}
    assert drawn >= 0.9 * len(places) and "5,000 buys" in html
