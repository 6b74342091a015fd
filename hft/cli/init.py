"""`hft init`: a workspace in a folder; parse, call, render."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from hft.cli import context

app = typer.Typer(help="Make a workspace for alphas in a folder.", no_args_is_help=True)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the workspace.")],
    key: Annotated[
        Path | None, typer.Option(metavar="PUB", help="Your public key (made when absent).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Add what is missing.")] = False,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Its clock may be set with --now.")
    ] = False,
    json: context.Json = False,
) -> None:
    """Make folders, configuration, templates and your first key."""
    from hft.api import research

    made = research.init(folder, key=key, force=force, rehearsal=rehearsal)
    place = f"; the private key is {made['key']}, keep it" if made["key"] else ""
    then = f"cd {quote(made['root'])} && "
    text = (
        f"{made['root']}: a workspace with {len(made['files'])} files\n"
        f"{made['signer']} signs with {made['fingerprint']}{place}\n\nnext: {then}"
        "hft alpha scaffold my_alpha --from order_flow_imbalance"
    )
    context.emit(made, text)
