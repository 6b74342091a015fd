"""A week with daily limits, a kill, a degrade, an expiring promotion and resets at stated times.

Every hour the strategy buys one lot, the hour after it sells it. On Monday each round trip loses
1.5, on the other days 0.1. What is refused, when and why is that of contract 3.4, 3.8 and 3.9.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import hft
from hft.core.errors import ConfigError
from hft.runs.result import Run

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)
LIMIT = 5


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def quotes() -> pl.DataFrame:
    """A quote each five minutes of five days; it falls while we hold, and rises while we do not."""
    rows = []
    for k in range(5 * 24 * 12):
        ts = MONDAY + timedelta(minutes=5 * k)
        held = ts.hour % 2 == 0 and ts.minute > 0
        fall = 1.5 if ts.day == MONDAY.day else 0.1
        bid = 100.0 - (fall if held or (ts.hour % 2 == 1 and ts.minute == 0) else 0.0)
        rows.append({"ts": ts, "bid": round(bid, 2), "ask": round(bid + 0.01, 2)})
    return pl.DataFrame(rows)


@hft.strategy(every="1h")
def there_and_back(view, order, p, s):  # type: ignore[no-untyped-def]
    hour = (view.now // 3_600_000_000_000) % 24
    if hour % 2 == 0 and view.position == 0:
        order.new(0, view.ask_tick, 1, 1)
    elif hour % 2 == 1 and view.position > 0:
        order.new(1, view.bid_tick, 1, 1)


CONTROLS = [
    {"at": at(1, 8), "kind": "reset", "cause": "the desk has looked at it"},
    {"at": at(2, 10, 30), "kind": "mode", "value": "degrade"},
    {"at": at(2, 13), "kind": "mode", "value": "normal"},
    {"at": at(2, 14, 30), "kind": "kill", "cause": "an operator"},
    {"at": at(2, 17, 30), "kind": "reset", "cause": "all is well"},
    {"at": at(3, 2, 30), "kind": "degraded", "value": "on"},
    {"at": at(3, 5), "kind": "degraded", "value": "off"},
    {"at": MONDAY, "kind": "promotion", "strategy": "week", "weight": 1},
    {"at": at(3, 12, 30), "kind": "promotion", "strategy": "week", "weight": 0},
    {"at": at(4, 2), "kind": "promotion", "strategy": "week", "weight": 0.5},
    {"at": at(4, 11, 30), "kind": "lease", "value": "lost"},
    {"at": at(4, 13), "kind": "lease", "value": "held", "fence": 2},
]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("week")
    tapes = hft.ingest(quotes(), folder / "tapes", symbol="X", tick="0.01", lot="1")
    limits = hft.Limits.off().replace(
        **{
            "max_daily_loss": LIMIT,
            "HFT_GATEWAY_REQUIRE_PROMOTION": True,
            "strategies.week.alpha_id": "alpha_1",
            "strategies.week.critical": False,
        }
    )
    controls = sorted(CONTROLS, key=lambda one: one["at"])
    return hft.replay(
        tapes,
        {"week": there_and_back},
        limits=limits,
        controls=controls,
        out=folder / "runs",
        plain=True,
    )


def reasons(run: Run, begin: datetime, end: datetime, side: str = "BUY") -> set[str]:
    """Why the strategy's intents of a side were decided as they were in a span."""
    rows = run.decisions.filter(
        (pl.col("ts") >= begin)
        & (pl.col("ts") < end)
        & (pl.col("side") == side)
        & (pl.col("intent") == "NEW")
    )
    return set(rows["reason"].to_list())


def test_the_daily_loss_trips_once_closes_what_is_held_and_stays_latched_over_midnight(
    week: Run,
) -> None:
    trip = week.trips.row(0, named=True)
    assert (trip["guard"], trip["event"], trip["cause"]) == ("BREAKER", "TRIPPED", "LOSS")
    assert trip["scope"] == "GLOBAL" and trip["ts"].day == MONDAY.day
    assert trip["measured"] <= trip["limit"] == -LIMIT
    assert (trip["unit"], trip["key"]) == ("USD", "max_daily_loss")
    assert reasons(week, MONDAY, trip["ts"]) == {"OK"}
    assert reasons(week, trip["ts"] + timedelta(hours=1), at(1, 8)) == {"BREAKER_TRIPPED"}
    closes = week.decisions.filter(pl.col("intent") == "FORCE_FLAT")
    assert closes["reason"][0] == "OK" and closes["ts"][0] >= trip["ts"]


def test_a_new_day_begins_at_nothing_and_an_audited_reset_lets_orders_through(week: Run) -> None:
    days = week.controls.filter(pl.col("kind") == "RESET_DAILY")["ts"].to_list()
    assert days == [at(day, 0) for day in range(1, 5)]
    assert reasons(week, at(1, 8), at(2, 10, 30)) == {"OK"}
    losses = week.trips.filter(pl.col("cause") == "LOSS")
    assert losses["event"].to_list() == ["TRIPPED", "RESET"]
    assert losses["ts"][1] == at(1, 8)
    end = week.equity.filter(pl.col("ts") < at(2, 10))["net"].to_list()[-1]
    assert end < -LIMIT, "the run has lost more than a day may, over its days"


def test_degrade_refuses_what_adds_risk_and_lets_what_reduces_it_through(week: Run) -> None:
    degrade, degraded = (at(2, 10, 30), at(2, 13)), (at(3, 2, 30), at(3, 5))
    assert reasons(week, *degrade) == {"POLICY_DEGRADE"}
    assert reasons(week, *degrade, "SELL") == {"OK"}
    assert reasons(week, at(2, 13), at(2, 14, 30)) == {"OK"}
    assert reasons(week, *degraded) == {"POLICY_DEGRADE"}, "it is not critical (3.9)"
    assert reasons(week, *degraded, "SELL") == {"OK"}
    assert reasons(week, at(3, 5), at(3, 12, 30)) == {"OK"}


def test_a_kill_closes_and_refuses_until_its_reset(week: Run) -> None:
    manual = week.trips.filter(pl.col("cause") == "MANUAL")
    assert manual["event"].to_list() == ["TRIPPED", "RESET"]
    assert manual["ts"].to_list() == [at(2, 14, 30), at(2, 17, 30)]
    assert manual["measured"].to_list() == [None, None], "a person measures nothing"
    assert reasons(week, at(2, 14, 31), at(2, 17, 30)) == {"KILL_SWITCH"}
    closes = week.decisions.filter(pl.col("intent") == "FORCE_FLAT")
    assert closes["ts"][-1] > at(2, 14, 30) and closes["ts"][-1] < at(2, 16)
    assert reasons(week, at(2, 18), at(3, 2, 30)) == {"OK"}


def test_a_promotion_that_is_over_lets_only_out(week: Run) -> None:
    assert reasons(week, at(3, 12, 30), at(4, 2)) == {"ALPHA_NOT_LIVE"}
    assert reasons(week, at(3, 12, 30), at(4, 2), "SELL") == {"OK"}
    assert reasons(week, at(4, 2), at(4, 11, 30)) == {"OK"}


def test_a_standby_decides_and_dispatches_nothing(week: Run) -> None:
    assert reasons(week, at(4, 11, 30), at(4, 13)) == {"NOT_LEADER"}
    assert reasons(week, at(4, 13), at(5, 0)) == {"OK"}


def test_each_input_is_a_row_and_part_of_what_the_run_is(week: Run) -> None:
    assert week.controls.height == len(CONTROLS) + 4
    kinds = week.controls.filter(pl.col("kind") == "KILL").select("about", "value").rows()
    assert kinds == [("all", "reset"), ("all", "kill"), ("all", "reset")]
    assert len(week.config["controls"]) == len(CONTROLS)
    assert week.config["controls"][0]["kind"] == "promotion"
    again = week.verify()
    assert again, str(again)
    assert "LOSS" in repr(week) and "max_daily_loss" in repr(week)
    page = week.report().read_text()
    assert "Trips and control inputs" in page and "circuit_breaker_threshold" not in page


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"kind": "mode", "value": "halt"}, "entry 1 (mode): at: is missing"),
        ({"at": MONDAY, "kind": "panic"}, "kind: 'panic' is none of mode, degraded"),
        ({"at": MONDAY, "kind": "mode", "value": "stop"}, "is none of normal, degrade, halt"),
        ({"at": "2024-03-04 10:00", "kind": "kill"}, "entry 1 (kill): at:"),
        ({"at": MONDAY, "kind": "kill", "strategy": "other"}, "'other' is none of week"),
        ({"at": MONDAY, "kind": "kill", "scope": "symbol"}, "symbol: belongs to scope symbol"),
        ({"at": MONDAY, "kind": "promotion", "strategy": "week", "weight": 2}, "from 0 to 1"),
        ({"at": MONDAY, "kind": "latency", "value": "soon"}, "is not a duration"),
        ({"at": MONDAY, "kind": "reset", "why": "x"}, "why: is not a field"),
        ({"at": MONDAY, "kind": "limits", "limits": {"max_loss": 1}}, "unknown key 'max_loss'"),
    ],
)
def test_an_input_that_cannot_be_is_one_sentence_with_entry_and_field(
    week: Run, tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    tapes = hft.tapes(week.path.parents[1] / "tapes")
    with pytest.raises(ConfigError) as said:
        hft.replay(
            tapes,
            {"week": there_and_back},
            controls=[entry],
            out=tmp_path,
            plain=True,
        )
    assert words in str(said.value)


def test_limits_and_decision_latency_change_at_their_time(week: Run, tmp_path: Path) -> None:
    tapes = hft.tapes(week.path.parents[1] / "tapes")
    file = tmp_path / "inputs.yaml"
    (tmp_path / "none.yaml").write_text("risk.price_band_ticks: 1\nmax_position_size: 0\n")
    file.write_text(
        f"- {{at: '{at(1, 0).isoformat()}', kind: latency, value: 7ms}}\n"
        f"- {{at: '{at(2, 0).isoformat()}', kind: limits, limits: none.yaml}}\n"
    )
    run = hft.replay(
        tapes,
        {"week": there_and_back},
        limits="off",
        controls=file,
        out=tmp_path / "runs",
        plain=True,
    )
    sent = run.orders.with_columns(way=pl.col("arrived") - pl.col("sent"))
    before, after = sent.filter(pl.col("sent") < at(1, 0)), sent.filter(pl.col("sent") >= at(1, 0))
    assert set(before["way"]) == {timedelta(0)}
    assert set(after["way"]) == {timedelta(milliseconds=7)}
    assert reasons(run, at(0, 1), at(2, 0)) == {"OK"}
    assert "OK" not in reasons(run, at(2, 2), at(5, 0))
