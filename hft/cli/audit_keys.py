"""`hft audit keys`: who may sign, and how that changes under a root of trust."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.context import Json
from hft.reports.figures import counted

app = typer.Typer(help="Show and change who may sign.", no_args_is_help=True)

Own = Annotated[Path | None, typer.Option("--key", help="Your private key.", metavar="P")]


@app.command()
def show(json: Json = False) -> None:
    """Show the keys that count, and on whose word."""
    from hft.api import keys as api

    found = api.show(config=context.current.config)
    context.emit(found, lambda: _shown(found))
    if found["wrong"]:
        raise typer.Exit(2)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    pub: Annotated[Path, typer.Option("--pub", help="The public key's file.", metavar="P")],
    role: Annotated[
        list[str], typer.Option("--role", help="owner, validator, risk or operator.", metavar="R")
    ],
    email: Annotated[
        list[str] | None, typer.Option("--email", help="As in git.", metavar="A")
    ] = None,
    key: Own = None,
    json: Json = False,
) -> None:
    """Ask that a person's key counts; a quorum signs it."""
    from hft.api import keys as api

    now = context.current.now
    _told(api.add(name, pub, roles=role, emails=email or (), key=key, now=now))


@app.command()
def revoke(
    who: Annotated[str, typer.Argument(help="A name, or the fingerprint of one key.")],
    key: Own = None,
    json: Json = False,
) -> None:
    """Ask that a person's keys count no more; a quorum signs it."""
    from hft.api import keys as api

    _told(api.revoke(who, key=key, now=context.current.now))


@app.command()
def sign(key: Own = None, json: Json = False) -> None:
    """Sign the change that waits, after saying what it does."""
    from hft.api import keys as api

    _told(api.sign(key=key, tell=context.note, now=context.current.now))


@app.command()
def restore(json: Json = False) -> None:
    """Write the keys file as the root and the signed changes have it."""
    from hft.api import keys as api

    path = api.restore(now=context.current.now, config=context.current.config)
    words = f"{path}: written" if path else "the keys file says what was signed"
    context.emit({"written": None if path is None else str(path)}, words)


def _told(step: Any) -> None:
    words = f"change {step.number} of the keys, signed by {', '.join(step.signers)}: "
    more = f"waits for {counted(step.lacking, 'signature')} more; `hft audit keys sign`"
    context.emit(step.to_dict(), words + ("it counts from now on" if step.applied else more))


def _shown(found: dict[str, Any]) -> str:
    lines = [
        f"{row['fingerprint']}  {row['name']}: {row['roles']}"
        + ("" if row["counts"] == "yes" else f" ({row['counts']})")
        for row in found["keys"]
    ]
    return "\n".join([*lines, found["trust"], *([found["wrong"]] if found["wrong"] else [])])
