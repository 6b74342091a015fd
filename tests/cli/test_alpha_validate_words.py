"""What `hft alpha validate` says to a log file and to a narrow terminal, by the real command."""

import os
import subprocess
import sys

import pytest
import yaml
from validation_world import made_desk

from hft.research.data.planted import write

COLUMNS = 72
COMMAND = (sys.executable, "-m", "hft.cli.app", "alpha", "validate", "mine")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A validation that Gate A stops, under a profile of the workspace that asks less."""
    root = made_desk(tmp_path_factory.mktemp("words") / "desk")
    write(root / "data" / "planted", 0.05, days=5, seed=1)
    path = root / "config" / "governance" / "standard.yaml"
    profile = yaml.safe_load(path.read_text())
    profile["looser"] = {"gate_c.dsr_min": "committee of 2025-01-02"}
    profile["gate_c"]["dsr_min"] = 0.5
    path.write_text(yaml.safe_dump(profile))
    elsewhere = str(root / "elsewhere")
    return subprocess.run(
        [*COMMAND, "--data", "data/planted", "--data-roots", elsewhere, "--yes"],
        cwd=root,
        env={
            **os.environ,
            "COLUMNS": str(COLUMNS),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_log_file_hears_of_a_looser_profile_but_not_of_stages(
    said: subprocess.CompletedProcess[str],
) -> None:
    assert said.returncode == 2, said.stderr
    looser = "gate_c.dsr_min is 0.5 instead of 0.95: committee of 2025-01-02"
    assert f"a profile looser than hft's: {looser}\n" in said.stderr
    assert "..." not in said.stderr


def test_the_page_of_a_validation_is_as_wide_as_the_terminal(
    said: subprocess.CompletedProcess[str],
) -> None:
    lines = said.stdout.splitlines()
    assert any("Gate A" in line for line in lines)
    page = [line for line in lines if "report.html" not in line and "digest" not in line]
    assert max(map(len, page)) <= COLUMNS
    assert max(map(len, page)) > COLUMNS - 16, "the room there is, is used"
