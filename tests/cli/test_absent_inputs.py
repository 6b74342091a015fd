"""What is named and is not there ends with one code, whichever command was asked for it."""

from pathlib import Path

import pytest

from hft.cli.app import run
from hft.core.errors import DataError

pytestmark = pytest.mark.nojit
SPREADING = ("--strategy", "market_making")


@pytest.mark.parametrize(
    "words",
    [
        ("data", "ingest", "nobody"),
        ("data", "show", "nobody"),
        ("data", "show", "nobody/*.tape.arrow"),
        ("data", "verify", "nobody"),
        ("data", "report", "nobody"),
        ("data", "features", "nobody"),
        ("replay", "run", "nobody", *SPREADING),
        ("replay", "run", "nobody/*.tape.arrow", *SPREADING),
        ("replay", "show", "nobody"),
        ("replay", "show", "last"),
        ("replay", "show", "last~3"),
        ("replay", "verify", "nobody"),
        ("replay", "diff", "nobody", "last"),
        ("replay", "export", "nobody", "out.tar.gz"),
        ("replay", "fork", "nobody", "--at", "1", "--set", "lots=2"),
        ("alpha", "try", "nobody"),
    ],
    ids=" ".join,
)
def test_a_recording_tape_run_or_alpha_that_is_not_there_ends_with_65(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(list(words)) == DataError.exit_code == 65
    said = capsys.readouterr().err
    assert any(name in said for name in ("nobody", "last")) and said.count("\n") == 1
