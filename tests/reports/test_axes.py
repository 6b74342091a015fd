import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.reports.axes import (
    DAY_NS,
    LARGE,
    compact,
    duration,
    linear,
    log,
    rounded,
    stamps,
    time,
)

START = 1_704_153_600 * 10**9
numbers = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30)


@given(numbers, st.booleans())
def test_a_linear_scale_of_any_values_is_usable(values: list[float], percent: bool) -> None:
    scale = linear(np.array(values), percent=percent)
    assert np.isfinite([scale.low, scale.high]).all() and scale.low < scale.high
    ticks = scale.ticks()
    assert len(ticks) <= 14 and all(-0.01 <= at <= 1.01 for at, _ in ticks)
    places = scale.at(np.array(values))
    shown = np.isfinite(values) & (np.abs(np.array(values)) < LARGE)
    assert ((places[shown] >= 0) & (places[shown] <= 1)).all()


@given(numbers, st.booleans())
def test_a_logarithmic_scale_of_any_values_is_usable(values: list[float], as_time: bool) -> None:
    scale = log(np.array(values), time=as_time)
    assert 0 < scale.low < scale.high
    ticks = scale.ticks()
    assert len(ticks) <= 14 and all(-0.01 <= at <= 1.01 for at, _ in ticks)
    assert np.isfinite(scale.at(np.array([v for v in values if 0 < v < 1e30]))).all()


@pytest.mark.parametrize(
    ("days", "label"),
    [
        (0.25, "02:00"),
        (1.0, "12:00"),
        (5, "4 Jan"),
        (40, "16 Jan"),
        (365, "Jul 2024"),
        (900, "Jan 2025"),
        (4000, "2028"),
    ],
)
def test_time_labels_are_round_at_every_length(days: float, label: str) -> None:
    ticks = time(np.array([START, START + int(days * DAY_NS)])).ticks()
    assert label in [text for _, text in ticks]
    assert 2 <= len(ticks) <= 9 and all(-0.001 <= at <= 1.001 for at, _ in ticks)
    if days > 1.5:
        assert len({text for _, text in ticks}) == len(ticks)


def test_one_moment_alone_has_a_scale_with_room() -> None:
    scale = time(np.array([START]))
    assert scale.start_ns < START < scale.end_ns and scale.ticks()
    assert time(np.zeros(0, dtype=np.int64)).end_ns > 0


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (353e6, "353 ms"),
        (4.1e9, "4.1 s"),
        (90e9, "90 s"),
        (600e9, "10 min"),
        (7200e9, "2 h"),
        (3 * float(DAY_NS), "3 d"),
        (250.0, "250 ns"),
        (1500.0, "1.5 µs"),
        (0.0, "0 ns"),
    ],
)
def test_durations_are_said_in_the_unit_people_use(ns: float, text: str) -> None:
    assert duration(ns) == text


def test_numbers_are_said_shortly_without_idle_zeros() -> None:
    said = [rounded(v) for v in (0.8734, 18.0, 11.614, 83027.7, -0.5, 3.1e-12, 99.97, -0.0)]
    assert said == ["0.873", "18", "11.6", "83,028", "−0.5", "3.1e−12", "100", "0"]
    assert [compact(v) for v in (25000.0, 1.5e6, 2e9, 0.25)] == ["25k", "1.5M", "2G", "0.25"]


def test_moments_are_days_unless_two_share_one() -> None:
    assert stamps([START, START + DAY_NS]) == ["2024-01-02", "2024-01-03"]
    assert stamps([START, START + 10**9])[1] == "2024-01-02 00:00:01"


def test_labels_of_what_is_very_small_are_short() -> None:
    labels = [text for _, text in linear(np.array([-1.1e-5, 0.0])).ticks()]
    assert "0" in labels and any(text.startswith("−") and "e" in text for text in labels)
    assert max(map(len, labels)) <= 9
