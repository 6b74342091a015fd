"""`hft replay`: run a strategy over tapes, look at runs, check and compare them."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any

import typer

from hft.cli import context

app = typer.Typer(help="Run, list, show, verify and compare replays.", no_args_is_help=True)

DIFFERENT = 2
FRAMES = (
    "fills",
    "orders",
    "decisions",
    "events",
    "equity",
    "positions",
    "series",
    "logs",
    *("refusals", "costs", "markouts"),
)
LISTED = ("run_id", "state", "strategies", "symbols", "events", "orders", "fills", "refused", "net")

_STRATEGY = "two_sided, market_making, momentum, arbitrage, or FILE.py:NAME."
_SET = (
    "A parameter, such as half_ticks=2; may be repeated. An unknown one is refused with the list "
    "of those there are; docs/reference/shipped.md says what they mean."
)
Out = Annotated[str, typer.Option(help="Folder that run folders are in.")]
Name = Annotated[str, typer.Argument(help="Run: id, its beginning, last, last~1 or a path.")]


@app.callback()
def replay() -> None:
    """Run, list, show, verify and compare replays."""


@app.command()
def run(
    tapes: Annotated[list[str], typer.Argument(help="Dataset folders, tape files or synthetic.")],
    strategy: Annotated[str, typer.Option("--strategy", "-s", help=_STRATEGY)],
    set_: Annotated[list[str] | None, typer.Option("--set", help=_SET, metavar="KEY=VALUE")] = None,
    limits: Annotated[
        str | None, typer.Option(help="Limits: a name, a file, off, or fit to the tapes.")
    ] = None,
    venue: Annotated[str | None, typer.Option(help="Venue preset, such as binance_usdm.")] = None,
    latency: Annotated[
        str | None, typer.Option(help="5ms, or by leg: entry=5ms,cancel=3ms,response=1ms.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Queue model, such as prob_log.")] = None,
    fees: Annotated[str | None, typer.Option(help="maker_bps=0,taker_bps=2")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    start: Annotated[str | None, typer.Option(help="First wake-up not before (ISO-8601).")] = None,
    end: Annotated[str | None, typer.Option(help="No row after (ISO-8601).")] = None,
    record: Annotated[
        str | None, typer.Option(help="What is kept: digest, summary, or full (default).")
    ] = None,
    faults: Annotated[str | None, typer.Option(help="Fault plan, a YAML file.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run even if a sealed run exists.")
    ] = False,
    out: Out = "runs",
    json: context.Json = False,
) -> None:
    """Replay tapes through the gateway with a strategy and write the run folder."""
    params = _pairs("--set", set_ or []) or None
    at = _venue(venue, latency, queue, fees)
    began_ns = time.time_ns()
    from hft import api

    with _progress() as progress, _interruptible():
        done = api.replay(
            _tapes(tapes, seed),
            strategy,
            params=params,
            venue=at,
            limits=limits,
            seed=seed,
            start=start,
            end=end,
            record=record,
            faults=faults,
            fresh=fresh,
            out=out,
            progress=progress,
        )
    if done.manifest.get("started_ns", began_ns) < began_ns:
        context.note(
            "this run was sealed before: same code, configuration, tape and seed (--fresh)"
        )
    context.emit(done.to_json(), lambda: repr(done))


@app.command("list")
def list_(out: Out = "runs", json: context.Json = False) -> None:
    """List the runs of a folder, oldest first."""
    from hft.reports.render import frame_json, frame_text
    from hft.runs.listing import listing

    frame = listing(out)
    empty = f"no runs in {out}"
    context.emit(frame_json(frame), lambda: frame_text(frame, LISTED) if frame.height else empty)


@app.command()
def show(
    name: Name = "last",
    frame: Annotated[
        str | None, typer.Option("--frame", help=f"A table instead: {', '.join(FRAMES)}.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows of the table, 0 for all.", min=0)] = 20,
    report: Annotated[str | None, typer.Option(help="Write the report here.")] = None,
    out: Out = "runs",
    json: context.Json = False,
) -> None:
    """Show a run's card, or one of its tables; write its report."""
    from hft.runs.listing import load

    found = load(name, out)
    if report is not None:
        context.note(f"report: {found.report(report)}")
    if frame is None:
        context.emit(found.to_json(), lambda: repr(found))
        return
    table = _frame(found, frame)
    _emit_frame(table.head(rows) if rows else table, table.height)


@app.command()
def verify(name: Name = "last", out: Out = "runs", json: context.Json = False) -> None:
    """Replay a run again and compare digests; exit code 2 when they differ."""
    from hft.runs.listing import load
    from hft.runs.verify import verify as check

    verdict = check(load(name, out))
    context.emit(verdict.to_json(), lambda: str(verdict))
    if not verdict:
        raise typer.Exit(DIFFERENT)


@app.command()
def diff(
    left: Annotated[str, typer.Argument(help="Run: id, its beginning, last, last~1 or a path.")],
    right: Annotated[str, typer.Argument(help="The other run.")] = "last",
    out: Out = "runs",
    json: context.Json = False,
) -> None:
    """Name the first step at which two runs differ; exit code 2 when they do."""
    from hft.runs.diff import diff as compare
    from hft.runs.listing import load

    found = compare(load(left, out), load(right, out))
    context.emit(found.to_json(), lambda: str(found))
    if not found:
        raise typer.Exit(DIFFERENT)


def _tapes(names: list[str], seed: int) -> Any:
    from hft import api

    if names == ["synthetic"]:
        return api.tapes("synthetic", seed=seed)
    return api.tapes(names[0] if len(names) == 1 else names)


def _frame(found: Any, name: str) -> Any:
    if name not in FRAMES:
        raise typer.BadParameter(f"--frame: {name!r} is none of {', '.join(FRAMES)}")
    return getattr(found, name)


def _emit_frame(shown: Any, total: int) -> None:
    from hft.reports.render import frame_json, frame_text

    rest = (
        "" if shown.height == total else f"\n{shown.height:,} of {total:,} rows; --rows 0 shows all"
    )
    context.emit(frame_json(shown), lambda: frame_text(shown) + rest)


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    if any(not key or not value for key, value in pairs.items()):
        raise typer.BadParameter(f"write {option} key=value, as in {option} half_ticks=2")
    return pairs


def _venue(name: str | None, latency: str | None, queue: str | None, fees: str | None) -> Any:
    """A preset with what was given on top; None leaves the choice to the call."""
    if name is latency is queue is fees is None:
        return None
    from hft.runs.venues import Venue, named

    given: dict[str, Any] = {}
    if latency is not None:
        legs = "=" in latency
        given["latency"] = _pairs("--latency", latency.split(",")) if legs else latency
    if queue is not None:
        given["queue"] = queue
    if fees is not None:
        given["fees"] = _pairs("--fees", fees.split(","))
    return replace(named(name) if name is not None else Venue(), **given)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C says where the run so far is kept."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        kept = getattr(interrupt, "run", None)
        if kept is not None:
            context.note(f"the run so far is kept in {kept.path}\n{kept!r}")
        raise


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar over tape rows with events/s on stderr; none under --quiet, --json or into a file."""
    if context.current.quiet or context.current.json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    layout = (
        TextColumn("replay"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*layout, console=Console(stderr=True), transient=True)
    began = time.monotonic()
    task = bar.add_task("replay", total=None, rate="")

    def report(done: int, total: int) -> None:
        bar.start()  # only now: an error before the first row is one line
        rate = done / max(time.monotonic() - began, 1e-3)
        bar.update(task, completed=done, total=total, rate=f"{rate / 1e6:.1f}M events/s")

    try:
        yield report
    finally:
        bar.stop()
