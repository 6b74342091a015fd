"""`hft alpha power`: how likely a true alpha passes, before a trial is spent."""

from typing import Annotated

import typer

from hft.cli import context
from hft.cli.progress import bar


def register(app: typer.Typer) -> None:
    """Add the command to `hft alpha`."""
    app.command()(power)


def power(
    sharpe: Annotated[str, typer.Option(help="True annual net Sharpe ratios.")] = "1,2,3",
    days: Annotated[str, typer.Option(help="Sessions of the validate split.")] = "1008",
    taker_bps: Annotated[float, typer.Option(help="Fee for taking.")] = 0.2,
    trials: Annotated[
        int, typer.Option(help="Trials on this data once this one ran, itself included.")
    ] = 1,
    family: Annotated[
        str | None, typer.Option(metavar="NAME", help="The ledger's trials of this family, too.")
    ] = None,
    lives: Annotated[int, typer.Option(help="Drawn for each; 50 tell 10 % apart.")] = 50,
    profile: Annotated[str | None, typer.Option(metavar="P", help="Name or file.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 1,
    json: context.Json = False,
) -> None:
    """Tell how likely a true alpha passes gates A to C; no trial is counted, nothing recorded."""
    from hft.api import power as api

    with bar("judged", "lives", "") as report:
        found = api.power(
            family,
            sharpe=_numbers(sharpe, "--sharpe"),
            days=[int(one) for one in _numbers(days, "--days")],
            taker_bps=taker_bps,
            trials=trials,
            lives=lives,
            profile=profile,
            seed=seed,
            tell=None if report is None else (lambda done, total: report(done, total)),
            config=context.current.config,
        )
    context.emit(found.to_dict(), found.text)


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(one) for one in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{option} {text!r}: write numbers such as 1,2,3") from None
