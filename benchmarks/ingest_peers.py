"""Ingest: vendor bytes to columns and sealed tapes, beside hftbacktest's own converter.

The peer converts Binance only; the other rows are held against a rate.
"""

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks import sources
from benchmarks.bench import Bench
from benchmarks.environments import PEERS, NotMeasured
from benchmarks.measure import Goal, Reply, Row, Series, alternate, rates, until_decided
from benchmarks.worker import Failed


def ingest(bench: Bench) -> Iterator[Row]:
    """Binance beside the peer; order-by-order records and a week of ticks against a rate."""
    yield until_decided(
        partial(
            _beside_converter,
            bench,
            Row("binance", "Binance raw recording to a sealed tape", "s", goal=Goal(4.0)),
            lambda: str(sources.recorded(sources.BINANCE_RAW)),
            ("ingest", {"format": "binance-usdm"}),
            "convert",
        )
    )
    yield until_decided(
        partial(
            _beside_converter,
            bench,
            Row("binance-decode", "the same, decompressed bytes to columns", "s", goal=Goal(10.0)),
            lambda: str(sources.decompressed_binance()),
            ("decode_binance", {}),
            "convert_decompressed",
        )
    )
    yield until_decided(
        partial(
            _at_rate,
            bench,
            Row(
                "dbn", "DBN order by order, 20M records to columns", "M records/s", goal=Goal(10.0)
            ),
            lambda: str(sources.repeated_mbo()),
            ("decode_mbo", {}),
            lambda: sources.DBN_RECORDS,
        )
    )
    yield until_decided(
        partial(
            _at_rate,
            bench,
            Row("bac", "a week of BAC ticks to a sealed tape", "M rows/s", goal=Goal(3.0)),
            lambda: str(sources.recorded(sources.BAC_WEEK)),
            ("ingest", {"format": "lean"}),
            sources.bac_ticks,
        )
    )


def _beside_converter(
    bench: Bench,
    row: Row,
    source: Callable[[], str],
    ours: tuple[str, dict[str, Any]],
    theirs: str,
) -> Row:
    """Seconds of both sides for the same bytes; the rows they make differ, the bytes do not."""
    row = dataclasses.replace(row, peer_name="hftbacktest", facts={})
    call, more = ours
    try:
        path = source()
        out = {"out": str(sources.DATA / "converted.npz")} if theirs == "convert" else {}

        def ask_ours(at_least_s: float = 1.0) -> Reply:
            return bench.ours().ask(call, source=path, at_least_s=at_least_s, **more)

        def ask_peer(at_least_s: float = 1.0) -> Reply:
            peer = bench.peer("hftbacktest")
            return peer.ask(theirs, source=path, at_least_s=at_least_s, **out)

        failed = [_why_not(ask_ours, "hft"), _why_not(ask_peer, PEERS["hftbacktest"])]
        row.reason = "; ".join(reason for reason in failed if reason)
        if not any(failed):
            pairs = alternate(ask_ours, ask_peer, bench.runs)
            row.ours, row.peer = (_seconds(replies) for replies in pairs)
            both = zip(row.ours.values, row.peer.values, strict=True)
            row.ratio = Series(tuple(peer / mine for mine, peer in both))
            row.facts["rows"] = f"{pairs[0][0]['rows']} / {pairs[1][0]['rows']}"
        elif not failed[0]:
            row.ours = _seconds([ask_ours() for _ in range(bench.runs)])
        elif not failed[1]:
            row.peer = _seconds([ask_peer() for _ in range(bench.runs)])
    except (NotMeasured, Failed) as error:
        row.reason = str(error)
    return row


def _why_not(ask: Callable[[float], Reply], name: str) -> str:
    """Warm up; the reason where that fails."""
    try:
        ask(0.0)
    except (NotMeasured, Failed) as error:
        return f"{name}: {error}"
    return ""


def _seconds(replies: list[Reply]) -> Series:
    return Series(tuple(reply["seconds"] for reply in replies))


def _at_rate(
    bench: Bench,
    row: Row,
    source: Callable[[], str],
    ours: tuple[str, dict[str, Any]],
    records: Callable[[], int],
) -> Row:
    """The source's records a second."""
    row = dataclasses.replace(row, judged="ours", facts={})
    call, more = ours
    try:
        replies = bench.alone(call, source=source(), **more)
        count = records()
        found = rates([reply | {"records": count} for reply in replies], "records")
        row.ours = Series(tuple(value * 1e-6 for value in found.values))
        row.facts["records in the source"] = count
        row.facts["rows on the tape"] = replies[0]["rows"]
    except (NotMeasured, Failed) as error:
        row.reason = str(error)
    return row
