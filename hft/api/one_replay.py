"""One call of `hft.replay`: what it was given becomes a job, and the job a run.

`replays.replay` is this with advice; a regression check does without, since nobody reads it there.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hft.api.controls import given_controls, given_faults
from hft.api.limits import file_of_limits, limits_of
from hft.core.errors import ConfigError
from hft.runs.code.shape import refuse_shape
from hft.runs.code.sources import found_for
from hft.runs.durations import when
from hft.runs.execute import execute
from hft.runs.folder.listing import resolve
from hft.runs.ingest import open_tapes
from hft.runs.job import Job
from hft.runs.result import Run, as_run
from hft.runs.venues import Venue, named, written
from hft.settings import Settings, load_settings
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes

SECOND_NS = 1_000_000_000
GB = 1_000_000_000


def replayed(
    tapes: Any,
    strategy: Any,
    *,
    record: str | None = None,
    fresh: bool = False,
    out: str | Path | None = None,
    resume: Run | str | Path | None = None,
    progress: Any = None,
    advised: bool = True,
    **asked: Any,
) -> Run:
    """`hft.replay`; where not `advised`, no change of limits is tried on a run refused much."""
    settings = load_settings()
    job = job_asked(tapes, strategy, settings, **asked)
    return as_run(
        execute,
        job,
        advised=advised,
        record=record or settings.replay_record,
        out=out or settings.replay_out,
        fresh=fresh or job.plain or not settings.replay_cache,
        progress=progress,
        resume=_loaded(resume, out),
        max_journal_bytes=int(settings.runs_max_journal_gb * GB),
        snapshot_s=float(settings.runs_snapshot_s),
    )


def job_asked(
    tapes: Any,
    strategy: Any,
    settings: Settings,
    *,
    params: Mapping[str, Any] | None = None,
    venue: Venue | str | Mapping[str, Any] | None = None,
    limits: Any = None,
    seed: int = 0,
    start: Any = None,
    end: Any = None,
    faults: Any = None,
    controls: Any = None,
    promotions: str | Path | None = None,
    alphas: Mapping[str, str] | None = None,
    plain: bool = False,
    dated: bool = True,
) -> Job:
    """The job of a call: what it leaves open is decided by the settings.

    Where not `dated`, promotions bind, and whoever watches their files says what they weigh.
    Raises: HftError.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
        raise ConfigError(f"seed: {seed!r} is not a whole number from 0 to 2^63 - 1")
    # Before the tapes: one that is not there yet is made, and a wrong name need not wait for it.
    strategies = _strategies(strategy, params, plain)
    made = tapes if isinstance(tapes, Tapes) else open_tapes(tapes)
    found, read = (
        limits_of(limits, settings, made),
        partial(limits_of, settings=settings, tapes=made),
    )
    inputs, found = given_controls(
        controls, promotions, alphas, list(strategies), found, read, dated=dated
    )
    file = file_of_limits(settings.limits if limits is None else limits, settings.limit_overrides)
    what = (made, strategies, venue_of(venue, settings), found, seed)
    span = (when(start, "start"), when(end, "end"))
    rest = {"limits_file": file, "controls": inputs, **_gateway(settings)}
    return Job(*what, *span, given_faults(faults), plain, **rest)


def _loaded(resume: Run | str | Path | None, out: str | Path | None) -> Run | None:
    if isinstance(resume, str | Path):
        return Run.open(resolve(resume, out or load_settings().replay_out, partial=True))
    return resume


def _strategies(given: Any, params: Mapping[str, Any] | None, plain: bool) -> dict[str, Strategy]:
    if isinstance(given, Mapping):
        if params:
            raise ConfigError("params= belongs to one strategy; use strategy.with_params in a dict")
        return {str(name): _fitting(_strategy(value, plain)) for name, value in given.items()}
    one = _fitting(_strategy(given, plain).with_params(params))
    return {one.name: one}


def _fitting(one: Strategy) -> Strategy:
    """The strategy itself. Raises: HftError for one that cannot be called or kept as declared."""
    refuse_shape(one)
    return one


def _strategy(given: Any, plain: bool) -> Strategy:
    if isinstance(given, Strategy):
        return given
    if isinstance(given, str):
        return found_for(given, plain)
    if callable(given):
        name = getattr(given, "__name__", repr(given))
        raise ConfigError(f"strategy: put @hft.strategy(every=...) above {name!r}")
    raise ConfigError(f"strategy: {given!r} is neither a name nor made by @hft.strategy")


def venue_of(given: Venue | str | Mapping[str, Any] | None, settings: Any) -> Venue:
    """What the call leaves open is decided by the settings. Raises: ConfigError."""
    if not isinstance(given, Venue | str | Mapping | None):
        raise ConfigError(
            f"venue: {given!r} is neither a preset's name nor an hft.Venue nor a mapping of its "
            "fields"
        )
    if isinstance(given, Mapping):
        given = written(given)
    chosen = named(given) if isinstance(given, str) else given or Venue()
    fees = {"maker_bps": settings.fees_maker_bps, "taker_bps": settings.fees_taker_bps}
    return chosen.settled(settings.venue_fills, fees)


def _gateway(settings: Any) -> dict[str, Any]:
    """What the settings say of the gateway, as fields of a Job."""
    return {
        "dedup_window": settings.dedup_window_size,
        "holdoff_ns": settings.gateway_startup_holdoff_s * SECOND_NS,
        "order_queue": settings.order_queue_size,
    }
