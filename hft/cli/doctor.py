"""`hft doctor`: what of this installation works, and what to do about the rest."""

from typing import Any

import typer

from hft.cli import context

app = typer.Typer()

UNWELL = 2
MARK = {"ok": "ok", "missing": "--", "bad": "!!"}


@app.command()
def doctor(json: context.Json = False) -> None:
    """Look at versions, kernels, engine, disk, workspace, keys and database; changes nothing.

    Ends with 2 where something that is there does not work.
    """
    from hft.api.doctor import BAD, examine

    context.note("hft doctor: replaying a small market twice, a few seconds")
    found = [check.to_dict() for check in examine(context.current.config)]
    context.emit(found, lambda: render(found))
    if any(row["state"] == BAD for row in found):
        raise typer.Exit(UNWELL)


def render(found: list[dict[str, Any]]) -> str:
    """One line a check, its cure below it."""
    lines = []
    for row in found:
        lines.append(f"{MARK[row['state']]}  {row['what']:<10} {row['says']}")
        if row["cure"]:
            lines.append(f"{'':14} -> {row['cure']}")
    return "\n".join(lines)
