"""Every import goes down: a package imports lower layers or itself, and siblings never meet.

The list below is the architecture (docs/architecture.md draws it). The test reads the source, so an
import inside a function or under TYPE_CHECKING counts as much as one at the top.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hft"

# Low to high; the names in one row are siblings.
LAYERS: list[tuple[str, ...]] = [
    ("core",),
    ("gateway", "market", "portfolio"),
    ("venue", "algos", "strategies"),
    ("replay",),
    # ==== the line: no clock, file, socket, environment, logging, unseeded randomness below ====
    ("storage",),
    ("feeds", "tape", "recorder", "audit"),
    ("reports", "metrics", "microstructure"),
    ("runs",),
    ("alpha",),
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
