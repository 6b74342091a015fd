"""What commands of `hft alpha` share: the desk of this call, and results kept as a file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.complete import alphas
from hft.core.errors import DataError

THE_ALPHA = typer.Argument(metavar="ID", help="The alpha.", autocompletion=alphas)
Id = Annotated[str, THE_ALPHA]
MaybeId = Annotated[str | None, THE_ALPHA]
SameAsId = Annotated[
    str | None, typer.Option(metavar="ID", help="The same as ID.", autocompletion=alphas)
]


def desk() -> Any:
    """The workspace at or above the working folder, under the global options."""
    from hft.api.desk import open_desk

    return open_desk(now=context.current.now, config=context.current.config)


def experiments_folder(base_dir: str | None) -> Path:
    """The folder of experiments: the one given, else the workspace's. Raises: DataError."""
    if base_dir is None:
        return Path(desk().workspace.experiments)
    if not Path(base_dir).is_dir():
        raise DataError(f"--base-dir: {base_dir}: there is no such folder")
    return Path(base_dir)


def emit(data: Any, render: Callable[[], str] | str, out: str | None = None) -> None:
    """Print a result, and write the same JSON to `out` when it is given."""
    keep(data, out)
    context.emit(data, render)
    sys.stdout.flush()


def keep(data: Any, out: str | None) -> None:
    """Write a result's JSON to `out` when it is given."""
    if out is not None:
        from hft.alpha.experiments import json_text
        from hft.storage.atomic import write_atomic

        write_atomic(Path(out), json_text(data))
