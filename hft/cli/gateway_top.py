"""A session in the terminal: one page, again and again."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hft.core.codes import PolicyMode, Reason
from hft.core.errors import Unavailable

EVERY_S = 0.5
REASONS = 8


def words(page: dict[str, Any]) -> str:
    """A page as lines of text."""
    return "\n".join(f"{name:<11} {text}" for name, text in rows(page))


def rows(page: dict[str, Any], rate: float | None = None) -> list[tuple[str, str]]:
    """Name and text of each line; `rate` are decisions a second of the machine."""
    state = page["ending"] or ("alive" if page.get("alive", True) else "its process is not there")
    late = f", {page['behind_ns'] / 1e9:.1f} s behind" if page["behind_ns"] > 1e9 else ""
    found = [
        ("session", f"{page['session']}: {state}, life {page['life']}, process {page['pid']}"),
        ("tape", f"{np.datetime64(page['tape_ns'], 'ns')}Z at {page['speed']:g}x{late}"),
        ("mode", f"{PolicyMode(page['mode']).name.lower()}, {page['trips']} trips, {_leads(page)}"),
        ("decisions", f"{page['decisions']:,}" + (f", {rate:,.0f} a second" if rate else "")),
        (
            "orders",
            f"{page['orders']:,} sent, {page['working']} working, {page['held']} on the way",
        ),
        ("fills", f"{page['fills']:,}"),
    ]
    found += [("position", text) for text in _positions(page)]
    found += [("refused", text) for text in _refusals(page)]
    return found


def _leads(page: dict[str, Any]) -> str:
    return f"leads under fence {page['fence']}" if page["leader"] else "does not lead"


def _positions(page: dict[str, Any]) -> list[str]:
    names = page["strategies"]
    return [
        f"{names[one['strategy_idx']]} {page['symbols'][one['instrument_idx']]}: "
        f"{one['qty']:,} lots, {one['fills']:,} fills"
        for one in page["positions"]
        if one["fills"]
    ]


def _refusals(page: dict[str, Any]) -> list[str]:
    ok = str(Reason.OK.value)
    counts = sorted(
        ((count, code) for code, count in page["reasons"].items() if code != ok), reverse=True
    )
    return [f"{count:,} {Reason(int(code)).name}" for count, code in counts[:REASONS]] or ["none"]


def watch(home: str, over: threading.Event | None = None) -> None:
    """Show the session until it ends, `over` is set, or Ctrl-C. Raises: Unavailable."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from hft.api import gateway as api

    def table(page: dict[str, Any], rate: float | None) -> Table:
        shown = Table.grid(padding=(0, 2))
        for name, text in rows(page, rate):
            shown.add_row(name, text)
        return shown

    page, at = api.status(home), time.monotonic()
    rate: float | None = None
    with Live(table(page, None), console=Console(stderr=True), auto_refresh=False) as live:
        while not (over or threading.Event()).wait(EVERY_S):
            newer, now = api.status(home), time.monotonic()
            if newer["session"] == page["session"]:
                rate = (newer["decisions"] - page["decisions"]) / (now - at)
            page, at = newer, now
            live.update(table(page, rate), refresh=True)
            if page["ending"] or (over is None and not page["alive"]):
                return


@contextmanager
def beside(home: str) -> Iterator[None]:
    """`watch` in a thread while the block runs the session."""
    over = threading.Event()

    def show() -> None:
        while not over.wait(EVERY_S):
            try:
                watch(home, over)
            except Unavailable:
                continue
            else:
                return

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2)
        sys.stderr.flush()
