"""From files or frames to a sealed dataset, and from a path to `Tapes`: the doors to recorded data.

All tapes of one ingest appear together or not at all; a refused source leaves the folder as it was.
"""

import dataclasses
import glob
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from hft import feeds
from hft.core.errors import ConfigError, DataError, JournalError
from hft.core.instruments import Instrument
from hft.feeds.base import (
    DecodeOptions,
    Progress,
    lowest_latency,
    settle,
    symbol_problem,
)
from hft.feeds.days import split_days
from hft.feeds.findings import check_waivers
from hft.feeds.merge import merge_feeds
from hft.feeds.registry import decoder, sniff_all
from hft.feeds.times import check_zone
from hft.runs.code.compilation import load_compiler
from hft.runs.doubled import notes, older_doubles, remove
from hft.runs.given import frame_feeds
from hft.storage.atomic import aside_path, staged
from hft.storage.cures import cured
from hft.storage.lock import locked
from hft.tape.dataset import MANIFEST, Tapes, manifest_text, open_files
from hft.tape.reader import Tape
from hft.tape.schema import Feed
from hft.tape.window import window
from hft.tape.writer import tape_name, write_tape

SYNTHETIC = "synthetic"
BESIDE = (".md", ".txt", ".checksum", ".md5", ".sha256")  # what lies beside data in a folder
LOCK = ".lock"  # of a market that is being written, in its folder


def ingest(
    src: Any,
    out: str | Path,
    *,
    columns: Mapping[str, str | None] | None = None,
    format: str | None = None,
    symbol: str | None = None,
    tick: Decimal | str | float | None = None,
    lot: Decimal | str | float | None = None,
    waive: Iterable[str] = (),
    clock_fix: bool = False,
    tz: str | None = None,
    merge: bool = False,
    book_from_deltas: int = 0,
    replace: bool = False,
    instruments: Mapping[str, Instrument] | None = None,
    progress: Progress | None = None,
) -> Tapes:
    """Read frames, files or globs and write sealed tapes with their manifest into `out`.

    A list of frames is merged by instrument, as `merge` does for files: rows by receive time, at
    one time in the order given. `tz` is the zone of times that name none. `book_from_deltas` takes
    a book without a snapshot as whole after so many levels on each side. A tape of the folder with
    the same rows under another name is told in `notes`, and removed with `replace`.
    Raises: DataError naming file, row and field; ConfigError for an argument, JournalError
    for a disk that cannot be written; then nothing stays.
    """
    if symbol and (problem := symbol_problem(symbol)):
        raise ConfigError(problem)
    options = DecodeOptions(
        format=format or "",
        symbol=symbol,
        tick=_step("tick", tick),
        lot=_step("lot", lot),
        instruments=instruments or {},
        columns=columns,
        clock_fix=clock_fix,
        waive=(waive,) if isinstance(waive, str) else tuple(waive),
        tz=check_zone(tz),
        merge=merge,
        book_from_deltas=_levels(book_from_deltas),
        progress=progress,
    )
    load_compiler()
    found, options = read_feeds(src, options)
    if merge:
        found = merge_feeds(found)
    folder = Path(out)
    made = write_feeds(found, folder, options)
    older = older_doubles(folder, made.tapes)
    if replace:
        remove(folder, older)
    return Tapes(made.tapes, notes=notes(folder, older, replace))


def write_feeds(found: Sequence[Feed], out: Path, options: DecodeOptions) -> Tapes:
    """Settle and write feeds as one dataset."""
    return write_settled(_settled(found, options), out)


def write_settled(ready_feeds: Iterable[Feed], out: Path) -> Tapes:
    """Write feeds that are in tape order as one dataset; all appear together or none does."""
    _refuse_file(out)
    names: list[str] = []
    last: dict[tuple[str, str], str] = {}
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    try:
        with staged(out) as stage:
            for ready in ready_feeds:
                _refuse_overlap(ready, spans)
                name = _free_name(tape_name(ready, int(ready.columns.local_ts[0])), names)
                key = _identity(ready)
                continues = last.get(key) if ready.source.pop("continues", False) else None
                seal = write_tape(stage.aside(name), ready, continues)
                last[key] = seal["sha256"]
                names.append(name)
            if not names:
                raise DataError("the source has no rows")
            text = manifest_text(out, {name: aside_path(out / name) for name in names})
            stage.aside(MANIFEST).write_text(text)
    except OSError as error:
        raise JournalError(f"{out}: cannot be written: {cured(error)}") from None
    return Tapes([Tape(out / name) for name in names])


def _refuse_file(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise DataError(f"{out}: is a file; name a folder for the tapes")


def _settled(found: Sequence[Feed], options: DecodeOptions) -> Iterator[Feed]:
    """Each feed settled, one a day where it is longer than one."""
    lowest = _shared_clocks(found) if options.clock_fix else {}
    for feed in found:
        yield from split_days(settle(feed, options, lowest.get(_identity(feed))))


def _identity(feed: Feed) -> tuple[str, str]:
    return feed.instrument.venue, feed.instrument.symbol


def _shared_clocks(found: Iterable[Feed]) -> dict[tuple[str, str], int]:
    """The smallest latency by instrument: tapes that continue each other get one clock shift."""
    lowest: dict[tuple[str, str], int] = {}
    for feed in found:
        key = _identity(feed)
        lowest[key] = min(lowest.get(key, 2**62), lowest_latency(feed.columns))
    return lowest


def _refuse_overlap(ready: Feed, spans: dict[tuple[str, str], list[tuple[int, int]]]) -> None:
    """Two tapes of one instrument at one time cannot be replayed: they are to be merged.

    The order in which they are given is no matter.
    """
    times = ready.columns.local_ts
    first, last = int(times.min()), int(times.max())
    there = spans.setdefault(_identity(ready), [])
    if any(first < end and begin < last for begin, end in there):
        raise DataError(
            f"{ready.source.get('file')}: overlaps in time with another source of "
            f"{ready.instrument.symbol}; --merge (merge=True) makes one tape of both"
        )
    there.append((first, last))


def _free_name(name: str, taken: Sequence[str]) -> str:
    """A second tape of one instrument and day gets a number."""
    stem, count, free = name.removesuffix(".tape.arrow"), 1, name
    while free in taken:
        count += 1
        free = f"{stem}.{count}.tape.arrow"
    return free


def _step(name: str, value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        step = Decimal(str(value))
    except InvalidOperation:
        raise ConfigError(f"{name}: {value!r} is not a decimal number") from None
    if not step.is_finite() or step <= 0:
        raise ConfigError(f"{name}: {value} must be positive")
    return step


def _levels(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ConfigError(f"book_from_deltas: {value!r} is no number of levels")
    return value


def read_feeds(src: Any, options: DecodeOptions) -> tuple[list[Feed], DecodeOptions]:
    """The feeds of a source as decoded, and the options with what a plug-in adds to them."""
    many = isinstance(src, (list, tuple))
    if many and not src:
        raise DataError("source: an empty list has no rows")
    if any(not isinstance(one, (str, Path)) for one in (src if many else [src])):
        options = dataclasses.replace(options, waive=check_waivers(options.waive))
        return frame_feeds(list(src) if many else [src], options), options
    paths = source_files(src)
    # Whoever names columns has a table of their own; its header need not look like one of ours.
    name, module = decoder(options.format or ("csv" if options.columns else sniff_all(paths)))
    limits = getattr(module, "FINDINGS", None)
    if limits is None:
        check_waivers(options.waive)
    options = dataclasses.replace(options, format=name, limits=limits or {})
    feeds = list(module.decode(paths, options))
    check_waivers(options.waive, options.limits, (f.name for feed in feeds for f in feed.findings))
    return feeds, options


def source_files(src: Any) -> list[Path]:
    """The files of paths, folders and globs, sorted within each.

    Raises: DataError naming a pattern without a file.
    """
    names = [src] if isinstance(src, (str, Path)) else list(src)
    found: list[Path] = []
    for name in names:
        text = str(name)
        if Path(text).is_dir():
            matches = sorted(path for path in Path(text).iterdir() if _is_data(path))
        elif glob.has_magic(text):
            matches = sorted(Path(match) for match in glob.glob(text, recursive=True))
        else:
            matches = [Path(text)] if Path(text).is_file() else []
        if not matches:
            raise DataError(f"{text}: no such file")
        found.extend(matches)
    return list(dict.fromkeys(found))


def _is_data(path: Path) -> bool:
    return path.is_file() and path.name[0] != "." and path.suffix.lower() not in BESIDE


def _refuse_frame(path: Any) -> None:
    """Rows are no tapes yet. Raises: ConfigError that says how they become some."""
    kind = type(path).__module__.split(".")[0]
    if kind in ("pandas", "polars", "pyarrow"):
        raise ConfigError(
            f"tapes: this is a {kind} frame, not tapes; write them first: "
            "tapes = hft.ingest(frame, 'tapes', symbol=..., tick=...)"
        )


def open_tapes(
    path: Any,
    days: Any = None,
    *,
    symbols: Sequence[str] | None = None,
    session: str | None = None,
    tz: str = "UTC",
    seed: int | None = None,
    cache: str | Path = "tapes",
) -> Tapes:
    """The tapes of a dataset folder, tape files or "synthetic" (made once per seed under `cache`).

    A strategy's `view[0]` is the first: of a list the one that is named first, of a folder or a
    glob the first by name, where `symbols` does not say another order.
    `session` keeps the rows of frames inside some hours: "09:30-16:00" in `tz`, "RTH" (the regular
    hours of each instrument's calendar) or a calendar's name. Raises: DataError, ConfigError.
    """
    _refuse_frame(path)
    if path in (SYNTHETIC, [SYNTHETIC]):
        tapes = synthetic(seed=seed or 0, out=Path(cache) / f"synthetic-{seed or 0}")
    elif isinstance(path, Tapes):
        tapes = path
    else:
        names = [path] if isinstance(path, (str, Path)) else list(path)
        tapes = sum((Tapes(_open_one(name)) for name in names), Tapes([]))
    chosen = tapes.select(days, symbols)
    hours = window(session, tz) if session else tapes.session
    if hours is not None:
        hours.keeps(chosen.instruments)
    return Tapes(chosen.tapes, hours, chosen.order)


def _open_one(name: Any) -> Sequence[Tape]:
    if isinstance(name, (Tape, Tapes)):
        return [name] if isinstance(name, Tape) else name.tapes
    if glob.has_magic(str(name)):
        matches = sorted(glob.glob(str(name)))
        if not matches:
            raise DataError(f"{name}: no such tape")
        return open_files(matches)
    return open_files([name])


def _synthetic_code() -> str:
    """The hash of the generator's sources: a market of older code is made again."""
    folder = Path(feeds.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.glob("synthetic*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def synthetic(
    *,
    seed: int = 0,
    out: Path,
    events: int = 2_000_000,
    kind: str = "l2",
) -> Tapes:
    """The synthetic market of a seed; a sealed dataset of the same request is opened again."""
    from hft.feeds.synthetic import synthesize

    if kind not in ("l2", "l3"):
        raise ConfigError(f"kind: {kind!r} is neither l2 nor l3")
    wanted = {"seed": seed, "events": events, "kind": kind, "code": _synthetic_code()}
    there = _there(out, wanted)
    if there is not None:
        return there
    feed = synthesize(seed, events=events, kind="l3" if kind == "l3" else "l2")
    feed.source["request"] = wanted
    _refuse_file(out)
    with locked(out / LOCK, doing="writes this market"):  # replays that run at a time each make it
        there = _there(out, wanted)
        options = DecodeOptions(format=SYNTHETIC, seed=seed)
        return write_feeds([feed], out, options) if there is None else there


def _there(out: Path, wanted: Mapping[str, Any]) -> Tapes | None:
    """The sealed dataset of a request, where that is what the folder holds."""
    try:
        found = open_files([out]) if out.is_dir() else []
    except DataError:
        return None
    asked = all(tape.source.get("request") == wanted for tape in found)
    return Tapes(found) if found and asked else None
