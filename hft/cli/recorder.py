"""`hft recorder`: what waits for the database, bring it, verify it, look into a segment."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.context import Json
from hft.cli.progress import bar
from hft.reports.figures import counted

app = typer.Typer(
    help="Bring recorded rows to the database, and verify them.", no_args_is_help=True
)

DIFFERENT = 2
WalDir = Annotated[
    Path | None, typer.Option("--wal-dir", help="Folder of the rows that wait.", metavar="P")
]
Dsn = Annotated[str | None, typer.Option(help="Database, instead of HFT_AUDIT_DSN.", metavar="D")]
Workers = Annotated[
    int | None, typer.Option(min=1, max=64, help="Threads that load, into a server.")
]
MB = 1 << 20


@app.callback()
def recorder() -> None:
    """Bring recorded rows to the database, and verify them."""


@app.command()
def status(wal_dir: WalDir = None, dsn: Dsn = None, json: Json = False) -> None:
    """Say what waits and since when, what is aside and why, and how full the disk is."""
    from hft.api import recorder as api

    found = api.status(_place(wal_dir, dsn))
    context.emit(found, lambda: _status(found))


@app.command()
def load(
    wal_dir: WalDir = None,
    dsn: Dsn = None,
    force: Annotated[
        bool, typer.Option("--force", help="End the last segment first, if nobody writes it.")
    ] = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Bring every segment that is full to the database; exit code 2 where one is damaged."""
    from hft.api import recorder as api

    place = _place(wal_dir, dsn)
    with bar("loading", "MB", "") as report:
        done = api.load(place, force=force, workers=workers, progress=_in_mb(report))
    _emit(done)


@app.command()
def drain(
    wal_dir: WalDir = None, dsn: Dsn = None, workers: Workers = None, json: Json = False
) -> None:
    """Bring everything, also the last segment; a database that is away is tried a few times."""
    from hft.api import recorder as api

    place = _place(wal_dir, dsn)
    with bar("draining", "MB", "") as report:
        done = api.drain(place, workers=workers, progress=_in_mb(report))
    _emit(done)


@app.command()
def verify(wal_dir: WalDir = None, dsn: Dsn = None, json: Json = False) -> None:
    """Compare the database with what was recorded, row by row; exit code 2 where it differs."""
    from hft.api import recorder as api

    place = _place(wal_dir, dsn)
    with bar("verifying", "segments", "") as report:
        found = api.verify(place, report)
    rows, only = sum(found.compared.values()), sum(found.counted.values())
    words = f"{counted(rows, 'row')} compared, equal" if found.ok else "\n".join(found.findings)
    words += f"\n{counted(found.more, 'finding')} more" if found.more else ""
    words += f"\n{counted(only, 'row')} counted: their segment is not in the archive" * bool(only)
    data = {"ok": found.ok, "compared": found.compared, "counted": found.counted}
    context.emit(data | {"findings": found.findings, "more": found.more}, words)
    if not found.ok:
        raise typer.Exit(DIFFERENT)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A segment, or a folder of them.")],
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Every row as a line of JSON.")] = False,
    json: Json = False,
) -> None:
    """Show the blocks of a segment; with --jsonl its rows."""
    from hft.api import recorder as api

    if jsonl:
        from hft.core.json_text import line

        for row in api.rows_in(path):
            context.stream().write(line(row) + "\n")
        context.current.emitted = True
        return
    blocks = api.inspect(path)
    context.emit(blocks, lambda: "\n".join(map(_block, blocks)))


def _place(wal_dir: Path | None, dsn: str | None) -> Any:
    from hft.api import recorder as api

    return api.place_of(wal_dir, dsn, config=context.current.config)


def _in_mb(report: Any) -> Any:
    return report and (lambda done, total: report(done, total, count=done // MB))


def _emit(done: Any) -> None:
    """What a load did; damaged segments make it exit code 2."""
    words = f"{counted(done.segments, 'segment')} loaded, {counted(done.rows, 'row')} were missing"
    if done.again:
        words += f"; {counted(done.again, 'segment')} was there already"
    if done.busy:
        words += f"; {counted(done.busy, 'segment')} held by another loader"
    if done.quarantined:
        words += f"; {counted(done.quarantined, 'segment')} damaged, now in quarantine"
        words += "; `hft recorder status` says why"
    context.emit(vars(done), words)
    if done.quarantined:
        raise typer.Exit(DIFFERENT)


def _status(found: dict[str, Any]) -> str:
    rate = "" if found["eta_s"] is None else f", about {found['eta_s']:.0f} s to load"
    lines = [
        f"waits     {counted(found['files'], 'segment')}, {found['bytes'] / MB:.1f} MB{rate}",
        f"oldest    {found['oldest_s']:.0f} s" if found["files"] else "oldest    none",
        f"open      {found['open_bytes'] / MB:.1f} MB in the segment that is written",
        f"loaded    {counted(found['loaded'], 'segment')}, {counted(found['rows'], 'row')}",
        f"archive   {counted(found['archived'], 'segment')}",
        f"disk      {found['level']}: {found['used_bytes'] / MB:.1f} MB of "
        f"{found['budget_bytes'] / MB:.0f} MB, {found['free_bytes'] / MB:.0f} MB free",
        f"database  {found['database']}",
    ]
    lines += [f"damaged   {why or name}" for name, why in found["quarantined"].items()]
    return "\n".join(lines)


def _block(one: dict[str, Any]) -> str:
    rows = ", ".join(f"{table} {first}-{last}" for table, (first, last) in one["rows"].items())
    return f"{one['segment']}  {one['record']:>6}  {one['bytes']:>9} B  {rows or 'no rows'}"
