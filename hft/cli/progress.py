"""A progress bar with a rate on stderr; none under --quiet or --json, none where no one looks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hft.cli import context

Report = Callable[[int, int], None]


@contextmanager
def bar(label: str, unit: str) -> Iterator[Report | None]:
    """Yield `report(done, total)`, or None where no bar is wanted; the rate is `unit` a second."""
    if context.current.quiet or context.current.json:
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
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(*layout, console=console, transient=True) as shown:
        task = shown.add_task(label, total=None, rate="")
        began: list[float] = []

        def report(done: int, total: int) -> None:
            # The clock starts at the first report: what came before was set-up, not events.
            if not began:
                began.append(time.monotonic())
            seconds = time.monotonic() - began[0]
            rate = f"{done / seconds / 1e6:.1f}M {unit}/s" if seconds > 0.1 else ""
            shown.update(task, completed=done, total=total, rate=rate)

        yield report
