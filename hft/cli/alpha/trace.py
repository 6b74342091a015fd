"""`hft alpha asof | why | inventory`: questions about the past; parse, call, render."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.alpha.canary import written

Out = Annotated[Path | None, typer.Option(metavar="P", help="Write the JSON here too.")]
Page = Annotated[
    Path | None, typer.Option(metavar="P", help="Write the JSON here too, or the page (.html).")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `hft alpha`."""
    app.command()(asof)
    app.command()(why)
    app.command()(inventory)


def asof(
    time: Annotated[str, typer.Argument(metavar="TIME", help="With zone: 2026-11-21T16:00Z.")],
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Show what was live at a time: weight, limits hash, signers."""
    from hft.api import trace as api

    found = api.asof(time, now=context.current.now)
    written(found, out, _asof(found))


def why(
    id: Annotated[str | None, typer.Argument(metavar="ID", help="The alpha.")] = None,
    alpha_id: Annotated[str | None, typer.Option(metavar="ID", help="The same as ID.")] = None,
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Show the chain from the first trial to the canary, each link with hash and page."""
    from hft.api import trace as api
    from hft.cli.alpha.validate import named

    found = api.why(named(id, alpha_id), now=context.current.now)
    written(found, out, _why(found))


def inventory(out: Page = None, json: context.Json = False) -> None:
    """List every model: tier, owner, validator, last validation, expiry, open findings."""
    from hft.api import answers as api

    found = api.inventory(now=context.current.now)
    if out is not None and out.suffix == ".html":
        context.note(f"page: {found.report(out)}")
        out = None
    written(found.to_json(), out, _inventory(found.to_json()))


def _moment(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}Z"


def _asof(found: dict[str, Any]) -> str:
    lines = [f"at {_moment(found['at_ns'])}"]
    for row in found["alphas"]:
        counts = row["reason"] or f"since {_moment(row['since_ns'])}, until {row['expiry']}"
        signed = f"owner {row['owner']}, validator {row['validator']}, state {row['signer']}"
        lines += [
            f"{row['alpha_id']:<28} {row['state']:<12} weight {row['weight']:g}  {counts}",
            f"  {row['profile']}, {signed}, limits {row['limits'][:16] or '-'}, "
            f"file {row['yaml_sha256'][:16]}",
        ]
    return "\n".join(lines if found["alphas"] else [*lines, "nothing had been promoted"])


def _why(found: dict[str, Any]) -> str:
    lines = [
        f"{_moment(link['ts_ns'])}  {link['kind']:<9} {link['words']}  [{link['hash'][:12]}]"
        + (f"  {link['page']}" if link["page"] else "")
        for link in found["links"]
    ]
    return "\n".join([found["alpha_id"], *lines])


def _inventory(found: dict[str, Any]) -> str:
    lines = []
    for row in found["models"]:
        last = _moment(row["validated_ns"]) if row["validated_ns"] else "never validated"
        gates = " ".join(f"{gate}:{verdict}" for gate, verdict in row["verdicts"].items())
        lines.append(
            f"{row['alpha_id']:<28} {row['tier'] or '-':<9} {row['stage']:<12} "
            f"weight {row['weight']:<6g} owner {row['owner'] or '-'}, "
            f"validator {row['validator'] or '-'}, {last} {gates}, until {row['expiry'] or '-'}"
        )
        lines += [f"  open: {text}" for text in row["findings"]]
    lines += [f"not usable: {text}" for text in found["errors"]]
    return "\n".join(lines or ["no models yet; `hft alpha scaffold ID` makes one"])
