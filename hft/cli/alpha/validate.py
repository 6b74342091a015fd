"""`hft alpha validate`: gates A, B and C with scorecard and page; parse, call, render."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from hft.cli import context
from hft.cli.alpha.output import MaybeId, SameAsId, keep
from hft.core.errors import GovernanceError

NOT_PASSED = 2
AS_THEY_ARE = (
    *("engine", "seed", "skip_gate_b_tests", "is_oos_split", "signal_threshold", "max_position"),
    *("taker_bps", "maker_bps", "execution", "walk_forward_folds", "pytest_timeout"),
    *("latency_profile", "experiments_dir", "correction", "gate_f"),
)

Paths = Annotated[
    list[str] | None, typer.Option(metavar="P", help="Files, folders, globs or tapes.")
]
Engine = Annotated[
    Literal["auto", "replay", "vector"], typer.Option(help="What judges; replay needs tapes.")
]
Execution = Annotated[
    Literal["taker", "maker"], typer.Option(help="A maker quotes, judged by replays.")
]

Roots = Annotated[list[str] | None, typer.Option(metavar="D", help="Folders data may lie in.")]
Named = Annotated[
    str | None, typer.Option(help="standard, tier1, base, or a file.", show_default="standard")
]
Tighter = Annotated[
    list[str] | None, typer.Option(metavar="GATE.KEY=V", help="A tighter threshold.")
]
SkipTests = Annotated[bool, typer.Option("--skip-gate-b-tests", help="Leaves Gate B INSUFFICIENT.")]
Thresholds = Annotated[
    str | None, typer.Option(metavar="F", help="A profile file in place of --profile.")
]
Elsewhere = Annotated[Path | None, typer.Option(metavar="D", help="Write the reports here.")]
# Advice: warns under the profile base, refused under any other.
Correction = Annotated[
    Literal["bh", "bonferroni", "by", "holm", "none"] | None,
    typer.Option(help="Of p-values, profile base only; bh unless said."),
]
GateF = Annotated[bool, typer.Option("--gate-f", help="base only: the compiled twin, as advice.")]


def register(app: typer.Typer) -> None:
    """Add the command to `hft alpha`."""
    app.command()(validate)


def validate(
    id: MaybeId = None,
    alpha_id: SameAsId = None,
    data: Paths = None,
    profile: Named = None,
    engine: Engine = "auto",
    set: Tighter = None,
    seed: Annotated[int, typer.Option(help="Seed of bootstraps and cuts.", min=0)] = 42,
    skip_gate_b_tests: SkipTests = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Pay the price unasked; needed without a terminal.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="P", help="Write the JSON here too.")] = None,
    is_oos_split: Annotated[float, typer.Option(help="Share of rows in sample.")] = 0.7,
    signal_threshold: Annotated[
        float | None,
        typer.Option(help="Beyond it a position is taken: as the manifest declares, else 0.3."),
    ] = None,
    max_position: Annotated[float, typer.Option(help="Contracts.")] = 5.0,
    min_sharpe_oos: Annotated[float | None, typer.Option(help="Gate C.")] = None,
    max_abs_drawdown: Annotated[float | None, typer.Option(help="Gate C, a share.")] = None,
    pytest_timeout: Annotated[int, typer.Option(help="Seconds.", min=1)] = 300,
    thresholds: Thresholds = None,
    latency_profile: Annotated[str | None, typer.Option(metavar="N", help="By name.")] = None,
    taker_bps: Annotated[float, typer.Option(help="Fee for taking.")] = 0.2,
    maker_bps: Annotated[float, typer.Option(help="Fee for making; negative is a rebate.")] = -0.2,
    execution: Execution = "taker",
    walk_forward_folds: Annotated[int, typer.Option(min=2)] = 5,
    data_roots: Roots = None,
    experiments_dir: Elsewhere = None,
    correction: Correction = None,
    gate_f: GateF = False,
    json: context.Json = False,
) -> None:
    """Judge an alpha on data that counts; prints the price first, then verdicts and page."""
    given = dict(locals())
    from hft.api import validation as api

    with Question(yes) as asked:
        done = api.validate(
            named(id, alpha_id),
            paths(data),
            profile=thresholds or profile,
            set=_changes(set, min_sharpe_oos, max_abs_drawdown),
            data_roots=data_roots or (),
            agree=asked.agreed,
            tell=stage,
            say=context.note,
            now=context.current.now,
            config=context.current.config,
            **{name: given[name] for name in AS_THEY_ARE},
        )
    result(done, out)


def result(done: Any, out: Path | None) -> None:
    """Print a validation and leave with 2 unless it passed."""
    keep(done.to_json(), out)
    if done.notice:
        context.note(done.notice)
    context.emit(done.to_json(), lambda: f"{done.text()}\n\n{done.path / 'report.html'}")
    if not done.passed:
        raise typer.Exit(NOT_PASSED)


class Question:
    """The price, and who agrees to it: --yes, or a person at a terminal.

    Where nobody can be asked (no terminal, or --json) one trial runs, and so do repeats, which
    cost nothing; a sweep of them is refused as a usage error, before anything is counted.
    """

    def __init__(self, yes: bool) -> None:
        self.yes, self.refused = yes, ""

    def agreed(self, price: Any) -> bool:
        """Show the price and ask; no where nobody can be asked."""
        person = sys.stdin.isatty() and not context.current.json
        if price.new > 1 and not (self.yes or person):
            self.refused = "--yes is needed where nobody can be asked; not run, nothing counted. "
            self.refused += f"The price: {price.line}"
            return False
        context.note(price.line)
        return self.yes or not (price.new and person) or typer.confirm("run it?", default=True)

    def __enter__(self) -> "Question":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self.refused and isinstance(error, GovernanceError):
            raise typer.BadParameter(self.refused) from None


def stage(name: str) -> None:
    """What is being done, for a person who waits."""
    if sys.stderr.isatty():
        context.note(f"  {name} ...")


def named(id: str | None, alpha_id: str | None) -> str:
    """The id, given as the argument or as --alpha-id."""
    if (id is None) == (alpha_id is None):
        raise typer.BadParameter("name one alpha: `hft alpha list` shows them")
    return str(id or alpha_id)


def paths(data: list[str] | None) -> list[str]:
    """What --data named."""
    if not data:
        raise typer.BadParameter("give --data FILE, FOLDER, TAPES or a quoted glob")
    return data


def assignments(texts: list[str]) -> dict[str, Any]:
    """Thresholds as `gate.key=value`."""
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise typer.BadParameter(f"{text!r}: write gate.key=number") from None
    return found


def _changes(
    texts: list[str] | None, sharpe: float | None, drawdown: float | None
) -> dict[str, Any]:
    """Every tighter threshold by its key."""
    found = assignments(texts or [])
    if sharpe is not None:
        found["gate_c.sharpe_oos_min"] = sharpe
    if drawdown is not None:
        found["gate_c.drawdown_min"] = -drawdown
    return found
