"""`make governance-study`: try out what governance promises and write docs/governance-study.md.

Each entry of STUDIES is a function without arguments that returns one `Study`; a new promise is one
more entry. The page holds counts and binomial intervals, no timings and no machine, so that the
same seeds give the same page. With names only their chapters are written anew. `--quick` is for
trying and never writes. Studies run in processes beside each other, the longest first; what one
found is kept until code or configuration is another, so that a run that was ended goes on.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks import governance_ladder as ladder
from benchmarks import governance_lives as lives
from benchmarks import governance_product as product
from hft.statistics import study
from hft.statistics.study import Study

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "governance-study.md"
KEPT = ROOT / ".bench" / "governance-study"
SOURCES = ("hft/**/*.py", "config/**/*.yaml", "benchmarks/governance_*.py")
LONGEST = ("power", "command", "worthless", "operating", "ladder", "oracles", "grid")

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


def stamp() -> str:
    """Of everything that a study is a function of."""
    digest = hashlib.sha256(os.environ.get("HFT_TEST_DATA", "").encode())
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def kept(name: str, folder: Path) -> Study | None:
    """What a study found before with this very code; None where nothing is kept."""
    try:
        told = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        rows = {key: tuple(told[key]) for key in ("columns", "notes")}
        return Study(**told | rows | {"rows": tuple(map(tuple, told["rows"]))})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(name: str, found: Study, folder: Path) -> None:
    """Whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{name}.json.{os.getpid()}"
    aside.write_text(json.dumps(asdict(found)), encoding="utf-8")
    aside.replace(folder / f"{name}.json")


def run(name: str, quick: bool) -> Study:
    """One study, in a process of its own."""
    return (QUICK if quick else STUDIES)[name]()


def each(names: Sequence[str], *, quick: bool, workers: int, folder: Path) -> Iterator[Study]:
    """What the studies find, in the order of the names; those that are kept are not run."""
    found = {} if quick else {name: kept(name, folder) for name in names}
    waiting = [name for name in names if found.get(name) is None]
    rank = {name: k for k, name in enumerate(LONGEST)}
    with ProcessPoolExecutor(workers) as pool:
        longest_first = sorted(waiting, key=lambda name: rank.get(name, len(rank)))
        begun = {name: pool.submit(run, name, quick) for name in longest_first}
        if not quick:
            for name, one in begun.items():
                one.add_done_callback(partial(_keep, name, folder))
        for name in names:
            yield found.get(name) or begun[name].result()


def _keep(name: str, folder: Path, done: Future[Study]) -> None:
    if not done.cancelled() and done.exception() is None:
        keep(name, done.result(), folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the studies named (all by default); exit code 1 when a promise did not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.governance_study")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    parser.add_argument("--quick", action="store_true", help="small counts; writes no page")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(STUDIES))
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}; one of {', '.join(STUDIES)}")
    found = []
    how = {"quick": given.quick, "workers": given.workers, "folder": KEPT / stamp()}
    for one in each(given.names or list(STUDIES), **how):
        found.append(one)
        print(section(one), flush=True)
    if not given.quick:
        whole = replaced(PAGE.read_text(encoding="utf-8"), found) if given.names else page(found)
        PAGE.write_text(whole, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(PAGE.parents[1])}")
    return 0 if all(one.held for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
