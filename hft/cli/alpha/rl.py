"""`hft alpha rl-promote`: the newest run of a policy must stand, then promote as any alpha."""

import inspect
from collections.abc import Callable
from contextlib import chdir
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context

BaseDir = Annotated[
    Path | None, typer.Option(metavar="D", help="Folder of experiments (research/experiments).")
]
ProjectRoot = Annotated[Path, typer.Option(metavar="D", help="The workspace.", show_default=".")]


def register(app: typer.Typer) -> None:
    """Add the command to `hft alpha`; it has the options of `promote` and two of its own."""
    if find_spec("hft.cli.alpha.promote") is None:
        return
    app.command("rl-promote")(with_options_of(import_module("hft.cli.alpha.promote").promote))


def with_options_of(promote: Callable[..., None]) -> Callable[..., None]:
    """The command `rl-promote` over the command `promote`."""

    def rl_promote(*, base_dir: Path | None, project_root: Path, **given: Any) -> None:
        from hft.api.rl import ready

        with chdir(project_root):
            name = given["id"] or given["alpha_id"]
            if name is None:
                raise typer.BadParameter("name the alpha: hft alpha rl-promote ID")
            ready(name, base_dir=base_dir, now=context.current.now)
            promote(**given)

    kind = inspect.Parameter.KEYWORD_ONLY
    shared = inspect.signature(promote, eval_str=True).parameters.values()
    own = [
        inspect.Parameter("base_dir", kind, default=None, annotation=BaseDir),
        inspect.Parameter("project_root", kind, default=Path(), annotation=ProjectRoot),
    ]
    options = [*(one.replace(kind=kind) for one in shared), *own]
    rl_promote.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    rl_promote.__doc__ = "Propose the policy of the newest training run, as `promote` does."
    return rl_promote
