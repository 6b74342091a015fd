"""Replay tapes with strategies through the gateway and seal what happened into a run folder.

A run is a function of code, configuration, tapes and seed; their hashes make its key, and the same
key again opens the sealed run. What the kernel needs is resolved here, before the first event.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numba.core.errors import NumbaError

from hft.core.errors import ConfigError, DataError, HftError
from hft.core.numbers import money_digits
from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits, max_price_ticks, resolve
from hft.replay.build import Session, Source, gateway_for, new_session, source_of
from hft.replay.run import drive, logs_of, run_digest
from hft.replay.snapshot import freeze, from_bytes, thaw, to_bytes
from hft.runs.compiling import strategy_error
from hft.runs.faults import FaultPlan
from hft.runs.folder import RECORDS, RunWriter, find_sealed, run_id
from hft.runs.job import Job, file_of
from hft.runs.limits import reference_summary
from hft.runs.names import RunNames
from hft.runs.result import Run
from hft.runs.venues import Venue
from hft.storage.atomic import write_atomic
from hft.storage.yaml_text import dump_yaml
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes, full_name
from hft.tape.reader import Tape

WINDOW_TICKS = 1 << 24
EQUITY_SAMPLES = 100_000
SNAPSHOT = "snapshot.npz"
Progress = Callable[[int, int], None]


def execute(
    job: Job,
    *,
    record: str = "full",
    out: str | Path = "runs",
    fresh: bool = False,
    progress: Progress | None = None,
    resume: Run | None = None,
) -> Run:
    """Run the job, or open the sealed run of the same key. Raises: HftError of the fitting kind.

    Ctrl-C seals what there is as a partial run, with a snapshot, and raises KeyboardInterrupt with
    `run` on it; `resume` is such a run and is continued into a whole one.
    """
    if record not in RECORDS:
        raise ConfigError(f"record: {record!r} is none of {', '.join(RECORDS)}")
    manifest = job.manifest()
    sealed = None if fresh or resume else find_sealed(out, manifest["key"], record)
    if sealed is not None:
        return Run.open(sealed)
    session, resolved, digits = prepare(job, record)
    writer = RunWriter(
        out,
        run_id(manifest["key"]),
        record,
        names=_names(session, job, digits),
        manifest=manifest,
        limits=dump_yaml(resolved.to_dict()),
    )
    total = sum(len(columns.kind) for source in session.sources for columns in source.batches)
    report = None if progress is None else (lambda rows: progress(rows, total))
    began = time.perf_counter()
    if resume is not None:
        _continue(resume, manifest, session, writer)
    try:
        drive(session, writer, report, plain=job.plain)
    except KeyboardInterrupt as interrupt:
        write_atomic(writer.path / SNAPSHOT, to_bytes(freeze(session)))
        interrupt.run = _seal(writer, session, job, began, partial=True)  # type: ignore[attr-defined]
        raise
    except HftError:
        _seal(writer, session, job, began, partial=True)
        raise
    except NumbaError as error:
        writer.close()
        files = [file_of(strategy) for strategy in job.strategies.values()]
        raise strategy_error(list(job.strategies), files, error) from None
    return _seal(writer, session, job, began, partial=False)


def _continue(run: Run, manifest: dict[str, Any], session: Session, writer: RunWriter) -> None:
    """Bring a fresh session and folder to where a partial run stopped."""
    path = run.path / SNAPSHOT
    if not path.is_file():
        raise ConfigError(f"{run.path}: has no snapshot to resume from; replay it from the start")
    if run.manifest.get("key") != manifest["key"]:
        raise ConfigError(f"{run.path}: other code, configuration, tapes or seed; replay anew")
    if run.record != writer.record:
        raise ConfigError(f"{run.path}: was recorded as {run.record}; resume with the same record")
    thaw(session, from_bytes(path.read_bytes()))
    writer.adopt(run.path)


def prepare(job: Job, record: str) -> tuple[Session, ResolvedLimits, int]:
    """Resolve everything and build the engine at its first row."""
    if len(job.tapes) == 0:
        raise DataError("there is no tape to replay; ingest one or choose other days")
    if job.tapes.session is not None:
        raise ConfigError(
            "session= is for frames; a replay runs whole tapes: give start= and end= instead"
        )
    strategies = [replace(s, name=name) for name, s in job.strategies.items()]
    chains = _chains(job.tapes)[: _listened(strategies, job.tapes)]
    instruments = [job.venue.charge(chain[0].instrument) for chain in chains]
    digits = money_digits(instruments)
    summaries = [reference_summary(chain) for chain in chains]
    resolved = resolve(
        job.limits, instruments, summaries, strategies=list(job.strategies), digits=digits
    )
    sources = [
        _source(job, chain, instrument, digits, max_price_ticks(job.limits, instrument, summary))
        for chain, instrument, summary in zip(chains, instruments, summaries, strict=True)
    ]
    gateway = gateway_for(sources, resolved, len(strategies))
    first, last = job.tapes.span
    session = new_session(
        sources,
        strategies,
        gateway,
        job.venue.model(),
        seed=job.seed,
        record=record,
        faults=job.faults.rows(job.seed),
        start_ns=job.start_ns,
        end_ns=job.end_ns,
        equity_every_ns=max(1_000_000, (last - first) // EQUITY_SAMPLES),
    )
    _flat_fees(session, job.venue, digits)
    return session, resolved, digits


def again(manifest: dict[str, Any], record: str = "digest", out: str | Path = "runs") -> Run:
    """Replay from a manifest, as `verify` does; tapes must still be where they were.

    Raises: DataError when a tape is gone or is another one.
    """
    config = manifest["config"]
    tapes = []
    for entry in manifest["tapes"]:
        tape = Tape(entry["path"])
        if tape.sha256 != entry["sha256"]:
            raise DataError(f"{entry['path']}: is not the tape the run was made from")
        tapes.append(tape)
    from hft.runs.sources import rebuild

    job = Job(
        Tapes(tapes, order=[full_name(tape) for tape in tapes]),
        {name: rebuild(name, entry) for name, entry in config["strategies"].items()},
        Venue.from_dict(config["venue"]),
        Limits.from_dict(config["limits"]),
        manifest["seed"],
        config["start_ns"],
        config["end_ns"],
        FaultPlan.from_dict(config["faults"]),
    )
    return execute(job, record=record, out=out, fresh=True)


def _chains(tapes: Tapes) -> list[list[Tape]]:
    """The tapes of each instrument in time order. Raises: DataError when two overlap."""
    chains = list(tapes.runs().values())
    for chain in chains:
        for before, after in pairwise(chain):
            if after.summary["first_exch_ts"] < before.summary["last_exch_ts"]:
                raise DataError(
                    f"{after.path}: overlaps {before.path.name} in time; "
                    "replay one recording of an instrument at a time"
                )
    return chains


def _source(
    job: Job, chain: Sequence[Tape], instrument: Any, digits: int, max_price: int
) -> Source:
    ranges = [
        tape.summary[name]
        for tape in chain
        for name in ("bid_price_range", "ask_price_range")
        if tape.summary.get(name)
    ]
    if not ranges:
        raise DataError(f"{chain[0].path}: has no quotes, so there is no book to replay")
    low, high = min(pair[0] for pair in ranges), max(pair[1] for pair in ranges)
    middle = reference_summary(chain)["first_mid"]
    if high - low > 2 * WINDOW_TICKS and middle is not None:
        low, high = max(low, int(middle) - WINDOW_TICKS), min(high, int(middle) + WINDOW_TICKS)
    batches = [columns for tape in chain for columns in _rows_until(tape, job.end_ns)]
    if not batches:
        raise ConfigError(f"end: {instrument.symbol} has no row before it; choose a later one")
    return source_of(
        instrument,
        batches,
        digits,
        max_price=max_price,
        price_low=low,
        price_high=high,
        live_orders=max(int(tape.summary.get("orders_max") or 0) for tape in chain),
    )


def _rows_until(tape: Tape, end_ns: int | None) -> list[Any]:
    """The rows of a tape that begins by `end_ns`; the engine stops inside it."""
    return tape.batches() if end_ns is None or tape.span[0] <= end_ns else []


def _listened(strategies: list[Strategy], tapes: Tapes) -> int:
    """How many instruments, from the first, any strategy listens to.

    The others are not replayed: no row, tick size or clock of theirs can then move a run.
    Raises: ConfigError when the tapes have fewer than a strategy wants.
    """
    for strategy in strategies:
        if strategy.instruments > len(tapes.symbols):
            raise ConfigError(
                f"strategy {strategy.name!r} listens to {strategy.instruments} instruments, "
                f"the tapes have {len(tapes.symbols)}: {', '.join(tapes.symbols)}"
            )
    return max(strategy.instruments for strategy in strategies)


def _flat_fees(session: Session, venue: Venue, digits: int) -> None:
    per_lot, per_order = venue.flat_fees()
    for name, amount in (("fee_per_lot_money", per_lot), ("fee_per_order_money", per_order)):
        units = amount * 10**digits
        if units != int(units):
            raise ConfigError(f"venue.fees: {amount} has more than {digits} decimal places")
        session.engine.instruments[name] = int(units)


def _names(session: Session, job: Job, digits: int) -> RunNames:
    return RunNames(
        tuple(source.instrument for source in session.sources),
        tuple(job.strategies),
        digits,
        tuple(strategy.track for strategy in session.strategies),
    )


def _seal(writer: RunWriter, session: Session, job: Job, began: float, *, partial: bool) -> Run:
    for s, strategy in enumerate(session.strategies):
        writer.logs(logs_of(session, s), s, strategy.logs)
    wall_s = round(time.perf_counter() - began, 6)
    path = writer.seal(
        {"wall_s": wall_s},
        run_digest(session.engine),
        totals(session),
        partial=partial,
    )
    return Run.open(path)


def totals(session: Session) -> dict[str, Any]:
    """What the engine counted; integers, money in units."""
    clock, instruments = session.engine.clock[0], len(session.sources)
    positions = [
        {
            "strategy_idx": k // instruments,
            "instrument_idx": k % instruments,
            "qty": int(row["qty"]),
            "realized_money": int(row["realized_money"]),
            "unrealized_money": int(row["marked_money"]),
            "fees_money": int(row["fees_money"]),
            "fills": int(row["fills"]),
        }
        for k, row in enumerate(session.engine.positions)
    ]
    counts = session.engine.gw.counts
    return {
        "events": int(clock["rows"]),
        "steps": int(clock["step"]),
        "wakes": int(clock["wakes"]),
        "decisions": int(clock["decisions"]),
        "refused": int(clock["refused"]),
        "orders": int(clock["orders"]),
        "lost_intents": int(clock["lost_intents"]),
        "fills": sum(row["fills"] for row in positions),
        "injected_faults": int(session.engine.faults[0]["injected"]),
        "reasons": {str(code): int(counts[code]) for code in np.flatnonzero(counts)},
        "positions": positions,
    }
