"""`make governance-study`: try out what governance promises and write docs/governance-study.md.

Each entry of STUDIES is a function without arguments that returns one `Study`; a new promise is one
more entry. The page holds counts and binomial intervals, no timings and no machine, so that the
same seeds give the same page. With names only their chapters are written anew. `--quick` is for
trying and never writes.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import governance_ladder as ladder
from benchmarks import governance_lives as lives
from benchmarks import governance_product as product
from hft.statistics import study
from hft.statistics.study import Study

PAGE = Path(__file__).resolve().parents[1] / "docs" / "governance-study.md"

STUDIES: dict[str, Callable[[], Study]] = {
    "noise": study.noise_factory,
    "planted": study.planted,
    "canaries": study.canaries,
    "operating": study.operating_characteristics,
    "oracles": product.look_ahead,
    "same": product.same_evidence,
    "ladder": ladder.ladders,
    "grid": study.grid,
    "power": lives.whole_gate,
    "worthless": lives.worthless,
    "command": lives.by_command,
    "recorded": product.short_history,
}
QUICK: dict[str, Callable[[], Study]] = {
    "noise": partial(study.noise_factory, ledgers=5),
    "planted": partial(study.planted, panels=10),
    "canaries": partial(study.canaries, count=50),
    "operating": partial(study.operating_characteristics, panels=5),
    "oracles": partial(product.look_ahead, days=20, names=("next_move", "read_from_disk")),
    "same": partial(product.same_evidence, days=20),
    "ladder": partial(ladder.ladders, cases=((5.0, 0.001),), lives=4),
    "grid": partial(study.grid, panels=3),
    "power": partial(lives.whole_gate, cells=((3.0, 1, 252),), lives=3),
    "worthless": partial(lives.worthless, lives=3),
    "command": partial(lives.by_command, lives=1),
    "recorded": product.short_history,
}

HEAD = """# Governance study

What governance promises, tried out: first the statistics alone, simulated, then the product from
end to end. Written by `make governance-study`; the seeds are fixed, so a run of the same code
writes the same page. Shares carry their counts and 95 % Clopper-Pearson intervals. A promise that
did not hold is marked and fails the command.
"""


def section(one: Study) -> str:
    """One study as a chapter of the page."""
    mark = "held" if one.held else "**did not hold**"
    lines = [f"## {one.title}", "", f"Promise: {one.claim}. Outcome: {mark}. Seed {one.seed}.", ""]
    lines.append("| " + " | ".join(one.columns) + " |")
    lines.append("|" + " --- |" * len(one.columns))
    lines += ["| " + " | ".join(row) + " |" for row in one.rows]
    for note in one.notes:
        lines += ["", note]
    return "\n".join(lines) + "\n"


def page(found: Sequence[Study]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(one) for one in found)])


def replaced(text: str, found: Sequence[Study]) -> str:
    """The page with the chapters of these studies anew; a chapter it lacks comes last."""
    for one in found:
        chapters = text.split("\n## ")
        titles = [chapter.partition("\n")[0] for chapter in chapters]
        fresh = section(one).removeprefix("## ")
        if one.title in titles[1:]:
            chapters[titles.index(one.title, 1)] = fresh
        else:
            chapters.append(fresh)
        text = "\n## ".join(chapters)
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the studies named (all by default); exit code 1 when a promise did not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.governance_study")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    parser.add_argument("--quick", action="store_true", help="small counts; writes no page")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(STUDIES))
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}; one of {', '.join(STUDIES)}")
    chosen = QUICK if given.quick else STUDIES
    found = []
    for name in given.names or chosen:
        found.append(chosen[name]())
        print(section(found[-1]), flush=True)
    if not given.quick:
        whole = replaced(PAGE.read_text(encoding="utf-8"), found) if given.names else page(found)
        PAGE.write_text(whole, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(PAGE.parents[1])}")
    return 0 if all(one.held for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
