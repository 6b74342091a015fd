"""`hft alpha search` as a user meets it: exit codes, the ledger, the page, and going on."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hft.cli.app import run


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a file of 25 days of minute rows."""
    (tmp_path / "research" / "alphas").mkdir(parents=True)
    rng = np.random.Generator(np.random.Philox(4))
    days, rows = 25, 40
    start = np.datetime64("2024-01-01T14:30:00", "ns")
    minute, day = np.timedelta64(60, "s"), np.timedelta64(1, "D")
    ts = [start + d * day + k * minute for d in range(days) for k in range(rows)]
    flow = rng.normal(size=days * rows)
    steps = 0.01 * rng.normal(size=days * rows)
    steps[1:] += 0.01 * flow[:-1]
    frame = pl.DataFrame(
        {
            "ts": np.array(ts),
            "mid": 400 + np.cumsum(steps),
            "ofi": flow,
            "vol": rng.integers(1, 90, days * rows).astype(float),
            "price": 400 + np.cumsum(steps),
            "fwd_1m": np.append(steps[1:], 0.0),
        }
    )
    frame.write_parquet(tmp_path / "rows.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def search(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["alpha", "search", "--data", "rows.parquet", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def found(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code, out, _ = search(capsys, "--json", *words)
    assert code == 0
    return json.loads(out)


def test_it_finds_the_planted_edge_and_counts_every_trial(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = (
        "--mode",
        "template",
        "--template",
        "ts_mean({x}, {w})",
        "--grid",
        "w=1,3;x=ofi,vol",
    )
    result = found(capsys, *template, "--returns-field", "mid", "--save-results", "best.json")
    best = result["results"][0]
    assert best["expression"] == "ts_mean(ofi, 1)" and best["passed"]
    assert set(best) == {
        "expression",
        "score",
        "sharpe_oos",
        "correlation_pool_max",
        "passed",
        "metadata",
    }
    assert {"variables", "depth", "returns_used"} <= set(best["metadata"])
    assert best["metadata"]["variables"] == ["ofi"] and best["metadata"]["ic_mean"] > 0.3
    assert "trials 1 to 4 of family search" in result["price"]
    from hft.governance.ledger.ledger import Ledger

    ledger = Ledger.open(desk / "research" / "ledger")
    assert len(ledger.trials()) == result["trials"] == 4
    assert set(ledger.trials()["source"]) == {"search"}
    assert json.loads((desk / "best.json").read_text()) == result["results"]
    page = Path(result["path"]) / "report.html"
    before = page.read_bytes()
    assert b"ts_mean(ofi, 1)" in before
    assert f"passes the hurdle of {result['hurdle']:.2f}".encode() in before
    assert all(one["sharpe_oos"] > result["hurdle"] for one in result["results"] if one["passed"])
    _, said, _ = search(capsys, *template, "--returns-field", "mid")
    assert "passed is above the hurdle, the last line" in said
    again = found(capsys, *template, "--returns-field", "mid")
    assert again["results"] == result["results"] and page.read_bytes() == before
    assert len(Ledger.open(desk / "research" / "ledger").trials()) == 4


def test_without_a_returns_field_nothing_passes(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = found(capsys, "--trials", "20", "--feature-fields", "ofi,vol")
    assert result["data"]["proxy"] and result["data"]["returns_used"].startswith("proxy")
    assert result["passed"] == 0 and not any(one["passed"] for one in result["results"])
    assert result["data"]["fields"] == ["ofi", "vol"]
    _, said, _ = search(capsys, "--trials", "20", "--feature-fields", "ofi,vol")
    assert "0 passed" in said and "above the hurdle" not in said


def test_columns_that_look_ahead_or_are_prices_are_left_out(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = found(capsys, "--trials", "5", "--returns-field", "mid")["data"]["fields"]
    assert fields == ["ofi", "vol"]
    for name, sentence in (("price", "price level"), ("fwd_1m", "only known later")):
        code, out, err = search(capsys, "--feature-fields", f"ofi,{name}")
        assert (code, out) == (65, "") and sentence in err
    code, _, err = search(capsys, "--returns-field", "fwd_1m")
    assert code == 65 and "looks ahead" in err


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--mode", "template"), 64, "needs --template"),
        (("--mode", "wild"), 64, "'wild' is not one of 'random', 'template'"),
        (("--mode", "template", "--template", "ts_mean(ofi, {w})"), 64, "{w} has no values"),
        (("--grid", "w"), 64, "is not name=value"),
        (("--population", "3"), 64, "population"),
        (("--template", "ts_mean(ofi, 3)"), 64, "of --mode template, not of random"),
        (("--grid", "w=5"), 64, "of --mode template, not of random"),
        (("--address", "tcp://head:8786"), 64, "scheduler of --executor dask"),
        (("--executor", "clouds"), 64, "'clouds' is not one of 'processes', 'dask', 'ray'"),
        (("--feature-fields", "offi"), 65, "did you mean ofi?"),
        (("--returns-field", "nope"), 65, "has no field 'nope'"),
        (("--mode", "template", "--template", "ts_meen(ofi, 3)"), 65, "did you mean 'ts_mean'?"),
        (("--mode", "template", "--template", "ts_mean(off, 3)"), 65, "did you mean 'ofi'?"),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(
    desk: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    answer, out, err = search(capsys, *words)
    assert answer == code and out == "" and sentence in err
    assert "Traceback" not in err
    assert not (desk / "research" / "combinatorial" / "results").exists()
    assert not (desk / "research" / "ledger").exists()


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed here")
def test_an_executor_that_is_not_installed_is_told_before_the_price(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = search(capsys, "--executor", "ray", "--trials", "3")
    assert (code, out) == (69, "") and "pip install ray" in err and "trial" not in err
    assert not (desk / "research" / "ledger").exists()


def test_data_must_be_named(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alpha", "search"]) == 64
    assert "--data" in capsys.readouterr().err
    assert run(["alpha", "search", "--data", "none.parquet"]) in (65, 74)


def test_a_field_may_be_written_by_any_of_its_names_and_stays_one_trial(
    desk: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The QQQ bars call the queue imbalance qi_mean."""
    bars = sorted((shared_data / "qqq_micro_bars_1m").glob("*.parquet"))[0]
    words = ["alpha", "search", "--json", "--data", str(bars), "--mode", "template"]
    words += ["--template", "ts_delta({x}, {w})"]
    results = []
    for grid in ("w=5;x=ofi,qi_mean", "w=5;x=ofi,qi", "w=5;x=order_flow,queue_imbalance"):
        assert run([*words, "--grid", grid]) == 0
        results.append(json.loads(capsys.readouterr().out))
    names = [sorted(one["expression"] for one in found["results"]) for found in results]
    assert names == [["ts_delta(ofi, 5)", "ts_delta(qi_mean, 5)"]] * 3
    assert results[0]["results"] == results[1]["results"] == results[2]["results"]
    assert all("no charge" in found["price"] for found in results[1:])
    assert run([*words, "--feature-fields", "qi,ofi,queue_imbalance", "--grid", "w=5;x=qi"]) == 0
    fields = json.loads(capsys.readouterr().out)["data"]["fields"]
    assert sorted(fields) == ["ofi", "qi_mean"], "two names of one column are one field"
    assert run([*words, "--grid", "w=5;x=microprice"]) == 65, "a level by any name"
    capsys.readouterr()
    assert run([*words, "--grid", "w=5;x=nothing"]) == 65
    assert "unknown field 'nothing'" in capsys.readouterr().err


def test_a_template_may_name_what_only_other_columns_give(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pl.read_parquet(desk / "rows.parquet")
    frame = frame.with_columns(bid_qty=pl.col("vol"), ask_qty=pl.col("vol").reverse())
    frame.write_parquet(desk / "rows.parquet")
    result = found(
        capsys, "--mode", "template", "--template", "ts_mean({x}, 2)", "--grid", "x=qi,ofi"
    )
    shown = sorted(one["expression"] for one in result["results"])
    assert shown == ["ts_mean(ofi, 2)", "ts_mean(queue_imbalance, 2)"]


def test_noise_that_is_below_the_hurdle_of_so_many_tries_passes_nowhere() -> None:
    from hft.research.search.results import _passes, _reason

    lucky = {"passed": True, "sharpe_oos": 1.69, "reason": ""}
    assert not _passes(lucky, 2.44) and _passes(lucky, 1.5)
    assert _reason(lucky, 2.44) == "not above the hurdle 2.44"
    assert (
        _reason({"passed": False, "sharpe_oos": 0.1, "reason": "never trades"}, 2.44)
        == "never trades"
    )
