"""Feeds of one instrument from several files or frames become one: quotes and trades apart.

Rows are merged by receive time; at one time the source that was given first comes first. Each
source keeps its own order.
"""

from collections.abc import Iterable

import numpy as np

from hft.core.codes import EventKind
from hft.core.errors import DataError
from hft.feeds.findings import Findings
from hft.feeds.order import take
from hft.tape.schema import Columns, Feed


def merge_feeds(found: Iterable[Feed]) -> list[Feed]:
    """One feed an instrument, in the order in which they first appear.

    Raises: DataError where two sources of one instrument have different grids.
    """
    groups: dict[tuple[str, str], list[Feed]] = {}
    for feed in found:
        groups.setdefault((feed.instrument.venue, feed.instrument.symbol), []).append(feed)
    return [_merged(group) if len(group) > 1 else group[0] for group in groups.values()]


def _merged(feeds: list[Feed]) -> Feed:
    first = feeds[0]
    for feed in feeds[1:]:
        grids = [(one.instrument.tick, one.instrument.lot) for one in (first, feed)]
        if grids[0] != grids[1]:
            raise DataError(
                f"{feed.source.get('file')}: {feed.instrument.symbol} has tick {grids[1][0]} and "
                f"lot {grids[1][1]}, {first.source.get('file')} {grids[0][0]} and {grids[0][1]}; "
                "give one --tick and --lot for both"
            )
    # A source's own order stays, even where a clock goes back.
    clocks = [np.maximum.accumulate(feed.columns.local_ts) for feed in feeds]
    order = np.argsort(np.concatenate(clocks), kind="stable")
    columns = Columns(
        *(np.concatenate(parts) for parts in zip(*(f.columns for f in feeds), strict=True))
    )
    findings = Findings()
    for feed in feeds:
        for one in feed.findings:
            note = f"in {feed.source.get('file')}" + (f": {one.note}" if one.note else "")
            findings.add(one.name, one.count, one.first_row, note, one.when, one.of)
    files = [str(feed.source.get("file")) for feed in feeds]
    source = dict(first.source, file=" + ".join(files), merged=files)
    layouts = dict.fromkeys(str(feed.source["layout"]) for feed in feeds if "layout" in feed.source)
    if layouts:
        source["layout"] = " + ".join(layouts)
    prints = [feed for feed in feeds if (feed.columns.kind == EventKind.TRADE).any()]
    source.pop("trade_ids", None)
    if prints and all(feed.source.get("trade_ids") for feed in prints):
        source["trade_ids"] = True
    return Feed(first.instrument, take(columns, order), findings.sorted(), source)
