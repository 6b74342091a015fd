"""`hft alpha promote` and `approve`: proposal and second signature; parse, call, render."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from hft.audit.keys import moment
from hft.cli import context
from hft.cli.alpha.output import MaybeId, SameAsId, criteria, keep, live_runs, meant
from hft.reports.figures import counted

REFUSED = 2
AS_THEY_ARE = (
    *("key", "scorecard", "profile", "paper_trade_dir", "owner", "canary_weight", "target_lots"),
    *("expiry_days", "config_version", "renew", "force", "reason"),
)
SIGNED = {"approve": "approved", "renew": "renewed"}
Typed = Annotated[int | None, typer.Option(help="Typed; base only.", min=0)]
Share = Annotated[float | None, typer.Option(help="A share of 1, tighter than the profile's.")]
Lots = Annotated[int, typer.Option(metavar="N", help="Lots of the whole position.", min=1)]
Weight = Annotated[
    float | None, typer.Option(metavar="W", help="Proposed start; the profile's cap binds.")
]
Guard = Annotated[float, typer.Option(help="Guardrail; above it the canary rolls back.", min=0)]


def register(app: typer.Typer) -> None:
    """Add the commands to `hft alpha`."""
    app.command()(promote)
    app.command()(freeze)
    app.command()(approve)


def promote(
    id: MaybeId = None,
    alpha_id: SameAsId = None,
    owner: Annotated[str | None, typer.Option(help="Name of the key's person.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="F", help="The owner's private key.")] = None,
    scorecard: Annotated[
        Path | None, typer.Option(metavar="P", help="A validation; the newest by default.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="standard, tier1, base, or a file.", show_default="standard")
    ] = None,
    shadow_runs: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Sealed run folders.")
    ] = None,
    paper_trade_dir: Annotated[
        Path | None, typer.Option(metavar="D", help="Paper-trade sessions.")
    ] = None,
    min_shadow_sessions: Annotated[int | None, typer.Option(help="Gate E, tighter.")] = None,
    max_execution_reject_rate: Share = None,
    min_sharpe_oos: Annotated[float | None, typer.Option(help="Gate D, tighter.")] = None,
    max_abs_drawdown: Share = None,
    max_turnover: Annotated[float | None, typer.Option(help="Gate D.")] = None,
    max_correlation: Share = None,
    canary_weight: Weight = None,
    target_lots: Lots = 100,
    expiry_days: Annotated[int | None, typer.Option(metavar="N", help="Days it counts.")] = None,
    max_live_slippage_bps: Guard = 3.0,
    max_live_drawdown_contribution: Guard = 0.02,
    max_execution_error_rate: Guard = 0.01,
    config_version: Annotated[str, typer.Option(help="Version of the file.")] = "v1",
    renew: Annotated[bool, typer.Option("--renew", help="Renew what is live.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Despite failing checks; 5 days.")] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is forced.")] = "",
    out: Annotated[Path | None, typer.Option(metavar="P", help="Write the JSON here too.")] = None,
    shadow_sessions: Typed = None,
    drift_alerts: Typed = None,
    execution_reject_rate: Annotated[
        float | None, typer.Option(help="Typed; base only.", min=0, max=1)
    ] = None,
    json: context.Json = False,
) -> None:
    """Propose an alpha: Gates D and E decided, the evidence frozen and signed by its owner."""
    given = dict(locals())
    from hft.api import promotion as api
    from hft.cli.alpha.validate import named
    from hft.governance.promotion.proposal import GUARDRAILS

    with meant(name := named(id, alpha_id)):
        done = api.promote(
            name,
            shadow_runs=shadow_runs or (),
            guardrails={one: given[one] for one in GUARDRAILS},
            tighten={one: given[one] for one in api.TIGHTEN},
            asserted={one: given[one] for one in api.TYPED},
            now=context.current.now,
            **{one: given[one] for one in AS_THEY_ARE},
        )
    finish(done, out, _proposal(done.decided))
    if not done.decided.accepted:
        raise typer.Exit(REFUSED)


def freeze(
    id: MaybeId = None,
    alpha_id: SameAsId = None,
    name: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who signs.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="F", help="The validator's key.")] = None,
    json: context.Json = False,
) -> None:
    """Sign that an alpha's code is as it is now: rows recorded later are unseen at approval."""
    from hft.api import approval as api
    from hft.cli.alpha.validate import named

    alpha = named(id, alpha_id)
    with meant(alpha):
        done = api.freeze(alpha, name=name, key=key, now=context.current.now)
    if done.notice:
        context.note(done.notice)
    at = moment(done.at_ns)
    context.emit(
        done.to_dict(),
        f"{done.alpha_id}: code {done.code_hash[:12]} frozen at {at}, signed by {done.validator}",
    )


def approve(
    id: MaybeId = None,
    alpha_id: SameAsId = None,
    memo: Annotated[
        Path | None, typer.Option(metavar="F", help="What was checked, and its limits.")
    ] = None,
    bundle: Annotated[
        str | None, typer.Option(metavar="HASH", help="The newest proposal by default.")
    ] = None,
    name: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who signs.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="F", help="The validator's key.")] = None,
    unseen: Annotated[
        list[str] | None,
        typer.Option(metavar="P", help="Rows that the author never had; may repeat."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="P", help="Write the JSON here too.")] = None,
    json: context.Json = False,
) -> None:
    """Check a proposal again and sign it as its validator; writes the promotion file."""
    from hft.api import approval as api
    from hft.cli.alpha.validate import named, stage

    if memo is None:
        raise typer.BadParameter("--memo F is needed: what the validator checked, and its limits")
    alpha = named(id, alpha_id)
    with meant(alpha):
        done = api.approve(
            alpha,
            memo=memo,
            bundle=bundle,
            name=name,
            key=key,
            unseen=tuple(unseen or ()),
            tell=stage,
            now=context.current.now,
        )
    finish(done, out, _approval(done.decided))
    if not done.decided.approved:
        raise typer.Exit(REFUSED)


def finish(done: Any, out: Path | None, words: str) -> None:
    """Print a decision, what was finished before it, and what could not be delivered."""
    data = done.to_json()
    keep(data, out)
    page = f"page: {done.page}" if getattr(done, "page", None) else ""
    for sentence in (*done.finished, done.notice, page):
        if sentence:
            context.note(sentence)
    context.emit(data, words)


def _proposal(done: Any) -> str:
    """Gate by gate, each criterion once; then what is missing; the decision comes last."""
    reasons = list(done.reasons)
    lines = [f"{done.alpha_id}: gates A to C as validated, D and E now"]
    for gate, verdict in done.before.items():
        own = [reason for reason in reasons if reason.startswith(f"{gate} ")]
        lines += criteria(own) if own else [f"  {gate} {verdict}"]
    for gate in (done.gate_d, done.gate_e):
        lines += _checks(gate)
    lines += [f"missing: {sentence}" for sentence in done.missing]
    if done.accepted:
        forced = " (forced)" if done.forced else ""
        days = counted(done.expiry_days, "day")
        needed = counted(done.unseen_sessions, "session")
        has = f", has {needed} that the author never had (DATA)" if done.unseen_sessions else ""
        unseen = " --unseen DATA" if done.unseen_sessions else ""
        lines += [
            f"proposed{forced} by {done.owner}: weight {done.weight:g}, {days}",
            f"bundle {done.bundle_sha256}",
            f"next: another person writes what was checked into memo.md{has}, and runs",
            f"  hft alpha approve {done.alpha_id} --memo memo.md{unseen} --key THEIR_KEY",
        ]
    else:
        gates = sorted({reason[0] for reason in reasons})
        lines.append(f"refused: weight 0, no file; not passed: {', '.join(gates)}")
    return "\n".join(lines)


def _checks(gate: Any) -> list[str]:
    return [
        f"  {gate.gate} {check.verdict:<12} {check.id:<24} {_shown(check.value):>9}  "
        f"{_why(check)}".rstrip()
        for check in gate.checks
        if check.applicable
    ]


def _why(check: Any) -> str:
    """The reason without the check and value that stand before it."""
    return re.sub(rf"^{re.escape(check.id)} \S+ (?=is )", "", check.reason)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _approval(done: Any) -> str:
    if not done.approved:
        lines = [f"{done.alpha_id}: not approved", *(f"  {text}" for text in done.objections)]
        return "\n".join([*lines, *([f"  {done.unseen}"] if done.unseen else [])])
    own = " (self-approved)" if done.self_approved else ""
    signed = SIGNED[done.stage]
    return "\n".join(
        [
            f"{done.alpha_id}: {signed} by {done.validator}{own}, weight {done.weight:g}, "
            f"until {done.expiry}",
            f"file {done.path.parent.name}/{done.path.name}, sha256 {done.yaml_sha256}",
            *([done.unseen] if done.unseen else []),
            "next: follow it on the tapes of each session, and decide on all of them",
            f"  hft alpha shadow {done.alpha_id} TAPES --canary",
            f"  hft alpha canary {done.alpha_id} --runs {live_runs(done.alpha_id)} --apply",
        ]
    )
