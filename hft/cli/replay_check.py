"""`hft replay check`: the replays of a file beside what they are blessed with."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.options import Out
from hft.cli.progress import bar

WIDTH_MIN, WIDTH_PIPE = 60, 100
COLOURS = {"same": "green", "blessed": "cyan", "differs": "red", "not blessed": "yellow"}


def check(
    file: Annotated[str, typer.Argument(help="The file that names the replays.")] = "replays.yaml",
    keyword: Annotated[
        str | None, typer.Option("-k", help="The replay of this name, or all that have it.")
    ] = None,
    bless: Annotated[
        bool, typer.Option("--bless", help="Write what they give now as what is expected.")
    ] = False,
    tapes: Annotated[
        str | None, typer.Option(help="Folder that the paths of tapes start at, not the file's.")
    ] = None,
    out: Out = None,
    pages: Annotated[
        str | None,
        typer.Option(help="Folder of the pages of replays that differ (regression/ in --out)."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", help="Replays that run at a time.", min=1, max=256)
    ] = 1,
    junit: Annotated[
        str | None, typer.Option(help="Write the outcomes here as JUnit XML.", metavar="FILE")
    ] = None,
    json: context.Json = False,
) -> None:
    """Run the replays of a file and compare them with what is blessed; exit code 2 if one moved."""
    from hft.api.regression import check as run_checks

    how: dict[str, Any] = {"bless": bless, "jobs": jobs, "progress": _progress}
    found = run_checks(file, keyword, tapes=tapes, out=out, pages=pages, **how)
    for note in found.notes:
        context.note(note)
    context.emit(found.to_json(), lambda: render(found))
    if junit is not None:
        from hft.runs.regression.junit import junit as as_junit
        from hft.storage.atomic import write_atomic

        write_atomic(Path(junit), as_junit(file, found.outcomes))
    if found.exit_code:
        raise typer.Exit(found.exit_code)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None] | None]:
    """The bar of a replay that runs; before the first one what is compiled is told."""
    from hft.runs.code.compilation import first_compile

    if said := first_compile():
        context.note(said)
    with bar(name, "replays" if name == "replays" else "events") as report:
        yield report


def render(found: Any) -> str:
    """A table of all, what there is to say of each that is not as blessed, and the count."""
    told = str(found)
    return f"{table(found.outcomes)}\n{told}"


def table(outcomes: Any) -> str:
    """A row a replay, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table

    from hft.runs.regression.outcome import SAME, moved_words, told

    columns = shutil.get_terminal_size((WIDTH_PIPE, 24)).columns
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("replay", "state", "how", "digest", "moved", "figures"):
        shown.add_column(name, overflow="fold", ratio=None)
    for one in outcomes:
        digest = (
            one.now[:8] if one.now == one.was or not one.was else f"{one.was[:8]} > {one.now[:8]}"
        )
        figures = "" if one.state == SAME else ", ".join(row.name for row in told(one)[:6])
        colour = COLOURS.get(one.state, "red")
        state = f"[{colour}]{one.state}[/]"
        shown.add_row(one.name, state, one.how, digest, moved_words(one.moved), figures)
    text = StringIO()
    console = Console(
        file=text,
        width=max(columns, WIDTH_MIN),
        force_terminal=sys.stdout.isatty(),
        legacy_windows=False,
    )
    console.print(shown)
    return "\n".join(row.rstrip() for row in text.getvalue().splitlines())
