"""`make fuzz-engine-coverage`: the lines of the simulated venue that random markets run.

Counts every line of code in hft/venue, those of modules and classes as they are imported too, with
a plain tracer; prints the share and each line that was not reached. Beside random markets it asks
for settings that the venue refuses and fills its tables to the brim, which no market may. A line
that only compiled code can run is left out and listed: what follows `if JIT_DISABLED: return` in
its block, and what handles a NumbaError. Exit code 1 when a line is missing, 2 when compiled.
"""

import argparse
import ast
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "hft" / "venue"
PACKAGE = "hft.venue"


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def lines_of(path: Path) -> set[int]:
    """The lines of a file that hold code, as the tracer names them."""
    module = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    return {
        line
        for code in _codes(module)
        for _, _, line in code.co_lines()
        if line is not None and line
    }


def compiled_only(path: Path) -> set[int]:
    """Lines that only compiled code runs: behind `if JIT_DISABLED: return`, for a NumbaError."""
    found: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler) and _names(node.type) == "NumbaError":
            found |= _span(node.body)
        body = getattr(node, "body", None)
        for k, one in enumerate(body if isinstance(body, list) else []):
            if isinstance(one, ast.If) and _names(one.test) == "JIT_DISABLED" and _ends(one.body):
                found |= _span(body[k + 1 :])
    return found


def _names(node: ast.AST | None) -> str | None:
    return node.id if isinstance(node, ast.Name) else None


def _ends(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return)


def _span(body: list[ast.stmt]) -> set[int]:
    ends = [one.end_lineno or one.lineno for one in body]
    return set(range(body[0].lineno, max(ends) + 1)) if body else set()


class Reached:
    """A tracer that notes each line run in the folder of the venue."""

    def __init__(self) -> None:
        self.lines: dict[str, set[int]] = {}

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(str(FOLDER)):
            return None
        lines = self.lines.setdefault(name, set())
        lines.add(frame.f_lineno)

        def note(inner: FrameType, event: str, arg: Any) -> Any:
            lines.add(inner.f_lineno)
            return note

        return note


def traced(markets: int) -> dict[str, set[int]]:
    """The lines by file that importing, refusing, filling and so many random markets run."""
    reached = Reached()
    sys.settrace(reached)
    try:
        for path in sorted(FOLDER.glob("*.py")):
            importlib.import_module(f"{PACKAGE}.{path.stem}")
        importlib.import_module("tests.simulation.venue_edges").all_of_them()
        world = importlib.import_module("tests.twin_world")
        drawn = importlib.import_module("tests.naive.engine.markets").market
        for seed in range(markets):
            world.engine_records(drawn(seed))
    finally:
        sys.settrace(None)
    return reached.lines


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=400)
    args = parser.parse_args(argv)
    if os.environ.get("NUMBA_DISABLE_JIT") != "1" or any(
        n.startswith("hft.venue") for n in sys.modules
    ):
        print(
            "this counts lines of plain Python from the first import on: make fuzz-engine-coverage"
        )
        return 2
    reached = traced(args.markets)
    held = of_all = 0
    for path in sorted(FOLDER.glob("*.py")):
        compiled = lines_of(path) & compiled_only(path)
        lines = lines_of(path) - compiled
        seen = lines & reached.get(str(path), set())
        held, of_all = held + len(seen), of_all + len(lines)
        print(
            f"{path.name:16} {len(seen):4} of {len(lines):4}  not reached: {sorted(lines - seen)}"
        )
        if compiled:
            print(f"{'':16} compiled only: {sorted(compiled)}")
    print(f"hft/venue: {held} of {of_all} lines, {100 * held / max(of_all, 1):.1f} %")
    return 0 if held == of_all else 1


if __name__ == "__main__":
    sys.exit(main())
