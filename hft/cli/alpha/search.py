"""`hft alpha search`: expressions found on data that counts; parse, call, render."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from hft.cli import context
from hft.cli.alpha import output
from hft.cli.columns import FOUND
from hft.cli.progress import bar
from hft.cli.table import fitted

Given = str | None
Mode = Annotated[
    Literal["random", "template", "genetic"], typer.Option(help="How expressions are made.")
]
Executor = Annotated[
    Literal["processes", "dask", "ray"], typer.Option(help="Where they are computed.")
]


def register(app: typer.Typer) -> None:
    """Add the command to `hft alpha`."""
    app.command()(search)


def search(
    data: Annotated[
        list[str] | None, typer.Option(metavar="P", help="Files, folders or globs.")
    ] = None,
    feature_fields: Annotated[
        str | None, typer.Option(metavar="A,B", help="Fields to use (all that are allowed).")
    ] = None,
    mode: Mode = "random",
    returns_field: Annotated[
        str | None,
        typer.Option(metavar="F", help="Return of each row, or the price; without: proxy."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Expressions of random mode.")] = 100,
    template: Annotated[
        str | None, typer.Option(metavar="T", help="Such as 'ts_delta({x}, {w})'.")
    ] = None,
    grid: Annotated[str, typer.Option(metavar="G", help="Such as 'w=5,10;x=ofi,qi'.")] = "",
    population: Annotated[int, typer.Option(min=4, help="Of one generation.")] = 40,
    generations: Annotated[int, typer.Option(min=1, help="Of genetic mode.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="The same seed finds the same.")] = 42,
    top: Annotated[int, typer.Option(min=1, help="How many are listed.")] = 10,
    workers: Annotated[int, typer.Option(min=1, help="Processes; changes no result.")] = 1,
    executor: Executor = "processes",
    address: Annotated[Given, typer.Option(metavar="A", help="Scheduler of Dask.")] = None,
    save_results: Annotated[Given, typer.Option(metavar="P", help="File of the results.")] = None,
    out: Annotated[Given, typer.Option(metavar="P", help="Write the same JSON here.")] = None,
    json: context.Json = False,
) -> None:
    """Search expressions; each one that runs is a trial, and the price is printed first."""
    from hft.api import search as api

    _check(mode, template, grid)
    if address is not None and executor != "dask":
        raise typer.BadParameter("--address is the scheduler of --executor dask")
    if not data:
        raise typer.BadParameter("name the data with --data")
    with bar("searching", "expressions") as report:
        found = api.search(
            data,
            feature_fields=[name.strip() for name in (feature_fields or "").split(",") if name],
            returns_field=returns_field,
            mode=mode,
            trials=trials,
            template=template,
            grid=grid,
            population=population,
            generations=generations,
            seed=seed,
            top=top,
            workers=workers,
            executor=executor,
            address=address,
            tell=context.note,
            progress=report,
            now=context.current.now,
        )
    if save_results is not None:
        _save(save_results, found.results)
    output.emit(found.to_json(), lambda: found.text(lambda frame: fitted(frame, FOUND)), out)
    context.note(f"page: {found.report_path}")


def _check(mode: str, template: str | None, grid: str) -> None:
    """What is wrong with the options themselves is a usage error."""
    from hft.core.errors import ConfigError
    from hft.research.search.candidates import check_holes, read_grid

    if mode == "template" and not template:
        raise typer.BadParameter("mode template needs --template, such as 'ts_delta({x}, {w})'")
    try:
        options = read_grid(grid)
        if template and mode == "template":
            check_holes(template, options)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
    if mode != "template" and (template or grid):
        raise typer.BadParameter(f"--template and --grid are of --mode template, not of {mode}")


def _save(path: str, results: list[dict[str, Any]]) -> None:
    from hft.research.experiments import json_text
    from hft.storage.atomic import write_atomic

    write_atomic(Path(path), json_text(results))
