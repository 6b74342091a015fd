"""Evidence of a canary: one row a session, from sealed run folders or from a CSV.

A session is a UTC date on which something was decided. A row that cannot be verified is missing
data: it is kept, marked, and never counted. Nothing here judges.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from pathlib import Path
from typing import Any

import polars as pl

from hft.core.errors import DataError, HftError
from hft.runs.result import Run

COLUMNS = ("date", "n_fills", "pnl", "slippage_bps", "rejects", "decisions", "run_digest")
DIGEST = re.compile(r"[0-9a-f]{64}")
ROWS_MAX = 100_000

# Says what is wrong with a run ("" when its digest verifies).
Verify = Callable[[Run], str]


@dataclass(frozen=True)
class Session:
    """One day of a canary.

    Units: `pnl` money net of fees; `slippage_bps` mean over fills against the mid, None without
    fills. `wrong`: why the row is missing data; empty when it counts. `beside`: the digests of
    other runs of the same day, which are in its figures.
    """

    date: Date
    n_fills: int
    pnl: float
    slippage_bps: float | None
    rejects: int
    decisions: int
    run_digest: str
    wrong: str = ""
    beside: tuple[str, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """Of every run of the day, sorted."""
        return tuple(sorted((self.run_digest, *self.beside)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**self.__dict__, "date": self.date.isoformat()}


@dataclass(frozen=True)
class Evidence:
    """All rows by date, and where they came from: runs or csv."""

    kind: str
    rows: tuple[Session, ...]
    problems: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[Session, ...]:
        """The rows that verify."""
        return tuple(row for row in self.rows if not row.wrong)

    @property
    def missing(self) -> tuple[Session, ...]:
        """The rows that do not."""
        return tuple(row for row in self.rows if row.wrong)

    def since(self, day: Date) -> "Evidence":
        """The rows of `day` and later."""
        return replace(self, rows=tuple(row for row in self.rows if row.date >= day))


def replayed(run: Run) -> str:
    """Replay a run from its manifest; what is wrong with its digest, or nothing."""
    if not run.digest or run.partial:
        return "the run did not end, so it has no digest"
    try:
        found = run.verify()
    except HftError as error:
        return f"the digest cannot be verified: {error}"
    return "" if found else str(found.sentence)


def from_runs(folders: Sequence[Path], verify: Verify = replayed) -> Evidence:
    """Sessions of sealed run folders, oldest first; a digest counts once.

    Raises: DataError for a path that holds no run folder.
    """
    rows: list[Session] = []
    problems: list[str] = []
    seen: set[str] = set()
    for path in run_folders(folders):
        try:
            run = Run.open(path)
            digest = run.digest
            if digest and digest in seen:
                continue
            seen.add(digest)
            wrong = verify(run)
            rows += [replace(row, wrong=wrong) for row in of_run(run)]
        except HftError as error:
            problems.append(str(error))
            continue
        if wrong:
            problems.append(f"{path.name}: {wrong}")
    return Evidence("runs", by_date(rows), tuple(problems))


def run_folders(given: Sequence[Path]) -> list[Path]:
    """The run folders named, or inside the folders named, sorted. Raises: DataError."""
    found: list[Path] = []
    for path in given:
        if (path / "manifest.json").is_file():
            found.append(path)
            continue
        inner = [item.parent for item in sorted(path.glob("*/manifest.json"))]
        if not inner:
            raise DataError(f"{path}: holds no run folder; name one that `hft replay run` made")
        found += inner
    return sorted(dict.fromkeys(found), key=lambda path: path.name)


def of_run(run: Run) -> list[Session]:
    """The sessions of one run, by UTC date; nothing is verified here."""
    net = _daily_net(run.equity)
    fills = _daily_fills(run.fills)
    decided = _daily_decisions(run, sorted({*net, *fills}))
    days = sorted({*net, *fills, *decided})
    found = []
    for day in days:
        count, slippage = fills.get(day, (0, None))
        decisions, rejects = decided.get(day, (0, 0))
        if decisions or count:
            pnl = net.get(day, 0.0)
            found.append(Session(day, count, pnl, slippage, rejects, decisions, run.digest))
    return found


def _daily_net(equity: pl.DataFrame) -> dict[Date, float]:
    """Change of the marked net from day to day, over all strategies and symbols."""
    if equity.is_empty():
        return {}
    closes = (
        equity.sort("ts")
        .with_columns(day=pl.col("ts").dt.date())
        .group_by("day", "strategy", "symbol", maintain_order=True)
        .agg(pl.col("net").last())
    )
    wide = closes.pivot(on=["strategy", "symbol"], index="day", values="net").sort("day")
    filled = wide.select("day", pl.exclude("day").forward_fill().fill_null(0.0))
    totals = filled.select("day", total=pl.sum_horizontal(pl.exclude("day")))
    changes = totals.select("day", net=pl.col("total") - pl.col("total").shift(1, fill_value=0.0))
    return {row["day"]: float(row["net"]) for row in changes.to_dicts()}


def _daily_fills(fills: pl.DataFrame) -> dict[Date, tuple[int, float | None]]:
    if fills.is_empty():
        return {}
    sign = pl.when(pl.col("side").cast(pl.String) == "BUY").then(1.0).otherwise(-1.0)
    cost = sign * (pl.col("price") - pl.col("mid")) / pl.col("mid") * 1e4
    daily = (
        fills.with_columns(day=pl.col("ts").dt.date(), cost=cost)
        .group_by("day", maintain_order=True)
        .agg(
            count=pl.len(),
            slippage=(pl.col("cost") * pl.col("lots")).sum() / pl.col("lots").sum(),
        )
    )
    return {row["day"]: (int(row["count"]), _finite(row["slippage"])) for row in daily.to_dicts()}


def _daily_decisions(run: Run, days: Sequence[Date]) -> dict[Date, tuple[int, int]]:
    """Decisions and refusals by day; where only totals were recorded, of a run of one day."""
    if run.record == "full":
        daily = (
            run.decisions.with_columns(day=pl.col("ts").dt.date())
            .group_by("day", maintain_order=True)
            .agg(count=pl.len(), refused=(pl.col("reason_code") != 0).sum())
        )
        return {row["day"]: (int(row["count"]), int(row["refused"])) for row in daily.to_dicts()}
    if len(days) > 1:
        raise DataError(
            f"{run.path}: covers {len(days)} days and was not recorded in full, so that refusals "
            "have no date; record it with record=full, or a run a day"
        )
    totals = run.totals
    if not days:
        return {}
    return {days[0]: (int(totals.get("decisions", 0)), int(totals.get("refused", 0)))}


def from_csv(path: Path, known: Callable[[Session], str]) -> Evidence:
    """Sessions of a CSV with the header of `COLUMNS`.

    `known` says what is wrong with a row's digest ("" when it verifies).
    Raises: DataError naming row and field.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise DataError(f"{path}: {reason}") from None
    rows = parse_csv(text, str(path))
    return Evidence("csv", by_date([replace(row, wrong=known(row)) for row in rows]))


def parse_csv(text: str, source: str) -> list[Session]:
    """The rows of a CSV's text, unverified. Raises: DataError naming row and field."""
    if "\0" in text:
        raise DataError(f"{source}: holds a zero byte; it is no CSV")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"{source}: is not a CSV: {error}") from None
    if not lines or [name.strip() for name in lines[0]] != list(COLUMNS):
        raise DataError(f"{source}: row 1: the header is not {','.join(COLUMNS)}")
    if len(lines) > ROWS_MAX:
        raise DataError(f"{source}: has more than {ROWS_MAX} rows; give the sessions of one canary")
    found: list[Session] = []
    seen: dict[Date, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        row = _row(line, f"{source}: row {number}")
        if row.date in seen:
            raise DataError(
                f"{source}: row {number}: date: {row.date} is already in row {seen[row.date]}; "
                "one row a session"
            )
        seen[row.date] = number
        found.append(row)
    return found


def csv_of(rows: Iterable[Session]) -> str:
    """Sessions as the CSV that `parse_csv` reads, value for value."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        given = row.to_dict()
        writer.writerow(["" if given[name] is None else given[name] for name in COLUMNS])
    return out.getvalue()


def _row(line: Sequence[str], where: str) -> Session:
    if len(line) != len(COLUMNS):
        raise DataError(f"{where}: has {len(line)} fields, not {len(COLUMNS)}")
    given = dict(zip(COLUMNS, (field.strip() for field in line), strict=True))
    fills = _count(given, "n_fills", where)
    slippage = _number(given, "slippage_bps", where, optional=fills == 0)
    decisions, rejects = _count(given, "decisions", where), _count(given, "rejects", where)
    if rejects > decisions:
        raise DataError(f"{where}: rejects: {rejects} of {decisions} decisions")
    digest = given["run_digest"].lower()
    if not DIGEST.fullmatch(digest):
        raise DataError(f"{where}: run_digest: {digest!r} is not 64 hexadecimal digits")
    pnl = _number(given, "pnl", where)
    assert pnl is not None
    return Session(_date(given, where), fills, pnl, slippage, rejects, decisions, digest)


def _date(given: Mapping[str, str], where: str) -> Date:
    text = given["date"]
    try:
        if len(text) != 10:
            raise ValueError
        return Date.fromisoformat(text)
    except ValueError:
        raise DataError(f"{where}: date: {text!r} is not a date like 2026-11-21") from None


def _count(given: Mapping[str, str], field: str, where: str) -> int:
    text = given[field]
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise DataError(f"{where}: {field}: {text!r} is not a whole number of at least 0")
    return int(text)


def _number(
    given: Mapping[str, str], field: str, where: str, optional: bool = False
) -> float | None:
    text = given[field]
    if optional and text == "":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise DataError(f"{where}: {field}: {text!r} is not a number")
    return value


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def by_date(rows: Iterable[Session]) -> tuple[Session, ...]:
    """In order of date; two runs of one day are one session when both count."""
    merged: dict[tuple[Date, str], Session] = {}
    for row in rows:
        key = (row.date, row.wrong)
        merged[key] = _together(merged[key], row) if key in merged else row
    return tuple(merged[key] for key in sorted(merged))


def _together(a: Session, b: Session) -> Session:
    fills = a.n_fills + b.n_fills
    parts = [(row.slippage_bps, row.n_fills) for row in (a, b) if row.slippage_bps is not None]
    slippage = sum(s * n for s, n in parts) / sum(n for _, n in parts) if parts else None
    return replace(
        a,
        n_fills=fills,
        pnl=a.pnl + b.pnl,
        slippage_bps=slippage,
        rejects=a.rejects + b.rejects,
        decisions=a.decisions + b.decisions,
        beside=(*a.beside, b.run_digest, *b.beside),
    )
