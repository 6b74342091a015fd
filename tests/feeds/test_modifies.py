"""Order modifications on a tape: beside a naive twin, and through the door of a user's frame."""

from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.core.codes import EventKind, Flag
from hft.core.errors import DataError
from hft.feeds import hftbacktest_npz
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.findings import Findings
from hft.feeds.modifies import replace_modifies
from hft.runs.ingest import ingest
from hft.tape.schema import Columns, Feed
from tests.naive.modifies import Event, naive_modifies, resting

KINDS = ("add", "cancel", "modify", "execute", "clear")
EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from(("add", "cancel", "modify", "modify", "execute", "clear")),
        st.integers(0, 1),
        st.integers(1, 3),
        st.integers(1, 4),
        st.integers(1, 4),
    ),
    max_size=30,
)


def columns_of(events: list[Event], flags: int = 0) -> Columns:
    columns = Columns.empty(len(events))
    columns.kind[:] = [EventKind[event.kind.upper()] for event in events]
    for name in ("side", "price", "qty", "order_id"):
        getattr(columns, name)[:] = [getattr(event, name) for event in events]
    columns.exch_ts[:] = columns.local_ts[:] = np.arange(len(events))
    columns.flags[:] = flags
    return columns


def events_of(columns: Columns) -> list[Event]:
    names = [EventKind(kind).name.lower() for kind in columns.kind.tolist()]
    numbers = (columns.side, columns.price, columns.qty, columns.order_id)
    return [
        Event(name, *values)
        for name, *values in zip(names, *(c.tolist() for c in numbers), strict=True)
    ]


@given(EVENTS)
def test_modifies_are_what_the_naive_twin_says(events):
    findings = Findings()
    out = replace_modifies(columns_of(events), findings, "made")
    expected, unknown = naive_modifies(events)
    assert events_of(out) == expected
    assert (findings["unknown_order_id"].count if unknown else 0) == unknown
    assert "unknown_order_id" in findings or not unknown


@given(EVENTS)
def test_orders_rest_after_it_as_the_modifies_said(events):
    orders: dict[int, tuple[int, int, int]] = {}
    for event in events:  # replay with modifies understood
        if event.kind == "modify":
            orders[event.order_id] = (event.side, event.price, event.qty)
        else:
            before = [Event("add", *order, order_id) for order_id, order in orders.items()]
            orders = resting([*before, event])
    assert resting(events_of(replace_modifies(columns_of(events), Findings(), "made"))) == orders


@given(EVENTS, st.data())
def test_each_side_reads_the_modifies_of_the_rows_it_sees(events, data):
    columns = columns_of(events)
    one_sided = st.sampled_from((0, 0, Flag.VENUE_ONLY.value, Flag.VIEW_ONLY.value))
    columns.flags[:] = [data.draw(one_sided) for _ in events]
    out = replace_modifies(columns, Findings(), "made")
    for unseen in (Flag.VIEW_ONLY, Flag.VENUE_ONLY):
        seen = [
            event for event, bits in zip(events, columns.flags, strict=True) if not bits & unseen
        ]
        rows = events_of(Columns(*(column[out.flags & unseen == 0] for column in out)))
        assert rows == naive_modifies(seen)[0]


def test_rows_without_a_modify_are_not_copied():
    columns = columns_of([Event("add", 0, 1, 1, 1)])
    assert replace_modifies(columns, Findings(), "made") is columns


def test_the_group_of_a_modify_that_changes_nothing_still_ends():
    events = [Event("add", 0, 1, 1, 1), Event("modify", 0, 1, 1, 1)]
    columns = columns_of(events)
    columns.flags[:] = [0, Flag.LAST]
    out = replace_modifies(columns, Findings(), "made")
    assert out.flags.tolist() == [Flag.LAST]
    columns = columns_of([events[0], Event("modify", 1, 2, 2, 1)], flags=Flag.LAST)
    out = replace_modifies(columns, Findings(), "made")
    assert out.flags.tolist() == [Flag.LAST, 0, Flag.LAST]  # cancel and add are one group


def test_a_larger_order_that_keeps_its_place_is_refused_with_its_row():
    columns = columns_of([Event("add", 0, 1, 1, 1), Event("modify", 0, 1, 2, 1)])
    columns.flags[1] = Flag.KEEPS_PRIORITY
    with pytest.raises(DataError, match=r"mine\.csv, decoded row 2: a modify that keeps its place"):
        replace_modifies(columns, Findings(), "mine.csv")


FRAME = pl.DataFrame(
    {
        "ts": [1_700_000_000_000_000_000 + i for i in range(5)],
        "kind": ["clear", "add", "add", "modify", "modify"],
        "side": [None, "buy", "sell", "buy", "sell"],
        "price": [None, 10.0, 10.5, 10.0, 11.0],
        "qty": [None, 5.0, 3.0, 2.0, 3.0],
        "order_id": [None, 1, 2, 1, 2],
    }
)


def test_a_users_frame_with_modifies_becomes_a_tape_without(tmp_path):
    (tape,) = ingest(FRAME, tmp_path / "own", symbol="X", tick="0.5", lot=1).tapes
    rows = events_of(tape.columns())
    assert rows[1:] == [
        Event("add", 0, 20, 5, 1),
        Event("add", 1, 21, 3, 2),
        Event("cancel", 0, 20, 3, 1),
        Event("cancel", 1, 21, 3, 2),
        Event("add", 1, 22, 3, 2),
    ]


def test_a_modify_without_a_side_is_refused_with_its_row(tmp_path):
    broken = FRAME.with_columns(side=pl.Series([None, "buy", "sell", None, "sell"]))
    with pytest.raises(DataError, match="frame, row 4: side is missing"):
        ingest(broken, tmp_path / "own", symbol="X", tick="0.5", lot=1)


def test_an_npz_with_modifies_becomes_a_tape_without(tmp_path):
    both = hftbacktest_npz.EXCH | hftbacktest_npz.LOCAL | hftbacktest_npz.BUY
    data = np.zeros(2, hftbacktest_npz.EVENT)
    data["ev"] = [both | np.uint64(10), both | np.uint64(12)]
    data["exch_ts"] = data["local_ts"] = 1_700_000_000_000_000_000
    data["px"], data["qty"], data["order_id"] = [10.0, 11.0], [4.0, 4.0], [7, 7]
    np.savez(tmp_path / "x.npz", data=data)
    options = DecodeOptions("hftbacktest", tick=Decimal(1), lot=Decimal(1))
    (feed,) = hftbacktest_npz.decode([tmp_path / "x.npz"], options)
    ready: Feed = settle(feed, options)
    assert events_of(ready.columns) == [
        Event("add", 0, 10, 4, 7),
        Event("cancel", 0, 10, 4, 7),
        Event("add", 0, 11, 4, 7),
    ]
