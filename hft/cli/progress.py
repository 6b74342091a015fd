"""A progress bar with a rate on stderr; none under --quiet or --json, none where no one looks."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from hft.cli import context


class Report(Protocol):
    """Told how far the work is; `count` is what the rate counts where that is not `done`."""

    def __call__(self, done: int, total: int, count: int | None = None) -> None: ...


@contextmanager
def bar(label: str, unit: str, scale: str = "M") -> Iterator[Report | None]:
    """Yield a `Report`, or None where no bar is wanted; the rate is `unit` a second.

    `scale` "M" counts the rate in millions, "" in ones.
    """
    if context.current.quiet or context.current.json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    layout = (
        TextColumn(label),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    shown = Progress(*layout, console=Console(stderr=True), transient=True)
    task = shown.add_task(label, total=None, rate="")
    began: list[float] = []

    def report(done: int, total: int, count: int | None = None) -> None:
        if not began:
            # The clock starts at the first report: what came before was set-up, and an error in it
            # is one line without a bar.
            began.append(time.monotonic())
            shown.start()
        seconds = time.monotonic() - began[0]
        counted = done if count is None else count
        by = 1e6 if scale else 1.0
        rate = f"{counted / seconds / by:.1f}{scale} {unit}/s" if seconds > 0.1 else ""
        shown.update(task, completed=done, total=total, rate=rate)

    try:
        yield report
    finally:
        shown.stop()
