"""All notebooks run from top to bottom in one folder; none is committed with outputs."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TIMEOUT_S = 400

# nbclient reads a traitlets default that newer traitlets call deprecated, and leaves its loop open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all of them, as somebody has it who copies `notebooks`."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_from_top_to_bottom_beside_the_others(path: Path, folder: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    nbclient = pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(folder)}}
    pages = set(folder.glob("*.html"))
    nbclient.NotebookClient(notebook, timeout=TIMEOUT_S, resources=place).execute()
    shown = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result"
    ]
    cards = [output.data["text/html"] for output in shown if "text/html" in output.data]
    own = [card for card in cards if "net P" in card or "hft-gate" in card]
    assert own and all("<script" not in card for card in own)
    assert set(folder.glob("*.html")) > pages, "a page of its own"


@pytest.mark.nojit
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, "strip the outputs"


@pytest.mark.nojit
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_needs_no_folder_of_this_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "../" not in text and "/home/" not in text
    if "HFT_TEST_DATA" in text:
        assert "a made one stands in" in text, "without recorded markets it goes on, and says so"


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS
