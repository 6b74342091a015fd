"""`hft audit`: show, verify, deliver, export, pack and retire the trail of decisions."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import audit_keys, context
from hft.cli.columns import OVERRIDES, TRAIL
from hft.cli.context import Json
from hft.cli.table import View, tabled
from hft.reports.figures import counted

app = typer.Typer(help="Show, verify, deliver and pack the audit trail.", no_args_is_help=True)
app.add_typer(audit_keys.app, name="keys")

MISMATCH = 2
Dsn = Annotated[str | None, typer.Option(help="Database, instead of HFT_AUDIT_DSN.", metavar="D")]
JournalDir = Annotated[
    Path | None, typer.Option("--journal", help="Folder of the journal.", metavar="P")
]
Since = Annotated[str | None, typer.Option(help="From this time on, with zone.", metavar="T")]
Out = Annotated[Path, typer.Option("--out", help="File to write.", metavar="P")]


@app.callback()
def audit(
    now: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="The time of the call; only in a rehearsal workspace."),
    ] = None,
) -> None:
    """Show, verify, deliver and pack the audit trail."""
    context.current.now = now


@app.command()
@tabled
def show(
    view: View,
    since: Since = None,
    dsn: Dsn = None,
    journal: JournalDir = None,
    table: Annotated[str | None, typer.Option(help="One table only.", metavar="NAME")] = None,
    alpha: Annotated[str | None, typer.Option(help="One alpha only.", metavar="ID")] = None,
    json: Json = False,
) -> None:
    """Show the rows of the journal, oldest first; with --dsn those that a database has of it."""
    from hft.api import audit as api
    from hft.audit.records import TABLES
    from hft.runs.nearest import nearest

    name = (table or "").removeprefix("audit.")
    if table and name not in TABLES:
        known = f"{', '.join(sorted(TABLES))}{nearest(name, TABLES)}"
        raise typer.BadParameter(f"--table: {table!r} is none of {known}")
    rows = api.show(since, dsn=dsn, journal=journal, config=context.current.config)
    rows = [row for row in rows if not table or row["table"] == name]
    rows = [row for row in rows if not alpha or row["row"].get("alpha_id") == alpha]
    view.emit(_table(rows), TRAIL, data=rows)


@app.command()
def verify(
    dsn: Dsn = None,
    journal: JournalDir = None,
    export: Annotated[
        list[Path] | None, typer.Option(help="An export to compare with.", metavar="P")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Compare and check signatures from this time on.", metavar="T"),
    ] = None,
    json: Json = False,
) -> None:
    """Check chain, signatures, anchors, ledger, promotions and the database."""
    from hft.api import audit as api

    config = context.current.config
    found = api.verify(dsn=dsn, journal=journal, exports=export or (), since=since, config=config)
    context.emit(found.to_dict(), lambda: _verdict(found))
    if not found.ok:
        raise typer.Exit(MISMATCH)


@app.command()
def drain(dsn: Dsn = None, journal: JournalDir = None, json: Json = False) -> None:
    """Bring every row that waits to the database."""
    from hft.api import audit as api

    found = api.drain(dsn=dsn, journal=journal, config=context.current.config)
    rows = f"{counted(found.delivered, 'row')} delivered, {found.waiting} waiting"
    context.emit({"delivered": found.delivered, "waiting": found.waiting}, rows)


@app.command()
def anchor(json: Json = False) -> None:
    """Bring the journal's rows to HFT_ANCHOR_REMOTE, and try whether it takes anything back."""
    from hft.api import anchoring as api

    found = api.anchor(now=context.current.now, config=context.current.config)
    words = f"{counted(found['brought'], 'row')} brought to {found['remote']}, the newest is "
    words += f"{found['seq']}; {found['allows'] or found['unknown'] or 'it takes nothing back'}"
    context.emit(found, words)
    if found["allows"]:
        raise typer.Exit(MISMATCH)


@app.command()
def restore(json: Json = False) -> None:
    """Take the rows that the journal lacks from HFT_ANCHOR_REMOTE."""
    from hft.api import anchoring as api

    found = api.restore(now=context.current.now, config=context.current.config)
    words = f"{counted(found['restored'], 'row')} restored"
    words += f"; the journal as it was is {found['aside']}" if found["aside"] else ""
    context.emit(found, words)


@app.command("apply-schema")
def apply_schema(dsn: Dsn = None, json: Json = False) -> None:
    """Make the tables in the database, or bring them to this version."""
    from hft.api import audit as api

    found = api.apply_schema(dsn=dsn, config=context.current.config)
    words = f"{found['database']}: version {found['version']}, {found['applied']} applied now"
    context.emit(found, words)


@app.command()
def export(out: Out, since: Since = None, journal: JournalDir = None, json: Json = False) -> None:
    """Write the journal to a file, and keep its head as an anchor."""
    from hft.api import audit as api

    found = api.export(out, since, journal=journal, config=context.current.config)
    words = f"{counted(found.rows, 'row')} in {out}; "
    words += f"row {found.seq} is anchored by it: {found.hash[:16]}"
    context.emit(found.to_dict(), words)


@app.command()
def pack(
    out: Out,
    alpha: Annotated[list[str] | None, typer.Option(help="About this alpha.", metavar="ID")] = None,
    run: Annotated[list[str] | None, typer.Option(help="About this run.", metavar="RUN")] = None,
    journal: JournalDir = None,
    json: Json = False,
) -> None:
    """Make a zip of evidence that checks itself with Python alone."""
    from hft.api import audit as api

    config = context.current.config
    found = api.pack(out, alphas=alpha or (), runs=run or (), journal=journal, config=config)
    words = ", ".join(
        counted(count, thing)
        for count, thing in (
            (found.rows, "row"),
            (found.files, "file"),
            (found.signatures, "signature"),
        )
    )
    words += f" in {out}"
    lines = [words, f"sha-256 {found.sha256}", *(f"not packed: {text}" for text in found.missing)]
    context.emit(found.to_dict(), "\n".join(lines))


@app.command()
@tabled
def overrides(
    view: View,
    since: Since = None,
    out: Annotated[
        Path | None, typer.Option(metavar="P", help="Write the page here (.html), or the JSON.")
    ] = None,
    json: Json = False,
) -> None:
    """One page of every time somebody went round a rule."""
    from hft.api import audit as api

    found = api.overrides(since, config=context.current.config)
    if out is not None:
        api.overrides_report(found, out)
        context.note(f"page: {out}")
    if found.height and not context.current.json:
        context.note(_totals(found))
    view.emit(found, OVERRIDES, empty="no overrides")


@app.command()
def retire(
    before: Annotated[str, typer.Option(help="Rows before this date go.", metavar="DATE")],
    reason: Annotated[str, typer.Option(help="Why; it stays in the chain.", metavar="TEXT")],
    dsn: Dsn = None,
    journal: JournalDir = None,
    json: Json = False,
) -> None:
    """Take old rows away; their count and hash stay in the chain."""
    from hft.api import audit as api

    if not reason.strip():
        raise typer.BadParameter("--reason: is empty; say why these rows may go")
    now, config = context.current.now, context.current.config
    found = api.retire(before, reason, dsn=dsn, journal=journal, now=now, config=config)
    words = f"{counted(found.count, 'row')} retired, up to row {found.last_seq}; "
    words += f"row {found.row_seq} says so"
    context.emit(found.to_dict(), words if found.count else "no row is that old")


def _table(rows: list[dict[str, Any]]) -> Any:
    import polars as pl

    lines = [
        {
            "seq": row["seq"],
            "time": row["ts"],
            "table": row["table"],
            "about": _about(row["row"]),
            "actor": row["actor"],
            "hash": row["row_hash"][:12],
        }
        for row in rows
    ]
    kinds = {"seq": pl.Int64, "time": pl.Int64}
    frame = pl.DataFrame(lines, {name: kinds.get(name, pl.String) for name in TRAIL})
    return frame.with_columns(pl.col("time").cast(pl.Datetime("ns", "UTC")))


def _about(own: dict[str, Any]) -> str:
    """The few columns that say what a row is about."""
    names = ("alpha_id", "strategy_id", "scope", "gate", "stage", "kind", "action", "verdict")
    return " ".join(str(own[name]) for name in names if own.get(name))


def _verdict(found: Any) -> str:
    from hft.audit.cures import cure

    lines = [f"{counted(found.rows, 'row')}, {counted(found.anchors, 'anchor')}, {found.database}"]
    lines += [f"  {finding.code}: {finding.sentence}" for finding in found.findings]
    codes = dict.fromkeys(finding.code for finding in found.findings)
    lines += [f"  cure of {code}: {cure(code)}" for code in codes]
    lines += [f"  note: {text}" for text in found.notes]
    lines += [f"  trust: {text}" for text in found.extra.get("trust", ())]
    if found.unanchored:
        seq = found.unanchored["seq"]
        lines.append(f"oldest row without an anchor outside of the workspace: {seq}")
    elif found.rows:
        lines.append("every row is anchored outside of the workspace")
    bad = len(found.findings)
    if found.ok and not found.rows:
        lines.append("nothing was ever recorded here: is this the workspace?")
    else:
        lines.append(
            "the audit is what it was" if found.ok else f"{counted(bad, 'finding')}: it is not"
        )
    return "\n".join(lines)


def _totals(found: Any) -> str:
    totals = found.group_by("kind").len().sort("kind")
    return ", ".join(f"{kind}: {count}" for kind, count in totals.iter_rows())
