"""`hft gateway`: trade on paper while a tape goes by, steer it, and prove what it did."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer

from hft.cli import complete, context
from hft.cli.options import REPLAY, Name, Out, TapesIn, find, giving, keywords, strategies
from hft.storage.interrupts import interrupt

app = typer.Typer(help="Trade on paper, and steer and prove it.", no_args_is_help=True)

DIFFERENT = 2
Home = Annotated[
    str, typer.Option("--home", help="The session's folder: its journal, where it is asked.")
]
LEFT_OUT = ("fresh", "resume", "plain", "start", "end", "faults")
PAPER = {name: option for name, option in REPLAY.items() if name not in LEFT_OUT}
Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy", "-s", help="As in `hft replay run`.", autocompletion=complete.strategies
    ),
]


@app.callback()
def gateway() -> None:
    """Trade on paper, and steer and prove it."""


@app.command()
@giving(PAPER, keywords)
def run(
    tapes: Annotated[
        list[str] | None, typer.Argument(help="Dataset folders, tape files or synthetic.")
    ] = None,
    strategy: Strategies = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="At a simulated venue; there is no other yet.")
    ] = True,
    speed: Annotated[
        float | None, typer.Option(help="Times real time; 1, of the synthetic market 20.")
    ] = None,
    dead_man: Annotated[
        str | None,
        typer.Option(help="Kill the session where nobody said `beat` for so long, such as 5s."),
    ] = None,
    home: Home = "gateway",
    json: context.Json = False,
    **options: Any,
) -> None:
    """Trade on paper while tapes go by; Ctrl-C cancels what works and ends the session.

    SIGTERM, which service managers and `timeout` send, does the same.
    Without arguments the session of the folder that has not ended goes on, at the tape's time.
    """
    from hft.api import gateway as api

    hear_the_end()
    given = {name: value for name, value in options.items() if value not in (None, {}, 0)}
    if dead_man is not None:
        given["dead_man"] = dead_man
    if tapes is None and strategy is None and speed is None and not given:
        with watched(home):
            done = api.run(home=home, tell=context.note)
    else:
        asked = given.pop("params", None) or {}
        chosen = strategies(strategy or ["market_making"], asked, False)
        with watched(home):
            done = api.run(tapes, chosen, speed=speed, home=home, tell=context.note, **given)
    context.emit(done.to_json(), lambda: f"{done.run!r}\n  session: {done.ended}")
    context.note(f"to prove it: hft gateway reconcile {done.run.path}")


def hear_the_end() -> None:
    """SIGTERM is a Ctrl-C, also where a script in the background has Ctrl-C ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))


@contextmanager
def watched(home: str) -> Iterator[None]:
    """Show the session while it runs, where somebody looks; it says itself when it has begun."""
    from hft.runs.code.compilation import first_compile

    context.note(first_compile() or "kernels: loading")
    if context.current.quiet or context.current.json or not sys.stderr.isatty():
        yield
        return
    from hft.cli.gateway_top import beside

    with beside(home):
        yield


@app.command()
def status(home: Home = "gateway", json: context.Json = False) -> None:
    """Say how a session is: is it alive, what did it decide, what waits of its recorder."""
    from hft.api.watched import Watched
    from hft.cli.gateway_top import words

    page = Watched(home, config=context.current.config).page()
    context.emit(page, lambda: words(page))


@app.command()
def top(home: Home = "gateway") -> None:
    """Watch a session: decisions a second, refusals by reason, positions, recorder and disk."""
    from hft.cli.gateway_top import watch

    watch(home)


Scope = Annotated[str | None, typer.Option(help="global, account, strategy, symbol or byte.")]
Symbol = Annotated[str | None, typer.Option(help="Of this instrument only.")]
Who = Annotated[str | None, typer.Option("--strategy", "-s", help="Of this strategy only.")]
Cause = Annotated[str, typer.Option(help="Why; it stands in the journal.")]


@app.command()
def kill(
    scope: Scope = None,
    symbol: Symbol = None,
    strategy: Who = None,
    cause: Cause = "",
    home: Home = "gateway",
    json: context.Json = False,
) -> None:
    """Refuse, cancel and close in a scope; it holds until a reset."""
    _ask(home, "kill", scope=scope, symbol=symbol, strategy=strategy, cause=cause)


@app.command()
def reset(
    scope: Scope = None,
    symbol: Symbol = None,
    strategy: Who = None,
    cause: Cause = "",
    home: Home = "gateway",
    json: context.Json = False,
) -> None:
    """Clear the trip of a scope; without a cause nothing is cleared."""
    _ask(home, "reset", scope=scope, symbol=symbol, strategy=strategy, cause=cause)


@app.command()
def check(
    side: Annotated[Literal["buy", "sell"], typer.Argument(help="Of the order.")],
    qty: Annotated[int, typer.Argument(help="Lots.", min=1)],
    price: Annotated[str | None, typer.Option(help="Its price; a market order without.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Where there are several.")] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help="Where there are several.")
    ] = None,
    home: Home = "gateway",
    json: context.Json = False,
) -> None:
    """Say whether an order would pass now, every check that it fails, and how many lots would.

    Nothing is decided. Exit code 2 where it would be refused.
    """
    from hft.api import gateway as api

    order = {"side": side, "qty": qty, "price": price, "symbol": symbol, "strategy": strategy}
    found = api.check(home, **order)
    context.emit(found, lambda: check_words(found))
    if not found["passes"]:
        raise typer.Exit(DIFFERENT)


def check_words(found: dict[str, Any]) -> str:
    """The answer as text."""

    def told(one: dict[str, Any]) -> str:
        unit = f" {one['unit']}" if one["unit"] else ""
        return f"{one['reason']}: {one['measured']:,.10g} against {one['limit']:,.10g}{unit}"

    lines = ["passes" if found["passes"] else "is refused"]
    lines += [f"  {told(one)}" for one in found["fails"]]
    most = found["most_lots"]
    lines.append("no limit on its lots" if most is None else f"headroom: {most:,} lots; one more:")
    return "\n".join([*lines, *(f"  {told(one)}" for one in found["one_more_fails"])])


@app.command()
def mode(
    value: Annotated[Literal["normal", "degrade", "halt"], typer.Argument(help="Of the operator.")],
    strategy: Who = None,
    home: Home = "gateway",
    json: context.Json = False,
) -> None:
    """Set the operator's mode, of all or of one strategy."""
    _ask(home, "mode", value=value, strategy=strategy)


@app.command()
def limits(
    file: Annotated[str, typer.Argument(help="Limits file, with FILE.sig of a key of role risk.")],
    home: Home = "gateway",
    json: context.Json = False,
) -> None:
    """Put signed limits in force between two intents; audited, and part of the replay."""
    from pathlib import Path

    _ask(home, "limits", file=str(Path(file).resolve()))


@app.command()
def stop(home: Home = "gateway", json: context.Json = False) -> None:
    """End a session as Ctrl-C does: cancel what works, wait for the answers, seal the run."""
    _ask(home, "stop")


@app.command()
def beat(home: Home = "gateway", json: context.Json = False) -> None:
    """Say that somebody is there: a session that was begun with --dead-man waits for it."""
    _ask(home, "beat")


@app.command()
def attest(json: context.Json = False) -> None:
    """Drive every control on both sides of its limit; exit code 2 where one fails."""
    from hft.api import gateway as api

    found = api.attest()
    absent = [
        {"control": name, "answers": answers, "verdict": "ABSENT", "why": why}
        for name, answers, why in api.ABSENT
    ]
    shown = [one.to_json() for one in found]
    context.emit([*shown, *absent], lambda: attested(found, absent))
    if not all(one.ok for one in found):
        raise typer.Exit(DIFFERENT)


def attested(found: list[Any], absent: list[dict[str, str]]) -> str:
    """The report as text."""
    names = [*(one.control.name for one in found), *(one["control"] for one in absent)]
    wide = max(len(name) for name in names)
    lines = [
        f"{'PASS' if one.ok else 'FAIL'}  {one.control.name:<{wide}}  {one.control.answers}\n"
        f"      {one.evidence}"
        for one in found
    ]
    lines += [
        f"NONE  {one['control']:<{wide}}  {one['answers']}\n      {one['why']}" for one in absent
    ]
    passed = sum(one.ok for one in found)
    end = f"{passed} of {len(found)} controls pass; {len(absent)} of the catalogue are not there"
    return "\n".join([*lines, end])


@app.command()
def reconcile(
    name: Name = "last", out: Out = None, tapes: TapesIn = None, json: context.Json = False
) -> None:
    """Replay a session from its inputs; exit code 2 and the first difference when it differs."""
    from hft.api import gateway as api

    verdict = api.reconcile(find(name, out), tapes=tapes)
    context.emit(verdict.to_json(), lambda: str(verdict))
    if not verdict:
        raise typer.Exit(DIFFERENT)


def _ask(home: str, kind: str, **fields: str | None) -> None:
    """Ask the session of `home` and say when it heard."""
    import numpy as np

    from hft.api import gateway as api

    entry = {"kind": kind} | {name: value for name, value in fields.items() if value}
    at_ns = api.request(home, entry)
    told = {"kind": kind, "at_ns": at_ns}
    context.emit(told, lambda: f"{kind}: heard at {np.datetime64(at_ns, 'ns')}Z of the tape")
