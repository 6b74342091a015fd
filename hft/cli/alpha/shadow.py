"""`hft alpha shadow`: sealed runs over tapes, as evidence; parse, call, render."""

from pathlib import Path
from typing import Annotated

import typer

from hft.cli import context
from hft.cli.alpha.output import Id, typed
from hft.reports.figures import counted


def register(app: typer.Typer) -> None:
    """Add the command to `hft alpha`."""
    app.command()(shadow)


def shadow(
    id: Id,
    tapes: Annotated[list[str], typer.Argument(metavar="TAPES...", help="Dataset or tapes.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the sealed runs.", show_default="shadow")
    ] = None,
    clock: Annotated[str, typer.Option(help="A row each: 1s, 300s.")] = "1s",
    canary: Annotated[
        bool, typer.Option("--canary", help="With the lots of its promotion's weight.")
    ] = False,
    json: context.Json = False,
) -> None:
    """Follow the alpha through the gateway, a sealed run a day, no order leaves; not a trial."""
    from hft.api import shadow as api

    made = api.shadow(id, list(tapes), out=out, clock=clock, canary=canary, now=context.current.now)
    paths = [str(path) for path in made]
    folder = made[0].parent if made else out
    where = "" if folder is None else typed(folder)
    then = f"canary {id} --runs {where}" if canary else f"promote {id} --shadow-runs {where}"
    context.emit(paths, f"{counted(len(made), 'sealed run')} in {folder}\nnext: hft alpha {then}")
