"""The compiler's cache: an edit of any operator kernel must reach the evaluator that calls it."""

import ast
from pathlib import Path

import pytest

from hft.research.expressions import program
from hft.research.expressions.nodes import OPERATORS

FOLDER = Path(program.__file__).parent
KERNELS = ("elementwise", "windows", "moments", "ranks")


def kernels(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """The compiled functions of a file."""
    return {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any("kernel" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


@pytest.mark.parametrize("name", [*KERNELS, "../search/trade"])
def test_kernels_call_only_kernels_of_their_own_file(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hft.")
        for alias in node.names
    }
    assert imported <= {"kernel", "JIT_DISABLED"}, "the cache would not see an edit of that file"
    assert kernels(tree)


def test_the_evaluator_is_keyed_by_every_file_it_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*KERNELS, "program", "graph"):
        (tmp_path / f"{name}.py").write_bytes((FOLDER / f"{name}.py").read_bytes())
    monkeypatch.setattr(program, "__file__", str(tmp_path / "program.py"))
    before = program.sources_key()
    (tmp_path / "graph.py").write_text("# no kernel\n")
    assert program.sources_key() == before
    for name in (*KERNELS, "program"):
        path = tmp_path / f"{name}.py"
        path.write_bytes(path.read_bytes() + b"\n")
        assert program.sources_key() != before
        before = program.sources_key()
    closed_over = [cell.cell_contents for cell in _function(program.run).__closure__ or ()]
    assert len(closed_over) == 1 and isinstance(closed_over[0], int)


def _function(compiled):  # type: ignore[no-untyped-def]
    return getattr(compiled, "py_func", compiled)


def test_every_operator_of_the_table_has_a_branch_in_the_evaluator() -> None:
    source = (FOLDER / "program.py").read_text(encoding="utf-8")
    tree = kernels(ast.parse(source))["run"]
    compared = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for name in node.comparators
        if isinstance(name, ast.Name)
    }
    codes = {getattr(program, name) for name in compared}
    assert {program.CODES[name] for name in OPERATORS if name != "rank"} <= codes
