"""The figures of a run: numbers with units one by one, bare numbers to a frame."""

import copy
import pickle

import pandas as pd
import polars as pl

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
