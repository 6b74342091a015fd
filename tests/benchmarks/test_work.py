"""The events and quotes that both sides of the benchmarks read."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import work

# sha256 over the columns of the published generator's first files: 1000 rows and 50 000 rows.
KNOWN = {
    1_000: "aff6a6b7b9cceedf426f1b34a38e7dd096704981232fd813f791d66edc38809c",
    50_000: "aba24500314b9b73771d0415702a2d67c523ed69969454deebfd053472647e69",
}


@pytest.mark.parametrize("rows", KNOWN)
def test_the_same_seed_gives_the_events_the_published_figures_were_taken_on(rows):
    assert work.checksum(work.synthetic(rows)) == KNOWN[rows]


def test_the_events_equal_those_of_the_shared_generator(shared_data, tmp_path):
    script = shared_data.parent / "bench" / "make_l2.py"
    if not script.exists():
        pytest.skip(f"no generator at {script}")
    out = tmp_path / "theirs.npz"
    subprocess.run([sys.executable, str(script), "20000", str(out)], check=True)
    theirs, ours = np.load(out), work.synthetic(20_000)
    for name, column in ours._asdict().items():
        assert column.dtype == theirs[name].dtype
        np.testing.assert_array_equal(column, theirs[name])


def test_another_seed_gives_other_events():
    assert work.checksum(work.synthetic(1_000, seed=2)) != KNOWN[1_000]


def test_one_event_in_ten_is_a_trade_and_each_rests_or_trades_on_its_own_side_of_mid():
    events = work.synthetic(20_000)
    share = float((events.kind >= work.BUYER_TRADE).mean())
    assert share == pytest.approx(0.1, abs=0.01)
    quotes = work.top_of_book(events, 5_000)
    assert (quotes.bid_px < quotes.ask_px).all()
    assert (quotes.bid_qty > 0).all() and (quotes.ask_qty > 0).all()
    assert (np.diff(events.exch_ts) >= 0).all()


def _naive_quotes(events: work.Events) -> list[tuple[int, ...]]:
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    seen = []
    for kind, exch_ts, px, qty in zip(*(c.tolist() for c in events), strict=True):
        if kind == 0:
            bids[px] = qty
            asks = {p: q for p, q in asks.items() if qty == 0 or p > px}
        elif kind == 1:
            asks[px] = qty
            bids = {p: q for p, q in bids.items() if qty == 0 or p < px}
        bids = {p: q for p, q in bids.items() if q}
        asks = {p: q for p, q in asks.items() if q}
        if bids and asks:
            bid, ask = max(bids), min(asks)
            seen.append((exch_ts, bid, bids[bid], ask, asks[ask]))
    return seen


def test_quotes_are_the_top_of_a_book_kept_the_slow_way():
    events = work.synthetic(3_000)
    naive = _naive_quotes(events)
    quotes = work.top_of_book(events, 10_000)
    assert len(naive) > 2_000
    assert np.array(naive).T.tolist() == [column.tolist() for column in quotes]
    few = work.top_of_book(events, 7)
    assert [column.tolist() for column in few] == [column[:7].tolist() for column in quotes]


def test_events_and_quotes_survive_their_files(tmp_path):
    events = work.synthetic(500)
    work.save(events, tmp_path / "events.npz")
    assert work.checksum(work.load(tmp_path / "events.npz")) == work.checksum(events)
    quotes = work.top_of_book(events, 100)
    work.save_quotes(quotes, tmp_path / "quotes.npz")
    for kept, column in zip(work.load_quotes(tmp_path / "quotes.npz"), quotes, strict=True):
        np.testing.assert_array_equal(kept, column)


def test_a_looped_recording_repeats_its_rows_and_never_goes_back_in_time():
    rows = np.zeros(4, [("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8")])
    rows["exch_ts"] = [10, 11, 12, 2_500_000_000]
    rows["local_ts"] = [40, 41, 3_000_000_000, 3_000_000_001]
    rows["px"] = [1, 2, 3, 4]
    looped = work.loop_recording(rows, 3)
    assert looped["px"].tolist() == [1, 2, 3, 4] * 3
    for clock in ("exch_ts", "local_ts"):
        assert (np.diff(looped[clock]) >= 0).all()
    # Nothing of a copy happens before the last row of the copy before it has been received.
    assert looped["exch_ts"][4] > looped["local_ts"][3]
    shift = looped["exch_ts"][4] - looped["exch_ts"][0]
    assert shift % 1_000_000_000 == 0
    assert (looped["exch_ts"][8:] - rows["exch_ts"] == 2 * shift).all()
    assert rows["exch_ts"][0] == 10


def test_the_checksum_covers_every_column():
    events = work.synthetic(10)
    sums = {work.checksum(events)}
    for index, column in enumerate(events):
        changed = column.copy()
        changed[-1] += 1
        columns = list(events)
        columns[index] = changed
        sums.add(work.checksum(work.Events(*columns)))
    assert len(sums) == 5
    assert all(len(text) == len(hashlib.sha256().hexdigest()) for text in sums)
