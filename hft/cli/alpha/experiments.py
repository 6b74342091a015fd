"""`hft alpha experiments`: what was measured, listed, side by side and by rank."""

from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.alpha import output
from hft.cli.table import View, tabled

Base = Annotated[
    str | None, typer.Option(help="Folder of experiments (research/experiments).", metavar="D")
]
Alpha = Annotated[str | None, typer.Option(help="Only runs of this alpha.", metavar="I")]
Out = Annotated[str | None, typer.Option(help="Write the same JSON to this file.", metavar="P")]

group = typer.Typer(help="List, compare and rank the runs of alphas.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group to `hft alpha`."""
    app.add_typer(group, name="experiments")


@group.command("list")
@tabled
def list_(
    view: View,
    base_dir: Base = None,
    alpha_id: Alpha = None,
    out: Out = None,
    json: context.Json = False,
) -> None:
    """List runs, newest first; folders that cannot be read are counted."""
    from hft.research.experiments import list_runs

    found = list_runs(output.experiments_folder(base_dir), alpha_id)
    _emit(view, found, ("sharpe_oos", "sharpe_is"), out)


@group.command()
@tabled
def compare(
    view: View,
    ids: Annotated[list[str], typer.Argument(help="Run ids or unique beginnings.", metavar="ID")],
    base_dir: Base = None,
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Show runs side by side, in the order given."""
    from hft.research.experiments import Listing
    from hft.research.experiments import compare as chosen

    found = Listing(chosen(output.experiments_folder(base_dir), ids))
    names = sorted({name for run in found.runs for name in run.meta["metrics"]})
    _emit(view, found, names, out)


@group.command()
@tabled
def best(
    view: View,
    metric: Annotated[str, typer.Option(help="Figure to rank by.")] = "sharpe_oos",
    top: Annotated[int, typer.Option(help="How many.", min=1)] = 10,
    base_dir: Base = None,
    alpha_id: Alpha = None,
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Rank runs by a figure, the highest first; those without it come last."""
    from hft.research.experiments import best as ranked

    found = ranked(output.experiments_folder(base_dir), metric, top, alpha_id)
    _emit(view, found, (metric,), out)


def _emit(view: View, listing: Any, metrics: Any, out: str | None) -> None:
    import polars as pl

    rows = [
        {"run": run.run_id, "alpha": run.alpha_id, "written": run.timestamp[:19]}
        | {name: run.metric(name) for name in metrics}
        | {"gates": " ".join(f"{k}:{v}" for k, v in sorted(run.meta["gate_status"].items()))}
        for run in listing.runs
    ]
    kinds: dict[str, Any] = {"run": pl.String, "alpha": pl.String, "written": pl.String}
    kinds |= dict.fromkeys(metrics, pl.Float64) | {"gates": pl.String}
    bad = listing.unreadable
    after = f"\n{len(bad)} unreadable: {', '.join(bad[:5])}" if bad else ""
    output.keep(listing.to_dict(), out)
    frame = pl.DataFrame(rows, schema=kinds)
    rank = ("run", "alpha", *metrics, "gates", "written")
    view.emit(frame, rank, data=listing.to_dict(), empty="no runs", after=after)
