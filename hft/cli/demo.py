"""`hft demo`: a synthetic market day through the gateway with market making."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from hft.cli import context
from hft.cli.options import Out
from hft.cli.replay import replaying

app = typer.Typer()


NEXT = """
next{first}:
  hft replay show last --frame fills     # a table of this run; report.html opens in a browser
  hft replay fork last --at 5000 --set half_ticks=3
  hft docs strategies                    # write a strategy of your own"""


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Seed of the synthetic market.", min=0)] = 0,
    out: Out = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run even if a sealed run exists.")
    ] = False,
    json: context.Json = False,
) -> None:
    """Replay a synthetic market day through the gateway; prints the table, writes report.html."""
    began = time.monotonic()
    from hft.api import replays as api
    from hft.runs.code.compilation import first_compile

    context.note(first_compile() or "kernels: loading")
    api.warm_up()
    context.note(f"kernels: ready after {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    tapes = api.tapes("synthetic", seed=seed)
    context.note(f"market:  {tapes.rows:,} events, seed {seed}, {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    with replaying() as progress:
        run = api.replay(tapes, "market_making", seed=seed, fresh=fresh, out=out, progress=progress)
    context.note(_done(run.manifest, tapes.rows, began))
    report = run.report(run.path / "report.html")
    context.emit(run.to_json(), lambda: f"{run!r}\n  report: {report}")
    context.note(NEXT.format(first=_before()))


def _before() -> str:
    """What the shell needs before it knows the command."""
    if shutil.which("hft"):
        return ""
    return f", after `source {os.path.relpath(Path(sys.prefix) / 'bin' / 'activate')}`"


def _done(manifest: dict[str, object], rows: int, began_s: float) -> str:
    """How long the replay took, or that the sealed run of the same inputs was opened."""
    wall_s, here_s = float(str(manifest.get("wall_s", 0))), time.monotonic() - began_s
    if wall_s > here_s:
        return "replay:  opened the sealed run of these inputs; --fresh runs it again"
    return f"replay:  {wall_s:.1f} s, {rows / max(wall_s, 1e-3) / 1e6:.1f}M events/s"
