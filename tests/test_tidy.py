"""The house style that a machine can hold: sizes, names, and what is banned below the line.

Each ban names its cure. A listed exception carries its reason; the list is short and stays short.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hft"
BELOW = (
    "core",
    "gateway",
    "market",
    "portfolio",
    "venue",
    "algos",
    "strategies",
    "trading",
    "replay",
)
FILE_LINES, FUNCTION_LINES = 400, 60

# file, or file::function -> why it may be larger.
LARGER: dict[str, str] = {
    "hft/api/validation.py::validate": "the command's options, one a line; it only passes them on",
    "hft/feeds/databento_rows.py::mbo": "writes eight columns itself: a call a row costs more",
    "hft/replay/build.py::new_session": "one constructor call that names every array of the engine",
    "hft/replay/engine.py::advance": "the calendar: what is next and its ties stand in one place",
    "hft/replay/venue_rows.py::venue_span": "the hot loop over rows; its cases share cached locals",
    "tests/venue/test_matching.py": "every order type, TIF and queue of one venue, side by side",
}

# file -> banned name -> why it may be used there.
EXEMPT: dict[str, dict[str, str]] = {
    "hft/core/jit.py": {
        "import pathlib": "tells an installed package from a user's file by its path",
        "njit": "the one place that compiles",
    },
    "hft/core/kernel_cache.py": {
        "import os": "names the cache folder of compiled kernels",
        "import shutil": "removes the oldest cache folders",
        "import pathlib": "reads our own sources to name the cache folder",
        "import uuid": "names of files in the cache, which nothing reads",
        "os.environ": "the cache folder must be known before anything is compiled",
    },
}

NO_INPUT = "pass the value in as an argument; above the line somebody reads it"
CLOCK = "take `now_ns` as an argument: kernel time is the event's time"
RANDOM = "draw from a named stream of hft.core.seeds"
SHELL = "move it above the line; return what is to be written or said"

# Modules whose import is banned below the line.
BANNED_IMPORTS = (
    {name: CLOCK for name in ("time", "datetime", "calendar", "zoneinfo")}
    | {name: RANDOM for name in ("random", "secrets", "uuid")}
    | {name: SHELL for name in ("logging", "sys", "shutil", "tempfile", "subprocess", "pathlib")}
    | {name: SHELL for name in ("socket", "ssl", "http", "urllib", "asyncio", "sqlite3", "io")}
    | {name: SHELL for name in ("threading", "multiprocessing", "concurrent", "queue", "signal")}
    | {name: NO_INPUT for name in ("os", "yaml", "polars", "pyarrow", "typer", "rich")}
)
BANNED_CALLS = {"open": SHELL, "print": SHELL, "input": NO_INPUT, "breakpoint": "remove it"}
BANNED_ATTRIBUTES = {
    "np.random": RANDOM,
    "numpy.random": RANDOM,
    "np.load": SHELL,
    "np.save": SHELL,
    "np.memmap": SHELL,
}
BANNED_FILE_NAMES = ("utils", "util", "helpers", "helper", "manager", "common", "misc")

Complaint = tuple[str, str, str]  # place, banned name, cure


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if ".venv" not in path.parts)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(node: ast.AST) -> list[str]:
    """The absolute modules one import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module]
    return []


def below_the_line(tree: ast.AST, where: str) -> Iterator[Complaint]:
    """Every use of the world in a module of the deterministic core."""
    for node in ast.walk(tree):
        place = f"{where}:{getattr(node, 'lineno', 0)}"
        for name in imported(node):
            top = name.split(".")[0]
            if top in BANNED_IMPORTS:
                yield place, f"import {top}", BANNED_IMPORTS[top]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in BANNED_CALLS:
                yield place, f"{node.func.id}()", BANNED_CALLS[node.func.id]
        elif isinstance(node, ast.Attribute):
            text = ast.unparse(node)
            if text in BANNED_ATTRIBUTES:
                yield place, text, BANNED_ATTRIBUTES[text]


def everywhere(tree: ast.AST, where: str) -> Iterator[Complaint]:
    """What one module alone may do: read the environment, compile."""
    settings = where.startswith("hft/settings/")
    for node in ast.walk(tree):
        place = f"{where}:{getattr(node, 'lineno', 0)}"
        reads = isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
        if reads and not settings:
            yield place, "os.environ", "only hft.settings reads the environment; take a value"
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        attribute = node.attr if isinstance(node, ast.Attribute) else ""
        from_numba = isinstance(node, ast.ImportFrom) and node.module == "numba"
        if (from_numba and {"njit", "jit", "vectorize"} & {*names}) or (
            attribute in ("njit", "jit", "vectorize") and ast.unparse(node).startswith("numba.")
        ):
            yield place, "njit", "compile with hft.core.jit.kernel, which owns the cache"


def floats_in_kernels(tree: ast.AST, where: str) -> Iterator[Complaint]:
    """Money is integers: no float literal and no true division in a compiled function."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or not any(
            "kernel" in ast.unparse(decorator) for decorator in function.decorator_list
        ):
            continue
        for node in ast.walk(function):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            division = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
            if literal or division:
                cure = "use integers: // on exact numbers, or the rounding of hft.core.numbers"
                yield f"{where}:{node.lineno}", "float arithmetic", cure  # type: ignore[attr-defined]


def allowed(complaint: Complaint) -> bool:
    place, name, _ = complaint
    return name in EXEMPT.get(place.rsplit(":", 1)[0], {})


def report(complaints: list[Complaint]) -> str:
    return "\n".join(f"{place}: {name} is banned here; {cure}" for place, name, cure in complaints)


def test_nothing_below_the_line_touches_the_world() -> None:
    found: list[Complaint] = []
    for path in sources(*(f"hft/{package}" for package in BELOW)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [bad for bad in below_the_line(tree, relative(path)) if not allowed(bad)]
    assert not found, report(found)


def test_only_the_settings_read_the_environment_and_only_jit_compiles() -> None:
    found: list[Complaint] = []
    for path in sources("hft"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [bad for bad in everywhere(tree, relative(path)) if not allowed(bad)]
    assert not found, report(found)


def test_kernels_that_count_money_use_integers() -> None:
    found: list[Complaint] = []
    for path in sources("hft/gateway", "hft/portfolio"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [bad for bad in floats_in_kernels(tree, relative(path)) if not allowed(bad)]
    assert not found, report(found)


def test_files_and_functions_stay_small() -> None:
    found = []
    for path in sources("hft", "benchmarks", "tests"):
        text, where = path.read_text(encoding="utf-8"), relative(path)
        lines = text.count("\n")
        if lines > FILE_LINES and where not in LARGER:
            found.append(f"{where}: {lines} lines, at most {FILE_LINES}; split it by question")
        if where.startswith("tests/"):
            continue  # a test may tell a long story
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES and f"{where}::{node.name}" not in LARGER:
                found.append(
                    f"{where}:{node.lineno}: {node.name} has {length} lines, at most "
                    f"{FUNCTION_LINES}; name its parts"
                )
    assert not found, "\n".join(found)


def test_every_exception_is_still_needed() -> None:
    for name in LARGER:
        path = ROOT / name.split("::")[0]
        assert path.is_file(), f"{name} is gone; take it off the list"
    for name, reasons in EXEMPT.items():
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        used = {bad[1] for bad in [*below_the_line(tree, name), *everywhere(tree, name)]}
        assert set(reasons) <= used, f"{name}: {set(reasons) - used} is no longer used"


def test_modules_are_named_for_what_they_hold_and_say_so() -> None:
    found = []
    for path in sources("hft"):
        where = relative(path)
        if path.stem in BANNED_FILE_NAMES:
            found.append(f"{where}: name the module by its domain noun")
        text = path.read_text(encoding="utf-8")
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            found.append(f"{where}: begin with a docstring: what it decides, who owns its state")
    assert not found, "\n".join(found)


# A path of one machine, and an index of one network: neither belongs into a repository.
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:home|root|work|opt|Users)/[\w.-]+")
REGISTRY = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|file://")
PIN_SUFFIXES = (".lock", ".txt", ".toml", ".cfg")
TEXT_SUFFIXES = (".py", ".md", ".toml", ".yaml", ".yml", ".lock", ".txt", ".json", ".ipynb", "")


def tracked() -> list[Path]:
    """The files git knows or would add; every file where there is no git."""
    git = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(git, capture_output=True, check=True).stdout.decode()
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        parts = [*ROOT.glob("*.*"), *ROOT.glob("[!.]*/**/*")]
        names = [relative(path) for path in parts]
    paths = [ROOT / name for name in sorted(names)]
    return [path for path in paths if path.is_file() and path.suffix in TEXT_SUFFIXES]


def test_no_two_files_of_tests_share_a_name() -> None:
    named: dict[str, list[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        named.setdefault(path.name, []).append(relative(path))
    twice = [" and ".join(sorted(paths)) for paths in named.values() if len(paths) > 1]
    assert not twice, f"pytest collects the first only, rename the other: {twice}"


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, start=1):
            pins = path.suffix in PIN_SUFFIXES
            if MACHINE_PATH.search(line) or (pins and REGISTRY.search(line)):
                found.append(f"{relative(path)}:{number}: {line.strip()[:80]}")
    assert not found, "write a relative path, or take it as an argument:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import time", "import time"),
        ("def f():\n    from datetime import datetime", "import datetime"),
        ("import os.path", "import os"),
        ("x = open('a')", "open()"),
        ("print(1)", "print()"),
        ("x = np.random.default_rng(0)", "np.random"),
        ("import threading as t", "import threading"),
    ],
)
def test_the_reader_sees_each_way_to_the_world(source: str, name: str) -> None:
    assert name in [bad[1] for bad in below_the_line(ast.parse(source), "hft/core/x.py")]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import os\nx = os.environ['A']", "os.environ"),
        ("from numba import njit", "njit"),
        ("import numba\n@numba.njit(cache=True)\ndef f(): pass", "njit"),
    ],
)
def test_the_reader_sees_each_way_to_the_environment_and_compiler(source: str, name: str) -> None:
    assert name in [bad[1] for bad in everywhere(ast.parse(source), "hft/runs/x.py")]


def test_the_reader_sees_floats_in_kernels_only() -> None:
    source = "@kernel\ndef f(a):\n    return a / 2\n\ndef g(a):\n    return a * 0.5\n"
    found = list(floats_in_kernels(ast.parse(source), "hft/gateway/x.py"))
    assert [place for place, _, _ in found] == ["hft/gateway/x.py:3"]
