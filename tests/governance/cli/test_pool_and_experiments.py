"""`hft alpha pool` and `hft alpha experiments`: answers, files, exit codes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.cli.app import run
from hft.research.experiments import write_run

NOON = 1_800_000_000_000_000_000
SECOND = 1_000_000_000


@pytest.fixture
def base(tmp_path: Path) -> str:
    stream = np.random.Generator(np.random.Philox(1))
    signal = stream.standard_normal(200)
    others = {"ofi": signal, "copy": signal + 0.01, "micro": stream.standard_normal(200)}
    market = 100 * np.cumprod(1 + 0.001 * stream.standard_normal(200))
    for k, (name, values) in enumerate(others.items()):
        equity = 1e6 * np.cumprod(1 + 0.001 * stream.standard_normal(200) + 0.0005)
        write_run(
            tmp_path,
            alpha_id=name,
            now_ns=NOON + k * SECOND,
            config_hash="c",
            data_hash=name,
            metrics={"sharpe_oos": float(k)},
            gate_status={"A": "PASS"},
            signals=values,
            equity=equity,
            market=market,
            ts_ns=np.arange(200) * SECOND,
        )
    return str(tmp_path)


def answer(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any, str]:
    code = run(["alpha", *args])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_each_view_of_the_pool_answers_in_text_json_and_a_file(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pool.json"
    code, text, _ = answer(
        capsys, "pool", "matrix", "--base-dir", base, "--json", "--out", str(out)
    )
    found = json.loads(text)
    assert code == 0 and found["alpha_ids"] == ["copy", "micro", "ofi"]
    assert json.loads(out.read_text()) == found
    code, text, told = answer(capsys, "pool", "redundant", "--base-dir", base, "--json")
    (pair,) = json.loads(text)
    assert (pair["alpha_a"], pair["alpha_b"]) == ("copy", "ofi")
    assert Path(told.split("page: ")[1].strip()).read_text().startswith("<!doctype html>")
    assert answer(capsys, "pool", "--redundant", "--base-dir", base, "--json")[1] == text
    code, text, _ = answer(capsys, "pool", "optimize", "--method", "ridge", "--base-dir", base)
    assert code == 0 and "Weights: ridge" in text
    assert "copy and ofi say exactly the same and share one weight" in " ".join(text.split())
    code, text, _ = answer(capsys, "pool", "--base-dir", base)
    assert "redundant pairs: 1" in text and "micro" in text


def test_a_matrix_wider_than_the_terminal_shows_the_alphas_that_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = np.random.Generator(np.random.Philox(2))
    names = [f"an_alpha_of_some_length_{k}" for k in range(6)]
    for k, name in enumerate(names):
        curve = 1e6 * np.cumprod(1 + 0.001 * stream.standard_normal(200))
        write_run(
            tmp_path,
            alpha_id=name,
            now_ns=NOON + k * SECOND,
            config_hash="c",
            data_hash=name,
            metrics={},
            gate_status={},
            signals=stream.standard_normal(200),
            equity=curve,
            ts_ns=np.arange(200) * SECOND,
        )
    whole = answer(capsys, "pool", "--base-dir", str(tmp_path))[1]
    assert all(whole.count(name) == 2 for name in names), "a row and a column each"
    monkeypatch.setattr("hft.cli.context.width", lambda: 80)
    shown = answer(capsys, "pool", "--base-dir", str(tmp_path))[1]
    assert max(map(len, shown.splitlines())) <= 80
    (head,) = [line for line in shown.splitlines() if line.startswith("alpha ")]
    assert head.split() == ["alpha", *names[:2]]
    assert f"left out: {names[2]}" in shown
    rows = [line.split() for line in shown.splitlines() if line.startswith("an_alpha")]
    assert [row[0] for row in rows if len(row) == 3] == names, "no row is folded"


def test_a_candidate_that_adds_nothing_leaves_with_two(
    base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ("pool", "marginal", "--base-dir", base, "--json", "--alpha-id")
    code, text, _ = answer(capsys, *ask, "micro", "--min-uplift", "1000")
    assert code == 2 and json.loads(text)["passed"] is False
    code, text, _ = answer(capsys, *ask, "micro", "--min-uplift", "-1000")
    assert code == 0 and json.loads(text)["passed"] is True


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("pool", "nonsense"), 64, "nonsense"),
        (("pool", "marginal"), 64, "--alpha-id"),
        (("pool", "marginal", "--alpha-id", "z"), 65, "'z'"),
        (("pool", "optimize", "--method", "magic"), 64, "magic"),
        (("pool", "redundant", "--corr-metric", "kendall"), 64, "kendall"),
        (("experiments", "compare", "zzz"), 65, "no such run"),
        (("experiments", "best", "--metric", "nope"), 65, "sharpe_oos"),
        (("experiments", "best", "--top", "0"), 64, "top"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_the_documented_code(
    base: str, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, said: str
) -> None:
    found, text, told = answer(capsys, *args, "--base-dir", base)
    assert found == code and text == ""
    assert said in told and "Traceback" not in told


def test_weights_that_are_no_numbers_are_one_sentence_and_65(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = np.random.Generator(np.random.Philox(1))
    for k in range(2):
        write_run(
            tmp_path,
            alpha_id=f"a{k}",
            now_ns=NOON + k * SECOND,
            config_hash="c",
            data_hash=str(k),
            signals=stream.standard_normal(100),
            market=np.tile([1e-200, 1e108], 50),
            ts_ns=np.arange(100) * SECOND,
        )
    ask = ("pool", "optimize", "--method", "ridge", "--base-dir", str(tmp_path))
    code, text, told = answer(capsys, *ask)
    assert code == 65 and text == "" and told.count("\n") == 1
    assert "under a0" in told and "weights would be no numbers" in told


def test_an_empty_pool_is_no_error_but_cannot_be_weighted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text, _ = answer(capsys, "pool", "--base-dir", str(tmp_path), "--json")
    assert code == 0 and json.loads(text)["alpha_ids"] == []
    code, _, told = answer(capsys, "pool", "optimize", "--base-dir", str(tmp_path))
    assert code == 65 and "validate an alpha first" in told


def test_experiments_are_listed_compared_and_ranked(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text, _ = answer(capsys, "experiments", "list", "--base-dir", base, "--json")
    runs = json.loads(text)["runs"]
    assert code == 0 and [one["alpha_id"] for one in runs] == ["micro", "copy", "ofi"]
    ids = [runs[2]["run_id"], runs[0]["run_id"]]
    code, text, _ = answer(capsys, "experiments", "compare", *ids, "--base-dir", base, "--json")
    assert [one["run_id"] for one in json.loads(text)["runs"]] == ids
    code, text, _ = answer(capsys, "experiments", "best", "--top", "1", "--base-dir", base)
    assert code == 0 and "micro" in text and "ofi" not in text
    code, text, _ = answer(capsys, "experiments", "list", "--alpha-id", "ofi", "--base-dir", base)
    assert text.count("ofi") == 1 and "A:PASS" in text
    empty = tmp_path / "empty"
    empty.mkdir()
    code, text, _ = answer(capsys, "experiments", "list", "--base-dir", str(empty))
    assert code == 0 and "no runs" in text
    code, _, said = answer(capsys, "experiments", "list", "--base-dir", str(tmp_path / "none"))
    assert code == 65 and "none" in said
