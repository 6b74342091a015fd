"""`hft alpha canary`: evaluate, status, history and rollback; parse, call, render."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hft.cli import context
from hft.cli.alpha.output import Id, MaybeId, SameAsId, hint, keep, live_runs, meant, typed
from hft.cli.alpha.promote import finish
from hft.cli.columns import CANARIES
from hft.cli.table import View, tabled
from hft.reports.figures import counted

OUT, UNKNOWN = 2, 65
Folder = Annotated[
    Path | None,
    typer.Option(metavar="D", help="Promotion files.", show_default="config/strategy_promotions"),
]
Signed = Annotated[Path | None, typer.Option(metavar="F", help="A private key to sign with.")]


class EvaluateByDefault(TyperGroup):
    """`canary ID` is `canary evaluate ID`; no alpha may have the name of a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            near = get_close_matches(args[0], self.commands, 1, 0.8)
            if near:
                context.note(f"{args[0]!r} is taken as an alpha; did you mean {near[0]!r}?")
            args = ["evaluate", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # `canary --alpha-id ID` has no word that names a command.
        if args and args[0].startswith("-") and args[0] not in ("--help", "--json"):
            args = ["evaluate", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=EvaluateByDefault,
    help="Decide about a promotion on probation, and carry it out.",
    no_args_is_help=True,
)


def register(parent: typer.Typer) -> None:
    """Add the group to `hft alpha`."""
    parent.add_typer(app, name="canary")


@app.command()
def evaluate(
    id: MaybeId = None,
    alpha_id: SameAsId = None,
    runs: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Sealed run folders.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(metavar="CSV", help="A row a session; see the reference.")
    ] = None,
    slippage_bps: Annotated[float | None, typer.Option(metavar="X", help="Base only.")] = None,
    dd_contrib: Annotated[float | None, typer.Option(metavar="X", help="Base only.")] = None,
    error_rate: Annotated[float | None, typer.Option(metavar="X", help="Base only.")] = None,
    sessions: Annotated[int | None, typer.Option(metavar="N", help="Base only.", min=0)] = None,
    sharpe_live: Annotated[float | None, typer.Option(metavar="X", help="Base only.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Carry the decision out.")] = False,
    key: Signed = None,
    promotions_dir: Folder = None,
    out: Annotated[Path | None, typer.Option(metavar="P", help="Write the JSON here too.")] = None,
    json: context.Json = False,
) -> None:
    """Decide: hold, escalate, roll back or graduate; with --apply, do it."""
    from hft.api import canary as api
    from hft.cli.alpha.validate import named

    typed = {
        "slippage_bps": slippage_bps,
        "drawdown_contribution": dd_contrib,
        "execution_error_rate": error_rate,
        "sessions_live": sessions,
        "sharpe_live": sharpe_live,
    }
    done = api.evaluate(
        named(id, alpha_id),
        runs=runs or (),
        evidence=evidence,
        typed=typed,
        apply_it=apply,
        key=key,
        promotions_dir=promotions_dir,
        now=context.current.now,
    )
    figures = {
        "--slippage-bps": slippage_bps,
        "--dd-contrib": dd_contrib,
        "--error-rate": error_rate,
        "--sessions": sessions,
        "--sharpe-live": sharpe_live,
    }
    _leave(done, out, _given(runs, evidence, figures))


@app.command()
@tabled
def status(
    view: View,
    promotions_dir: Folder = None,
    out: Annotated[Path | None, typer.Option(metavar="P", help="Write the JSON here too.")] = None,
    json: context.Json = False,
) -> None:
    """Show every promotion, what it counts as now, and files that do not count."""
    from hft.api import canaries as api

    found = api.status(promotions_dir=promotions_dir, now=context.current.now)
    keep(found, out)
    after = "".join(f"\n{one['code']}: {one['sentence']}" for one in found["findings"])
    empty = "no promotions yet; `hft alpha promote ID` proposes one"
    view.emit(_status(found), CANARIES, data=found, empty=empty, after=after)


@app.command()
def history(
    id: Id,
    promotions_dir: Folder = None,
    out: Annotated[Path | None, typer.Option(metavar="P", help="Write the JSON here too.")] = None,
    json: context.Json = False,
) -> None:
    """Show every decision about a canary, oldest first."""
    from hft.api import canaries as api

    with meant(id):
        found = api.history(id, promotions_dir=promotions_dir, now=context.current.now)
    written(found, out, _history(found))


@app.command()
def evidence(
    runs: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Sealed run folders.")],
    out: Annotated[Path, typer.Option(metavar="CSV", help="Where to.")] = Path("sessions.csv"),
    json: context.Json = False,
) -> None:
    """Write the sessions of runs as a CSV for --evidence; verified where it is read."""
    from hft.api.shadow import evidence as written_rows

    count = written_rows(runs, out)
    context.emit({"sessions": count, "out": str(out)}, f"{counted(count, 'session')} in {out}")


@app.command()
def rollback(
    id: Id,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Stands in the audit.")] = "",
    key: Signed = None,
    promotions_dir: Folder = None,
    json: context.Json = False,
) -> None:
    """Take an alpha off at once: weight 0, an incident, re-entry through Gate C."""
    from hft.api import canary as api

    if not reason.strip():
        raise typer.BadParameter("--reason TEXT is needed; it stands in the audit")
    with meant(id):
        done = api.rollback(
            id, reason=reason, key=key, promotions_dir=promotions_dir, now=context.current.now
        )
    finish(done, None, f"{_decision(done.decided.decision)}\n{done.acknowledged}")


def written(found: Any, out: Path | None, words: str) -> None:
    """Print a finding, and write it where it is wanted."""
    keep(found, out)
    context.emit(found, words)


def _leave(done: Any, out: Path | None, given: str) -> None:
    """Print a decision and leave with the code of its kind."""
    decision = getattr(done.decided, "decision", done.decided)
    finish(
        done,
        out,
        _decision(decision)
        + _applied(done.decided, decision)
        + _next(done.decided, decision, given),
    )
    if decision.state == "not_found":
        raise typer.Exit(UNKNOWN)
    if decision.action == "rollback":
        raise typer.Exit(OUT)


def _applied(done: Any, decision: Any) -> str:
    if decision.state == "not_found":
        return ""  # there is nothing that --apply could carry out
    if not hasattr(done, "written"):
        return "\n  not applied; --apply carries it out"
    if done.waiting_for:
        return f"\n  signed; a key with role {', '.join(done.waiting_for)} has yet to sign"
    return "\n  applied" + (
        f", file {done.yaml_sha256[:16]}" if done.written else ", no file changed"
    )


def _next(done: Any, decision: Any, given: str) -> str:
    """The command that comes after this one; `given` is the evidence as it was typed."""
    name = decision.alpha_id
    if not hasattr(done, "written") and decision.action in ("escalate", "graduate", "rollback"):
        words = f"hft alpha canary {name} {given} --apply"
    elif getattr(done, "waiting_for", ()):
        words = f"the other person runs the same with --key; a role {done.waiting_for[0]} is needed"
    elif decision.action == "rollback":
        words = f"re-entry is through Gate C: hft alpha validate {name} --data DATA"
    elif decision.action == "graduate":
        renewed = f"hft alpha promote {name} --renew --shadow-runs {live_runs(name)}"
        words = f"{renewed}, before {decision.deadline}"
    elif decision.state == "not_found":
        words = f"hft alpha promote {name}"
    else:
        again = f"hft alpha canary {name} --runs {live_runs(name)}"
        words = f"hft alpha shadow {name} TAPES --canary, then {again}"
    return f"\nnext: {words}"


def _given(runs: list[Path] | None, evidence: Path | None, figures: dict[str, Any]) -> str:
    """The evidence as it is typed again."""
    words = [f"--runs {typed(path)}" for path in runs or ()]
    words += [f"--evidence {typed(evidence)}"] if evidence else []
    words += [f"{name} {value}" for name, value in figures.items() if value is not None]
    return " ".join(words)


def _measured(check: Any) -> str:
    """The value beside its limit; a fact is so or not."""
    if isinstance(check.value, bool):
        return "yes" if check.value else "no"
    value, limit = (
        "-" if one is None else f"{one:.6g}" if isinstance(one, float) else str(one)
        for one in (check.value, check.threshold)
    )
    return value if limit == "-" else f"{value} of {limit}"


def _decision(decision: Any) -> str:
    if decision.state == "not_found":
        return f"{decision.alpha_id}: no enabled promotion{hint(decision.alpha_id)}"
    lines = [
        f"{decision.alpha_id}: {decision.action} ({decision.state}), weight "
        f"{decision.old_weight:g} -> {decision.new_weight:g}",
        f"  {decision.reason or 'within limits'}",
    ]
    lines += [f"  - {text}" for text in decision.reasons if text != decision.reason]
    lines += [f"  missing: {text}" for text in decision.missing]
    for check in decision.checks:
        lines.append(f"  {check.verdict:<12} {check.id:<24} {_measured(check)}")
    if decision.human:
        lines.append("  somebody should look at it")
    if decision.arm:
        lines.append(f"  by the arm: {decision.arm}")
    lines.append(f"  counts until {decision.deadline}")
    return "\n".join(lines)


def _status(found: dict[str, Any]) -> Any:
    """One row a promotion."""
    import polars as pl

    rows = [
        {
            "alpha": row["alpha_id"],
            "state": row["state"],
            "counts": row["counts"],
            "until": row["expires"],
            "why": f"{row['why']} {row['reason']}".strip(),
            "profile": row["profile"],
        }
        for row in found["promotions"]
    ]
    kinds: dict[str, Any] = dict.fromkeys(CANARIES, pl.String) | {"counts": pl.Float64}
    return pl.DataFrame(rows, kinds)


def _history(found: dict[str, Any]) -> str:
    from datetime import UTC, datetime

    def line(row: dict[str, Any], words: str) -> tuple[int, str]:
        when = datetime.fromtimestamp(row["ts_ns"] // 1_000_000_000, UTC)
        return row["ts_ns"], f"{when:%Y-%m-%d %H:%M:%S}Z  {words}"

    lines = [
        line(
            row,
            f"{row['action']:<9} {row['old_weight']:g} -> {row['new_weight']:g}  {row['reason']}",
        )
        for row in found["decisions"]
    ]
    lines += [
        line(row, f"file: {row['state']} at {row['weight']:g} ({row['cause']})")
        for row in found["changes"]
    ]
    return "\n".join(words for _, words in sorted(lines))
