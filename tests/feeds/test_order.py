"""Rows in tape order: beside a naive twin, whatever the clocks say."""

from hypothesis import given
from hypothesis import strategies as st

from hft.core.codes import Flag
from hft.feeds.findings import Findings
from hft.feeds.order import clocks_of, order_rows
from hft.tape.schema import Columns
from tests.naive.order import naive_order

TIMES = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=40)


def columns_of(times: list[tuple[int, int]]) -> Columns:
    columns = Columns.empty(len(times))
    columns.exch_ts[:] = [exch_ts for exch_ts, _ in times]
    columns.local_ts[:] = [local_ts for _, local_ts in times]
    columns.price[:] = range(len(times))
    return columns


@given(TIMES)
def test_order_is_the_naive_one_row_for_row(times):
    out = order_rows(columns_of(times), Findings())
    rows = [
        (exch, local, name, not flags & Flag.VIEW_ONLY, not flags & Flag.VENUE_ONLY)
        for exch, local, name, flags in zip(
            *(column.tolist() for column in (out.exch_ts, out.local_ts, out.price, out.flags)),
            strict=True,
        )
    ]
    assert rows == [tuple(row) for row in naive_order(times)]


@given(TIMES)
def test_the_clocks_of_rows_are_counted_as_a_reader_would(times):
    clocks = clocks_of(columns_of(times))
    early = [i for i, (exch, local) in enumerate(times) if local < exch]
    back = [i for i in range(1, len(times)) if times[i][1] < times[i - 1][1]]
    late = [i for i in range(len(times)) if any(exch > times[i][0] for exch, _ in times[:i])]
    assert clocks["lowest_ns"] == min((local - exch for exch, local in times), default=0)
    for name, found in (("early", early), ("back", back), ("late", late)):
        assert clocks[name] == len(found)
        assert not found or clocks[f"first_{name}"] == found[0]


def test_findings_name_the_first_row_that_goes_back():
    findings = Findings()
    order_rows(columns_of([(5, 5), (9, 9), (7, 7), (8, 10)]), findings)
    assert findings["receive_disorder"].first_row == 3
    findings = Findings()
    order_rows(columns_of([(5, 5), (9, 9), (7, 10)]), findings)
    assert (findings["disorder"].count, findings["disorder"].first_row) == (1, 3)
