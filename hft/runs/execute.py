"""Replay tapes with strategies through the gateway and seal what happened into a run folder.

A run is a function of code, configuration, tapes, their instruments and seed; their hashes make its
key, and the same key again opens the sealed run. What the kernel needs is resolved here, before the
first event.
"""

import inspect
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import ConfigError, HftError, JournalError, StrategyError
from hft.core.jit import JIT_DISABLED, array_at
from hft.gateway.limits import Limits
from hft.replay.build import Session
from hft.replay.paced import Paced
from hft.replay.run import deliver, drive, logs_of, run_digest
from hft.replay.snapshot import freeze, thaw
from hft.runs.code.compilation import NOT_COMPILED, strategy_error
from hft.runs.code.purity import refuse_chance, refuse_cut_state, refuse_written_params
from hft.runs.code.sources import rebuild
from hft.runs.code.staleness import renew
from hft.runs.controls import Control
from hft.runs.dead_books import book_warnings
from hft.runs.ending import figures, totals
from hft.runs.faults import FaultPlan
from hft.runs.folder.damage import damaged
from hft.runs.folder.layout import MANIFEST, RECORDS, SNAPSHOT, find_sealed, run_id
from hft.runs.folder.names import RunNames
from hft.runs.folder.reader import RunReader
from hft.runs.folder.writer import JournalFull, RunWriter
from hft.runs.job import DEDUP_WINDOW, ORDER_QUEUE, Fork, Job
from hft.runs.pace import Pace
from hft.runs.prepare import prepare, unheard
from hft.runs.snapshots import SNAPSHOT_S, SnapshotClock
from hft.runs.tapes import Folders, find_tapes
from hft.runs.venues import Venue
from hft.storage.arrays import pack, unpack
from hft.storage.atomic import write_atomic
from hft.storage.interrupts import Interrupts
from hft.storage.yaml_text import dump_yaml
from hft.strategies.base import Strategy, pointer
from hft.tape.dataset import Tapes, full_name
from hft.tape.reader import Tape

Progress = Callable[[int, int], None]


def execute(
    job: Job,
    *,
    record: str = "full",
    out: str | Path = "runs",
    fresh: bool = False,
    progress: Progress | None = None,
    resume: RunReader | None = None,
    max_journal_bytes: int = 0,
    snapshot_s: float = SNAPSHOT_S,
    pace: Pace | None = None,
) -> RunReader:
    """Run the job, or open the sealed run of the same key. Raises: HftError of the fitting kind.

    Ctrl-C seals what there is as a partial run, with a snapshot, and raises KeyboardInterrupt with
    `run` on it; `resume` is such a run, or one that was killed after a snapshot (one every
    `snapshot_s` seconds of wall time, 0: none), and is continued into a whole one. A journal that
    has more than `max_journal_bytes` (0: any size) ends the run alike, with JournalFull. A `pace`
    says how time passes and what is heard meanwhile; such a run is always run.
    """
    if record not in RECORDS:
        raise ConfigError(f"record: {record!r} is none of {', '.join(RECORDS)}")
    manifest = job.manifest() | ({} if pace is None else pace.told())
    sealed = None if fresh or resume or pace else find_sealed(out, manifest["key"], record)
    if sealed is not None:
        return RunReader.open(sealed)
    if resume is not None:
        _check_resumable(resume, manifest, record)
    session, resolved, digits = prepare(job, record)
    _compile(job, session)
    with Interrupts() as interrupts:
        interrupts.shield()
        writer = RunWriter(
            out,
            run_id(manifest["key"]),
            record,
            names=_names(session, job, digits),
            manifest=manifest
            | {"warnings": [*unheard(job), *book_warnings(job.tapes), *resolved.warnings]},
            limits=dump_yaml(resolved.to_dict()),
            max_journal_bytes=max_journal_bytes,
            resumable=_is_resumable(job, session),
        )
        began = time.perf_counter()
        if resume is not None:
            _continue_or_leave_nothing(resume, session, writer)
        resumable = _is_resumable(job, session) and pace is None
        clock = SnapshotClock(snapshot_s if resumable else 0)
        return _replay(_Replay(session, job, writer, interrupts, began, clock, pace), progress)


@dataclass(frozen=True)
class _Replay:
    """A replay that has begun; the sink of its own records.

    The shield stays up behind a write until the engine has emptied its rings and reports progress,
    so that Ctrl-C, however often, hands no record over twice and loses none.
    """

    session: Session
    job: Job
    writer: RunWriter
    interrupts: Interrupts
    began: float
    snapshots: SnapshotClock
    pace: Pace | None

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None:
        self.interrupts.shield(firm=True)
        self.writer.take(steps, fills, equity, series)


def _replay(one: _Replay, progress: Progress | None) -> RunReader:
    """Drive the session to its end and seal; begins and ends shielded."""
    session, writer, interrupts = one.session, one.writer, one.interrupts
    total = sum(len(columns.kind) for source in session.sources for columns in source.batches)

    def report(rows: int) -> None:
        if one.snapshots.is_due() and session.engine.clock[0]["steps_len"] == 0:
            interrupts.shield()
            one.snapshots.time(lambda: _keep_snapshot(one))
        if one.pace is None:
            interrupts.release()
        else:  # it is heard between two slices; the third one in a row still goes through
            interrupts.shield()
        if progress is not None:
            progress(rows, total)

    try:
        report(0)
        if one.job.fork is not None:
            _fork(one, one.job.fork, report)
        if one.pace is None:
            drive(session, one, report, plain=one.job.plain)
        else:
            one.pace.run(Paced(session, one, report, plain=one.job.plain), interrupts)
        interrupts.shield()
        writer.settle()
    except (KeyboardInterrupt, JournalFull) as stop:
        # After JournalFull the writer has the records of the rings.
        deliver(session.engine, None if isinstance(stop, JournalFull) else one)
        interrupts.shield()
        if not isinstance(stop.__context__, HftError):  # else it goes no further than that error
            _keep_snapshot(one)
        said = str(stop) or "interrupted"
        stop.run = _seal(one, stopped=said)  # type: ignore[union-attr]
        raise
    except HftError as error:
        interrupts.shield()
        error.run = _seal(one, stopped=str(error))  # type: ignore[attr-defined]
        raise
    except NOT_COMPILED as error:
        writer.close()
        raise strategy_error(one.job.strategies, error) from None
    run = _seal(one)
    try:
        interrupts.release()
    except KeyboardInterrupt as interrupt:
        interrupt.run = run  # type: ignore[attr-defined]
        raise
    return run


def _fork(one: _Replay, fork: Fork, report: Callable[[int], None]) -> None:
    """Drive to the step of a fork, then write the other parameters. Mutates: the engine."""
    session = one.session
    if drive(session, one, report, plain=one.job.plain, stop_at_step=fork.at_step):
        raise ConfigError(f"fork: the tapes end before step {fork.at_step}")
    for s, strategy in enumerate(session.strategies):
        row = strategy.with_params(fork.params.get(strategy.name)).params_row()
        at = int(session.engine.contexts[s]["params_at"])
        array_at(at, 1, row.dtype)[0] = row[0]


def _compile(job: Job, session: Session) -> None:
    """Compile the strategies before there is a folder: an error or Ctrl-C then leaves none.

    Raises: StrategyError for one that cannot be compiled, or a class that cannot be made.
    """
    from hft.replay.compiled import loop  # looking at runs need not wait for the engine

    loop()
    for strategy in session.strategies:
        renew(strategy)
        if strategy.is_class:
            _check_class(strategy)
        else:
            refuse_written_params(strategy.name, strategy.body)
            if not strategy.loop:
                refuse_chance(strategy.name, strategy.body)
    if job.plain or any(one.loop or one.is_class for one in session.strategies):
        return
    try:
        pointer(session.strategies)
    except HftError:
        raise
    except Exception as error:  # the compiler has some of no kind of its own
        raise strategy_error(job.strategies, error) from error
    if not JIT_DISABLED:
        for strategy in session.strategies:
            refuse_cut_state(strategy)


def _check_class(strategy: Strategy) -> None:
    try:
        inspect.signature(strategy.body).bind(**strategy.params)
    except TypeError as error:
        raise StrategyError(
            f"strategy {strategy.name!r}: its __init__ does not take its parameters: {error}"
        ) from None


def _is_resumable(job: Job, session: Session) -> bool:
    """Python strategies have state that no snapshot holds."""
    return not (job.plain or any(s.loop or s.is_class for s in session.strategies))


def _keep_snapshot(one: _Replay) -> None:
    """Where a resumed run goes on, in the engine and in the tables of its folder."""
    if _is_resumable(one.job, one.session):
        saved = freeze(one.session) | one.writer.marks()
        write_atomic(one.writer.path / SNAPSHOT, pack(saved))


def _check_resumable(run: RunReader, manifest: dict[str, Any], record: str) -> None:
    """Raises: ConfigError when the run cannot be continued by this job."""
    if not run.partial:
        raise ConfigError(f"{run.path}: is whole, there is nothing to resume")
    if not run.resumable:
        raise ConfigError(f"{run.path}: has no snapshot to resume from; replay it from the start")
    if run.manifest.get("key") != manifest["key"]:
        raise ConfigError(f"{run.path}: other code, configuration, tapes or seed; replay anew")
    if run.record != record:
        raise ConfigError(f"{run.path}: was recorded as {run.record}; resume with the same record")


def _continue_or_leave_nothing(run: RunReader, session: Session, writer: RunWriter) -> None:
    try:
        _continue(run, session, writer)
    except HftError:
        writer.close()
        shutil.rmtree(writer.path, ignore_errors=True)
        raise


def _continue(run: RunReader, session: Session, writer: RunWriter) -> None:
    """Bring a fresh session and folder to where a partial run stopped."""
    path = run.path / SNAPSHOT
    try:
        saved = unpack(path.read_bytes(), str(path))
        thaw(session, saved)
        writer.adopt(run.path, saved, int(session.engine.clock[0]["step"]))
    except KeyError as error:
        raise JournalError(
            f"{path}: is damaged: it has no {error}; replay from the start"
        ) from None


def again(
    manifest: dict[str, Any],
    record: str = "digest",
    out: str | Path = "runs",
    tapes: Folders = None,
) -> RunReader:
    """Replay from a manifest, as `verify` does; see `job_of`."""
    return execute(job_of(manifest, tapes), record=record, out=out, fresh=True)


def job_of(manifest: dict[str, Any], tapes: Folders = None) -> Job:
    """The job that a manifest was written for; its tapes are found by hash in the folder `tapes`.

    Raises: DataError when a tape is gone or changed; JournalError for a damaged manifest.
    """
    with damaged(Path(MANIFEST)):
        return _job_of(manifest, find_tapes(manifest["tapes"], tapes))


def _job_of(manifest: dict[str, Any], tapes: list[Tape]) -> Job:
    config = manifest["config"]
    gateway = config.get("gateway", {})
    fork = config.get("fork")
    return Job(
        Tapes(tapes, order=[full_name(tape) for tape in tapes]),
        {name: rebuild(name, entry) for name, entry in config["strategies"].items()},
        Venue.from_dict(config["venue"]),
        Limits.from_dict(config["limits"]),
        manifest["seed"],
        config["start_ns"],
        config["end_ns"],
        FaultPlan.from_dict(config["faults"]),
        plain=manifest.get("plain", False),
        dedup_window=gateway.get("dedup_window", DEDUP_WINDOW),
        holdoff_ns=gateway.get("holdoff_ns", 0),
        fork=None if fork is None else Fork(fork["at_step"], fork["params"]),
        order_queue=gateway.get("order_queue", ORDER_QUEUE),
        controls=tuple(Control(**one) for one in config.get("controls", ())),
    )


def _names(session: Session, job: Job, digits: int) -> RunNames:
    return RunNames(
        tuple(source.instrument for source in session.sources),
        tuple(job.strategies),
        digits,
        tuple(strategy.track for strategy in session.strategies),
    )


def _seal(one: _Replay, *, stopped: str = "") -> RunReader:
    """Close the folder; `stopped` is what ended a replay that is not whole."""
    for s, strategy in enumerate(one.session.strategies):
        one.writer.logs(logs_of(one.session, s), s, strategy.logs)
    wall_s = round(time.perf_counter() - one.began, 6)
    told = {} if one.pace is None else one.pace.told()
    path = one.writer.seal(
        told | {"wall_s": wall_s} | ({"stopped": stopped} if stopped else {}),
        run_digest(one.session.engine),
        totals(one.session),
        figures=figures(one.session, one.writer.names),
        partial=bool(stopped),
    )
    return RunReader.open(path)
