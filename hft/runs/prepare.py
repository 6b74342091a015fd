"""From a job to an engine at its first row: tapes, limits, fees and times become integers.

Everything that can be refused is refused here, before there is a run folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from hft.core.codes import ControlKind
from hft.core.errors import ConfigError, DataError
from hft.core.instruments import Instrument
from hft.core.numbers import money_digits
from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits, max_price_ticks, resolve
from hft.gateway.state import GatewayState, apply_limits
from hft.replay.build import NO_SESSIONS, Session, Source, gateway_for, new_session, source_of
from hft.replay.state import CONTROL, SESSION
from hft.runs.code.compilation import load_compiler
from hft.runs.code.shape import refuse_shape
from hft.runs.controls import rows
from hft.runs.dead_books import dead_books
from hft.runs.job import Job
from hft.runs.limits import reference_summary
from hft.runs.venues import Venue
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes
from hft.tape.reader import Tape
from hft.tape.sessions import day_turns, sessions_of

WINDOW_TICKS = 1 << 24
EQUITY_SAMPLES = 100_000


def prepare(job: Job, record: str) -> tuple[Session, ResolvedLimits, int]:
    """Resolve everything and build the engine at its first row."""
    if len(job.tapes) == 0:
        raise DataError("there is no tape to replay; ingest one or choose other days")
    if job.tapes.session is not None:
        raise ConfigError(
            "session= is for frames; a replay runs whole tapes: give start= and end=, or ask "
            "view.session_phase and view.ns_to_close in the strategy"
        )
    load_compiler()
    strategies = [replace(s, name=name) for name, s in job.strategies.items()]
    for strategy in strategies:
        refuse_shape(strategy)
    chains = _chains(job.tapes)[: _listened(strategies, job.tapes)]
    instruments = [job.venue.charge(chain[0].instrument) for chain in chains]
    digits = money_digits(instruments)
    summaries = [reference_summary(chain) for chain in chains]
    resolved = _resolved(job, instruments, summaries, digits)
    first, last = _span(chains)
    sources = [
        _source(
            *(job, chain, instrument, digits, max_price_ticks(job.limits, instrument, summary)),
            hours=_hours(instrument, _span([chain]), (first, last)),
        )
        for chain, instrument, summary in zip(chains, instruments, summaries, strict=True)
    ]
    gateway = gateway_for(
        sources,
        resolved,
        len(strategies),
        dedup_window=job.dedup_window,
        order_capacity=job.order_queue,
    )
    if job.start_ns is not None and job.start_ns > last:
        raise ConfigError("start: the tapes have no row after it; choose an earlier one")
    if job.start_ns is not None and job.end_ns is not None and job.end_ns < job.start_ns:
        raise ConfigError("end: it is before start; choose a later one")
    session = new_session(
        sources,
        strategies,
        gateway,
        job.venue.model(),
        seed=job.seed,
        record=record,
        controls=_controls(job, instruments, (first, last)),
        limit_changes=_limit_changes(
            LimitChanges(
                job, instruments, summaries, digits, gateway_for(sources, resolved, len(strategies))
            )
        ),
        faults=job.faults.rows(job.seed),
        start_ns=job.start_ns,
        end_ns=job.end_ns,
        equity_every_ns=max(1_000_000, (last - first) // EQUITY_SAMPLES),
    )
    _flat_fees(session, job.venue, digits)
    return session, resolved, digits


def _resolved(
    job: Job, instruments: list[Any], summaries: list[Any], digits: int
) -> ResolvedLimits:
    """The limits as integers; what is refused names the file it stands in."""
    strategies = list(job.strategies)
    try:
        return resolve(job.limits, instruments, summaries, strategies=strategies, digits=digits)
    except ConfigError as error:
        text = "; ".join([str(error), *dead_books(job.tapes)])
        if not job.limits_file:
            raise ConfigError(text) from None
        text = text.removeprefix(f"limits {job.limits.name}: ")
        raise ConfigError(f"{job.limits_file}: {text}") from None


def _controls(job: Job, instruments: Sequence[Any], span: tuple[int, int]) -> np.ndarray:
    """What is on no tape: the start with its hold-off, new days, and what the user gave.

    The engine puts them in order of time; what is listed first goes first at one time. An input
    before the first wake-up's clock begins is heard when it begins, one after the end never.
    """
    first, last = span
    begin = first if job.start_ns is None else max(first, job.start_ns)
    end = last if job.end_ns is None else min(last, job.end_ns)
    start = np.zeros(1 if job.holdoff_ns else 0, CONTROL)
    start["ts_ns"] = begin
    start["kind"], start["value"] = ControlKind.START.value, job.holdoff_ns
    _, turns = day_turns(instruments, begin, end)
    days = np.zeros(len(turns), CONTROL)
    days["ts_ns"], days["kind"] = turns, ControlKind.RESET_DAILY.value
    given = rows(job.controls, list(job.strategies), [one.symbol for one in instruments])
    given["ts_ns"] = np.maximum(given["ts_ns"], begin)
    return np.concatenate([start, days, given[given["ts_ns"] <= end]])


@dataclass(frozen=True)
class LimitChanges:
    """Limits that inputs put in force one after the other; `fresh` has those before."""

    job: Job
    instruments: list[Any]
    summaries: list[Any]
    digits: int
    fresh: GatewayState

    def add(self, limits: Limits) -> ResolvedLimits:
        """The next ones, tried on a gateway of their own. Raises: ConfigError; nothing changed."""
        changed = replace(self.job, limits=limits, limits_file="")
        resolved = _resolved(changed, self.instruments, self.summaries, self.digits)
        apply_limits(self.fresh, resolved)
        return resolved


def limit_changes(job: Job, session: Session) -> LimitChanges:
    """Those of a session that runs and may hear of others."""
    chains = _chains(job.tapes)[: len(session.sources)]
    instruments = [job.venue.charge(chain[0].instrument) for chain in chains]
    digits = money_digits(instruments)
    summaries = [reference_summary(chain) for chain in chains]
    resolved = _resolved(job, instruments, summaries, digits)
    fresh = gateway_for(session.sources, resolved, len(job.strategies))
    made = LimitChanges(job, instruments, summaries, digits, fresh)
    _limit_changes(made)
    return made


def _limit_changes(changes: LimitChanges) -> list[ResolvedLimits]:
    """The limits of the job's own inputs."""
    found = []
    for k, one in enumerate(changes.job.controls, start=1):
        if one.limits is None:
            continue
        try:
            found.append(changes.add(Limits.from_dict(one.limits)))
        except ConfigError as error:
            raise ConfigError(f"controls: entry {k} (limits): {error}") from None
    return found


def _span(chains: Sequence[Sequence[Tape]]) -> tuple[int, int]:
    """From the first row to the last of what is listened to: idle tapes move no run."""
    spans = [tape.span for chain in chains for tape in chain]
    return min(first for first, _ in spans), max(last for _, last in spans)


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
    job: Job,
    chain: Sequence[Tape],
    instrument: Any,
    digits: int,
    max_price: int,
    hours: np.ndarray,
) -> Source:
    ranges = [
        tape.summary[name]
        for tape in chain
        for name in ("bid_price_range", "ask_price_range")
        if tape.summary.get(name)
    ]
    if not ranges:
        raise DataError(
            f"{chain[0].path}: has no quotes, so there is no book to replay; "
            "ingest quotes (ts bid ask) or level events beside the trades"
        )
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
        sessions=hours,
        statuses=any(tape.summary["kinds"]["status"] > 0 for tape in chain),
    )


def _hours(instrument: Instrument, own: tuple[int, int], run: tuple[int, int]) -> np.ndarray:
    """The SESSION rows of an instrument over the run; none where no calendar is known.

    A calendar has to reach over the instrument's own rows, whatever the others' times are.
    """
    found = sessions_of(instrument.calendar)
    if found is None or not found.covers(*own):
        return NO_SESSIONS
    part = found.between(*run)
    table = np.zeros(len(part), SESSION)
    for name in SESSION.names or ():
        table[name] = getattr(part, name)
    return table


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


def unheard(job: Job) -> list[str]:
    """One sentence when the tapes have instruments that no strategy listens to."""
    load_compiler()
    strategies = [replace(s, name=name) for name, s in job.strategies.items()]
    heard = _listened(strategies, job.tapes)
    rest = job.tapes.symbols[heard:]
    if not rest:
        return []
    names = ", ".join(job.strategies)
    which = f"the first {heard} instruments" if heard > 1 else "one instrument, the first"
    return [
        f"{', '.join(rest)}: not replayed; {names} listens to {which} "
        f"({', '.join(job.tapes.symbols[:heard])})"
    ]


def _flat_fees(session: Session, venue: Venue, digits: int) -> None:
    per_lot, per_order = venue.flat_fees()
    for name, amount in (("fee_per_lot_money", per_lot), ("fee_per_order_money", per_order)):
        units = amount * 10**digits
        if units != int(units):
            raise ConfigError(f"venue.fees: {amount} has more than {digits} decimal places")
        session.engine.trading.instruments[name] = int(units)
