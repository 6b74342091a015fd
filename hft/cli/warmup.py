"""`hft warmup`: compile every kernel into the cache, so that the next command starts at once."""

import time

import typer

from hft.cli import context

app = typer.Typer()


@app.command()
def warmup(json: context.Json = False) -> None:
    """Compile the kernels into the cache."""
    began = time.monotonic()
    from hft.api import replays as api

    api.warm_up()
    seconds = round(time.monotonic() - began, 3)
    context.emit({"seconds": seconds}, f"kernels are ready ({seconds:.1f} s)")
