"""`hft demo`: a synthetic market day through the gateway with market making."""

from typing import Annotated

import typer

from hft.cli import context

app = typer.Typer()


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Seed of the synthetic market.")] = 0,
    out: Annotated[str, typer.Option(help="Folder that run folders are made in.")] = "runs",
    json: context.Json = False,
) -> None:
    """Replay a synthetic market day through the gateway; prints the table, writes report.html."""
    from hft import api

    run = api.replay(api.tapes("synthetic", seed=seed), "market_making", seed=seed, out=out)
    report = run.report(run.path / "report.html")
    context.emit(run.to_json(), lambda: f"{run!r}\nreport: {report}")
