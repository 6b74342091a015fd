"""`hft bench`: the benchmark of a checkout, the same as `make bench`."""

import subprocess
import sys
from pathlib import Path

import typer

from hft.core.errors import ConfigError

app = typer.Typer()


@app.command()
def bench() -> None:
    """Measure hft beside its peers, parity first; writes docs/benchmarks.md."""
    if not (Path("benchmarks") / "__main__.py").is_file():
        raise ConfigError("bench: there is no benchmarks folder here; run it in a checkout of hft")
    raise typer.Exit(subprocess.run([sys.executable, "-m", "benchmarks"], check=False).returncode)
