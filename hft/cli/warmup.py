"""`hft warmup`: compile every kernel into the cache, so that the next command starts at once."""

import typer

from hft.cli import context

app = typer.Typer()


@app.command()
def warmup(json: context.Json = False) -> None:
    """Compile the kernels into the cache."""
    from hft import api

    seconds = api.warm_up()
    context.emit({"seconds": seconds}, f"kernels are ready ({seconds:.1f} s)")
