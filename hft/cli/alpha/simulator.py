"""`hft alpha simulator`: the report on how true the simulated venue is; parse, call, render."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context


def register(app: typer.Typer) -> None:
    """Add the command to `hft alpha`."""
    app.command()(simulator)


def simulator(
    venue: Annotated[str, typer.Argument(metavar="VENUE", help="A name for the report.")],
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Replays: exact queue on L3 tapes, and the model."),
    ],
    own: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Own orders at the venue, .csv or .parquet."),
    ] = None,
    says: Annotated[
        str, typer.Option("--as", metavar="WORD", help="What the own orders are: recorded, live.")
    ] = "recorded",
    source: Annotated[str, typer.Option(metavar="TEXT", help="Whose orders, from which log.")] = "",
    key: Annotated[Path | None, typer.Option(metavar="F", help="Who answers for it.")] = None,
    json: context.Json = False,
) -> None:
    """Compare the simulated venue with L3 tapes and own orders; writes the signed report."""
    from hft.api import simulator as api

    found = api.simulator(
        venue, runs, own=own or (), says=says, source=source, key=key, now=context.current.now
    )
    context.emit(found, lambda: _text(found))


def _text(found: dict[str, Any]) -> str:
    """The figures a person asks for first; the others stand in the file."""
    queue, fills = found["queue_against_l3"], found["fills_against_live"]
    latency = found["latency_against_own"]
    lines = [
        f"{found['venue']}: the simulated venue against what is known",
        f"  queue    {_ratio(queue['fills_ratio'])} of the fills of the exact queue, "
        f"{queue['sessions']} sessions; {_percent(queue['ended_alike'])} of "
        f"{queue['orders_alike']} orders ended alike",
        f"  fills    {_ratio(fills['fills_ratio'])} of our own, {fills['sessions']} sessions; "
        f"slippage {_pair(fills['slippage_bps'])} bps",
        f"  latency  p50 {_pair(latency['ack_ms_p50'])} ms, p95 {_pair(latency['ack_ms_p95'])} ms",
        f"signed by {found['signed_by']}: {found['path']}",
    ]
    return "\n".join(lines)


def _ratio(one: dict[str, Any]) -> str:
    if one["value"] is None:
        return "-"
    known = one["low"] is not None
    return f"{one['value']:.3f}" + (f" ({one['low']:.3f} to {one['high']:.3f})" if known else "")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _pair(two: list[float | None]) -> str:
    """Own, then simulated."""
    own, simulated = ("-" if one is None else f"{one:.3g}" for one in two)
    return f"{own} own, {simulated} simulated"
