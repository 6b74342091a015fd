"""A month of markets in one replay: the clock changes, a day is short, one never closes."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

import hft
from hft.core.instruments import Instrument
from hft.runs.ingest import ingest
from hft.tape.dataset import Tapes

pytestmark = pytest.mark.nojit

NEW_YORK, CHICAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")
SECOND, DAY_S = 1_000_000_000, 86_400
FIRST, LAST = datetime(2024, 11, 1), datetime(2024, 12, 2)  # UTC
OPEN, CLOSED = 0, 1
FAR = 1 << 62
OLD = 800_000_000 * SECOND


def tapes(folder: Path, calendars: dict[str, str | None]) -> Tapes:
    """Quotes each hour of every day; nothing on them says when anything is open."""
    every = np.arange(int((LAST - FIRST).total_seconds()) // 3600) * 3600
    ts = (every + int(FIRST.replace(tzinfo=ZoneInfo("UTC")).timestamp())) * SECOND
    found = Tapes([])
    for symbol, calendar in calendars.items():
        grid = Instrument(symbol, Decimal("0.01"), Decimal(1), calendar=calendar)
        # Depth comes and goes, so that what was taken is forgotten.
        depth = np.where(every // 3600 % 2 == 0, 5.0, 1.0)
        frame = pl.DataFrame({"ts": ts, "bid_qty": depth, "ask_qty": depth})
        frame = frame.with_columns(bid=99.99, ask=100.01)
        made = ingest(frame, folder / symbol, symbol=symbol, instruments={symbol: grid})
        found = found + made
    return found.select(symbols=list(calendars))


def seen(
    opened: Tapes, folder: Path, every: str, count: int, start: int | None = None
) -> list[tuple[int, list[tuple[int, int]]]]:
    """(now, [(phase, ns to the close) of the first instruments]) at each wake-up."""
    looked: list[Any] = []

    @hft.strategy(every=every, instruments=count)
    class Looks:
        def on_wake(self, view: Any, order: Any) -> None:
            found = [(view[i].session_phase, view[i].ns_to_close) for i in range(count)]
            looked.append((int(view.now), [(int(a), int(b)) for a, b in found]))

    hft.replay(opened, Looks, out=folder / "runs", record="digest", start=start)
    return looked


def stocks(now: datetime) -> tuple[int, int]:
    """By hand: 09:30 to 16:00 in New York, to 13:00 on the Friday after Thanksgiving."""
    local = now.astimezone(NEW_YORK)
    if local.weekday() > 4 or local.date() == date(2024, 11, 28):
        return CLOSED, 0
    end = time(13) if local.date() == date(2024, 11, 29) else time(16)
    if not time(9, 30) <= local.time() < end:
        return CLOSED, 0
    close = datetime.combine(local.date(), end, NEW_YORK)
    return OPEN, int((close - now).total_seconds()) * SECOND


def globex(now: datetime) -> tuple[int, int]:
    """By hand: 17:00 to 16:00 in Chicago from Sunday on; to noon on Thanksgiving and after."""
    local = now.astimezone(CHICAGO)
    day = local.date() + timedelta(days=1 if local.time() >= time(17) else 0)
    early = day in (date(2024, 11, 28), date(2024, 11, 29))
    close = datetime.combine(day, time(12) if early else time(16), CHICAGO)
    if day.weekday() > 4 or now >= close:
        return CLOSED, 0
    return OPEN, int(close.timestamp() - now.timestamp()) * SECOND


def bitcoin(now: datetime) -> tuple[int, int]:
    """By hand: always open; the day ends at midnight UTC."""
    return OPEN, (DAY_S - int(now.timestamp()) % DAY_S) * SECOND


def test_each_market_keeps_its_own_hours_in_one_replay(tmp_path: Path) -> None:
    opened = tapes(tmp_path, {"SPY": "XNYS", "ES": "CME", "BTC": "24/7", "OWN": None})
    looked = seen(opened, tmp_path, "30m", 4)
    assert len(looked) > 1400
    for now_ns, found in looked:
        now = datetime.fromtimestamp(now_ns // SECOND, ZoneInfo("UTC"))
        assert found == [stocks(now), globex(now), bitcoin(now), (OPEN, FAR)], now
    phases = {tuple(phase for phase, _ in found) for _, found in looked}
    assert len(phases) == 3  # both open, the future alone, neither


@pytest.mark.parametrize("listened", [1, 2])
def test_an_instrument_keeps_its_hours_whatever_the_others_times(
    tmp_path: Path, listened: int
) -> None:
    """A tape of 1995, idle or listened to, lies before every calendar; that of SPY does not."""
    opened = tapes(tmp_path, {"SPY": "XNYS"})
    old = pl.DataFrame({"ts": [OLD, OLD + SECOND], "bid": [99.99] * 2, "ask": [100.01] * 2})
    grid = {"OLD": Instrument("OLD", Decimal("0.01"), Decimal(1))}
    opened = opened + ingest(
        old.with_columns(bid_qty=5.0, ask_qty=5.0), tmp_path / "old", symbol="OLD", instruments=grid
    )
    begin = int(FIRST.replace(tzinfo=ZoneInfo("UTC")).timestamp()) * SECOND
    looked = seen(opened.select(symbols=["SPY", "OLD"]), tmp_path, "30m", listened, begin)
    assert len(looked) > 1400
    for now_ns, found in looked:
        now = datetime.fromtimestamp(now_ns // SECOND, ZoneInfo("UTC"))
        assert found[0] == stocks(now), now


def test_timed_features_of_the_month_have_the_rows_of_its_hours(tmp_path: Path) -> None:
    opened = tapes(tmp_path, {"SPY": "XNYS", "BTC": "24/7"})
    rows = hft.features(opened, ["mid_tick"], clock="30m").collect()
    counts = dict(rows["symbol"].value_counts().iter_rows())
    assert counts["SPY"] == 19 * 13 + 7  # twenty sessions, one of them of three and a half hours
    assert counts["BTC"] == 31 * 48 - 1


@pytest.mark.parametrize(
    ("calendars", "whose", "days"),
    [
        # Twenty of November, and the evenings before its first and after its last.
        ({"SPY": "XNYS"}, "sessions of XNYS", 22),
        ({"SPY": "XNYS", "BTC": "24/7"}, "UTC days: no one calendar is known", 31),
    ],
)
def test_a_run_is_told_by_the_days_its_instruments_share(
    tmp_path: Path, calendars: dict[str, str | None], whose: str, days: int
) -> None:
    @hft.strategy(every="1h", instruments=len(calendars))
    class Buys:
        def on_wake(self, view: Any, order: Any) -> None:
            order.target(1 if view.position == 0 else 0)

    opened = tapes(tmp_path, calendars)
    run = hft.replay(opened, Buys, out=tmp_path / "runs", limits=hft.Limits.off())
    assert run.fills.height > 100
    assert run.daily.height == run.metrics["days"].value == days
    last = run.equity.group_by("symbol").agg(pl.col("net").last())
    assert run.daily["net"].sum() == pytest.approx(last["net"].sum())
    assert run.daily["fills"].sum() == run.fills.height
    assert f"{whose}, best" in repr(run)
    assert "Day by day" in run.report().read_text()
