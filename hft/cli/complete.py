"""What a shell offers at TAB: strategies, runs, alphas. Loads nothing compiled: a person waits.

Frames, formats and other words that --help names are offered by the option itself.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

from hft.cli import context

STRATEGIES = ("two_sided", "market_making", "momentum", "arbitrage")
NEWEST = 20  # runs are many, and those of today are meant


def strategies(incomplete: str) -> list[str]:
    """Shipped names, Python files here, and the strategies of the file that is named."""
    own, sign, text = incomplete.rpartition("=")
    path, colon, _ = text.partition(":")
    if colon:
        found: Iterable[str] = (f"{path}:{name}" for name in _defined(Path(path)))
    else:
        folder = Path(text).parent if "/" in text else Path()
        files = sorted(folder.glob("*.py"))
        found = (*STRATEGIES, *(f"{file}:" for file in files if any(_defined(file))))
    return _beginning((f"{own}{sign}{name}" for name in found), incomplete)


def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """`last` and the newest runs of the folder that --out or the setting names."""
    from hft.runs.folder.layout import PARTIAL, folders

    out = ctx.params.get("out") or context.settings().replay_out
    paths = list(folders(out))
    found = [path.name.removesuffix(PARTIAL) for path in paths][::-1]
    partial = sum(path.name.endswith(PARTIAL) for path in paths)
    newest = found if incomplete else found[:NEWEST]
    counted = ["last~1"] * (len(found) - partial > 1) + ["last.partial"] * (partial > 0)
    return _beginning(["last", *counted, *newest], incomplete)


def alphas(incomplete: str) -> list[str]:
    """The alphas of the workspace at or above this folder."""
    from hft.research.workspace import Workspace

    here = Path.cwd()
    for root in (here, *here.parents):
        folder = Workspace(root).alphas
        if folder.is_dir():
            names = sorted(path.parent.name for path in folder.glob("*/impl.py"))
            return _beginning(names, incomplete)
    return []


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _defined(file: Path) -> Iterator[str]:
    """Functions and classes of a file under a decorator that is called strategy; never run."""
    try:
        tree = ast.parse(file.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            said = (ast.unparse(one).split("(")[0] for one in node.decorator_list)
            if any(text.rpartition(".")[2] == "strategy" for text in said):
                yield node.name
