"""`hft config`: the effective settings, where each came from, and the hash of the set."""

import typer

from hft.cli import context
from hft.cli.columns import SETTINGS
from hft.cli.table import View, tabled

app = typer.Typer(help="Show the effective settings.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Show the effective settings."""


@app.command()
@tabled
def show(view: View, json: context.Json = False) -> None:
    """Print every key with its value, its source and its unit."""
    import polars as pl

    data = context.settings().to_dict()
    rows = [
        (name, _text(row["value"]), str(row["source"]), str(row["unit"]))
        for name, row in data["settings"].items()
    ]
    frame = pl.DataFrame(rows, dict.fromkeys(SETTINGS, pl.String), orient="row")
    view.emit(frame, SETTINGS, data=data, after=f"\nhash {data['hash']}", rows=None)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
