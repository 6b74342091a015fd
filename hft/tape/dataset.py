"""A dataset: a folder of sealed tapes with its `manifest.json`; `Tapes` is what users hold.

The manifest names every tape with its hash, so that a tape exchanged behind its back is refused.
A `Tapes` object never changes: `+`, `[day]` and the like give a new one. Its instruments stand in
the order that `symbols=` asked for or in which they were added, those of one folder by name, and
`view[0]` of a strategy is the first. One symbol of two venues is told apart as `venue:symbol`.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from hft.core.errors import ConfigError, DataError
from hft.core.instruments import Instrument
from hft.core.json_text import page
from hft.tape import frames
from hft.tape.reader import SUFFIX, Tape
from hft.tape.window import Window

MANIFEST = "manifest.json"


class Tapes(Sequence[Tape]):
    """Some tapes, as `hft.tapes` and `hft.ingest` give them.

    `session`, when set, are the hours that frames keep. `notes` are what ingest has to tell beside
    the tapes. `order` has the `venue:symbol` of the
    instruments that come first; the rest follow by name.
    """

    # Given by hft.api.replays, since it takes higher layers: the tapes with signals of a frame.
    join: ClassVar[Callable[..., "Tapes"]]

    def __init__(
        self,
        tapes: Sequence[Tape],
        session: Window | None = None,
        order: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> None:
        venues: dict[str, set[str]] = {}
        for tape in tapes:
            venues.setdefault(tape.symbol, set()).add(tape.instrument.venue)
        self._ambiguous = {symbol for symbol, names in venues.items() if len(names) > 1}
        self.order = tuple(dict.fromkeys(order))
        rank = {name: k for k, name in enumerate(self.order)}
        self._tapes = sorted(
            tapes,
            key=lambda tape: (
                rank.get(full_name(tape), len(rank)),
                self.key(tape),
                tape.span,
                tape.sha256,
            ),
        )
        self.session, self.notes = session, tuple(notes)
        grids: dict[str, Instrument] = {}
        for tape in self._tapes:
            known = grids.setdefault(self.key(tape), tape.instrument)
            if (known.tick, known.lot) != (tape.instrument.tick, tape.instrument.lot):
                raise DataError(
                    f"{tape.path}: {tape.symbol} has tick {tape.instrument.tick} and lot "
                    f"{tape.instrument.lot}, another tape {known.tick} and {known.lot}; "
                    "ingest both with one --tick and --lot"
                )
        self.instruments = grids

    def key(self, tape: Tape) -> str:
        """The name of a tape's instrument here: its symbol, or `venue:symbol` in case of doubt."""
        venue = tape.instrument.venue
        return f"{venue}:{tape.symbol}" if tape.symbol in self._ambiguous else tape.symbol

    @property
    def tapes(self) -> tuple[Tape, ...]:
        return tuple(self._tapes)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.instruments)

    @property
    def days(self) -> tuple[str, ...]:
        """The days there are, YYYY-MM-DD."""
        return tuple(sorted({tape.day for tape in self._tapes}))

    @property
    def rows(self) -> int:
        return sum(tape.rows for tape in self._tapes)

    @property
    def span(self) -> tuple[int, int]:
        """First and last receive time, ns."""
        if not self._tapes:
            raise DataError("no tapes: there is no time span")
        spans = [tape.span for tape in self._tapes]
        return min(start for start, _ in spans), max(end for _, end in spans)

    @property
    def sha256(self) -> dict[str, str]:
        """The identity of each tape by file name."""
        return {tape.path.name: tape.sha256 for tape in self._tapes}

    @property
    def findings(self) -> pl.DataFrame:
        """What ingest found: one row a tape and finding."""
        rows = [
            {
                "symbol": self.key(tape),
                "day": tape.day,
                "finding": finding.name,
                "count": finding.count,
                "first_row": finding.first_row,
                "of": finding.of,
                "waived": finding.name in tape.waived,
                "note": finding.note,
            }
            for tape in self._tapes
            for finding in tape.findings
        ]
        names = ("symbol", "day", "finding", "count", "first_row", "of", "waived", "note")
        kinds: dict[str, Any] = dict.fromkeys(names, pl.String)
        kinds |= {"count": pl.Int64, "first_row": pl.Int64, "waived": pl.Boolean}
        return pl.DataFrame(rows, schema=kinds)

    def __len__(self) -> int:
        return len(self._tapes)

    def __iter__(self) -> Iterator[Tape]:
        return iter(self._tapes)

    def __getitem__(self, key: Any) -> Any:
        """A tape by position, or the `Tapes` of a day, of days ("A..B", list) or of a symbol."""
        if isinstance(key, int):
            return self._tapes[key]
        if isinstance(key, slice):
            return Tapes(self._tapes[key], self.session, self.order)
        if isinstance(key, str) and key in self.instruments:
            return self.select(symbols=[key])
        return self.select(days=key)

    def __add__(self, other: "Tapes") -> "Tapes":
        known = {tape.path.resolve() for tape in self._tapes}
        both = [*self._tapes, *(tape for tape in other if tape.path.resolve() not in known)]
        return Tapes(both, self.session, [full_name(tape) for tape in both])

    def select(self, days: Any = None, symbols: Sequence[str] | None = None) -> "Tapes":
        """The tapes of some days (date, "A..B", list) and symbols, in the order of `symbols`.

        Raises: ConfigError naming a day or symbol that there is not.
        """
        tapes, order = self._tapes, self.order
        if symbols is not None:
            order = self._full_names([symbols] if isinstance(symbols, str) else symbols)
            tapes = [tape for tape in tapes if full_name(tape) in order]
        if days is not None:
            tapes = _of_days(tapes, days)
        return Tapes(tapes, self.session, order)

    def _full_names(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """The `venue:symbol` of each name as shown here or written out."""
        known = {self.key(tape): full_name(tape) for tape in self._tapes}
        written = set(known.values())
        found = []
        for symbol in symbols:
            if symbol not in known and symbol not in written:
                raise ConfigError(f"symbols: no tape of {symbol!r}; there are {self.symbols}")
            found.append(known.get(symbol, symbol))
        return tuple(found)

    def runs(self) -> dict[str, list[Tape]]:
        """The tapes by symbol, in time order."""
        found: dict[str, list[Tape]] = {}
        for tape in self._tapes:
            found.setdefault(self.key(tape), []).append(tape)
        return found

    def events(self) -> pl.LazyFrame:
        """Every row: `ts exch_ts symbol kind side price price_tick lots order_id flags`."""
        return self._concat([frames.events(tape, self.key(tape)) for tape in self._tapes])

    def trades(self) -> pl.LazyFrame:
        """Prints: `ts exch_ts symbol side price price_tick lots flags`; side is the aggressor's."""
        return self._concat([frames.trades(tape, self.key(tape)) for tape in self._tapes])

    def quotes(self) -> pl.LazyFrame:
        """The touch at each change: `ts symbol bid bid_tick bid_lots ask ask_tick ask_lots`."""
        return self._concat([frames.quotes(chain, self.key(chain[0])) for chain in self.chains()])

    def bars(self, every: str = "1s") -> pl.LazyFrame:
        """Time bars of the trades."""
        return frames.bars(self.trades(), every)

    def features(self, columns: Sequence[str] | None = None, every_ns: int = 0) -> pl.LazyFrame:
        """Features of the book each `every_ns`, or at each change of the touch (0)."""
        from hft.tape.features import features  # kernels of their own, loaded when asked for

        chains = self.chains()
        names = [self.key(chain[0]) for chain in chains]
        found = zip(chains, names, strict=True)
        return self._concat([features(chain, name, columns, every_ns) for chain, name in found])

    def book(self, at: Any, depth: int = 10) -> pl.LazyFrame:
        """The levels seen at a moment (ISO text with zone, aware datetime, or ns)."""
        at_ns = to_ns(at)
        begun = {self.key(chain[0]): chain for chain in self.chains() if chain[0].span[0] <= at_ns}
        if not begun:
            raise DataError(f"book: no tape has begun at {at}; the first row is later")
        return pl.concat([frames.book(chain, at_ns, depth, key) for key, chain in begun.items()])

    def export(self, folder: str | Path, format: str = "parquet") -> list[Path]:
        """Write the events of each tape as Parquet (zstd) or CSV; returns the files."""
        if format not in ("parquet", "csv"):
            raise ConfigError(f"format: {format!r} is neither parquet nor csv")
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        written = []
        for tape in self._tapes:
            path = target / (tape.path.name.removesuffix(SUFFIX) + f".{format}")
            frame = frames.events(tape, self.key(tape))
            if format == "parquet":
                frame.sink_parquet(path, compression="zstd")
            else:
                frame.sink_csv(path)
            written.append(path)
        return written

    def verify(self) -> None:
        """Read every byte of every tape. Raises: DataError naming the first that differs."""
        for tape in self._tapes:
            tape.verify()

    def chains(self) -> list[list[Tape]]:
        """Tapes of one instrument joined where one continues the book of the one before."""
        chains: list[list[Tape]] = []
        for tape in self._tapes:
            if chains and tape.continues is not None and chains[-1][-1].sha256 == tape.continues:
                chains[-1].append(tape)
            else:
                chains.append([tape])
        return chains

    def _concat(self, parts: list[pl.LazyFrame]) -> pl.LazyFrame:
        if not parts:
            raise DataError("no tapes: there are no rows")
        return self.within_session(pl.concat(parts))

    def within_session(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The rows whose `ts` is within the hours that were asked for."""
        if self.session is None:
            return frame
        return frame.filter(self.session.keeps(self.instruments))

    def to_json(self) -> list[dict[str, Any]]:
        """What the card shows, one entry a tape."""
        return [describe(tape) for tape in self._tapes]

    def __repr__(self) -> str:
        if not self._tapes:
            return "<Tapes: none>"
        head = ("symbol", "day", "rows", "tick", "spread", "gap p99.9", "findings")
        table = [head, *(_card_row(tape, self.key(tape)) for tape in self._tapes)]
        widths = [max(len(row[i]) for row in table) for i in range(len(head))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in table]
        return "\n".join(line.rstrip() for line in (*lines, *self.notes))


def full_name(tape: Tape) -> str:
    """An instrument's name that no other venue's has: `venue:symbol`."""
    return f"{tape.instrument.venue}:{tape.symbol}"


def _card_row(tape: Tape, key: str) -> tuple[str, ...]:
    summary = tape.summary
    spread, gap = summary["spread_ticks_median"], summary["gap_ns_p999"]
    found = ", ".join(f"{finding.name} {finding.count}" for finding in tape.findings)
    return (
        key,
        tape.day,
        f"{tape.rows:,}",
        str(tape.instrument.tick),
        "-" if spread is None else f"{spread} ticks",
        "-" if gap is None else f"{gap / 1e9:.3f} s",
        found or "none",
    )


def describe(tape: Tape) -> dict[str, Any]:
    """A tape's entry in the manifest and in `--json`."""
    return {
        "file": tape.path.name,
        "sha256": tape.sha256,
        "frame_sha256": tape.seal["frame_sha256"],
        "symbol": tape.symbol,
        "day": tape.day,
        "rows": tape.rows,
        "instrument": tape.instrument.to_dict(),
        "source": tape.source,
        "findings": tape.seal["findings"],
        "waived": list(tape.waived),
        "continues": tape.continues,
        "summary": tape.summary,
    }


def _of_days(tapes: Sequence[Tape], days: Any) -> list[Tape]:
    wanted = [days] if not isinstance(days, (list, tuple, set)) else list(days)
    spans = [_day_span(day) for day in wanted]
    chosen = [tape for tape in tapes if any(low <= tape.day <= high for low, high in spans)]
    for (low, high), day in zip(spans, wanted, strict=True):
        if not any(low <= tape.day <= high for tape in tapes):
            there = ", ".join(sorted({tape.day for tape in tapes})) or "none"
            raise ConfigError(f"days: no tape of {day}; there are {there}")
    return chosen


def _day_span(day: Any) -> tuple[str, str]:
    """(first, last) of a day or of "A..B"."""
    text = day.isoformat()[:10] if hasattr(day, "isoformat") else str(day)
    ends = [part.strip() for part in text.split("..")]
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            parsed = [datetime.strptime(end, form).strftime("%Y-%m-%d") for end in ends]
        except ValueError:
            continue
        if len(parsed) <= 2:
            return parsed[0], parsed[-1]
    raise ConfigError(f"days: {text!r} is no date; write 2024-08-08 or 2024-08-08..2024-08-09")


def to_ns(at: Any) -> int:
    """A moment as ns. Raises: ConfigError for a time without a zone."""
    if isinstance(at, int):
        return at
    moment = at
    if isinstance(at, str):
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise ConfigError(f"time: {at!r} is not ISO-8601 with a zone") from None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ConfigError(f"time: {at} has no time zone; write 2024-08-08T23:55:00Z")
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1_000


def manifest_text(folder: Path, fresh: Mapping[str, Path], without: Collection[str] = ()) -> str:
    """The manifest of a folder as it will be once the `fresh` tapes (name: path) are in it and
    those named `without` are not."""
    paths = {path.name: path for path in folder.glob(f"[!.]*{SUFFIX}")} | dict(fresh)
    kept = sorted((name, path) for name, path in paths.items() if name not in without)
    entries = [describe(Tape(path)) | {"file": name} for name, path in kept]
    return page({"schema": 1, "tapes": entries})


def open_dataset(folder: Path) -> list[Tape]:
    """The tapes of a folder, checked against its manifest.

    Raises: DataError when a tape is missing or is not the one that the manifest names.
    """
    paths = sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))
    tapes = [Tape(path) for path in paths]
    manifest = folder / MANIFEST
    if manifest.is_file():
        _check_manifest(manifest, {tape.path.name: tape for tape in tapes})
    if not tapes:
        raise DataError(f"{folder}: no tapes here (*{SUFFIX}); make some with `hft data ingest`")
    return tapes


def _check_manifest(manifest: Path, tapes: dict[str, Tape]) -> None:
    try:
        entries = json.loads(manifest.read_text())["tapes"]
        named = {str(entry["file"]): str(entry["frame_sha256"]) for entry in entries}
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{manifest}: cannot be read; ingest the folder's source again") from None
    for name, frame in named.items():
        if name not in tapes:
            raise DataError(f"{manifest}: the tape {name} is missing")
        if tapes[name].seal["frame_sha256"] != frame:
            raise DataError(f"{tapes[name].path}: is not the tape that {manifest.name} names")


def open_files(paths: Sequence[str | Path]) -> list[Tape]:
    """Tapes of files and folders. Raises: DataError naming one that is neither."""
    tapes: list[Tape] = []
    for name in paths:
        path = Path(name)
        if path.is_dir():
            tapes.extend(open_dataset(path))
        elif path.name.endswith(SUFFIX):
            tapes.append(Tape(path))
        elif path.exists():
            raise DataError(f"{path}: is no tape; make one with `hft data ingest {path}`")
        else:
            raise DataError(f"{path}: no such file or folder")
    return tapes
