import numpy as np
import pytest

from hft.core.codes import Flag
from hft.feeds.synthetic import synthesize
from hft.reports.market import market
from hft.reports.track import Track
from hft.tape.frames import quotes
from hft.tape.reader import Tape
from hft.tape.schema import Columns
from hft.tape.writer import write_tape


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    path = tmp_path_factory.mktemp("tape") / "a.tape.arrow"
    write_tape(path, synthesize(3, events=1_500))
    return Tape(path)


def stood(one: Track, ts_ns: int) -> float:
    """The value that held at a time."""
    k = int(np.searchsorted(one.ts_ns, ts_ns, side="right")) - 1
    return float(one.values("last")[k])


def in_pieces(tape: Tape, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tape hands its rows out so many at a time."""
    whole = tape.columns()
    parts = [
        Columns(*(column[k : k + rows] for column in whole))
        for k in range(0, len(whole.kind), rows)
    ]
    monkeypatch.setattr(tape, "batches", lambda: parts)


def at_the_venue(tape: Tape) -> Tape:
    """The same rows, received when the venue had them."""
    columns = tape.columns()
    seen = (columns.flags & Flag.VIEW_ONLY.value) == 0
    rows = Columns(*(column[seen] for column in columns))
    rows = rows._replace(local_ts=rows.exch_ts, flags=rows.flags & ~Flag.VENUE_ONLY.value)

    class Moved(Tape):
        def columns(self) -> Columns:
            return Columns(*(np.ascontiguousarray(column) for column in rows))

    return Moved(tape.path)


def test_it_is_the_touch_that_frames_have_by_the_clock_of_the_venue(tape: Tape) -> None:
    wanted = quotes([at_the_venue(tape)], "SYNTH").collect()
    ts = wanted["ts"].to_physical().to_numpy()
    found = market([tape], (int(ts[0]), int(ts[-1])))
    assert found is not None and wanted.height > 200
    for k, moment in enumerate(ts.tolist()):
        assert stood(found.bid, moment) == pytest.approx(wanted["bid"][k], abs=1e-9)
        assert stood(found.ask, moment) == pytest.approx(wanted["ask"][k], abs=1e-9)
        ticks = wanted["ask_tick"][k] - wanted["bid_tick"][k]
        assert stood(found.spread, moment) == ticks
    assert found.bid.extremes() == pytest.approx((wanted["bid"].min(), wanted["bid"].max()))


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_how_the_rows_are_cut_into_batches_changes_nothing(
    tape: Tape, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = market([tape], tape.span)
    in_pieces(tape, rows, monkeypatch)
    parts = market([tape], tape.span)
    assert whole is not None and parts is not None
    for one, other in zip(whole, parts, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_span_begins_with_what_stood_before_it(tape: Tape) -> None:
    first, last = tape.span
    whole = market([tape], (first, last))
    middle = (first + last) // 2
    half = market([tape], (middle, last))
    assert whole is not None and half is not None
    assert half.bid.values("last")[0] == stood(whole.bid, middle)
    assert int(half.bid.ts_ns[0]) <= middle < int(half.bid.ts_ns[1])
    late = market([tape], (last + 10**9, last + 2 * 10**9))
    assert late is not None and late.bid.values("last").tolist() == [whole.bid.values("last")[-1]]


def test_a_tape_without_a_book_has_no_market(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tape.summary | {"bid_price_range": None, "ask_price_range": None}
    monkeypatch.setattr(Tape, "summary", property(lambda self: summary))
    assert market([tape], tape.span) is None
