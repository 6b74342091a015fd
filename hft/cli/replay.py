"""`hft replay`: run a strategy over tapes, look at runs, check and compare them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer

from hft.cli import complete, context
from hft.cli.columns import FRAMES, RUNS
from hft.cli.options import Name, Other, Out, TapesIn, find, folder, pairs, replays, strategies
from hft.cli.progress import Report, bar
from hft.cli.replay_check import check
from hft.cli.table import View, tabled
from hft.core.errors import HftError

app = typer.Typer(help="Run, list, show, verify, compare and fork replays.", no_args_is_help=True)
app.command()(check)

DIFFERENT = 2
Frame = Literal[
    "fills",
    "orders",
    "decisions",
    "events",
    "equity",
    "positions",
    "series",
    "logs",
    "refusals",
    "costs",
    "daily",
    "markouts",
    "round_trips",
]

_STRATEGY = (
    "two_sided, market_making, momentum, arbitrage, or FILE.py:NAME. Several run together; "
    "NAME=STRATEGY gives one a name."
)


@app.callback()
def replay() -> None:
    """Run, list, show, verify, compare and fork replays."""


@app.command()
@replays
def run(
    tapes: Annotated[list[str], typer.Argument(help="Dataset folders, tape files or synthetic.")],
    strategy: Annotated[
        list[str],
        typer.Option("--strategy", "-s", help=_STRATEGY, autocompletion=complete.strategies),
    ],
    json: context.Json = False,
    **options: Any,
) -> None:
    """Replay tapes through the gateway with a strategy and write the run folder."""
    began_ns = time.time_ns()
    from hft.api import replays as api

    asked = options.pop("params") or {}
    chosen = strategies(strategy, asked, options["plain"])  # before a market is made
    opened = _tapes(tapes, options["seed"])
    with replaying() as progress:
        done = api.replay(opened, chosen, progress=progress, **options)
    if done.manifest.get("started_ns", began_ns) < began_ns:
        context.note(
            "this run was sealed before: same code, configuration, tape and seed (--fresh)"
        )
    context.emit(done.to_json(), lambda: repr(done))
    if done.record != "digest":
        context.note(f"for a report: hft replay show {done.path} --report")


@app.command("list")
@tabled
def list_(view: View, out: Out = None, json: context.Json = False) -> None:
    """List the runs of a folder, oldest first, with the parameters in which they differ."""
    from hft.runs.folder.listing import listing, swept

    found = listing(folder(out))
    differ, same = swept(found)
    rank = [*RUNS[:3], *differ, *RUNS[3:], "digest", "path", *same]
    view.emit(found, rank, empty=f"no runs in {folder(out)}")


@app.command()
@tabled
def show(
    view: View,
    name: Name = "last",
    frame: Annotated[
        Frame | None, typer.Option("--frame", help="A table instead of the card.")
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(help="Write the report here; without a file, into the run's folder."),
    ] = None,
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Show a run's card, or one of its tables; write its report."""
    found = find(name, out)
    if report is not None:
        context.note(f"report: {found.report(report or None)}")
    if frame is None:
        view.refuse("without --frame there is a card")
        context.emit(found.to_json(), lambda: repr(found))
        return
    view.emit(getattr(found, frame), FRAMES.get(frame, ()), empty=f"{frame}: no rows")


@app.command()
def verify(
    name: Name = "last", out: Out = None, tapes: TapesIn = None, json: context.Json = False
) -> None:
    """Replay a run again and compare digests; exit code 2 when they differ."""
    from hft.runs.verify import verify as check

    verdict = check(find(name, out), tapes=tapes)
    context.emit(verdict.to_json(), lambda: str(verdict))
    if not verdict:
        raise typer.Exit(DIFFERENT)


@app.command()
def diff(
    left: Name,
    right: Other = "last",
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Name the first step at which two runs differ; exit code 2 when they do."""
    from hft.runs.diff import diff as compare

    found = compare(find(left, out), find(right, out))
    context.emit(found.to_json(), lambda: str(found))
    if not found:
        raise typer.Exit(DIFFERENT)


@app.command()
def fork(
    name: Name,
    at: Annotated[str, typer.Option(help="Step, or time (ISO-8601): the last step before it.")],
    set_: Annotated[
        list[str], typer.Option("--set", help="A parameter from there on.", metavar="KEY=VALUE")
    ],
    out: Out = None,
    tapes: TapesIn = None,
    json: context.Json = False,
) -> None:
    """Replay a run to a step and go on from there with another parameter."""
    from hft.runs.fork import fork as fork_run
    from hft.runs.result import as_run

    found = find(name, out)
    with replaying() as progress:
        done = as_run(
            fork_run, found, at, pairs("--set", set_), out=out, tapes=tapes, progress=progress
        )
    context.emit(done.to_json(), lambda: repr(done))


@app.command()
def relimit(
    name: Name,
    limits: Annotated[str, typer.Option(help="A shipped set, a YAML file, off, or fit.")],
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Decide a run's intents again under other limits; needs its journal (record full)."""
    from hft.api.limits import limits_for
    from hft.runs.code.compilation import first_compile

    found = find(name, out)
    if said := first_compile():
        context.note(said)
    done = found.relimit(limits_for(found, limits))
    context.emit(done.to_json(), lambda: str(done))


@app.command()
def export(
    name: Name,
    file: Annotated[str, typer.Argument(help="The archive to write, such as run.tar.gz.")],
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Write a run as one archive for another machine; tapes are not in it."""
    found = find(name, out)
    written = found.export(file)
    sizes = {"path": str(written), "run_id": found.id, "bytes": written.stat().st_size}
    context.emit(sizes, f"{written}: {found.id}, {sizes['bytes']:,} bytes")


def _tapes(names: list[str], seed: int) -> Any:
    from hft.api import replays as api
    from hft.api.vault_seen import told

    opened = api.tapes(names, seed=seed)
    for note in told(opened):
        context.note(note)
    return opened


@contextmanager
def replaying() -> Iterator[Report | None]:
    """The progress of a replay; one that is stopped early tells where it is and how it goes on."""
    from hft.runs.code.compilation import first_compile
    from hft.runs.folder.writer import JournalFull

    if said := first_compile():
        context.note(said)
    try:
        with bar("replay", "events") as progress:
            yield progress
    except (KeyboardInterrupt, JournalFull) as stop:
        kept = getattr(stop, "run", None)
        if kept is not None:
            again = f"; --resume {kept.id} continues it" if kept.resumable else ""
            context.note(f"the run so far is kept in {kept.path}{again}\n{kept!r}")
        raise
    except HftError as error:
        kept = getattr(error, "run", None)
        if kept is not None:
            again = f"; --resume {kept.id} continues it" if kept.resumable else ""
            error.args = (f"{error}; the run so far is kept in {kept.path}{again}",)
        raise
