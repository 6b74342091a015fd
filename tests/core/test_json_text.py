"""Equal values are equal bytes, in whatever order and place they were made."""

import ast
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hft.core
from hft.core.json_text import line, page, spaced

pytestmark = pytest.mark.nojit

LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
# file -> why it writes JSON itself.
OWN_FORM = {
    "governance/promotion/commit.py": "looks for a hash in a row",
    "governance/promotion/text.py": "quotes a scalar of YAML",
    "audit/pack_evidence.py": "goes into an evidence bundle and needs the standard library only",
    "audit/pack_check.py": "goes into an evidence bundle and needs the standard library only",
    "reports/governance/pages.py": "data of a page: the order of its keys is shown",
    "reports/html.py": "data of a page: the order of its keys is shown",
    "runs/job.py": "copies a configuration",
    "runs/regression/file.py": "quotes scalars of YAML",
    "research/worker/message.py": "asks whether a text is Unicode",
    "storage/chain_row.py": "asks whether a text is Unicode",
}


@given(VALUES)
def test_the_order_of_keys_changes_no_byte(value: object) -> None:
    again = reordered(value)
    assert (line(value, finite=False), page(value), spaced(value)) == (
        line(again, finite=False),
        page(again),
        spaced(again),
    )
    assert page(value).isascii() and spaced(value).isascii()


def reordered(value: object) -> object:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(one) for one in value] if isinstance(value, list) else value


def test_the_bytes_that_hashes_in_files_are_of_never_change() -> None:
    value = {"b": [1, 2.5, None], "a": {"ü": "−", "path": Path("x")}, "c": True}
    assert hashlib.sha256(spaced(value).encode()).hexdigest() == (
        hashlib.sha256(
            b'{"a": {"path": "x", "\\u00fc": "\\u2212"}, "b": [1, 2.5, null], "c": true}'
        ).hexdigest()
    )
    assert line({"b": 1e-7, "a": "ü"}) == '{"a":"\\u00fc","b":1e-07}'
    assert page({"b": 1, "a": [2]}) == '{\n "a": [\n  2\n ],\n "b": 1\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]])
def test_what_is_no_number_is_no_row(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        line(value)


def test_nothing_else_has_a_form_of_its_own() -> None:
    package = Path(hft.core.__path__[0]).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "json.dumps"
    }
    assert users - {"core/json_text.py"} == set(OWN_FORM), "take a form of hft.core.json_text"
    assert json.loads(page({"a": 1})) == {"a": 1}
