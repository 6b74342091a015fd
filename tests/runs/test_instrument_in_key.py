"""A run is a function of its instruments: the same rows under another contract are another run."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import hft
from hft.cli import app
from hft.core.errors import DataError
from hft.runs.result import Run
from hft.tape.dataset import Tapes

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
STRATEGY = """
import hft


@hft.strategy(every="1s", state={"lots": 0})
def crossing(view, order, p, s):
    if view.book_valid and s["lots"] < 5:
        order.new(hft.BUY, view.ask_tick, 1, tif=hft.IOC)
        s["lots"] += 1
"""
Ingested = Callable[..., Tapes]


@pytest.fixture
def ingested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ingested:
    """The same rows, of an instrument with these fields in config/instruments.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "mine.py").write_text(STRATEGY)

    def made(folder: str = "tapes", symbol: str = "X", **fields: object) -> Tapes:
        lines = [f"{symbol}:", "  tick: '0.5'", "  lot: '1'", "  currency: USD"]
        lines += [f"  {name}: {value}" for name, value in fields.items()]
        (tmp_path / "config" / "instruments.yaml").write_text("\n".join(lines) + "\n")
        ts = [START_NS + k * SECOND_NS for k in range(20)]
        rows = pl.DataFrame({"ts": ts, "b": [10.0 + 0.5 * (k % 3) for k in range(20)]})
        rows = rows.with_columns(a=pl.col("b") + 0.5, q=pl.lit(5))
        names = {"ts": "ts", "bid": "b", "ask": "a", "bid_qty": "q", "ask_qty": "q"}
        return hft.ingest(rows, tmp_path / folder, columns=names, symbol=symbol)

    return made


def replayed(tapes: Tapes, record: str = "full") -> Run:
    return hft.replay(tapes, "mine.py:crossing", limits="off", out="runs", record=record)


def test_another_multiplier_is_another_run_with_other_money(ingested: Ingested) -> None:
    one = replayed(ingested("one", multiplier=1))
    fifty = replayed(ingested("fifty", multiplier=50))
    assert one.path != fifty.path and one.digest != fifty.digest
    paid = [run.fills["price"].len() for run in (one, fifty)]
    assert paid == [5, 5]
    assert fifty.metrics["net"][0] == pytest.approx(50 * one.metrics["net"][0])
    assert one.metrics["net"][0] != 0


@pytest.mark.parametrize(
    "fields", [{"kind": "inverse"}, {"taker_bps": 5}, {"symbol": "Y"}, {"calendar": "XNYS"}]
)
def test_no_sealed_run_answers_for_another_instrument(
    ingested: Ingested, fields: dict[str, object]
) -> None:
    plain, other = replayed(ingested("plain")), replayed(ingested("other", **fields))
    assert plain.path != other.path
    assert plain.manifest["hashes"]["instruments"] != other.manifest["hashes"]["instruments"]
    assert plain.manifest["hashes"]["tapes"] == other.manifest["hashes"]["tapes"]
    assert replayed(ingested("again")).path == plain.path, "the same once more is the same run"


def test_a_run_is_not_verified_on_a_tape_whose_instrument_was_put_right(
    ingested: Ingested, capsys: pytest.CaptureFixture[str]
) -> None:
    run = replayed(ingested(multiplier=1))
    assert run.verify()
    kept = ingested("kept", multiplier=1)
    ingested(multiplier=50)
    with pytest.raises(DataError, match=r"its instrument's multiplier was 1, is 50"):
        run.verify()
    assert run.verify(tapes=kept[0].path.parent)
    assert app.run(["replay", "verify", str(run.path)]) == 65
    assert "multiplier was 1, is 50" in capsys.readouterr().err


def test_a_regression_replay_names_the_instrument_that_moved(
    ingested: Ingested, capsys: pytest.CaptureFixture[str]
) -> None:
    ingested(multiplier=1)
    Path("replays.yaml").write_text(
        "replays:\n  mine:\n    tapes: tapes\n    strategy: mine.py:crossing\n    limits: 'off'\n"
    )
    assert app.run(["replay", "check", "--bless"]) == 0
    ingested(multiplier=50)
    capsys.readouterr()
    assert app.run(["replay", "check"]) == 2
    assert "config (instruments)" in " ".join(capsys.readouterr().out.split())
