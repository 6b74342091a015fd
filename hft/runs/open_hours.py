"""What a run says first when it was filled outside the open hours, and what was tried against it.

The venue trades what was recorded and does not ask the calendar: in an auction or a pre-open, too,
where the recorded book is no market that one could have traded with. A run that was filled there is
repeated once, in memory, with the times that leave those hours out, and the sentence has the figure
of that. Strategies in Python are not run again; the sentence says so.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from hft.core.errors import HftError
from hft.core.json_text import page
from hft.reports.figures import counted, number, percent
from hft.reports.open_hours import calendars, closed, hours
from hft.runs.execute import job_of
from hft.runs.folder.layout import HOURS, kept_sentence
from hft.runs.folder.names import RunNames
from hft.runs.folder.reader import RunReader
from hft.runs.repeat import ROWS, can_repeat, repeat
from hft.storage.atomic import write_atomic
from hft.tape.sessions import Sessions

METRIC = "fills_outside_session"
IN_PARTS = (
    "replay one session at a time, or let the strategy act only while view.session_phase is 0 "
    "(tapes without status rows)"
)
Times = dict[str, int]  # start_ns, end_ns


def hours_notice(run: RunReader) -> str:
    """The sentence of a run that was filled outside the open hours, "" for any other."""
    get = run.metrics.get_value
    count, fills = int(get(METRIC) or 0), int(get("fills") or 0)
    if not count:
        return ""
    orders = get("orders_outside_session")
    sent = "" if orders is None else f" and {number(orders)} of {number(get('orders'))} orders"
    cure = kept_sentence(run.path / HOURS) or IN_PARTS
    return (
        f"{count:,} of {counted(fills, 'fill')} ({percent(count / fills)}){sent} were outside the "
        f"sessions of {', '.join(calendars(run.names))}: an auction, a pre-open or a closed "
        f"market, where the recorded book is no continuous market; {cure}"
    )


def try_hours(run: RunReader) -> None:
    """Try the times that would have left out the closed hours, once; keep what is to be said."""
    if run.partial or not run.metrics.get_value(METRIC) or (run.path / HOURS).exists():
        return
    times = window(run)
    text = IN_PARTS if times is None else _tried(run, times)
    write_atomic(run.path / HOURS, page({"text": text}))


def window(run: RunReader) -> Times | None:
    """The one stretch of open hours that has all other fills; None where there are several.

    From the first open behind the fills before it, to the last close before those after it.
    """
    known = list(hours(run.names).values())
    if any(one.name != known[0].name for one in known):
        return None
    symbols = [*hours(run.names)]
    mine = run.fills.filter(pl.col("symbol").cast(pl.String).is_in(symbols))
    ts = np.sort(mine["exch_ts"].to_physical().to_numpy())
    times = stretch(known[0], ts)
    last = int(run.equity["ts"].to_physical().to_numpy().max(initial=0))
    return None if times is None or times.get("start_ns", 0) > last else times


def stretch(sessions: Sessions, ts_ns: np.ndarray) -> Times | None:
    """As `window`, of sorted times of which some are outside the hours."""
    out = closed(sessions, ts_ns)
    kept, bad = ts_ns[~out], ts_ns[out]
    before = bad if not len(kept) else bad[bad < kept[0]]
    after = bad[len(before) :]
    if len(after) and after[0] < kept[-1]:
        return None
    times: Times = {}
    if len(before):
        at = int(np.searchsorted(sessions.open_ns, before[-1], side="right"))
        times["start_ns"] = int(sessions.open_ns[at])
    if len(after):
        at = int(np.searchsorted(sessions.close_ns, after[0], side="right")) - 1
        times["end_ns"] = int(sessions.close_ns[at])
    return times


def _tried(run: RunReader, times: Times) -> str:
    said = " ".join(f"--{key.removesuffix('_ns')} {_utc(ns)}" for key, ns in times.items())
    untried = f"try {said}, which leaves those times out (not tried: the run is not repeated)"
    rows = sum(int(tape["rows"]) for tape in run.manifest["tapes"])
    try:
        job = job_of(run.manifest)
    except HftError:
        return untried  # tapes or a strategy cannot be found again
    if not can_repeat(job) or rows > ROWS:
        return untried
    try:
        found = repeat(replace(job, **times), "summary", _Fills)  # type: ignore[arg-type]
    except HftError:
        return IN_PARTS
    of = f"{found.left:,} of {counted(found.fills, 'fill')}"
    text = f"tried in a repeated run: with {said}, {of} are"
    return text if found.left == 0 else f"{text}; for the rest {IN_PARTS}"


class _Fills:
    """Takes the records of a replay and counts the fills outside the hours."""

    def __init__(self, names: RunNames) -> None:
        of = hours(names)
        self.hours = [of.get(symbol) for symbol in names.symbols]
        self.left = self.fills = 0

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None:
        self.fills += len(fills)
        for k, sessions in enumerate(self.hours):
            if sessions is not None:
                ts = fills["exch_ts_ns"][fills["instrument_idx"] == k]
                self.left += int(closed(sessions, ts).sum())


def _utc(ns: int) -> str:
    return f"{np.datetime64(ns // 1_000_000_000, 's')}Z"
