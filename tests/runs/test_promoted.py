"""Promotion files in a replay: from its date a strategy has the file's weight, then none."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import hft
from hft.core.errors import ConfigError
from hft.governance.promotion.drill import _sample
from hft.runs.result import Run
from hft.tape.dataset import Tapes

DAY = datetime(2024, 3, 4, tzinfo=UTC)


@hft.strategy(every="1h")
def buys(view, order, p, s):  # type: ignore[no-untyped-def]
    order.new(0, view.ask_tick, 1, 1)


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    folder = tmp_path_factory.mktemp("promoted")
    times = [DAY + timedelta(minutes=30 * k) for k in range(5 * 48)]
    rows = pl.DataFrame({"ts": times, "bid": 100.0, "ask": 100.01})
    return hft.ingest(rows, folder / "tapes", symbol="X", tick="0.01", lot="1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tuesday: weight 0.01 until the review on Wednesday; Thursday evening's file is disabled."""
    for date, changes in (
        ("20240305", {"expiry_review_date": "2024-03-06"}),
        ("20240308", {"enabled": False}),
    ):
        path = tmp_path / "promotions" / date / "alpha_1.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(_sample("alpha_1", "ann").replace(**changes).text)
    return tmp_path / "promotions"


def live_days(run: Run) -> set[int]:
    return {ts.day for ts in run.decisions.filter(pl.col("reason") == "OK")["ts"]}


def test_a_strategy_trades_from_the_file_s_date_to_the_end_of_its_review_date(
    tapes: Tapes, folder: Path, tmp_path: Path
) -> None:
    run = hft.replay(
        tapes,
        {"mine": buys},
        limits="off",
        promotions=folder,
        alphas={"mine": "alpha_1"},
        out=tmp_path / "runs",
        plain=True,
    )
    assert live_days(run) == {5, 6}
    refused = run.decisions.filter(pl.col("reason") != "OK")
    assert set(refused["reason"]) == {"ALPHA_NOT_LIVE"}
    weights = run.controls.filter(pl.col("kind") == "PROMOTION").select("ts", "value").rows()
    assert [(ts.day, value) for ts, value in weights] == [
        (4, "weight 0"),
        (5, "weight 0.01"),
        (7, "weight 0"),
        (8, "weight 0"),
    ]


@hft.strategy(every="1h")
def waits(view, order, p, s):  # type: ignore[no-untyped-def]
    order.new(0, view.bid_tick - 5, 1)


def test_what_works_is_cancelled_when_the_promotion_ends(
    tapes: Tapes, folder: Path, tmp_path: Path
) -> None:
    run = hft.replay(
        tapes,
        {"mine": waits},
        limits="off",
        promotions=folder,
        alphas={"mine": "alpha_1"},
        out=tmp_path / "runs",
        plain=True,
    )
    cancels = run.decisions.filter(pl.col("intent") == "CANCEL")
    assert cancels.height == run.orders.height == 48
    assert set(cancels["reason"]) == {"OK"}
    assert set(cancels["ts"]) == {datetime(2024, 3, 7, tzinfo=UTC)}
    assert not run.orders["ended"].is_null().any()


def test_an_alpha_of_the_strategy_s_own_name_is_its_own(
    tapes: Tapes, folder: Path, tmp_path: Path
) -> None:
    run = hft.replay(
        tapes,
        {"alpha_1": buys},
        limits="off",
        promotions=folder,
        out=tmp_path / "runs",
        plain=True,
    )
    assert live_days(run) == {5, 6}


def test_a_file_that_was_edited_by_hand_counts_as_no_weight(
    tapes: Tapes, folder: Path, tmp_path: Path
) -> None:
    path = folder / "20240305" / "alpha_1.yaml"
    path.write_text(path.read_text().replace("weight: 0.01", "weight: 0.05"))
    path.write_text(path.read_text() + "# mine\n")
    run = hft.replay(
        tapes, {"alpha_1": buys}, limits="off", promotions=folder, out=tmp_path / "r", plain=True
    )
    assert live_days(run) == set()


def test_a_binding_to_nothing_is_refused_with_what_there_is(
    tapes: Tapes, folder: Path, tmp_path: Path
) -> None:
    given = {"promotions": folder, "out": tmp_path / "runs", "plain": True}
    with pytest.raises(ConfigError, match=r"has no file of 'alpha_9'.*there are alpha_1"):
        hft.replay(tapes, {"mine": buys}, alphas={"mine": "alpha_9"}, **given)
    with pytest.raises(ConfigError, match="bind one with strategy=alpha_id"):
        hft.replay(tapes, {"mine": buys}, **given)
    with pytest.raises(ConfigError, match="give promotions="):
        hft.replay(tapes, {"mine": buys}, alphas={"mine": "alpha_1"}, out=tmp_path, plain=True)
