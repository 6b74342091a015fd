"""`make fuzz-engine-coverage`: the lines of the simulated venue that random markets run.

Counts the lines of code inside the functions of hft/venue with a plain tracer, prints the share and
each line that was not reached. Only meaningful without compilation.
"""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import hft.venue
from tests.naive.engine.markets import market
from tests.twin_world import engine_records

FOLDER = str(Path(hft.venue.__file__).parent)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and constant.co_flags & 1:  # no class bodies
            yield constant
            yield from _codes(constant)


def lines_of(path: Path) -> set[int]:
    """The lines of a file that hold code inside functions, their headers left out."""
    module = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    return {
        line
        for code in _codes(module)
        for _, _, line in code.co_lines()
        if line is not None and line != code.co_firstlineno and not code.co_name.startswith("<")
    }


class Reached:
    """A tracer that notes each line run in the folder of the venue."""

    def __init__(self) -> None:
        self.lines: dict[str, set[int]] = {}

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(FOLDER):
            return None
        lines = self.lines.setdefault(name, set())

        def note(inner: FrameType, event: str, arg: Any) -> Any:
            lines.add(inner.f_lineno)
            return note

        return note


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, default=400)
    args = parser.parse_args(argv)
    for module in pkgutil.iter_modules([FOLDER]):
        importlib.import_module(f"hft.venue.{module.name}")
    reached = Reached()
    sys.settrace(reached)
    try:
        for seed in range(args.markets):
            engine_records(market(seed))
    finally:
        sys.settrace(None)
    held = of_all = 0
    for path in sorted(Path(FOLDER).glob("*.py")):
        lines, seen = lines_of(path), reached.lines.get(str(path), set())
        held, of_all = held + len(lines & seen), of_all + len(lines)
        missing = sorted(lines - seen)
        print(f"{path.name:16} {len(lines & seen):4} of {len(lines):4}  not reached: {missing}")
    print(f"hft/venue: {held} of {of_all} lines, {100 * held / max(of_all, 1):.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
