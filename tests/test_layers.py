"""Every import goes down: a package imports lower layers or itself, and siblings never meet.

The list below is the architecture (docs/architecture.md draws it). The test reads the source, so an
import inside a function or under TYPE_CHECKING counts as much as one at the top. Inside a package
the same holds of files: no circle of files, and none of a folder and what stands beside it.
"""

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hft"

# Low to high; the names in one row are siblings.
LAYERS: list[tuple[str, ...]] = [
    ("core",),
    ("gateway", "market", "portfolio"),
    ("venue", "algos", "strategies", "trading"),
    ("replay",),
    # ==== the line: no clock, file, socket, environment, logging, unseeded randomness below ====
    ("storage", "statistics"),
    ("feeds", "tape", "recorder", "audit"),
    ("reports", "metrics", "microstructure"),
    ("runs",),
    ("research",),
    ("governance",),
    ("services",),
    ("settings",),
    ("api",),
    ("cli",),
]
LAYER_OF = {name: height for height, names in enumerate(LAYERS) for name in names}

# importer -> sibling it may import, with the reason.
ALLOWED_SIBLINGS = {
    ("feeds", "tape"): "a decoder returns the columns whose schema the tape owns",
}


def packages() -> list[str]:
    """The layers that exist: folders with modules, and top-level modules."""
    folders = [path.parent.name for path in PACKAGE.glob("*/*.py")]
    modules = [path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    return sorted({*folders, *modules})


def imports(source: str, module: str) -> list[tuple[int, str]]:
    """Line and absolute name of everything a module imports from hft."""
    is_package = module.endswith(".__init__")
    parts = module.removesuffix(".__init__").split(".")
    base = parts if is_package else parts[:-1]
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = base[: len(base) - node.level + 1] if node.level else []
            name = ".".join([*up, node.module] if node.module else up)
            # `from hft import x` names a package; `from hft.core import x` is settled by hft.core.
            whole = name == "hft"
            found += [(node.lineno, f"hft.{a.name}" if whole else name) for a in node.names]
        elif isinstance(node, ast.Call) and _is_import_call(node):
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found.append((node.lineno, argument.value))
    return [(line, name) for line, name in found if name.split(".")[0] == "hft"]


def _is_import_call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    name = node.func.id if isinstance(node.func, ast.Name) else name
    return name in ("import_module", "__import__")


def complaint(importer: str, line: int, where: str, imported: str) -> str | None:
    """What is wrong with one import, and the cure; None when it is allowed."""
    parts = imported.split(".")
    if len(parts) == 1 or parts[1] not in LAYER_OF:
        return f"{where}:{line} imports the root of hft; import the module that owns the name"
    target = parts[1]
    if target == importer or (importer, target) in ALLOWED_SIBLINGS:
        return None
    mine, theirs = LAYER_OF[importer], LAYER_OF[target]
    if theirs < mine:
        return None
    if theirs == mine:
        return (
            f"{where}:{line} {importer} imports its sibling {target}; "
            f"move what both need to a lower layer, or let a higher one join them"
        )
    return (
        f"{where}:{line} {importer} (layer {mine}) imports {target} (layer {theirs}) above it; "
        f"pass the value in as an argument, or move the code up to {target}"
    )


def module_of(path: Path) -> str:
    """The dotted name of a file; a package's `__init__` has the package's."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def file_graph(paths: Iterable[Path]) -> dict[str, set[str]]:
    """Each module and the modules it imports; `from package import module` is an import of both."""
    files = {module_of(path): path for path in paths}
    graph = {}
    for module, path in files.items():
        inside = f"{module}.__init__" if path.stem == "__init__" else module
        found = names(path.read_text(encoding="utf-8"), inside)
        graph[module] = {name for name in found if name in files} - {module}
    return graph


def names(source: str, module: str) -> set[str]:
    """Everything a module imports from hft, with what may be a module of the package it is from."""
    found = {name for _, name in imports(source, module)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            bases = {name for _, name in imports(ast.unparse(node), module)}
            found |= {f"{base}.{alias.name}" for base in bases for alias in node.names}
    return found


def circle(graph: Mapping[str, set[str]]) -> str:
    """One circle of imports as a sentence, or nothing."""
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return " <- ".join(error.args[1])
    return ""


def seen_from(package: str, graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The graph of what lies in a package: its files, and each of its folders as one."""

    def place(module: str) -> str | None:
        parts = module.removeprefix(f"{package}.").split(".")
        return parts[0] if module.startswith(f"{package}.") else None

    found: dict[str, set[str]] = {}
    for module, imported in graph.items():
        if (mine := place(module)) is not None:
            places = {other for name in imported if (other := place(name)) is not None}
            found.setdefault(mine, set()).update(places - {mine})
    return found


FILES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({module_of(path.parent / "__init__.py") for path in FILES} - {"hft"})


@cache
def graph_of_all() -> dict[str, set[str]]:
    return file_graph(FILES)


def test_no_files_import_each_other_in_a_circle() -> None:
    found = circle(graph_of_all())
    assert not found, f"{found}; move what both need to a file of its own, or pass it in"


@pytest.mark.parametrize("package", FOLDERS)
def test_inside_a_package_a_folder_and_its_neighbours_import_one_way(package: str) -> None:
    found = circle(seen_from(package, graph_of_all()))
    assert not found, f"{package}: {found}; a file that needs both stands above both"


def test_a_circle_of_files_is_found_wherever_the_import_stands(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("test_layers.ROOT", tmp_path)
    inner = tmp_path / "hft" / "runs" / "folder"
    inner.mkdir(parents=True)
    (inner / "reader.py").write_text("def f():\n    from ..result import Run\n")
    (inner / "tables.py").write_text("from hft.runs.folder import reader\n")
    (inner.parent / "result.py").write_text("from hft.runs.folder import tables\n")
    graph = file_graph(tmp_path.rglob("*.py"))
    assert graph["hft.runs.folder.tables"] == {"hft.runs.folder.reader"}
    assert "hft.runs.result" in circle(graph)
    (inner / "tables.py").write_text("")
    graph = file_graph(tmp_path.rglob("*.py"))
    assert not circle(graph), "by files it goes one way"
    assert "folder" in circle(seen_from("hft.runs", graph)), "the folder does not"


@pytest.mark.parametrize("package", packages())
def test_a_package_imports_only_lower_layers(package: str) -> None:
    assert package in LAYER_OF, (
        f"hft/{package} is in no layer; add it to LAYERS in this file and to docs/architecture.md"
    )
    single = PACKAGE / f"{package}.py"
    files = [single] if single.exists() else sorted((PACKAGE / package).rglob("*.py"))
    wrong = []
    for path in files:
        where = path.relative_to(ROOT).as_posix()
        module = where.removesuffix(".py").replace("/", ".")
        for line, name in imports(path.read_text(encoding="utf-8"), module):
            wrong.append(complaint(package, line, where, name))
    assert not [text for text in wrong if text], "\n".join(text for text in wrong if text)


def test_statistics_imports_core_alone() -> None:
    graph = graph_of_all()
    mine = [name for name in graph if name.startswith("hft.statistics")]
    found = {other.split(".")[1] for name in mine for other in graph[name]}
    assert mine and found <= {"core", "statistics"}


def test_no_room_is_a_fifth_of_the_package() -> None:
    lines: dict[str, int] = {}
    for path in FILES:
        room = path.relative_to(PACKAGE).parts[0]
        lines[room] = lines.get(room, 0) + len(path.read_text(encoding="utf-8").splitlines())
    biggest = max(lines, key=lambda room: lines[room])
    assert lines[biggest] < 0.2 * sum(lines.values()), f"{biggest} has {lines[biggest]} lines"


def test_the_map_of_the_architecture_has_a_line_for_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("## Map\n")[1].split("\n## ")[0]
    named = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    assert sorted(named) == sorted(folders - {"."})


def test_the_root_imports_nothing_when_it_is_imported() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    light = {"importlib", "sys", "types", "typing"}
    assert names <= light, "hft/__init__ loads lazily; add the name to its table"


@pytest.mark.parametrize(
    ("importer", "module", "source", "expected"),
    [
        ("core", "hft.core.x", "from hft.gateway import limits", "above it"),
        ("core", "hft.core.x", "def f():\n    import hft.replay.engine", "above it"),
        ("market", "hft.market.book", "from ..gateway import limits", "sibling"),
        ("market", "hft.market.__init__", "from ..gateway import limits", "sibling"),
        ("venue", "hft.venue.x", "from .. import runs", "above it"),
        ("runs", "hft.runs.x", "import_module('hft.api')", "above it"),
        ("runs", "hft.runs.x", "from hft import api", "above it"),
        ("runs", "hft.runs.x", "import hft", "root"),
        ("runs", "hft.runs.x", "from hft import replay_day", "root"),
        ("runs", "hft.runs.x", "from hft.replay import engine", None),
        ("feeds", "hft.feeds.x", "from hft.tape.schema import Feed", None),
        ("tape", "hft.tape.x", "from hft.feeds.base import x", "sibling"),
        ("market", "hft.market.book", "from .merge import f\nfrom . import merge", None),
    ],
)
def test_the_reader_sees_relative_and_lazy_imports(
    importer: str, module: str, source: str, expected: str | None
) -> None:
    found = [complaint(importer, line, module, name) for line, name in imports(source, module)]
    if expected is None:
        assert found and not any(found)
    else:
        assert any(text and expected in text for text in found)
