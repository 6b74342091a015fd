"""`hft metrics`: what an operator measures: on a port, once as text, as a list of what there is."""

import threading
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.context import Json
from hft.cli.options import Out, find

app = typer.Typer(help="Figures of gateway and recorder for Prometheus.", no_args_is_help=True)

PORT = 9090
Home = Annotated[
    str, typer.Option("--home", help="A gateway's folder, where its figures are.", metavar="P")
]
WalDir = Annotated[
    str | None, typer.Option("--wal-dir", help="Folder of the rows that wait.", metavar="P")
]

OfRun = Annotated[
    str | None,
    typer.Option("--run", help="A run instead: its name, its folder, or last.", metavar="RUN"),
]


@app.callback()
def metrics() -> None:
    """Figures of gateway and recorder for Prometheus."""


@app.command()
def serve(
    home: Home = "gateway",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = PORT,
    host: Annotated[str, typer.Option(help="Whose scrapes are answered.")] = "127.0.0.1",
    wal_dir: WalDir = None,
    run: OfRun = None,
    out: Out = None,
) -> None:
    """Answer scrapes at /metrics until Ctrl-C or SIGTERM; the gateway does nothing for it."""
    from hft.api import metrics as api
    from hft.cli.gateway import hear_the_end

    hear_the_end()
    shown = _shown(home, wal_dir, run, out)
    try:
        api.serve(shown, port, host, wait=threading.Event().wait, tell=context.note)
    except KeyboardInterrupt:
        context.note("metrics: ended")
    context.current.emitted = True


@app.command()
def show(
    home: Home = "gateway",
    wal_dir: WalDir = None,
    run: OfRun = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Write the figures once, as Prometheus reads them."""
    from hft.metrics.exporter import samples

    text = _shown(home, wal_dir, run, out).text()
    context.emit(samples(text), text.rstrip("\n"))


@app.command(name="list")
def list_(json: Json = False) -> None:
    """Every metric there is: kind, unit, labels, whose it is, and what it says."""
    from dataclasses import asdict

    from hft.api import metrics as api
    from hft.metrics.catalogue import as_markdown

    context.emit([asdict(one) for one in api.catalogue()], as_markdown)


def _shown(home: str, wal_dir: str | None, run: str | None, out: str | None) -> Any:
    """What is read: a home, or with `run` a run's folder."""
    from hft.api import metrics as api

    if run is not None:
        return api.RunFigures(find(run, out))
    return api.Watch(home, wal_dir=wal_dir, config=context.current.config, tell=context.note)
