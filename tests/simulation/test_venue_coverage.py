"""The tool that counts lines of the venue sees each line, and what no market brings about holds."""

import os
from pathlib import Path

import pytest

from tests.simulation import venue_coverage, venue_edges

SMALL = """JIT_DISABLED = True


class Model:
    def method(self):
        return 1


def made(given):
    try:
        given()
    except NumbaError:
        return 2
    if JIT_DISABLED:
        return 3
    given()
    return 4
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.py"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.mark.nojit
def test_lines_of_methods_and_modules_count(small: Path) -> None:
    assert {1, 4, 5, 6, 10, 11} <= venue_coverage.lines_of(small)


@pytest.mark.nojit
def test_only_what_compiled_code_alone_can_run_is_left_out(small: Path) -> None:
    lines = venue_coverage.lines_of(small)
    assert lines & venue_coverage.compiled_only(small) == {13, 16, 17}


@pytest.mark.nojit
def test_lines_are_not_counted_once_the_venue_is_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert venue_coverage.main([]) == 2
    assert "from the first import on" in capsys.readouterr().out


@pytest.mark.nojit
@pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") != "1", reason="asks kernels in plain Python"
)
@pytest.mark.parametrize("case", venue_edges.CASES, ids=lambda case: case.__name__)
def test_what_no_market_brings_about_holds(case: venue_edges.Case) -> None:
    case()
