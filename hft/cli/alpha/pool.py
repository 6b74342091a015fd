"""`hft alpha pool`: how the alphas there are belong together, and what one more adds."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from hft.cli import context
from hft.cli.alpha import output
from hft.cli.table import fitted

NOT_PASSED = 2


def register(app: typer.Typer) -> None:
    """Add the command to `hft alpha`."""
    app.command()(pool)


def pool(
    view: Annotated[
        Literal["matrix", "redundant", "optimize", "marginal"], typer.Argument(help="What to show.")
    ] = "matrix",
    base_dir: Annotated[
        str | None, typer.Option(help="Folder of experiments (research/experiments).", metavar="D")
    ] = None,
    threshold: Annotated[float, typer.Option(help="|correlation| that is redundant.")] = 0.7,
    corr_metric: Annotated[
        Literal["pearson", "spearman"], typer.Option(help="How signals are compared.")
    ] = "pearson",
    redundant: Annotated[
        bool, typer.Option("--redundant", help="Only the redundant pairs; as `pool redundant`.")
    ] = False,
    method: Annotated[
        Literal["equal_weight", "ic_weighted", "mean_variance", "ridge"],
        typer.Option(help="How weights are found."),
    ] = "equal_weight",
    ridge_alpha: Annotated[float, typer.Option(help="Penalty of ridge.")] = 0.1,
    alpha_id: Annotated[
        str | None, typer.Option(help="The candidate of marginal.", metavar="I")
    ] = None,
    min_uplift: Annotated[float, typer.Option(help="Least uplift of marginal.")] = 0.05,
    out: Annotated[
        str | None, typer.Option(help="Write the same JSON to this file.", metavar="P")
    ] = None,
    json: context.Json = False,
) -> None:
    """Correlate the newest signals of the alphas, weight them, or judge one more."""
    from hft.api.pool import asked

    chosen = _view(view, redundant, alpha_id)
    found = asked(
        output.desk(),
        chosen,
        None if base_dir is None else Path(base_dir),
        threshold=threshold,
        metric=corr_metric,
        method=method,
        ridge_alpha=ridge_alpha,
        alpha_id=alpha_id,
        min_uplift=min_uplift,
    )
    empty = "no signals yet; `hft alpha validate` keeps those of an alpha"
    if isinstance(found.result, dict) and not found.result.get("alpha_ids", True):
        output.emit(found.result, empty, out)
    else:
        output.emit(found.result, lambda: found.drawn(partial(fitted, rank=())), out)
    context.note(f"page: {found.folder / 'report.html'}")
    if found.passed is False:
        raise typer.Exit(NOT_PASSED)


def _view(view: str, redundant: bool, alpha_id: str | None) -> str:
    chosen = "redundant" if redundant and view == "matrix" else view
    if chosen == "marginal" and alpha_id is None:
        raise typer.BadParameter("marginal: name the candidate with --alpha-id")
    return chosen
