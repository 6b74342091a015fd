"""`hft alpha ledger` and `hft alpha vault`: what was tried, and what is left to look at."""

from typing import Annotated, Any

import typer

from hft.cli import context
from hft.cli.alpha.output import meant
from hft.cli.complete import alphas

PROBLEM = 2


def register(app: typer.Typer) -> None:
    """Add the commands to `hft alpha`."""
    app.command()(ledger)
    app.command()(vault)


def ledger(
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what was recorded since.", metavar="TIME")
    ] = None,
    json: context.Json = False,
) -> None:
    """Show trials, repeats, N, effective N, hurdle and heads, and whether the ledger is whole."""
    from hft.api.desk import moment_ns
    from hft.governance.ledger.check import anchored_heads
    from hft.governance.ledger.overview import overview

    desk = _desk()
    since_ns = None if since is None else moment_ns(since, "--since")
    anchors = anchored_heads(_audit_rows(desk))
    found = overview(desk.ledger, family=family, since_ns=since_ns, anchors=anchors)
    context.emit(found.to_dict(), found.text)
    if found.problems:
        raise typer.Exit(PROBLEM)


def vault(
    id: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="The candidate; without it the budgets.", autocompletion=alphas
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it is looked at.")] = None,
    key: Annotated[str | None, typer.Option(metavar="F", help="Your private key.")] = None,
    json: context.Json = False,
) -> None:
    """Score a validated alpha on the vault split, one look of the budget; or show the budgets."""
    if id is not None:
        _look(id, reason, key)
        return
    from hft.governance.vault import budgets, table

    desk = _desk()
    found = budgets(desk.looked_rows(), desk.settings.alpha_vault_looks)
    context.emit(
        [one.to_dict() for one in found], lambda: table(found, desk.settings.alpha_vault_looks)
    )


def _look(id: str, reason: str | None, key: str | None) -> None:
    from hft.api.vault import look

    if reason is None or not reason.strip():
        raise typer.BadParameter("a look at the vault needs --reason TEXT")
    with meant(id):
        found = look(id, reason=reason, key=key, now=context.current.now)
    if found.notice:
        context.note(found.notice)
    context.emit(found.to_json(), found.text)


def _desk() -> Any:
    from hft.api.desk import open_desk

    return open_desk(now=context.current.now, config=context.current.config)


def _audit_rows(desk: Any) -> list[dict[str, Any]]:
    return list(desk.auditor.rows())
