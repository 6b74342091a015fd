"""`hft alpha`: from an idea to a canary; one module a topic, each registers its commands."""

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from hft.cli import context

TOPICS = (
    "research",
    "power",
    "validate",
    "search",
    "pool",
    "shadow",
    "simulator",
    "promote",
    "canary",
    "ledger",
    "trace",
    "experiments",
    "rl",
)

app = typer.Typer(
    help="Take an alpha from an idea to a canary, with evidence.", no_args_is_help=True
)


@app.callback()
def alpha(
    now: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The time of the decision, with zone; only in a rehearsal workspace.",
        ),
    ] = None,
) -> None:
    """Take an alpha from an idea to a canary, with evidence."""
    context.current.now = now


for _topic in TOPICS:
    if find_spec(f"{__name__}.{_topic}"):
        import_module(f"{__name__}.{_topic}").register(app)
