"""A name that is not there is answered with the one that was probably meant."""

from pathlib import Path

import pytest
from made_runs import records, write_run

from hft.cli import app

RUN = "20260101T000000Z_aaaaaaaa"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meant")
    write_run(folder / "runs", records(wakes=5), run_id=RUN, digest="a" * 64)
    (folder / "own.py").write_text(
        "import hft\n@hft.strategy(every='1s')\ndef mine(view, order, p, s): ...\n"
    )
    (folder / "c.yaml").write_text("HFT_CAPITLA: 5\n")
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.chdir(folder)
        assert app.run(["--quiet", "init", "."]) == 0
        assert app.run(["--quiet", "alpha", "scaffold", "demo", "--from", "queue_imbalance"]) == 0
    return folder


@pytest.mark.parametrize(
    ("words", "code", "meant"),
    [
        ("replya list", 64, "'replay'"),
        ("replay shw", 64, "'show'"),
        ("replay list --whre x", 64, "--where"),
        ("replay show --frame fils", 64, "'fills'"),
        ("replay list --columns nett", 64, "'net'"),
        (f"replay show {RUN[:-1]}b", 65, RUN),
        ("replay run synthetic -s momentun", 78, "'momentum'"),
        ("replay run synthetic -s own.py:mina", 78, "'mine'"),
        ("replay run synthetic -s momentum --set fsat=3", 78, "'fast'"),
        ("replay run synthetic -s momentum --venue binance_usd", 78, "'binance_usdm'"),
        ("replay run synthetic -s momentum --queue prob_lgo", 78, "'prob_log'"),
        ("replay run synthetic -s momentum --limits reserch", 78, "'research'"),
        ("alpha try demoo --data x", 65, "'demo'"),
        ("alpha scaffold new --from queue_imbalace", 65, "'queue_imbalance'"),
        ("alpha canary statis", 65, "'status'"),
        ("audit show --table risk_lgo", 64, "'risk_log'"),
        ("docs strategis", 78, "strategies"),
        ("--config c.yaml config show", 78, "'HFT_CAPITAL'"),
    ],
)
def test_the_name_that_was_meant_is_named(
    words: str,
    code: int,
    meant: str,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(workspace)
    assert app.run(words.split()) == code
    said = capsys.readouterr().err
    asked = "Possible options:" if "--whre" in words else "id you mean"
    assert asked in said and meant in said.split(asked)[1]


def test_a_name_like_no_other_is_not_guessed(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    assert app.run(["replay", "show", "zebra"]) == 65
    said = capsys.readouterr().err
    assert "did you mean" not in said and "`hft replay list` shows those there are" in said
