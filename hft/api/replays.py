"""Replays from Python: what `import hft` offers besides governance.

Thin on purpose: reads settings and files, hands plain values to `hft.runs`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hft.api.limits import Limits, limits_of
from hft.api.one_replay import replayed, venue_of
from hft.gateway.limits import Limits as LimitSet
from hft.runs.check import Checked
from hft.runs.check import check as _check
from hft.runs.folder.listing import listing, resolve
from hft.runs.ingest import ingest as _ingest
from hft.runs.ingest import open_tapes
from hft.runs.join import join as _join
from hft.runs.result import Run
from hft.runs.venues import Venue
from hft.settings import load_settings, read_instruments
from hft.strategies.base import Strategy, strategy
from hft.tape.dataset import Tapes
from hft.venue.user_queue import queue_model

__all__ = [
    "Limits",
    "Run",
    "Tapes",
    "Venue",
    "features",
    "ingest",
    "load",
    "queue_model",
    "replay",
    "runs",
    "strategy",
    "tapes",
]


def ingest(
    src: Any,
    out: str | Path,
    *,
    columns: Mapping[str, str | None] | None = None,
    format: str | None = None,
    symbol: str | None = None,
    tick: Any = None,
    lot: Any = None,
    waive: Any = (),
    clock_fix: bool = False,
    tz: str | None = None,
    merge: bool = False,
    book_from_deltas: int = 0,
    replace: bool = False,
    progress: Any = None,
) -> Tapes:
    """Read frames, files or globs into sealed tapes in the folder `out`.

    `columns` maps the fields of a tape to your own column names. A list of frames is merged by
    instrument, as `merge` does for files. `tz` is the zone of times that name none. `replace` takes
    away tapes of the same rows under another symbol. `book_from_deltas`: whole after N levels.

    >>> import polars as pl, hft, tempfile
    >>> ts = [1_700_000_000_000_000_000 + i for i in range(3)]
    >>> frame = pl.DataFrame({"t": ts, "px": [10.0, 10.5, 10.0], "q": [1, 2, 3], "s": ["buy"] * 3})
    >>> names = {"ts": "t", "price": "px", "qty": "q", "side": "s"}
    >>> hft.ingest(frame, tempfile.mkdtemp(), columns=names, symbol="X", tick="0.5", lot=1).rows
    3
    """
    return _ingest(
        src,
        out,
        columns=columns,
        format=format,
        symbol=symbol,
        tick=tick,
        lot=lot,
        waive=waive,
        clock_fix=clock_fix,
        tz=tz,
        merge=merge,
        book_from_deltas=book_from_deltas,
        replace=replace,
        instruments=read_instruments(load_settings().instruments),
        progress=progress,
    )


def tapes(
    path: Any,
    days: Any = None,
    *,
    symbols: Any = None,
    session: str | None = None,
    tz: str = "UTC",
    seed: int | None = None,
) -> Tapes:
    """Open a dataset folder, tape files, or "synthetic" (a seeded market, made once).

    `session` are the hours that frames keep: "09:30-16:00" in the time zone `tz`, "RTH" for the
    regular hours of each instrument's calendar, or the name of a calendar ("XNYS", "CMES").

    >>> import hft
    >>> hft.tapes("synthetic", seed=1).symbols
    ('SYNTH',)
    """
    return open_tapes(path, days, symbols=symbols, session=session, tz=tz, seed=seed)


def features(
    tapes: Any,
    columns: Sequence[str] | str | None = None,
    *,
    clock: str = "1s",
    horizons: Sequence[str] | str = (),
    split: Sequence[float] | str = (40, 40, 20),
) -> pl.LazyFrame:
    """What could have been seen: a row for each symbol and tick of `clock`, as of receive time.

    `clock` is a duration (rows at its whole multiples), "book" (each change of the touch), or a
    distance such as "1000 trades", "5 BTC" or "1e6 USD". Columns are those of the book and the
    analytics of `hft.microstructure.columns`; "all" is every one. An undefined value is null. Order
    flow and traded lots are summed since the row before. `horizons` add `mid`, `session`, forward
    returns with their label intervals and the `split` of each row.

    >>> import hft
    >>> frame = hft.features(hft.tapes("synthetic", seed=1), ["mid_tick", "imbalance_5"])
    >>> frame.collect_schema().names()
    ['ts', 'symbol', 'mid_tick', 'imbalance_5']
    """
    from hft.microstructure.columns import frame_of, names_of
    from hft.research.data.features import horizons_ns, with_labels

    opened = tapes if isinstance(tapes, Tapes) else open_tapes(tapes)
    steps = horizons_ns(horizons)
    if not steps:
        return frame_of(opened, columns, clock)
    names = tuple(dict.fromkeys((*names_of(columns), "mid")))
    frame = frame_of(opened, names, clock, session=True).collect()
    ordered = frame.sort("ts", "symbol", maintain_order=True)
    return with_labels(ordered, steps, split)[0].lazy()


def replay(
    tapes: Any,
    strategy: Any,
    *,
    params: Mapping[str, Any] | None = None,
    venue: Venue | str | Mapping[str, Any] | None = None,
    limits: LimitSet | str | Path | None = None,
    seed: int = 0,
    start: Any = None,
    end: Any = None,
    record: str | None = None,
    faults: Mapping[str, Any] | str | Path | None = None,
    controls: Any = None,
    promotions: str | Path | None = None,
    alphas: Mapping[str, str] | None = None,
    fresh: bool = False,
    out: str | Path | None = None,
    plain: bool = False,
    resume: Run | str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Replay tapes with one strategy, or a dict of name -> strategy through one gateway.

    The same code, configuration, tapes and seed again opens the sealed run (`fresh=True` replays).
    `plain` replays function strategies as plain Python, for debuggers; the digest is the same.
    `venue` is a preset's name, an `hft.Venue`, or {"preset": ..., "latency": ..., ...}.
    `controls` are inputs at a time, a list or a YAML file (docs/reference/controls.md).
    `promotions` is a folder of promotion files, `alphas` binds strategies to alpha ids.
    `resume` continues a partial run (Ctrl-C leaves one) of the same arguments into a whole one.

    >>> import hft, tempfile
    >>> run = hft.replay(hft.tapes("synthetic", seed=1), "market_making", out=tempfile.mkdtemp())
    >>> len(run.digest)
    64
    """
    return replayed(
        tapes,
        strategy,
        params=params,
        venue=venue,
        limits=limits,
        seed=seed,
        start=start,
        end=end,
        record=record,
        faults=faults,
        controls=controls,
        promotions=promotions,
        alphas=alphas,
        fresh=fresh,
        out=out,
        plain=plain,
        resume=resume,
        progress=progress,
    )


def load(id_or_path: str | Path, out: str | Path | None = None) -> Run:
    """A run by path, id, unique beginning of an id, `last` or `last~1`; `last.partial` did not end.

    >>> import hft, tempfile
    >>> out = tempfile.mkdtemp()
    >>> run = hft.replay(hft.tapes("synthetic", seed=1), "momentum", record="digest", out=out)
    >>> hft.load("last", out).digest == run.digest
    True
    """
    return Run.open(resolve(id_or_path, out or load_settings().replay_out))


def runs(where: Any = None, out: str | Path | None = None) -> pl.DataFrame:
    """One row a run of the folder `out`; `where`: a polars expression or a dict of column = value.

    >>> import hft, tempfile
    >>> out = tempfile.mkdtemp()
    >>> run = hft.replay(hft.tapes("synthetic", seed=1), "momentum", record="digest", out=out)
    >>> hft.runs(out=out)["strategies"].to_list()
    ['momentum']
    """
    return listing(out or load_settings().replay_out, where)


def check(
    strategy: Strategy,
    tapes: Any,
    wakes: int = 1000,
    *,
    venue: Venue | str | Mapping[str, Any] | None = None,
    limits: LimitSet | str | Path | None = None,
) -> Checked:
    """Run a strategy's first wake-ups in plain Python; `strategy.check(tapes)` is this function.

    >>> import hft
    >>> @hft.strategy(every="1s")
    ... def idle(view, order, p, s):
    ...     pass
    >>> idle.check(hft.tapes("synthetic", seed=1), wakes=3).wakes
    3
    """
    settings = load_settings()
    resolved = limits_of(limits, settings, tapes)
    return _check(strategy, tapes, wakes, limits=resolved, venue=venue_of(venue, settings))


Strategy.check = check


def join(
    tapes: Tapes,
    frame: Any,
    *,
    ts: str,
    columns: str | Sequence[str],
    out: str | Path,
    latency: str | int | None = None,
) -> Tapes:
    """The tapes with columns of a frame as signals, which strategies read as `view.signal[k]`.

    `tapes.join(...)` is this function. A value is seen from its time `ts` plus `latency` on.

    >>> import hft, tempfile
    >>> tapes = hft.tapes("synthetic", seed=1)
    >>> frame = hft.features(tapes, ["imbalance_5"], clock="1s").collect()
    >>> joined = tapes.join(frame, ts="ts", columns="imbalance_5", out=tempfile.mkdtemp() + "/j")
    >>> joined.rows - tapes.rows == frame["imbalance_5"].is_not_null().sum()
    True
    """
    return _join(tapes, frame, ts=ts, columns=columns, out=out, latency=latency)


Tapes.join = join


def warm_up() -> float:
    """Compile or load everything a replay needs; seconds it took."""
    import time

    began = time.perf_counter()
    from hft.replay import compiled

    compiled.loop()
    return time.perf_counter() - began
