"""The figures of a run: numbers with units one by one, bare numbers to a frame."""

import copy
import pickle

import pandas as pd
import polars as pl
import pytest

from hft.reports.figures import Figures, Value

ONE = Figures({"net": Value(1.5, "USD"), "fills": Value(3, ""), "wait": Value(None, "ms")})
TWO = Figures({"net": Value(2, "USD"), "fills": Value(4, ""), "wait": Value(0.5, "ms")})


def test_metrics_of_several_runs_are_a_frame_of_plain_columns():
    frame = pl.DataFrame([ONE, TWO])
    assert frame.schema == {"net": pl.Float64, "fills": pl.Int64, "wait": pl.Float64}
    assert frame.rows() == [(1.5, 3, None), (2.0, 4, 0.5)]
    assert pl.DataFrame([{"run": "a", **ONE}]).row(0) == ("a", 1.5, 3, None)
    assert pd.DataFrame([ONE, TWO])["net"].tolist() == [1.5, 2.0]


def test_a_figure_asked_for_by_name_has_its_unit():
    value, unit = ONE["net"]
    assert (value, unit) == (1.5, "USD") == ONE.get("net")
    assert ONE.get("gross", 7) == 7
    assert ONE.get_value("fills") == 3 and ONE.get_value("gross") is None
    assert dict(ONE.items())["wait"].unit == "ms"
    assert [one.value for one in ONE.values()] == [1.5, 3, None]
    assert repr(ONE).splitlines()[0] == "net    1.5 USD"


def test_copies_are_equal_and_other_units_are_not():
    assert pickle.loads(pickle.dumps(ONE)) == copy.deepcopy(ONE) == copy.copy(ONE) == ONE
    assert Figures({"net": Value(1.5, "EUR")}) != Figures({"net": Value(1.5, "USD")})
    assert ONE != TWO


def test_a_figure_compares_formats_and_converts_as_its_number():
    net = Figures({"net": Value(3.5, "USD")})["net"]
    assert net > 3 and 3 < net <= 3.5 and net == 3.5 and net != 4 and float(net) == 3.5
    assert f"{net:.2f}" == "3.50" and f"{net}" == "3.5 USD"
    assert net == Value(3.5, "USD") != Value(3.5, "EUR") and max(net, Value(1.0, "USD")) is net
    assert {net: 1}[3.5] == 1, "what is equal has one hash"


def test_a_figure_that_there_is_not_is_told_with_those_near_it():
    with pytest.raises(KeyError, match=r"no figure 'sharp'; did you mean 'sharpe'\? it has sharpe"):
        Figures({"sharpe": Value(1.0, "")})["sharp"]
