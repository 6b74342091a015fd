"""`hft data`: ingest recorded markets, look at tapes, check them; parse, call, render."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from hft.cli import context
from hft.cli.columns import CALENDAR, FINDINGS, FORMATS, TAPES
from hft.cli.progress import bar
from hft.cli.table import View, fitted, tabled

app = typer.Typer(help="Ingest, show and verify recorded markets.", no_args_is_help=True)

TapePaths = Annotated[list[str], typer.Argument(help="Dataset folders, tape files or synthetic.")]
SEVERAL = re.compile(r", *(?=[a-z_]\w*=)")  # between field=column and the next field

Out = Annotated[Path, typer.Option("--out", help="Folder for the tapes.")]


@app.callback()
def data() -> None:
    """Ingest, show and verify recorded markets."""


@app.command()
def ingest(
    paths: Annotated[list[str], typer.Argument(help="Files, folders or globs.")],
    format: Annotated[str | None, typer.Option(help="Format, or a plug-in file (sniffed)")] = None,
    out: Out = Path("tapes"),
    columns: Annotated[
        list[str] | None,
        typer.Option(help="Your own columns: ts=Time,bid=Bid.", metavar="FIELD=COLUMN"),
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol of the instrument.")] = None,
    tick: Annotated[str | None, typer.Option(help="Smallest price step.")] = None,
    lot: Annotated[str | None, typer.Option(help="Smallest quantity step.")] = None,
    clock_fix: Annotated[
        bool, typer.Option("--clock-fix", help="Shift receive times before exchange times.")
    ] = False,
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of times that name none.")
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="One tape of quotes and trades in several files.")
    ] = False,
    book_from_deltas: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="No snapshot: whole after N levels a side."),
    ] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove a tape of the same rows under another symbol.")
    ] = False,
    waive: Annotated[list[str] | None, typer.Option(help="Accept this finding.")] = None,
    json: context.Json = False,
) -> None:
    """Read vendor files or your own columns and write sealed tapes."""
    from hft.runs.code.compilation import first_decode
    from hft.runs.ingest import ingest as run

    if said := first_decode():
        context.note(said)
    with bar("ingest", "rows") as progress:
        tapes = run(
            paths,
            out,
            columns=_pairs(columns or []),
            format=format,
            symbol=symbol,
            tick=tick,
            lot=lot,
            waive=waive or (),
            clock_fix=clock_fix,
            tz=tz,
            merge=merge,
            book_from_deltas=book_from_deltas,
            replace=replace,
            instruments=_instruments(),
            progress=progress,
        )
    text = f"{tapes.rows:,} rows in {out}{_read_as(tapes)}"
    context.emit(tapes.to_json(), lambda: f"{_card(tapes)}\n\n{text}")
    for sentence in tapes.notes:
        context.note(sentence)


@app.command()
@tabled
def show(tapes: TapePaths, view: View, json: context.Json = False) -> None:
    """Show symbols, days, rows, typical spread and gap, findings."""
    opened = _open(tapes)
    listed, found = _tapes(opened), _findings(opened, view)
    view.emit(listed, TAPES, data=opened.to_json(), empty="no tapes", after=found)


@app.command()
def verify(tapes: TapePaths, json: context.Json = False) -> None:
    """Read every byte and compare with the seals."""
    opened = _open(tapes)
    opened.verify()
    rows = [{"file": name, "sha256": sha256} for name, sha256 in opened.sha256.items()]
    lines = [f"{row['sha256'][:16]}  {row['file']}" for row in rows]
    context.emit(rows, "\n".join([*lines, f"{opened.rows:,} rows are as sealed"]))


@app.command()
@tabled
def formats(view: View, json: context.Json = False) -> None:
    """List the formats that can be read."""
    import polars as pl

    from hft.feeds.registry import formats as known

    rows = known()
    view.emit(pl.DataFrame(rows, FORMATS, orient="row"), FORMATS, data=dict(rows), rows=None)


@app.command()
@tabled
def instruments(view: View, json: context.Json = False) -> None:
    """List the known instruments with their grids."""
    import polars as pl

    known = sorted(_instruments().items())
    names = ("name", "tick", "lot", "multiplier", "currency", "kind")
    rows = [
        (key, str(one.tick), str(one.lot), str(one.multiplier), one.currency, one.kind)
        for key, one in known
    ]
    frame = pl.DataFrame(rows, names, orient="row")
    view.emit(frame, data={key: one.to_dict() for key, one in known})


@app.command()
def synth(
    out: Out = Path("tapes/synthetic"),
    events: Annotated[int, typer.Option(help="Order messages.", min=1)] = 2_000_000,
    seed: Annotated[int, typer.Option(help="Seed of the market.", min=0)] = 0,
    kind: Annotated[
        Literal["l2", "l3", "bars"],
        typer.Option(help="Price levels, or order by order; with --alpha bars or l2."),
    ] = "l2",
    alpha: Annotated[
        float | None,
        typer.Option(metavar="SNR", help="Sessions whose order flow leads returns by SNR."),
    ] = None,
    days: Annotated[int, typer.Option(help="Sessions, with --alpha.", min=1)] = 1008,
    start: Annotated[
        str, typer.Option(metavar="DATE", help="First session, with --alpha.")
    ] = "2021-01-04",
    json: context.Json = False,
) -> None:
    """Make a synthetic market day with a true matching engine behind it, or years of bars."""
    if alpha is not None:
        from hft.research.data.planted_market import make

        made = make(out, alpha, kind=kind, days=days, seed=seed, start=start)
        text = f"{made['rows']:,} rows of {days} sessions in {made['path']}, planted: {alpha}"
        context.emit(made, text)
        return
    from hft.runs.ingest import synthetic

    tapes = synthetic(seed=seed, out=out, events=events, kind=kind)
    context.emit(tapes.to_json(), lambda: f"{tapes!r}\n\n{tapes.rows:,} rows in {out}")


@app.command()
def features(
    tapes: Annotated[list[str], typer.Argument(help="Tapes, or files of bars, or globs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the features.")] = Path("features"),
    clock: Annotated[
        str, typer.Option(help='Of tapes: 1s, book, "1000 trades", "5 BTC", "1e6 USD".')
    ] = "1s",
    horizons: Annotated[str, typer.Option(help="Of the forward returns.")] = "1s,5s,30s",
    split: Annotated[
        str | None, typer.Option(help="Explore, validate, vault, percent of the sessions.")
    ] = None,
    columns: Annotated[str, typer.Option(help="Names, or all.")] = "all",
    json: context.Json = False,
) -> None:
    """Make research data: features, forward returns, and splits that stay."""
    from hft.api.research import make_features

    given = split if split is not None else context.settings().alpha_split
    made = make_features(tapes, out, clock=clock, horizons=horizons, split=given, columns=columns)
    context.emit(made.to_dict(), lambda: made.text())


@app.command()
def declare(
    paths: Annotated[list[str], typer.Argument(metavar="PATHS...", help="Tapes, or data.")],
    says: Annotated[
        Literal["recorded", "live", "synthetic"], typer.Option("--as", help="What they are.")
    ],
    source: Annotated[str, typer.Option(help="Who recorded it, from which feed.", metavar="TEXT")],
    key: Annotated[
        Path | None, typer.Option(help="Private key that signs it.", metavar="FILE")
    ] = None,
    json: context.Json = False,
) -> None:
    """Say in this workspace what tapes or data are; promote asks for it where no header says so."""
    from hft.api.provenance import say

    made = say(paths, says, source=source, key=key, now=context.current.now)
    count = len(made["contents"])
    by = f"signed by {made['signed_by']}" if made["signed_by"] else "not signed"
    context.emit(made, f"{count} declared as {says}, {by}: {made['path']}")


@app.command()
@tabled
def report(
    view: View,
    tapes: Annotated[list[str], typer.Argument(help="Tapes, or files of bars, or globs.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="P", help="Also as JSON.")] = None,
    json: context.Json = False,
) -> None:
    """Show a calendar: rows, gaps, crossed quotes and spread of each day."""
    import polars as pl

    from hft.api.research import calendar

    found = calendar(tapes)
    if out is not None:
        found.save(out)
    frame = pl.DataFrame([day.cells() for day in found.days], found.head, orient="row")
    view.emit(frame, CALENDAR, data=found.to_dict(), after="\n\n" + "\n".join(found.said))


def _open(names: list[str]) -> Any:
    from hft.runs.ingest import open_tapes

    return open_tapes(names)


def _instruments() -> Any:
    from hft.settings.instruments import read_instruments

    return read_instruments(context.settings().instruments)


def _pairs(texts: list[str]) -> dict[str, str | None] | None:
    """Field and column of each; a field with nothing behind the sign is not there.

    Several may stand in one text with commas between; a comma in a column's name is none of those.
    """
    made = [part for text in texts for part in SEVERAL.split(text)]
    if any("=" not in part for part in made):
        raise typer.BadParameter("write --columns field=column, as in --columns ts=Time")
    found: dict[str, str | None] = {}
    for field, _, column in (part.partition("=") for part in made):
        if field in found:
            raise typer.BadParameter(f"--columns: {field} is given twice; keep one")
        found[field] = column or None
    return found or None


def _card(tapes: Any) -> str:
    """The table of tapes, then the findings with their first rows."""
    return fitted(_tapes(tapes), TAPES) + _findings(tapes, View())


def _read_as(tapes: Any) -> str:
    """The layouts that were taken of tables of one's own; vendors' formats have none."""
    layouts = dict.fromkeys(tape.source["layout"] for tape in tapes if "layout" in tape.source)
    return f", read as {', '.join(layouts)}" if layouts else ""


def _tapes(tapes: Any) -> Any:
    """One row a tape; units are in the names."""
    import polars as pl

    rows = [
        {
            "symbol": tapes.key(tape),
            "day": tape.day,
            "rows": tape.rows,
            "tick": str(tape.instrument.tick),
            "spread_ticks": tape.summary["spread_ticks_median"],
            "gap_p999_s": None if (gap := tape.summary["gap_ns_p999"]) is None else gap / 1e9,
            "findings": ", ".join(f"{one.name} {one.count}" for one in tape.findings) or "none",
        }
        for tape in tapes
    ]
    kinds = {"rows": pl.Int64, "spread_ticks": pl.Float64, "gap_p999_s": pl.Float64}
    return pl.DataFrame(rows, {name: kinds.get(name, pl.String) for name in TAPES})


def _findings(tapes: Any, view: View) -> str:
    """The findings below a table of tapes; nothing when there are none."""
    import polars as pl

    found = tapes.findings
    if not found.height:
        return ""
    first = pl.concat_str(pl.col("first_row").cast(pl.String), pl.lit(" ("), "of", pl.lit(")"))
    shown = found.with_columns(first.alias("first row")).select(FINDINGS)
    table, room = fitted(shown, FINDINGS, View(wide=True)), context.width()
    if view.wide or room is None or max(map(len, table.splitlines())) <= room:
        return "\n\n" + table
    return "\n\n" + "\n".join(_finding_lines(found))


def _finding_lines(found: Any) -> Iterator[str]:
    """Findings where a terminal has no room for their table: a line each, below their tape."""
    tape = None
    for row in found.iter_rows(named=True):
        if tape != (row["symbol"], row["day"]):
            tape = (row["symbol"], row["day"])
            yield f"{row['symbol']} {row['day']}"
        waived = ", waived" if row["waived"] else ""
        note = f": {row['note']}" if row["note"] else ""
        first = f"first at {row['of']} row {row['first_row']:,}"
        yield f"  {row['finding']} {row['count']:,}{waived}, {first}{note}"
