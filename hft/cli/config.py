"""`hft config`: the effective settings, where each came from, and the hash of the set."""

import typer

from hft.cli import context

app = typer.Typer(help="Show the effective settings.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Show the effective settings."""


@app.command()
def show(json: context.Json = False) -> None:
    """Print every key with its value, its source and its unit."""
    data = context.settings().to_dict()
    context.emit(data, lambda: render(data))


def render(data: dict[str, dict[str, dict[str, object]]]) -> str:
    """Aligned text of the settings, one key a line."""
    rows = [
        (name, _text(row["value"]), str(row["source"]), str(row["unit"]))
        for name, row in data["settings"].items()
    ]
    head = ("key", "value", "from", "unit")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in [head, *rows]
    ]
    return "\n".join([line.rstrip() for line in lines] + [f"hash {data['hash']}"])


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
