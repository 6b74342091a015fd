import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_runs import NAMES, START_NS, Records, records, write_run

from hft.core.codes import IntentType, Reason, ResponseKind
from hft.core.dtypes import STEP
from hft.core.errors import JournalError
from hft.core.instruments import Instrument
from hft.runs import result
from hft.runs.folder import tables
from hft.runs.folder.names import RunNames
from hft.runs.folder.orders import orders_frame
from hft.runs.result import Run, as_run

NEW, AMEND, CANCEL = (int(IntentType[name]) for name in ("NEW", "AMEND", "CANCEL"))


@pytest.fixture(scope="module")
def made() -> Records:
    return records(wakes=400)


@pytest.fixture(scope="module")
def run(made: Records, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs"), made)


def test_prices_and_money_are_the_nearest_floats_of_exact_decimals(run: Run, made: Records) -> None:
    tick, unit = Decimal("0.1"), Decimal(1).scaleb(-NAMES.digits)
    prices = [float(tick * int(ticks)) for ticks in made.fills["price"]]
    fees = [float(unit * int(money)) for money in made.fills["fee_money"]]
    assert run.fills["price"].to_list() == prices
    assert run.fills["fee"].to_list() == fees
    assert run.fills["price_tick"].to_list() == made.fills["price"].tolist()


@pytest.mark.parametrize("tick", ["0.1", "0.25", "0.00001", "0.0078125", "5", "1e-9"])
def test_any_tick_size_gives_the_nearest_float(tick: str) -> None:
    names = RunNames((Instrument("X", Decimal(tick), Decimal(1)),), ("s",), 2)
    ticks = np.array([0, 1, 3, 573_001, 99_999_999])
    found = names.price(ticks, np.zeros(5, np.int64))
    assert found.tolist() == [float(Fraction(tick) * int(n)) for n in ticks]
    assert np.isnan(names.price(ticks, np.full(5, -1))).all()


def test_the_profit_splits_without_a_rest(run: Run) -> None:
    get = run.metrics.get_value
    assert get("net") == pytest.approx(get("gross") - get("fees"), abs=1e-9)
    assert get("gross") == pytest.approx(get("spread_captured") + get("inventory"), abs=1e-9)
    assert get("net") == pytest.approx(run.equity["net"][-1], abs=1e-12)
    assert run.costs["fees"].sum() == pytest.approx(get("fees"), abs=1e-9)


def test_a_moment_that_was_sampled_twice_counts_once(tmp_path: Path) -> None:
    made = records(wakes=120)
    once = write_run(tmp_path / "a", made)
    made.equity = np.concatenate([made.equity, made.equity[-1:]])
    twice = write_run(tmp_path / "b", made)
    assert twice.equity.equals(once.equity)
    assert twice.metrics == once.metrics


def test_each_figure_has_a_unit(run: Run) -> None:
    assert run.metrics["net"].unit == "USDT"
    assert all(isinstance(figure.unit, str) for figure in run.metrics.values())
    assert run.metrics["markout_1s"].unit.endswith("fills")


def test_counts_agree_with_the_frames(run: Run, made: Records) -> None:
    get = run.metrics.get_value
    assert get("decisions") == run.decisions.height == int((made.steps["kind"] == 1).sum())
    assert get("orders") == run.orders.height == get("decisions") - get("refused")
    assert get("refused") == run.refusals["count"].sum() > 0
    assert get("fills") == run.fills.height == get("buys") + get("sells")
    assert get("fill_ratio") == run.fills["order_id"].n_unique() / run.orders.height


def test_positions_follow_the_fills(run: Run) -> None:
    signed = [
        n if side == "BUY" else -n for n, side in run.fills.select("lots", "side").iter_rows()
    ]
    assert run.positions["position_lots"].to_list() == np.cumsum(signed).tolist()


def test_a_refusal_shows_what_was_measured_against_what(run: Run) -> None:
    refused = run.decisions.filter(pl.col("reason") != "OK")
    assert refused["reason"].unique().to_list() == ["POSITION_LIMIT"]
    assert (refused["limit"] == 2).all() and (refused["margin"] < 0).all()
    assert refused["unit"].unique().to_list() == ["lots"]
    approved = run.decisions.filter(pl.col("reason") == "OK")
    assert approved["margin"].null_count() == approved.height


@pytest.mark.parametrize(
    ("reason", "raw", "value", "unit"),
    [
        (Reason.NOTIONAL_LIMIT, 12_345_678, 123.45678, "USDT"),
        (Reason.PRICE_OUTSIDE_BAND, 41, 20.5, "ticks"),
        (Reason.REFERENCE_STALE, 1_500_000_000, 1500.0, "ms"),
        (Reason.RATE_LIMIT, 100, 100.0, ""),
    ],
)
def test_margins_are_in_the_unit_people_read(
    reason: Reason, raw: int, value: float, unit: str
) -> None:
    codes = np.array([int(reason)])
    assert tables.margin_units(codes, np.array([raw]), NAMES).tolist() == [value]
    assert tables.margin_unit_names(codes, NAMES).to_pylist() == [unit]


def life(*events: tuple[int, int, int, int, int]) -> dict[str, object]:
    """The order 1 after these (kind, code, price, qty, ms) steps."""
    rows = np.zeros(len(events) + 1, STEP)
    told = ((1, 0, 100, 5, 0), *events)
    for k, (row, (kind, code, price, qty, ms)) in enumerate(zip(rows, told, strict=True)):
        row["seq"], row["kind"], row["code"], row["order_id"] = k + 1, kind, code, 1
        row["price"], row["qty"], row["ts_ns"] = price, qty, START_NS + ms * 1_000_000
    decisions = pl.from_arrow(tables.decisions_table(rows, NAMES))
    happened = pl.from_arrow(tables.events_table(rows, NAMES))
    assert isinstance(decisions, pl.DataFrame) and isinstance(happened, pl.DataFrame)
    return orders_frame(decisions.lazy(), happened.lazy()).collect().row(0, named=True)


ARRIVED, ACK = (2, NEW, 100, 5, 1), (4, int(ResponseKind.ACK), 100, 5, 2)


def answer(
    kind: str, qty: int = 5, ms: int = 9, price: int = 100
) -> tuple[int, int, int, int, int]:
    return 4, int(ResponseKind[kind]), price, qty, ms


@pytest.mark.parametrize(
    ("events", "status", "filled"),
    [
        ((), "PENDING_SUBMIT", 0),
        ((ARRIVED,), "PENDING_SUBMIT", 0),
        ((ARRIVED, ACK), "SUBMITTED", 0),
        ((ARRIVED, ACK, answer("FILL", 2)), "PARTIALLY_FILLED", 2),
        ((ARRIVED, ACK, answer("FILL", 2), answer("FILL", 3)), "FILLED", 5),
        ((ARRIVED, ACK, answer("FILL", 2), answer("CANCELLED")), "CANCELLED", 2),
        ((ARRIVED, answer("REJECTED")), "FAILED", 0),
        ((ARRIVED, answer("EXPIRED")), "EXPIRED", 0),
        ((ARRIVED, answer("UNKNOWN")), "UNKNOWN", 0),
        ((ARRIVED, ACK, answer("AMENDED", 2, 5, 101), answer("FILL", 2)), "FILLED", 2),
    ],
)
def test_an_orders_status_is_what_we_were_told(
    events: tuple[tuple[int, int, int, int, int], ...], status: str, filled: int
) -> None:
    order = life(*events)
    assert (order["status"], order["filled_lots"]) == (status, filled)


def test_an_order_tells_its_times_and_its_average_price() -> None:
    order = life(ARRIVED, ACK, answer("FILL", 2, 7, 100), answer("FILL", 3, 9, 110))
    ms = [
        (order[name].timestamp() * 1e9 - START_NS) / 1e6  # type: ignore[attr-defined]
        for name in ("sent", "arrived", "acked", "first_fill", "ended")
    ]
    assert [round(value) for value in ms] == [0, 1, 2, 7, 9]
    assert order["avg_price"] == pytest.approx((2 * 10.0 + 3 * 11.0) / 5)
    amended = life(ARRIVED, ACK, answer("AMENDED", 3, 5, 101))
    assert (amended["lots"], amended["price_tick"], amended["amends"]) == (3, 101, 1)


@pytest.mark.parametrize(
    ("events", "lots", "filled", "status", "ended_ms"),
    [
        # 5 lots, 2 filled, amended to 4 in all: 2 are open at the venue.
        (("FILL 2 @3", "AMENDED 2 @5"), 4, 2, "PARTIALLY_FILLED", None),
        (("FILL 2 @3", "AMENDED 2 @5", "FILL 2 @7"), 4, 4, "FILLED", 7),
        (("FILL 2 @3", "AMENDED 2 @5", "FILL 1 @7", "CANCELLED 1 @9"), 4, 3, "CANCELLED", 9),
        # 16 of 16 as it was, amended to 17 just before: the order lives on and is cancelled.
        (("FILL 4 @3", "AMENDED 1 @5", "CANCELLED 1 @9"), 5, 4, "CANCELLED", 9),
        (
            ("FILL 1 @3", "AMENDED 3 @5", "FILL 1 @6", "AMENDED 4 @7"),
            6,
            2,
            "PARTIALLY_FILLED",
            None,
        ),
    ],
)
def test_an_amend_of_a_partly_filled_order_counts_what_was_filled_before(
    events: tuple[str, ...], lots: int, filled: int, status: str, ended_ms: int | None
) -> None:
    told = [text.replace("@", "").split() for text in events]
    order = life(ARRIVED, ACK, *(answer(kind, int(qty), int(ms)) for kind, qty, ms in told))
    assert (order["lots"], order["filled_lots"], order["status"]) == (lots, filled, status)
    ended = order["ended"]
    assert (None if ended is None else round(ended.timestamp() * 1e3) - START_NS // 1_000_000) == (
        ended_ms
    )


@pytest.mark.parametrize(("share", "due"), [(0.02, False), (0.4, True)])
def test_many_refusals_are_the_first_line(tmp_path: Path, share: float, due: bool) -> None:
    run = write_run(tmp_path, records(wakes=200, refused=share))
    first = repr(run).splitlines()[0]
    assert ("of the intents were refused" in first) == due
    if due:
        assert "POSITION_LIMIT" in first and "max_position_size" in first
        assert "median margin −" in first and "hft replay relimit" in first
        assert run.to_json()["notice"] == first


def test_text_html_and_json_show_the_same(run: Run) -> None:
    card = run.to_json()["card"]
    text, html = repr(run), run._repr_html_()
    assert set(card) >= {"net P&L", "fills", "fill ratio", "refusals", "latency", "digest"}
    for value in card.values():
        assert value in text and value in html
    json.dumps(run.to_json())


def test_a_digest_run_says_which_record_has_the_frame(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made, record="digest")
    with pytest.raises(JournalError, match='fills was not recorded; use record="summary"'):
        _ = run.fills
    with pytest.raises(JournalError, match='decisions was not recorded; use record="full"'):
        _ = run.decisions
    with pytest.raises(JournalError, match="no journal"):
        run.steps()
    assert "–" in repr(run)


def test_the_reasons_are_known_without_a_journal(tmp_path: Path, made: Records) -> None:
    full = write_run(tmp_path, made)
    brief = write_run(tmp_path, made, record="summary")
    columns = ["reason", "count", "share", "key", "meaning"]
    assert brief.refusals.select(columns).equals(full.refusals.select(columns))


def test_a_run_does_not_change_and_does_not_write(run: Run) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in run.path.iterdir())
    for name in ("fills", "orders", "decisions", "equity", "positions", "series", "logs"):
        getattr(run, name)
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in run.path.iterdir())
    with pytest.raises(AttributeError):
        run.path = Path("elsewhere")  # type: ignore[misc]


def test_series_have_the_names_of_the_state(run: Run) -> None:
    assert run.series.columns == ["ts", "strategy", "fair", "half"]
    assert run.series["half"].unique().to_list() == [1.5]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="not a run folder"):
        Run.open(tmp_path)


def test_one_order_can_be_followed(run: Run) -> None:
    order_id = run.fills["order_id"][0]
    events = run.order(order_id)["event"].to_list()
    assert events == ["ARRIVED_NEW", "ACK", "VENUE_FILL", "FILL"]


@pytest.mark.parametrize("look", ["advise", "try_hours"])
def test_a_run_is_not_lost_by_what_is_looked_for_after_it(
    look: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder cannot be written any more, or the person who waits has waited enough."""

    def stop(error: BaseException) -> Run:
        def looking(_: Run) -> None:
            raise error

        monkeypatch.setattr(result, "is_due", lambda *_: look == "advise")
        monkeypatch.setattr(result, look, looking)
        return as_run(lambda: run)

    assert stop(OSError(30, "Read-only file system")).digest == run.digest
    with pytest.raises(KeyboardInterrupt) as stopped:
        stop(KeyboardInterrupt())
    assert stopped.value.run.digest == run.digest and not run.partial  # type: ignore[attr-defined]
