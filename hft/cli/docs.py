"""`hft docs`: the documentation, in the terminal, as it stood when this version was built."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from hft.cli import context
from hft.core.errors import ConfigError, Unavailable

app = typer.Typer()

WIDTH_MAX = 100
FIRST = "first-steps"
# What people ask for who want to begin, by the names that other projects have for it.
BEGINNINGS = ("quickstart", "getting-started", "start", "tutorial", "install", "intro", "usage")


@app.command()
def docs(
    page: Annotated[
        str | None, typer.Argument(help="A page, such as strategies or reference/venue.")
    ] = None,
    find: Annotated[
        str | None, typer.Option(help="List the lines that have these words.", metavar="WORDS")
    ] = None,
    path: Annotated[bool, typer.Option("--path", help="Print where the page is.")] = False,
    json: context.Json = False,
) -> None:
    """Read a page of the documentation; without a page, list them."""
    pages = available()
    if find is not None:
        hits = _search(pages, find)
        context.emit(hits, lambda: "\n".join(map(_hit, hits)) or f"no page has {find!r}")
        return
    if page is None:
        listed = [{"page": name, "title": _title(path)} for name, path in pages.items()]
        context.emit(listed, lambda: _listing(listed))
        return
    name = chosen(page, pages)
    place = folder() / f"{name}.md"
    if path:
        context.emit({"path": str(place)}, str(place))
        return
    text = pages[name].read_text()
    context.emit({"page": name, "path": str(place), "markdown": text}, lambda: _rendered(text))


def folder() -> Path:
    """Where the pages are: in the checkout, or in the installed package. Raises: Unavailable."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "docs", package.parent / "docs"):
        if (place / "strategies.md").is_file():
            return place
    raise Unavailable("docs: this installation has no documentation; install a wheel of hft")


def available() -> dict[str, Path]:
    """Each page by its name, guides before reference before records of decisions."""
    root = folder()
    found = [path for path in root.rglob("*.md") if path.name not in ("template.md",)]
    found.sort(key=lambda path: (len(path.relative_to(root).parts), "adr" in path.parts, path))
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in found}


def chosen(page: str, pages: dict[str, Path]) -> str:
    """The page that is meant: its name, or its last part where that is of one page only.

    Raises: ConfigError with the nearest names, or with the pages that speak of it most.
    """
    from difflib import get_close_matches

    names = list(pages)
    wanted = page.removesuffix(".md").removeprefix("docs/")
    if wanted in names:
        return wanted
    by_end = [name for name in names if name.rsplit("/", 1)[-1] == wanted]
    if len(by_end) == 1:
        return by_end[0]
    ends = {name.rsplit("/", 1)[-1]: name for name in names}
    if wanted.lower().replace("_", "-").replace("quick-start", "quickstart") in BEGINNINGS:
        raise ConfigError(
            f"docs: there is no page {page!r}; `hft docs {FIRST}` begins, strategies and research "
            "go on from there"
        )
    near = [ends[end] for end in get_close_matches(wanted, ends, n=3)]
    speak = Counter(hit["page"] for hit in _search(pages, wanted) if "adr/" not in hit["page"])
    most = ", ".join(name for name, _ in speak.most_common(3))
    cure = (
        f"did you mean {', '.join(near)}?" if near else "`hft docs` lists them, first-steps begins"
    )
    if most and not near:
        cure = f"{most} speak of it; `hft docs --find {wanted}` shows where"
    raise ConfigError(f"docs: there is no page {page!r}; {cure}")


def _title(path: Path) -> str:
    first = next((line for line in path.read_text().splitlines() if line.startswith("# ")), "")
    return first.removeprefix("# ")


def _listing(listed: list[dict[str, Any]]) -> str:
    shown = [row for row in listed if not str(row["page"]).startswith("adr/")]
    width = max(len(str(row["page"])) for row in shown)
    lines = [f"{row['page']:<{width}}  {row['title']}" for row in shown]
    count = len(listed) - len(shown)
    return "\n".join([*lines, f"and {count} records of decisions: hft docs adr/README"])


def _search(pages: dict[str, Path], words: str) -> list[dict[str, Any]]:
    wanted = words.lower().split()
    return [
        {"page": name, "line": number, "text": line.strip()}
        for name, path in pages.items()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if wanted and all(word in line.lower() for word in wanted)
    ]


def _hit(row: dict[str, Any]) -> str:
    return f"{row['page']}:{row['line']}: {row['text']}"


def _rendered(text: str) -> str:
    """As it reads best: drawn on a terminal, as it is into a pipe."""
    if not sys.stdout.isatty():
        return text
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=min(Console().width, WIDTH_MAX))
    with console.pager(styles=True):
        console.print(Markdown(text))
    return ""
