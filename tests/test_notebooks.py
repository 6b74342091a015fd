"""Notebooks show what they compute: executed in one folder, they give what is committed."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import notebook_outputs as made
import pytest

NOTEBOOKS = made.NOTEBOOKS

# nbclient reads a traitlets default that newer traitlets call deprecated, and leaves its loop open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


# What a kernel runs first: the workers of alphas are forks here, and not under `make notebooks`.
STARTUP = f"""
import sys
sys.path.append({str(made.ROOT)!r})
from hft.research.worker import client
from tests import forked_workers
client.subprocess = forked_workers.stand_in(forked_workers.Started())
del client, forked_workers, sys
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder for all of them, as somebody has it who copies `notebooks`."""
    profile = tmp_path_factory.mktemp("ipython") / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "workers.py").write_text(STARTUP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(profile.parents[1]))
        yield tmp_path_factory.mktemp("notebooks")


def committed(path: Path) -> Any:
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    return nbformat.read(path, as_version=4)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_gives_what_is_committed_beside_the_others(path: Path, folder: Path) -> None:
    pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    pages = set(folder.glob("*.html"))
    now = made.executed(path, folder)
    assert made.differences(committed(path), now) == [], "make notebooks, and look at what changed"
    assert set(folder.glob("*.html")) > pages, "a page of its own"


@pytest.mark.nojit
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_committed_with_its_outputs(path: Path) -> None:
    notebook = committed(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "top to bottom"
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "execute_result"}, "no error"
    assert {output.name for output in outputs if output.output_type == "stream"} <= {"stdout"}
    assert path.stat().st_size <= made.SIZE_MAX
    cards = [
        output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})
    ]
    assert any("hft-card" in card for card in cards)


@pytest.mark.nojit
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_committed_notebook_shows_without_script_and_without_a_network(path: Path) -> None:
    for cell in committed(path).cells:
        for output in cell.get("outputs", []):
            shown = output.get("data", {})
            assert set(shown) <= {"text/plain", "text/html", "image/svg+xml"}, cell.id
            for text in (shown[name] for name in shown if name != "text/plain"):
                assert not re.search(r"<script|<link|<iframe|@import|url\(", text)
                assert not re.search(r"http(?!://www.w3.org/2000/svg)s?://", text)
            if "image/svg+xml" in shown:
                assert fromstring(shown["image/svg+xml"]).get("width"), "a size of its own"
            elif "plot(" in cell.source.splitlines()[-1]:
                pytest.fail(f"{cell.id}: a picture that is no SVG")


@pytest.mark.nojit
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_names_no_place_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "../" not in text and not re.search(r"/(home|tmp|root|work|Users|var)\b", text)
    assert not made.RUN.search(text) and "PosixPath" not in text
    if "HFT_TEST_DATA" in text:
        assert "a made one stands in" in text, "without recorded markets it goes on, and says so"


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def cells(*texts: str, kind: str = "text/plain") -> Any:
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    v4 = nbformat.v4
    made_of = [v4.new_output("execute_result", data={kind: text}) for text in texts]
    return v4.new_notebook(cells=[v4.new_code_cell("x", outputs=[one]) for one in made_of])


@pytest.mark.parametrize(
    ("shown", "now", "same"),
    [
        ("net 58.095 USD", "net 58.095 USD", True),
        ("net 58.095 USD", "net 58.095 EUR", False),
        ("net 58.095 USD", "net 58.096 USD", False),
        ("p 0.05637578607865476", "p 0.0563757860786548", True),
        ("net −58.095", "net 58.095", False),
        ("1,024 trials", "1,025 trials", False),
        ("bundle ············ of 3", "bundle 4f31dce24195 of 3", True),
        ("bundle ············ of 3", "bundle 4f31dce24195 of 4", False),
        ("bundle ············ of 3", "bundle 4f31dce2 of 3", False),
    ],
)
def test_a_difference_is_seen_and_chance_is_not(shown: str, now: str, same: bool) -> None:
    left, right = cells(shown), cells(now)
    right.cells[0].id = left.cells[0].id
    assert (made.differences(left, right) == []) is same


def test_a_coordinate_may_differ_in_its_last_digit_only() -> None:
    shown, near, far = (
        cells(f'<path d="M{x} 2"/>', kind="image/svg+xml") for x in (1.5, 1.51, 1.6)
    )
    assert made.differences(shown, near) == [] and len(made.differences(shown, far)) == 1
    other = copy.deepcopy(shown)
    other.cells[0].outputs = []
    assert len(made.differences(shown, other)) == 1, "an output that is gone"


def test_what_two_executions_do_not_share_is_dots_where_it_is_a_hash_and_an_error_elsewhere() -> (
    None
):
    shown = made.agreed(
        cells("weight 0.02, bundle 4f31dce24195"), cells("weight 0.02, bundle 9a31dce24190")
    )
    assert shown.cells[0].outputs[0].data["text/plain"] == "weight 0.02, bundle ············"
    with pytest.raises(ValueError, match="differ"):
        made.agreed(cells("net 58.09"), cells("net 58.10"))
    with pytest.raises(ValueError, match="differ"):
        made.agreed(cells("took 2 s"), cells("took 12.5 s"))


def test_places_stamps_and_hashes_of_the_engine_are_not_kept(tmp_path: Path) -> None:
    text = f'{tmp_path}/runs/20261123T160610Z_324c89b1, key: "{"0f" * 32}", digest 04aa1d0cbf7d8d24'
    dots = "runs/········T······Z_········".replace("T", "·").replace("Z", "·").replace("_", "·")
    want = f'{dots}, key: "{"·" * 64}", digest 04aa1d0cbf7d8d24'
    assert made.plain(text, tmp_path) == want, "the digest of a run is what a reader compares"


def test_a_notebook_sees_no_settings_and_no_name_of_who_runs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HFT_TEST_DATA", "HFT_OUT", "CI", "COLUMNS", "LOGNAME"):
        monkeypatch.setenv(name, "mine")
    found = made.environment()
    assert "mine" not in found.values() and found["LOGNAME"] == made.USER
