"""Does a user's file say all that its code depends on? Read, not run.

One that imports more than `PURE`, or names one of `READS`, may depend on more than its text.
"""

import ast
from pathlib import Path

PURE = ("collections", "dataclasses", "enum", "functools", "hft", "itertools", "math", "numpy")
READS = {
    *("open", "exec", "eval", "compile", "getattr", "globals", "vars", "environ", "__import__"),
    *("load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap", "open_memmap"),
    *("DataSource", "random"),
    *("tapes", "ingest", "runs", "replay", "features"),
}


def is_pure(path: str | Path) -> bool:
    """Can the code of this file depend on nothing but its text, hft and constants?"""
    try:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            if not _imports_pure(node):
                return False
        elif (isinstance(node, ast.Name) and node.id in READS) or (
            isinstance(node, ast.Attribute) and node.attr in READS
        ):
            return False
    return True


def _imports_pure(node: ast.Import | ast.ImportFrom) -> bool:
    """Does an import name pure modules, and of them nothing that reads, whatever it is called?"""
    parts = [alias.name.split(".") for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = (node.module or "").split(".")
        parts = [[*module, *one] for one in parts]
        if node.level:
            return False
    return all(one[0] in PURE and not READS.intersection(one) for one in parts)
