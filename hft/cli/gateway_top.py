"""A session in the terminal: one page, again and again."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

import numpy as np

from hft.cli import context
from hft.core.errors import Unavailable
from hft.reports.figures import counted, waited

EVERY_S = 0.5
REASONS = 6
NAMED, BAR = 10, 10
SENTENCE = 68  # what a line of 80 has room for
MB = 1 << 20


def words(page: dict[str, Any]) -> str:
    """A page as lines of text."""
    return "\n".join(f"{name:<{NAMED}} {text}".rstrip() for name, text in rows(page))


def rows(page: dict[str, Any], rate: float | None = None) -> list[tuple[str, str]]:
    """Name and text of each line; `rate` are decisions a second of the machine."""
    state = _state(page)
    late = f", {page['behind_ns'] / 1e9:.1f} s behind" if page["behind_ns"] > 1e9 else ""
    at = np.datetime_as_string(np.datetime64(page["tape_ns"], "ns"), unit="ms")
    gone = "" if page["alive"] else " (gone)"
    leads = f"leads, fence {page['fence']}" if page["leader_active"] else "does not lead"
    found = [
        ("session", f"{page['session']}: {state}"),
        ("process", f"{page['pid']}{gone}, life {page['life']}, {leads}"),
        ("tape", f"{at}Z at {page['speed']:g}x{late}"),
        ("mode", _mode(page)),
        ("decisions", _decisions(page, rate)),
        ("orders", f"{page['dispatched']:,} sent, {page['working']} working"),
        ("queue", f"{page['queued']} on the way to the venue, {page['unknown_outcomes']} unknown"),
        ("fills", f"{page['fills']:,}"),
    ]
    found += recorder_rows(page.get("recorder"))
    if page["tripped"]:
        found += _block("tripped", [_trip(one) for one in page["tripped"]])
    found += _block("refused", [f"{n:>9,} {name}" for name, n in _most(page["refused"])])
    found += _block("exposure", [_against(one) for one in page["exposure"]])
    return found + _block("position", [_position(one) for one in page["positions"]])


def recorder_rows(found: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What waits for the database, how long the rest takes, and how full the disk is."""
    if found is None:
        return [("recorder", "nothing is recorded here")]
    if "said" in found:
        return _block("recorder", wrap(found["said"], SENTENCE))
    wrong = [
        counted(found[name], what)
        for name, what in (("quarantined", "damaged segment"), ("lost", "lost row"))
        if found[name]
    ]
    room = f"{found['used_bytes'] / MB:,.0f} MB recorded, {found['free_bytes'] / MB:,.0f} MB free"
    return [
        ("recorder", ", ".join(["at work" if found["records"] else "not at work", *wrong])),
        ("backlog", _backlog(found)),
        ("disk", f"{found['level']}: {room}"),
    ]


def _backlog(found: dict[str, Any]) -> str:
    if not found["files"]:
        return "none"
    eta_s = found["eta_s"]  # unknown before anything was loaded
    rest = "time to load unknown" if eta_s is None else f"{waited(eta_s * 1000)} to load"
    old = waited(found["oldest_s"] * 1000)
    return f"{counted(found['files'], 'segment')}, {found['bytes'] / MB:,.1f} MB, {old} old, {rest}"


def _state(page: dict[str, Any]) -> str:
    """Does it run, is it over, or did its process die?"""
    silent = "its process has shown nothing yet: it begins, or it hangs"
    if page["ending"]:
        return f"{page['ending']}; another process begins" if page["begins"] else page["ending"]
    if page["begins"]:
        return silent
    return "alive" if page["alive"] else "its process is not there, and it has not ended"


def _block(name: str, lines: list[str]) -> list[tuple[str, str]]:
    return [(name if k == 0 else "", text) for k, text in enumerate(lines or ["none"])]


def _mode(page: dict[str, Any]) -> str:
    return f"{page['policy_mode'].lower()}, limits {page['limits_hash']}"


def _trip(one: dict[str, Any]) -> str:
    held = ", held until a reset" if one["latched"] else ""
    return f"{one['of']} by {one['cause']}{held}"


def _decisions(page: dict[str, Any], rate: float | None) -> str:
    share = page["rejected"] / page["decisions"] if page["decisions"] else 0.0
    often = "" if rate is None else f", {rate:,.0f} a second"
    return f"{page['decisions']:,}{often}, {share:.1%} refused"


def _most(refused: dict[str, int]) -> list[tuple[str, int]]:
    most = list(refused.items())[:REASONS]
    rest = sum(refused.values()) - sum(count for _, count in most)
    return [*most, ("others", rest)] if rest else most


def _against(one: dict[str, Any]) -> str:
    limit = one["limit"]
    if limit is None:
        return f"{_short(one['of']):<16} {one['held']:>18,.2f} no limit"
    share = one["held"] / limit
    bar = "#" * min(BAR, round(share * BAR))
    return (
        f"{_short(one['of']):<16} {one['held']:>18,.2f} {bar:.<{BAR}} {share:.0%} of {limit:,.0f}"
    )


def _position(one: dict[str, Any]) -> str:
    who = _short(one["strategy"], 16)
    return (
        f"{who:<16} {one['symbol'][:12]:<12} {one['qty']:,} of {one['limit']:,} lots, "
        f"{one['fills']:,} fills, {one['pnl']:,.2f}"
    )


def _short(name: str, most: int = 16) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def watch(home: str, over: threading.Event | None = None) -> None:
    """Show the session until it ends, `over` is set, or Ctrl-C. Raises: Unavailable."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from hft.api.watched import Watched

    def table(page: dict[str, Any], rate: float | None) -> Table:
        shown = Table.grid(padding=(0, 1))
        shown.add_column(width=NAMED, no_wrap=True)
        shown.add_column(no_wrap=True, overflow="ellipsis")
        for name, text in rows(page, rate):
            shown.add_row(name, text)
        return shown

    watched = Watched(home, config=context.current.config)
    page, at = watched.page(), time.monotonic()
    rate: float | None = None
    with Live(table(page, None), console=Console(stderr=True), auto_refresh=False) as live:
        is_over = False
        while not is_over:
            is_over = (over or threading.Event()).wait(EVERY_S)
            newer, now = watched.page(), time.monotonic()
            if newer["session"] == page["session"]:
                rate = (newer["decisions"] - page["decisions"]) / (now - at)
            page, at = newer, now
            live.update(table(page, None if is_over else rate), refresh=True)
            if not page["begins"]:
                is_over = is_over or bool(page["ending"]) or (over is None and not page["alive"])


@contextmanager
def beside(home: str) -> Iterator[None]:
    """`watch` in a thread while the block runs the session, once it shows itself."""
    from hft.api import gateway as api

    over, since_ns = threading.Event(), time.time_ns()

    def show() -> None:
        while not over.wait(EVERY_S):
            try:
                if api.status(home)["wall_ns"] < since_ns:
                    continue  # of the life before
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
