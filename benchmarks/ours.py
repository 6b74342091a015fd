"""Our side of every measurement: the one place where the benchmarks touch hft.

Each function is one measurement; it answers with plain numbers, as its twin of a peer does. Run as
a module it serves requests, in a process of its own, driven like the peers. Loading and compiling
are outside the clock; gateway, accounting and run digest are inside.
"""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.environments import BENCH, ROOT
from benchmarks.gateway_cost import gateway_batch, gateway_single
from benchmarks.record_cost import record_day
from benchmarks.worker import serve, stopwatch, timed

TAPES = BENCH / "tapes"
RUNS = BENCH / "runs"
LIMITS = ROOT / "config" / "limits" / "bench.yaml"
_open: dict[str, Any] = {}

# -- the seam: everything below that says `hft`


def _tapes(path: str, native: bool, lot: float) -> Any:
    """The sealed tape of a file of `benchmarks.work`, or of the peer's rows (`native`)."""
    if path not in _open:
        import hft

        folder = TAPES / Path(path).stem
        if not folder.exists():
            if native:
                hft.ingest(
                    path,
                    folder,
                    format="hftbacktest",
                    symbol="BTCUSDT",
                    tick=str(work.TICK),
                    lot=str(lot),
                )
            else:
                _seal(_event_columns(work.load(path)), folder)
        _open[path] = hft.tapes(folder)
    return _open[path]


def _seal(columns: Any, folder: Path) -> None:
    """Write rows as a tape of one instrument; exact integers, no detour through floats."""
    from hft.core.instruments import Instrument
    from hft.feeds.base import DecodeOptions
    from hft.runs.ingest import write_feeds
    from hft.tape.schema import Feed

    instrument = Instrument("BTCUSDT", Decimal(str(work.TICK)), Decimal(1), currency="USDT")
    feed = Feed(instrument, columns, source={"format": "benchmark"})
    # Both sides of the synthetic market are drawn without regard to each other: it is crossed.
    write_feeds([feed], folder, DecodeOptions(format="benchmark", waive=("crossed_book",)))


def _event_columns(events: work.Events) -> Any:
    """The columns of a tape for the events."""
    from hft.core.codes import EventKind
    from hft.tape.schema import Columns

    columns = Columns.empty(len(events.kind))
    columns.exch_ts[:] = events.exch_ts
    columns.local_ts[:] = events.exch_ts + work.FEED_LATENCY_NS
    columns.kind[:] = EventKind.LEVEL
    columns.kind[events.kind >= work.BUYER_TRADE] = EventKind.TRADE
    columns.side[:] = events.kind & 1  # bids and buyers are even, asks and sellers odd
    columns.price[:] = events.px
    columns.qty[:] = events.qty
    return columns


def _quote_columns(quotes: work.Quotes) -> Any:
    """The columns of a tape for the quotes: one row a side, both at the quote's time."""
    from hft.core.codes import EventKind
    from hft.tape.schema import Columns

    columns = Columns.empty(2 * len(quotes.exch_ts))
    columns.kind[:] = EventKind.BBO
    for side, price, qty in (
        (0, quotes.bid_px, quotes.bid_qty),
        (1, quotes.ask_px, quotes.ask_qty),
    ):
        columns.exch_ts[side::2] = quotes.exch_ts
        columns.local_ts[side::2] = quotes.exch_ts + work.FEED_LATENCY_NS
        columns.side[side::2] = side
        columns.price[side::2] = price
        columns.qty[side::2] = qty
    return columns


def _venue() -> Any:
    """The models of the work, and the peer's rule for levels that the other side crossed."""
    import hft

    return hft.Venue(
        latency={"entry": "1ms", "amend": "1ms", "cancel": "1ms", "response": "1ms"},
        queue="risk_averse",
        fees={"maker_bps": "-0.5", "taker_bps": "2"},
        fills="whole",
        crossed="restated",
    )


def _replay(tapes: Any, strategy: Any, record: str = "digest") -> Any:
    import hft

    return hft.replay(
        tapes,
        strategy,
        venue=_venue(),
        limits=_limits(strategy),
        record=record,
        fresh=True,
        out=RUNS,
    )


def _limits(strategy: Any) -> Any:
    """The committed limits of the work; none for takers, who lose more than any capital."""
    import hft

    return hft.Limits.load(LIMITS) if strategy.name == "two_sided" else hft.Limits.off()


def _quoting(interval_ns: int, style: str = "quoting") -> Any:
    """The shipped two-sided quoting at this interval, or a taker of `benchmarks.takers`."""
    from benchmarks.takers import mixed, taking
    from hft.strategies.two_sided import two_sided

    styles = {"quoting": two_sided, "taking": taking, "mixed": mixed}
    return replace(styles[style], every_ns=interval_ns)


def _every_nth(every: int) -> Any:
    """Cancel everything and quote both sides at each `every`-th quote; 0: no orders."""
    from hft.strategies.base import strategy

    @strategy(on="book", params={"every": every}, state={"seen": 0})
    def every_nth(view, order, p, s):  # type: ignore[no-untyped-def]
        s["seen"] += 1
        if p["every"] > 0 and s["seen"] % p["every"] == 0 and view.book_valid:
            order.cancel_all()
            order.new(0, view.bid_tick, 1)
            order.new(1, view.ask_tick, 1)

    return every_nth


def _ended(session: Any) -> dict[str, Any]:
    """A session's figures: orders, fills, position_lots, balance, fee, refused, digest.

    As the peer counts: `balance` is cash without fees and a rebate is a negative fee; `refused` is
    a dict from reason to count, empty when nothing was refused.
    """
    from hft.core.codes import Reason
    from hft.core.numbers import money_digits
    from hft.replay.run import run_digest
    from hft.runs.ending import totals

    counts = totals(session)
    row = session.engine.trading.positions[0]
    unit = 10.0 ** money_digits([source.instrument for source in session.sources])
    signed_cost = int(row["cost_money"]) * (1 if row["qty"] > 0 else -1)
    reasons = {int(code): count for code, count in counts["reasons"].items() if int(code) != 0}
    return {
        "orders": counts["orders"],
        "fills": counts["fills"],
        "position_lots": int(row["qty"]),
        "balance": (int(row["realized_money"]) - signed_cost) / unit,
        "fee": int(row["fees_money"]) / unit,
        "refused": {Reason(code).name: count for code, count in reasons.items()},
        "digest": run_digest(session.engine),
    }


def _events(tapes: Any) -> int:
    """Rows on the tapes."""
    return int(tapes.rows)


def quote(
    path: str,
    native: bool,
    lot: float,
    interval_ns: int,
    at_least_s: float = 1.0,
    style: str = "quoting",
) -> dict[str, Any]:
    """One measurement of a style of trading; twin of `peer_hftbacktest.quote`."""
    return _timed_replay(_tapes(path, native, lot), _quoting(interval_ns, style), at_least_s)


def limit(path: str, native: bool, lot: float, at_least_s: float = 1.0) -> dict[str, Any]:
    """Both books fed from the same rows, and nothing else."""
    from benchmarks.limit import feed_both

    return feed_both(_tapes(path, native, lot), _venue().crossed, at_least_s)


def quote_every(path: str, every: int, count: int, at_least_s: float = 1.0) -> dict[str, Any]:
    """The first `count` quotes of a file; twin of `peer_nautilus.quote_every`."""
    import hft

    name = f"{Path(path).stem}_first_{count}"
    if name not in _open:
        folder = TAPES / name
        if not folder.exists():
            first = work.Quotes(*(column[:count] for column in work.load_quotes(path)))
            _seal(_quote_columns(first), folder)
        _open[name] = hft.tapes(folder)
    # The peer's event is a quote of both sides: two rows of ours.
    return _timed_replay(_open[name], _every_nth(every), at_least_s) | {"events": count}


def _job(tapes: Any, strategy: Any) -> Any:
    """The work as a job of hft, with the committed limits of the benchmark."""
    from hft.runs.job import Job

    return Job(tapes, {strategy.name: strategy}, _venue(), _limits(strategy))


def _timed_replay(tapes: Any, strategy: Any, at_least_s: float) -> dict[str, Any]:
    """The event loop alone, as the peer's clock: the engine is built before each run."""
    from hft.replay.run import drive
    from hft.runs.prepare import prepare

    job = _job(tapes, strategy)

    def once() -> tuple[float, Any]:
        session, _, _ = prepare(job, "digest")
        seconds, _ = stopwatch(lambda: drive(session))
        return seconds, session

    once()  # compiles the strategy
    seconds, runs, session = timed(once, at_least_s)
    return {"seconds": seconds, "runs": runs, "events": _events(tapes)} | _ended(session)


def ordinary(
    path: str, native: bool, lot: float, interval_ns: int, style: str = "quoting"
) -> dict[str, Any]:
    """The digest that the same work gives a user who asks for a full record."""
    run = _replay(_tapes(path, native, lot), _quoting(interval_ns, style), record="full")
    return {"digest": run.digest}


def make_tape(rows: int) -> dict[str, Any]:
    """Seal a tape of so many synthetic events; its own process, since generating takes memory."""
    folder = TAPES / f"synthetic_{rows}"
    if not folder.exists():
        _seal(_event_columns(work.synthetic(rows)), folder)
    return {"path": str(folder)}


def quote_tape(path: str, interval_ns: int) -> dict[str, Any]:
    """One replay of two-sided quoting over a sealed tape; memory is watched from outside."""
    import hft

    tapes = hft.tapes(path)
    seconds, run = stopwatch(lambda: _replay(tapes, _quoting(interval_ns)))
    return {"seconds": seconds, "events": _events(tapes), "digest": run.digest}


def make_spot_tape(files: list[str], interval_ns: int) -> dict[str, Any]:
    """Seal a spot recording in its own grid, and replay it once to learn how many steps it has."""
    import hft
    from hft.replay.run import drive
    from hft.runs.prepare import prepare

    folder = TAPES / "spot_btcusdt"
    if not folder.exists():
        hft.ingest(files, folder, format="binance-spot", clock_fix=True)
    session, _, _ = prepare(_job(hft.tapes(folder), _quoting(interval_ns)), "digest")
    drive(session)
    return {"path": str(folder), "steps": int(session.engine.clock[0]["step"])}


def snapshot_tape(path: str, interval_ns: int, stop_at_step: int) -> dict[str, Any]:
    """One replay that stops at a step, snapshots itself to a file and goes on to the end."""
    import hft
    from hft.replay.run import drive
    from hft.replay.snapshot import freeze
    from hft.runs.prepare import prepare
    from hft.storage.arrays import pack

    tapes = hft.tapes(path)
    session, _, _ = prepare(_job(tapes, _quoting(interval_ns)), "digest")
    drive(session, stop_at_step=stop_at_step)
    saved = pack(freeze(session))
    RUNS.mkdir(parents=True, exist_ok=True)
    (RUNS / "spot_snapshot.npz").write_bytes(saved)
    drive(session)
    tick = str(tapes.tapes[0].instrument.tick)
    facts = {"events": _events(tapes), "tick": tick, "snapshot_bytes": len(saved)}
    return facts | _ended(session)


def ingest(
    source: str, format: str, symbol: str | None = None, at_least_s: float = 1.0
) -> dict[str, Any]:
    """Vendor files to a sealed tape, end to end; a tape is written anew each time.

    Returns: seconds, runs, rows (on the tape), bytes (of the sources).
    """
    import shutil

    import hft

    folder = BENCH / "ingested"
    paths = sorted(Path(source).glob("*.zip")) if Path(source).is_dir() else [Path(source)]

    def once() -> tuple[float, Any]:
        shutil.rmtree(folder, ignore_errors=True)
        return stopwatch(
            lambda: hft.ingest(paths, folder, format=format, symbol=symbol, clock_fix=True)
        )

    seconds, runs, tapes = timed(once, at_least_s)
    sizes = sum(path.stat().st_size for path in paths)
    return {"seconds": seconds, "runs": runs, "rows": _events(tapes), "bytes": sizes}


def decode_binance(source: str, at_least_s: float = 1.0) -> dict[str, Any]:
    """A decompressed raw recording to final columns with findings; nothing is written."""
    from hft.feeds import binance

    return _decode(binance, source, "binance-usdm", at_least_s)


def decode_mbo(source: str, at_least_s: float = 1.0) -> dict[str, Any]:
    """A plain DBN file of order-by-order records to final columns with findings."""
    from hft.feeds import databento

    return _decode(databento, source, "databento", at_least_s)


def _decode(decoder: Any, source: str, format: str, at_least_s: float) -> dict[str, Any]:
    from hft.feeds.base import DecodeOptions, settle
    from hft.settings.instruments import read_instruments

    table = read_instruments(ROOT / "config" / "instruments.yaml")
    options = DecodeOptions(format=format, instruments=table, clock_fix=True)

    def decode() -> list[Any]:
        return [settle(feed, options) for feed in decoder.decode([Path(source)], options)]

    seconds, runs, feeds = timed(lambda: stopwatch(decode), at_least_s)
    rows = sum(len(feed.columns.kind) for feed in feeds)
    found = {finding.name: finding.count for feed in feeds for finding in feed.findings}
    answer = {"seconds": seconds, "runs": runs, "rows": rows, "findings": found}
    return answer | {"bytes": Path(source).stat().st_size}


# -- end of the seam


if __name__ == "__main__":
    serve(
        {
            "quote": quote,
            "limit": limit,
            "quote_every": quote_every,
            "ordinary": ordinary,
            "record_day": record_day,
            "make_tape": make_tape,
            "quote_tape": quote_tape,
            "make_spot_tape": make_spot_tape,
            "snapshot_tape": snapshot_tape,
            "gateway_batch": gateway_batch,
            "gateway_single": gateway_single,
            "ingest": ingest,
            "decode_binance": decode_binance,
            "decode_mbo": decode_mbo,
        }
    )
