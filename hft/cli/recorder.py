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
Home = Annotated[
    str | None,
    typer.Option("--home", help="A session on paper: the folder of `hft gateway`.", metavar="P"),
]
MB = 1 << 20


@app.callback()
def recorder() -> None:
    """Bring recorded rows to the database, and verify them."""


@app.command()
def status(wal_dir: WalDir = None, dsn: Dsn = None, json: Json = False) -> None:
    """Say what waits and since when, what is aside and why, and how full the disk is."""
    from hft.api import recorder as api

    found = [api.status(place) for place in _place(wal_dir, dsn).folders()]
    context.emit({"folders": found}, lambda: "\n\n".join(map(_status, found)))


@app.command()
def load(
    wal_dir: WalDir = None,
    dsn: Dsn = None,
    force: Annotated[
        bool, typer.Option("--force", help="End the last segment first, if nobody writes it.")
    ] = False,
    home: Home = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="With --home: until the session has ended.")
    ] = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Bring every segment that is full to the database; exit code 2 where one is damaged.

    With --home the steps of its session are recorded first, as far as they are durable.
    """
    from hft.api import recorder as api

    place = _place(wal_dir, dsn)
    if follow and home is None:
        raise typer.BadParameter("--follow: goes with --home, the folder of a session")
    if home is not None:
        _record(place, home, follow)
    with bar("loading", "MB", "") as report:
        each = [
            api.load(one, force=force or home is not None, workers=workers, progress=_in_mb(report))
            for one in place.folders()
        ]
    _emit(each)


def _record(place: Any, home: str, follow: bool) -> None:
    """Put a session's steps, and what it saw, on disk."""
    from hft.api import gateway
    from hft.api import recorder_sessions as api
    from hft.api.recorder_tapes import record_market

    def degrade(why: str) -> None:
        context.note(f"{why}; the gateway is asked to degrade")
        gateway.request(home, {"kind": "mode", "value": "degrade"})

    session = api.session_of(home)
    there = place.of_session(session.name)
    steps = api.record(there, session, follow=follow, degrade=degrade)
    rows = record_market(place, session)
    context.note(f"session {session.name}: {counted(steps, 'step')}, {counted(rows, 'row')} seen")


@app.command()
def drain(
    wal_dir: WalDir = None,
    dsn: Dsn = None,
    after_close: Annotated[
        list[str] | None,
        typer.Option(help="Stay, and drain a while after this time, with zone.", metavar="T"),
    ] = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Bring everything, also the last segment; a database that is away is tried a few times.

    With --after-close it stays until `flush_after_close_s` after each of those times; exit code 2
    where one was given up.
    """
    from hft.api import recorder as api

    if after_close:
        left = api.flush_after(_place(wal_dir, dsn), after_close, tell=context.note)
        words = "everything is there" if not left else f"{counted(len(left), 'close')} given up"
        context.emit({"given_up": left}, words)
        if left:
            raise typer.Exit(DIFFERENT)
        return
    with bar("draining", "MB", "") as report:
        each = [
            api.drain(one, workers=workers, progress=_in_mb(report))
            for one in _place(wal_dir, dsn).folders()
        ]
    _emit(each)


@app.command()
def verify(wal_dir: WalDir = None, dsn: Dsn = None, home: Home = None, json: Json = False) -> None:
    """Compare the database with what was recorded, row by row; exit code 2 where it differs.

    With --home with the journal of its session: each step its row, and no row besides.
    """
    from hft.api import recorder as api
    from hft.api import recorder_sessions as sessions

    place = _place(wal_dir, dsn)
    if home is not None:
        session = sessions.session_of(home)
        each = [sessions.verify_session(place.of_session(session.name), session)]
    else:
        with bar("verifying", "segments", "") as report:
            each = [api.verify(one, report) for one in place.folders()]
    rows = sum(sum(one.compared.values()) for one in each)
    only = sum(sum(one.counted.values()) for one in each)
    findings = [sentence for one in each for sentence in one.findings]
    more = sum(one.more for one in each)
    words = f"{counted(rows, 'row')} compared" + (", equal" if not findings else "")
    words = "\n".join([*findings, words])
    words += f"\n{counted(more, 'finding')} more" if more else ""
    words += f"\n{counted(only, 'row')} counted: their segment is not in the archive" * bool(only)
    data = {"ok": not findings, "compared": rows, "counted": only}
    context.emit(data | {"findings": findings, "more": more}, words)
    if findings:
        raise typer.Exit(DIFFERENT)


@app.command()
def tape(
    day: Annotated[str | None, typer.Argument(help="The day, as 2024-01-02.")] = None,
    home: Annotated[
        str, typer.Option("--home", help="The folder of `hft gateway`.", metavar="P")
    ] = "gateway",
    out: Annotated[Path, typer.Option("--out", help="Folder for the tapes.", metavar="P")] = Path(
        "data/recorded"
    ),
    wal_dir: WalDir = None,
    json: Json = False,
) -> None:
    """Seal what a session saw as tapes, and replay it on them; exit code 2 where fills differ."""
    from hft.api.recorder_sessions import session_of
    from hft.api.recorder_tapes import make_tape, record_market

    place, session = _place(wal_dir, None), session_of(home)
    record_market(place, session)
    made = make_tape(place, session, out, day)
    same = "equal" if made.equal else "other ones"
    words = f"{counted(made.rows, 'row')} sealed in {out}; replayed: {same}, {made.fills} fills"
    data = {"out": str(out), "rows": made.rows, "fills": made.fills, "equal": made.equal}
    context.emit(data | {"tapes": made.tapes.to_json()}, words)
    if not made.equal:
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


def _emit(each: list[Any]) -> None:
    """What loads did; damaged segments make it exit code 2."""
    done = each[0]
    for other in each[1:]:
        done.add(other)
    words = f"{counted(done.segments, 'segment')} loaded, {counted(done.rows, 'new row')}"
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
        f"folder    {found['wal']}",
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
