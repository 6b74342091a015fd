import re
import sys
from html import escape
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import polars as pl
import pytest
from made_runs import records, write_run

from hft.core.errors import ConfigError
from hft.reports.plots import POINTS, _stepped, thinned


def panels(svg: str) -> list[str]:
    return re.findall(r'font-weight="650"[^>]*>([^<]+)<tspan', svg)


def test_one_picture_has_the_panels_that_were_asked_for(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(wakes=60))
    assert panels(run.plot().svg) == ["Profit and loss", "Position", "Price"]
    assert panels(run.plot("series").svg) == ["fair", "half"]
    assert panels(run.plot("equity", series="half").svg) == ["Profit and loss", "half"]
    assert panels(run.plot(series=("fair", "half")).svg)[-2:] == ["fair", "half"]
    with pytest.raises(ConfigError, match="no series 'hal'; this run tracked fair, half"):
        run.plot(series="hal")


def test_a_picture_says_in_words_what_it_shows(tmp_path: Path) -> None:
    run = write_run(tmp_path, records(wakes=60))
    plot, fills = run.plot(), run.fills.height
    assert f"{fills} fills, 2024-08-08 00:00:01 to" in repr(plot)
    assert escape(repr(plot)) in plot.svg.split(">", 1)[0], "the text equivalent"
    shown = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h0", plot.svg)]
    assert len(shown) == fills, "a dot for each"


def test_a_picture_is_one_svg_without_script_ids_or_anything_loaded(tmp_path: Path) -> None:
    plot = write_run(tmp_path / "a", records(wakes=60)).plot()
    tags = {element.tag.rpartition("}")[2] for element in fromstring(plot.svg).iter()}
    assert tags <= {"svg", "style", "rect", "text", "tspan", "path", "circle"}
    assert not re.search(r"\bid=|href|url\(|http(?!://www.w3.org/2000/svg)", plot.svg)
    again = write_run(tmp_path / "b", records(wakes=60)).plot()
    assert again.svg == plot.svg, "the same bytes for the same run"
    assert plot.save(tmp_path / "p.svg").read_text() == plot.svg
    with pytest.raises(ConfigError, match=r"p.png: a plot is saved as SVG; write p.svg"):
        plot.save(tmp_path / "p.png")


def test_a_picture_has_its_colours_where_styles_are_taken_away(tmp_path: Path) -> None:
    svg = write_run(tmp_path, records(wakes=60)).plot().svg
    for element in fromstring(svg).iter():
        css = element.get("class", "")
        for kind, attribute in (("s-", "stroke"), ("f-", "fill")):
            named = [name for name in css.split() if name.startswith(kind)]
            assert bool(named) is (element.get(attribute, "none") != "none"), element.attrib
    dark = svg[svg.index("prefers-color-scheme:dark") :]
    assert set(re.findall(r"\b[sf]-\w+", svg)) <= set(re.findall(r"\.([sf]-\w+)", dark))


def test_a_run_can_be_zoomed_into_where_there_is_plotly(tmp_path: Path) -> None:
    pytest.importorskip("plotly", reason="the extra `notebook` is not installed")
    run = write_run(tmp_path, records(wakes=60))
    names = {trace.name for trace in run.plot().plotly().data}
    assert {"net", "BTCUSDT lots", "BTCUSDT mid", "buy BTCUSDT", "sell BTCUSDT"} <= names
    only = run.plot("equity", series="half").plotly()
    assert {trace.name for trace in only.data} == {"net", "before fees", "half"}


def test_plotly_that_is_not_there_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.subplots", None)
    with pytest.raises(ConfigError, match=r"pip install 'hft\[notebook\]'"):
        write_run(tmp_path, records(wakes=20)).plot().plotly()


def test_a_held_value_is_a_line_with_corners() -> None:
    x, y = _stepped(np.array([0, 10, 20, 30]), np.array([1.0, 1.0, 3.0, 3.0]))
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == [(0, 1), (20, 1), (20, 3), (30, 3)]


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
