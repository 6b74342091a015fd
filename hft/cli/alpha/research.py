"""`hft alpha list | scaffold | try`: alphas before they count; parse, call, render."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.alpha.output import Id, desk, typed
from hft.cli.columns import ALPHAS
from hft.cli.table import View, tabled

# What it is tried on where one has no data yet: enough sessions for the profile standard.
PLANTED = "--alpha 0.05 --kind bars --days 300"


def register(app: typer.Typer) -> None:
    """Add the commands to `hft alpha`."""
    app.command("list")(list_)
    app.command()(scaffold)
    app.command("try")(try_)


@tabled
def list_(view: View, json: context.Json = False) -> None:
    """List the alphas of the workspace, and what cannot be loaded."""
    import polars as pl

    from hft.api import research as alpha

    found = alpha.list_(now=context.current.now)
    rows = [
        [one[name] for name in ("alpha_id", "status", "family", "horizon")]
        + [", ".join(one["data_fields"])]
        for one in found["alphas"]
    ]
    frame = pl.DataFrame(rows, dict.fromkeys(ALPHAS, pl.String), orient="row")
    empty = (
        "no alphas in this workspace yet; `hft alpha scaffold ID --from EXAMPLE` copies one of "
        f"{', '.join(found['examples'])}"
    )
    after = "".join(f"\nnot usable: {error}" for error in found["errors"])
    view.emit(frame, ALPHAS, data=found, empty=empty, after=after)


def scaffold(
    id: Annotated[str, typer.Argument(metavar="ID", help="Name of the new alpha.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="EXAMPLE", help="Copy this alpha.")
    ] = None,
    hypothesis: Annotated[str | None, typer.Option(help="Why it should work.")] = None,
    horizon: Annotated[
        str | None, typer.Option(metavar="D", help="What it predicts over: 5s, 1min, 1d.")
    ] = None,
    paper: Annotated[list[str] | None, typer.Option(metavar="REF", help="A reference.")] = None,
    complexity: Annotated[str | None, typer.Option(help="Of one update: O1 or ON.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write its files anew.")] = False,
    json: context.Json = False,
) -> None:
    """Write a new alpha: manifest, code, README, tests."""
    from hft.api import research as alpha

    if not desk().found:
        context.note("no workspace is here or above; `hft init . --force` makes this folder one")
    made = alpha.scaffold(
        id,
        source=source,
        hypothesis=hypothesis,
        horizon=horizon,
        papers=paper or (),
        complexity=complexity,
        force=force,
        now=context.current.now,
    )
    context.emit(made, lambda: _scaffolded(made))


def try_(
    id: Id,
    data: Annotated[
        list[str] | None, typer.Option("--data", metavar="P", help="Files, folders or globs.")
    ] = None,
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw in the text.")] = True,
    json: context.Json = False,
) -> None:
    """Look at an alpha on the explore split: IC by horizon, decay, turnover; not a trial."""
    from hft.api import research as alpha

    found = alpha.try_(id, data or (), now=context.current.now)
    context.emit(found.to_dict(), lambda: found.text(plots))


def _scaffolded(made: dict[str, Any]) -> str:
    name = made["alpha_id"]
    files = "\n".join(f"  {file}" for file in made["files"])
    folder = Path(made["folder"])
    data = folder.parents[2] / "data" / "planted"
    steps = [
        f"state the hypothesis in {typed(folder / 'README.md')}, then on your data, or on planted:",
        *(() if data.exists() else (f"  hft data synth {PLANTED} --out {typed(data)}",)),
        f"  hft alpha try {name} --data {typed(data)}",
        f"  hft alpha validate {name} --data {typed(data)}",
    ]
    return "\n".join([f"{made['folder']}\n{files}\n", f"next: {steps[0]}", *steps[1:]])
