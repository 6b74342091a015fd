"""`hft warmup`: compile what a first command would wait for, so that it starts at once."""

import time

import typer

from hft.cli import context

app = typer.Typer()


@app.command()
def warmup(json: context.Json = False) -> None:
    """Compile into the cache what a first ingest, replay and validation would wait for."""
    began = time.monotonic()
    from hft.api.warmup import warm_up

    parts = {}
    for part, seconds in warm_up():
        parts[part] = round(seconds, 3)
        context.note(f"{part}: ready after {seconds:.1f} s")
    spent = round(time.monotonic() - began, 3)
    context.emit({"seconds": spent, "parts": parts}, f"kernels are ready ({spent:.1f} s)")
