"""The synthetic market: what its tapes promise, checked by a replay with plain dictionaries."""

import hashlib
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.codes import EventKind, Flag
from hft.core.errors import ConfigError
from hft.feeds import synthetic
from hft.feeds.base import DecodeOptions
from hft.feeds.findings import Findings
from hft.feeds.order import order_rows
from hft.feeds.synthetic import synthesize
from hft.tape.schema import DTYPES, Columns, Feed

EVENTS = 20_000 if os.environ.get("NUMBA_DISABLE_JIT") != "1" else 2_000


def messages(columns: Columns) -> Iterator[list[tuple[int, int, int, int, int]]]:
    """Groups of (kind, side, price, qty, order id), one a message of the flow."""
    group: list[tuple[int, int, int, int, int]] = []
    rows = zip(*(c.tolist() for c in columns[2:]), strict=True)
    for kind, side, price, qty, order_id, flags in rows:
        group.append((kind, side, price, qty, order_id))
        if flags & Flag.LAST:
            yield group
            group = []
    assert not group, "the tape ends inside a message"


class NaiveBook:
    """Price-time queues as dictionaries: price -> ordered {order id: lots}."""

    def __init__(self) -> None:
        self.queues: list[dict[int, OrderedDict[int, int]]] = [{}, {}]
        self.traded = self.added = self.cancelled = 0

    def apply(self, kind: int, side: int, price: int, qty: int, order_id: int) -> None:
        if kind == EventKind.CLEAR:
            self.queues = [{}, {}]
            return
        queue = self.queues[side].setdefault(price, OrderedDict())
        if kind == EventKind.ADD:
            assert qty > 0 and order_id not in queue
            queue[order_id] = qty
            self.added += qty
            return
        if kind == EventKind.EXECUTE:
            best = max(self.queues[0]) if side == 0 else min(self.queues[1])
            assert price == best, "a worse price traded before the best one"
            assert next(iter(queue)) == order_id, "an order jumped its queue"
            self.traded += qty
        else:
            assert kind == EventKind.CANCEL
            self.cancelled += qty
        assert 0 < qty <= queue[order_id]
        queue[order_id] -= qty
        if queue[order_id] == 0:
            del queue[order_id]
        if not queue:
            del self.queues[side][price]

    def levels(self, side: int) -> dict[int, int]:
        return {price: sum(queue.values()) for price, queue in self.queues[side].items()}

    def crossed(self) -> bool:
        bids, asks = self.queues
        return bool(bids and asks and max(bids) >= min(asks))


@pytest.fixture(scope="module")
def views() -> tuple[Feed, Feed]:
    return synthesize(7, events=EVENTS, kind="l2"), synthesize(7, events=EVENTS, kind="l3")


def test_orders_trade_in_price_time_priority_and_the_book_never_crosses(
    views: tuple[Feed, Feed],
) -> None:
    book = NaiveBook()
    for group in messages(views[1].columns):
        for row in group:
            book.apply(*row)
        assert not book.crossed()
    resting = sum(sum(book.levels(side).values()) for side in (0, 1))
    assert book.traded > 0 and book.cancelled > 0
    assert book.added == book.traded + book.cancelled + resting


def test_the_l2_view_is_the_sum_of_the_l3_view_after_every_message(
    views: tuple[Feed, Feed],
) -> None:
    book, levels = NaiveBook(), [dict[int, int](), dict[int, int]()]
    compared = 0
    for l2_rows, l3_rows in zip(*(messages(feed.columns) for feed in views), strict=True):
        traded_before, printed = book.traded, 0
        for row in l3_rows:
            book.apply(*row)
        touched = {(side, price) for _, side, price, _, _ in l3_rows if side < 2}
        for kind, side, price, qty, _ in l2_rows:
            if kind == EventKind.TRADE:
                printed += qty
            elif kind != EventKind.CLEAR:
                touched.add((side, price))
                levels[side][price] = qty
        assert printed == book.traded - traded_before
        for side, price in touched:
            there = book.queues[side].get(price, {})
            assert levels[side].get(price, 0) == sum(there.values())
            compared += 1
    assert compared > EVENTS
    for side in (0, 1):
        assert {price: qty for price, qty in levels[side].items() if qty} == book.levels(side)


def test_both_views_happen_at_the_same_times(views: tuple[Feed, Feed]) -> None:
    ends = [feed.columns.flags & Flag.LAST != 0 for feed in views]
    for name in ("exch_ts", "local_ts"):
        l2, l3 = (getattr(f.columns, name)[end] for f, end in zip(views, ends, strict=True))
        assert np.array_equal(l2, l3)


def test_a_tape_needs_no_repair_and_arrives_after_it_happened(views: tuple[Feed, Feed]) -> None:
    for feed in views:
        findings = Findings()
        assert order_rows(feed.columns, findings) is feed.columns
        latency = feed.columns.local_ts - feed.columns.exch_ts
        assert latency.min() >= 1_000_000 and latency.max() > 1_000_000
        assert not findings.sorted() and not feed.findings
        for column, dtype in zip(feed.columns, DTYPES.values(), strict=True):
            assert column.dtype == dtype


def digest(feed: Feed) -> str:
    mix = hashlib.sha256()
    for column in feed.columns:
        mix.update(column.tobytes())
    return mix.hexdigest()


def test_a_seed_gives_the_same_bytes_in_another_process(views: tuple[Feed, Feed]) -> None:
    program = (
        "import hashlib, sys; from hft.feeds.synthetic import synthesize; "
        f"feed = synthesize(7, events={EVENTS}, kind='l3'); mix = hashlib.sha256(); "
        "[mix.update(c.tobytes()) for c in feed.columns]; print(mix.hexdigest())"
    )
    environment = dict(os.environ, PYTHONHASHSEED="77", PYTHONPATH=os.pathsep.join(sys.path))
    out = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == digest(views[1])


def test_how_the_flow_is_cut_into_chunks_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = digest(synthesize(3, events=1_000))
    monkeypatch.setattr(synthetic, "CHUNK_MESSAGES", 77)
    assert digest(synthesize(3, events=1_000)) == whole


def test_other_seeds_and_other_symbols_are_other_markets() -> None:
    feeds = [
        synthesize(1, events=500),
        synthesize(2, events=500),
        synthesize(1, events=500, symbol="OTHER"),
    ]
    assert len({digest(feed) for feed in feeds}) == 3


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**63),
    events=st.integers(1, 600),
    mid_tick=st.integers(1_000, 50_000),
    jitter_ns=st.integers(0, 10**9),
)
def test_any_arguments_give_a_tape_in_order_that_spans_about_what_was_asked(
    seed: int, events: int, mid_tick: int, jitter_ns: int
) -> None:
    columns = synthesize(
        seed, events=events, mid_tick=mid_tick, jitter_ns=jitter_ns, kind="l3"
    ).columns
    assert (np.diff(columns.exch_ts) >= 0).all() and (np.diff(columns.local_ts) >= 0).all()
    assert np.count_nonzero(columns.flags & Flag.LAST) == events + 1
    assert np.abs(columns.price[columns.side < 2] - mid_tick).max() < mid_tick


def test_a_day_of_the_default_market_trades_both_ways_with_a_tight_spread() -> None:
    columns = synthesize(0, events=EVENTS).columns
    trades = columns.kind == EventKind.TRADE
    bought, sold = (columns.qty[trades & (columns.side == side)].sum() for side in (0, 1))
    assert trades.sum() > EVENTS / 20
    assert 0.5 < bought / sold < 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"events": 0}, "events"),
        ({"kind": "l4"}, "kind"),
        ({"span_ns": 0}, "span_ns"),
        ({"mid_tick": 3}, "mid_tick"),
        ({"latency_ns": -1}, "latency_ns"),
    ],
)
def test_an_argument_out_of_range_is_named(change: dict, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        synthesize(0, **{"events": 100, **change})


def test_the_decoder_door_refuses_files(tmp_path) -> None:
    with pytest.raises(ConfigError, match="takes no file"):
        synthetic.decode([tmp_path / "a.csv"], DecodeOptions(format="synthetic"))
