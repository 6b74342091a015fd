"""What `replay` makes of tapes, order and times before the first event."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import hft
from hft.core.codes import EventKind
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions
from hft.gateway.limits import Limits
from hft.runs.code.sources import strategies_in
from hft.runs.ingest import write_feeds
from hft.runs.verify import verify
from hft.tape.dataset import Tapes
from hft.tape.schema import Columns, Feed

SECOND = 1_000_000_000
START = 1_704_153_600 * SECOND  # midnight UTC


def quoted(symbol: str, venue: str = "", *, first: int = START, rows: int = 2_000) -> Feed:
    """A market of two levels a side, a row every 10 ms, bid and ask in turn."""
    made = Columns.empty(rows)
    k = np.arange(rows)
    made.exch_ts[:] = first + k * 10_000_000
    made.local_ts[:] = made.exch_ts + 1_000
    made.kind[:], made.qty[:], made.side[:] = EventKind.LEVEL, 5 + k % 3, k % 2
    made.price[:] = 1_000 + 10 * (k % 2) + k // 2 % 2 * (2 * (k % 2) - 1)
    return Feed(Instrument(symbol, "0.01", "1", venue=venue), made, [], {"format": "made"})


@hft.strategy(every="100ms")
def join(view, order, p, s):  # type: ignore[no-untyped-def]
    """Stand at both touches, so that there are orders."""
    if view.book_valid:
        order.quote(0, view.bid_tick, 1)
        order.quote(1, view.ask_tick, 1)


@hft.strategy(every="100ms", instruments=2)
def buy_both(view, order, p, s):  # type: ignore[no-untyped-def]
    """A resting bid of ten lots on each of two instruments."""
    for i in range(2):
        if view[i].book_valid:
            order[i].quote(0, view[i].bid_tick, 10)


def made(folder: Path, *feeds: Feed) -> Tapes:
    return write_feeds(list(feeds), folder, DecodeOptions())


def test_nothing_after_end_is_replayed(tmp_path):
    tapes = made(tmp_path / "x", quoted("X"))
    end = START + 5 * SECOND
    run = hft.replay(tapes, join, limits=Limits.off(), end=end, out=tmp_path / "runs")
    assert run.totals["events"] == 501  # a row every 10 ms, the one at `end` too
    assert run.decisions["ts"].max() <= pl.Series([end]).cast(pl.Datetime("ns", "UTC")).item()
    whole = hft.replay(tapes, join, limits=Limits.off(), out=tmp_path / "runs")
    assert whole.totals["events"] == 2_000 and whole.digest != run.digest


def test_an_end_before_the_first_row_is_refused_by_name(tmp_path):
    tapes = made(tmp_path / "x", quoted("X"))
    with pytest.raises(ConfigError, match="end: X has no row before it"):
        hft.replay(tapes, join, limits=Limits.off(), end=START - SECOND, out=tmp_path / "runs")


def test_relative_limits_look_at_the_first_tape_that_shows_both_sides(tmp_path):
    """A recording that begins a moment before midnight leaves a first day of one row."""
    tapes = made(tmp_path / "x", quoted("X", first=START - 5_000_000, rows=10))
    late = made(tmp_path / "y", quoted("X", first=START + SECOND))
    one_row = tapes[0].columns()
    stub = Feed(tapes[0].instrument, Columns(*(c[:1] for c in one_row)), [], {"format": "made"})
    both = made(tmp_path / "stub", stub) + late
    assert both[0].summary["first_mid"] is None
    run = hft.replay(both, join, limits="research", out=tmp_path / "runs")
    assert run.totals["orders"] > 0
    assert hft.Limits.fit(both).get("max_position_size") > 0


def test_limits_of_one_symbol_on_two_venues_are_told_apart(tmp_path):
    tapes = made(tmp_path / "xy", quoted("X", "east"), quoted("X", "west"))
    assert tapes.symbols == ("east:X", "west:X")
    limits = hft.Limits.fit(tapes).replace(**{"symbols.west:X.max_order_size": 3})
    run = hft.replay(tapes, buy_both, limits=limits, out=tmp_path / "runs")
    by_symbol = run.decisions.group_by("symbol").agg(refused=(pl.col("reason_code") != 0).all())
    assert dict(by_symbol.iter_rows()) == {"east:X": False, "west:X": True}


def test_names_written_out_and_short_ones_choose_and_order_instruments(tmp_path):
    tapes = made(tmp_path / "abc", quoted("A", "v"), quoted("B", "v"), quoted("C", "v"))
    assert tapes.symbols == ("A", "B", "C")
    chosen = hft.tapes(tapes, symbols=["C", "v:A"])
    assert chosen.symbols == ("C", "A")
    assert chosen[chosen.days[0]].symbols == ("C", "A")
    assert (chosen + tapes).symbols == ("C", "A", "B")
    run = hft.replay(chosen, join, limits=Limits.off(), out=tmp_path / "runs")
    assert run.names.symbols == ["C"]
    assert run.totals["events"] == chosen["C"].rows


def test_a_session_of_frames_is_not_silently_ignored_by_a_replay(tmp_path):
    tapes = hft.tapes(made(tmp_path / "s", quoted("A", "v")), session="09:30-16:00")
    with pytest.raises(ConfigError, match="start= and end="):
        hft.replay(tapes, join, out=tmp_path / "runs")


def test_the_setting_for_fills_is_what_a_replay_without_a_venue_uses(tmp_path, monkeypatch):
    tapes = made(tmp_path / "f", quoted("A", "v"))
    (tmp_path / "mine.yaml").write_text("venue:\n  fills: whole\n")
    monkeypatch.setenv("GATEWAY_CONFIG", str(tmp_path / "mine.yaml"))
    run = hft.replay(tapes, join, out=tmp_path / "runs")
    assert run.manifest["config"]["venue"]["fills"] == "whole"


EDITED = """
import hft
from hft.core.jit import kernel

STATE = {state}
ON = {on!r}


@kernel
def away(x):
    return x + {away}


@hft.strategy(every="100ms", state={{"n": STATE}}, on=ON)
def body(view, order, p, s):
    order.quote(hft.BUY, view.bid_tick - away(0) - s["n"], 1)
"""


@pytest.mark.parametrize("edit", [{"away": 2}, {"state": 3}, {"on": ("timer", "trade")}])
def test_an_edit_outside_a_strategys_body_makes_another_run(tmp_path, edit):
    tapes = made(tmp_path / "x", quoted("X"))
    path = tmp_path / "quoting.py"
    runs = []
    for values in ({}, {}, edit):
        path.write_text(EDITED.format(**({"away": 1, "state": 0, "on": "timer"} | values)))
        given = strategies_in(path)["body"]
        runs.append(hft.replay(tapes, given, limits=Limits.off(), out=tmp_path / "runs"))
    assert runs[0].path == runs[1].path
    assert runs[0].path != runs[2].path
    if "away" in edit:
        # Its text names STATE, which is in the file only: better no verdict than one on other code.
        with pytest.raises(ConfigError, match=r"cannot stand alone .*; restore its file"):
            verify(runs[0])
        path.write_text(EDITED.format(away=1, state=0, on="timer"))
    assert verify(runs[0])
