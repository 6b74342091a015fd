"""What commands of `hft alpha` share: the desk of this call, and results kept as a file."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from textwrap import wrap
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.complete import alphas
from hft.core.errors import DataError, PromotionError

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


def live_runs(name: str) -> str:
    """The folder of a canary's sessions, as it is typed."""
    from hft.api.shadow import live_runs as folder

    return typed(folder(desk(), name) / "runs")


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
    context.stream().flush()


def keep(data: Any, out: str | Path | None) -> None:
    """Write the JSON of a result to `out` when it is given: what --json prints."""
    if out is not None:
        from hft.storage.atomic import write_atomic

        write_atomic(Path(out), context.document(data) + "\n")


@contextmanager
def meant(name: str) -> Iterator[None]:
    """What is told about an alpha that this workspace has not ends with the one probably meant."""
    try:
        yield
    except PromotionError as error:
        raise PromotionError(f"{error}{hint(name)}") from None


def hint(name: str) -> str:
    """`; did you mean 'x'?` where no alpha is called so and one nearly is."""
    from hft.runs.nearest import nearest

    known = alphas("")
    return "" if name in known else nearest(name, known)


def typed(path: str | Path) -> str:
    """A path as it is typed from the folder one is in."""
    try:
        return quote(os.path.relpath(path))
    except ValueError:  # another drive
        return quote(str(path))


def wrapped(line: str, inner: str) -> list[str]:
    """The line as lines of at most the terminal's width, of 100 where there is none."""
    room = context.width() or 100
    return wrap(
        *(line, max(room, 40)),
        subsequent_indent=inner,
        break_long_words=False,
        break_on_hyphens=False,
    )


def criteria(reasons: Sequence[str]) -> list[str]:
    """Reasons such as `C FAIL: sharpe_oos -0.2 is below 0; ...`, a line for each criterion."""
    lines = []
    for reason in reasons:
        head, colon, told = reason.partition(": ")
        gate, _, verdict = head.partition(" ")
        if not (colon and len(gate) == 1 and verdict.isupper()):
            lines.append(f"  {reason}")
            continue
        for criterion in told.split("; "):
            lines.append(f"  {gate} {verdict:<12} {criterion}")
    return lines
