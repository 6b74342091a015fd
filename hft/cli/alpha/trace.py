"""`hft alpha asof | why | inventory`: questions about the past; parse, call, render."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.alpha.canary import written
from hft.cli.alpha.output import MaybeId, SameAsId, criteria, keep, wrapped
from hft.cli.columns import INVENTORY
from hft.cli.table import View, tabled

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
    id: MaybeId = None,
    alpha_id: SameAsId = None,
    out: Out = None,
    json: context.Json = False,
) -> None:
    """Show the chain from the first trial to the canary, each link with hash and page."""
    from hft.api import trace as api
    from hft.cli.alpha.validate import named

    found = api.why(named(id, alpha_id), now=context.current.now)
    written(found, out, _why(found))


@tabled
def inventory(view: View, out: Page = None, json: context.Json = False) -> None:
    """List every model: tier, owner, validator, last validation, expiry, open_findings."""
    from hft.api import answers as api

    found = api.inventory(now=context.current.now)
    if out is not None and out.suffix == ".html":
        context.note(f"page: {found.report(out)}")
        out = None
    data = found.to_json()
    keep(data, out)
    after = "".join(f"\nnot usable: {text}" for text in data["errors"])
    empty = "no models yet; `hft alpha scaffold ID` makes one"
    view.emit(_inventory(data), INVENTORY, data=data, empty=empty, after=after)


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
    lines = [found["alpha_id"]]
    for link in found["links"]:
        told = f"{_moment(link['ts_ns'])}  {link['kind']:<9} {link['words']}"
        lines += wrapped(told, "    ")
        for line in criteria(link["reasons"]):
            lines += wrapped(f"  {line}", " " * 19)
        lines.append(f"    {link['hash'][:12]}" + (f"  {link['page']}" if link["page"] else ""))
    return "\n".join(lines)


def _inventory(found: dict[str, Any]) -> Any:
    """One row a model."""
    import polars as pl

    rows = [
        {
            "alpha": row["alpha_id"],
            "tier": row["tier"],
            "stage": row["stage"],
            "weight": row["weight"],
            "until": row["expiry"],
            "gates": " ".join(f"{gate}:{verdict}" for gate, verdict in row["verdicts"].items()),
            "open_findings": "; ".join(row["findings"]),
            "owner": row["owner"],
            "validator": row["validator"],
            "validated": _moment(row["validated_ns"]) if row["validated_ns"] else "never",
        }
        for row in found["models"]
    ]
    kinds: dict[str, Any] = dict.fromkeys(INVENTORY, pl.String) | {"weight": pl.Float64}
    return pl.DataFrame(rows, kinds)
