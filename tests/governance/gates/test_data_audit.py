"""The data audit of Gate A: what is wrong with rows is found and named; real data passes."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hft.governance.gates.inputs import audit, manifest_checks
from hft.governance.validation import structure
from hft.governance.verdict import Check, Verdict
from hft.research.alphas.examples import examples
from hft.research.alphas.loader import load_folder
from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.dataset import ResearchData
from hft.research.data.gaps import gaps, told_by
from hft.research.data.load import load
from hft.research.data.sample import sample
from hft.research.leakage import check_alpha
from hft.tape.sessions import sessions_of

NOW = 1_900_000_000_000_000_000


def checks(data: ResearchData, **more: object) -> dict[str, Check]:
    return {check.id: check for check in audit(data, now_ns=NOW, **more)}  # type: ignore[arg-type]


def manifest(*fields: str, **changes: object) -> AlphaManifest:
    told = {"horizon_ns": 60_000_000_000, "owner": "o", "family": "f"} | changes
    told = {"hypothesis": "h"} | told
    return AlphaManifest("mine", formula="f", data_fields=fields, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_example_on_the_real_bars_is_admissible(name: str, shared_data: Path) -> None:
    alpha = load_folder(examples()[name])
    data = load(sorted((shared_data / "qqq_micro_bars_1m").glob("202311*.parquet")))
    static = {c.id: c for c in manifest_checks(alpha.manifest, data)}
    wrong = [check.reason for check in static.values() if check.verdict is not Verdict.PASS]
    assert wrong == ["manifest: owner is empty"], "an example has no owner until it is copied"
    found = checks(data, manifest=alpha.manifest)
    assert {check.verdict for check in found.values()} == {Verdict.PASS}
    assert found["data_coverage"].value == 1.0
    report = check_alpha(alpha, data)
    assert report.clean and len(report.cuts) >= 12


def test_all_234_real_days_pass_the_audit(shared_data: Path) -> None:
    data = load(shared_data / "qqq_micro_bars_1m")
    found = checks(data)
    assert {check.verdict for check in found.values()} == {Verdict.PASS}
    assert "sampled about every 8 sessions" in found["data_gaps"].reason


def test_a_month_that_is_missing_from_real_bars_is_found(shared_data: Path) -> None:
    data = load(shared_data / "us_etf_bars_1m" / "SPY")
    found = checks(data)["data_gaps"]
    assert found.verdict is Verdict.FAIL
    assert "19 sessions are missing between 20030131 and 20030303 (XNYS)" in found.reason


def test_days_on_which_the_exchange_was_closed_are_no_gap(shared_data: Path) -> None:
    data = load(shared_data / "lean_us_equity_hour" / "ibm.zip")
    found = checks(data)["data_gaps"]
    # September 2001 among them, and the hurricane of 2012.
    assert found.verdict is Verdict.PASS and found.reason == ""
    assert told_by(np.unique(data.session).tolist()) == "XNYS"


@pytest.mark.parametrize(
    ("sessions", "reason"),
    [
        ((20240325, 20240326, 20240327, 20240328, 20240402), "exchange closed"),  # Easter
        ((20231220, 20231221, 20231222, 20231227, 20231228), "exchange closed"),
        ((20240304, 20240305, 20240306, 20240311, 20240312), ""),
        ((20240304, 20240305, 20240307, 20240308), None),  # one day is no gap
    ],
)
def test_a_gap_has_a_reason_or_none(sessions: tuple[int, ...], reason: str | None) -> None:
    found = gaps(sessions)
    assert [gap.reason for gap in found] == ([] if reason is None else [reason])


def sessions_of_table(first: int, last: int, calendar: str = "XNYS") -> list[int]:
    table = sessions_of(calendar)
    assert table is not None
    return table.days(first, last).tolist()


def of_sessions(days: list[int], **metadata: Any) -> ResearchData:
    """A row a session."""
    ts = pl.Series("ts", [f"{day}" for day in days]).str.to_datetime("%Y%m%d", time_zone="UTC")
    ts = ts.cast(pl.Datetime("ns", "UTC"))
    price = 100.0 + np.arange(len(days)) % 7
    return replace(load(pl.DataFrame({"ts": ts, "mid": price})), metadata={"data": metadata})


def test_sessions_removed_singly_are_each_missing_by_the_table() -> None:
    days = sessions_of_table(20200102, 20221013)
    assert len(days) == 702
    random = np.random.Generator(np.random.Philox(1))
    kept = np.sort(random.choice(np.arange(1, 701), 475, replace=False))
    left = [days[0], *(days[k] for k in kept), days[-1]]
    found = gaps(left)
    assert sum(gap.missing for gap in found) == 225
    assert {gap.calendar for gap in found} == {"XNYS"}
    assert checks(of_sessions(left))["data_gaps"].verdict is Verdict.FAIL


def test_holidays_are_no_gap_and_thanksgiving_is_one() -> None:
    days = sessions_of_table(20231002, 20240628)
    assert gaps(days) == []
    (gap,) = gaps([day for day in days if day not in (20231122, 20231124)])
    assert (gap.after, gap.before, gap.missing) == (20231121, 20231127, 2)


def test_every_session_that_lacks_counts_until_the_data_says_why() -> None:
    days = sessions_of_table(20231002, 20240628)
    less = [day for day in days if day != 20240103]
    assert [gap.sentence for gap in gaps(less)] == [
        "1 session is missing between 20240102 and 20240104 (XNYS)"
    ]
    assert checks(of_sessions(less))["data_gaps"].verdict is Verdict.FAIL
    why = [{"after": 20240102, "before": 20240104, "reason": "the feed was down"}]
    assert checks(of_sessions(less, gaps=why))["data_gaps"].verdict is Verdict.PASS, "the cure"


@pytest.mark.parametrize("calendar", ["XNYS", "XTKS", "CMES", "24/7"])
def test_a_day_that_the_calendar_has_not_does_not_hide_those_that_lack(calendar: str) -> None:
    days = sessions_of_table(20200102, 20221013, calendar)
    random = np.random.Generator(np.random.Philox(1))
    gone = 2 * random.choice(np.arange(1, len(days) // 2 - 1), 150, replace=False)
    left = sorted({*np.delete(days, gone).tolist(), 20200606, 20201205})
    assert told_by(left) == calendar
    assert sum(gap.missing for gap in gaps(left)) == 150


def test_in_a_market_without_a_table_single_days_count_once_holidays_cannot_explain_them() -> None:
    whole = np.busday_offset("1970-01-01", np.arange(700), roll="forward").astype(str)
    days = [int(day.replace("-", "")) for day in whole.tolist()]
    gone = (2 * np.random.Generator(np.random.Philox(1)).permutation(349) + 1).tolist()
    for count, found in ((30, 0), (225, 225)):
        left = [day for k, day in enumerate(days) if k not in gone[:count]]
        assert told_by(left) == ""
        assert sum(not gap.reason for gap in gaps(left)) == pytest.approx(found, abs=12)


def test_a_calendar_beside_the_data_is_the_one_that_counts() -> None:
    # Ten sessions tell no calendar; London worked on the two days New York did not.
    days = sessions_of_table(20231113, 20231201)
    assert checks(of_sessions(days))["data_gaps"].verdict is Verdict.PASS
    found = checks(of_sessions(days, calendar="XLON"))["data_gaps"]
    assert found.verdict is Verdict.FAIL and "(XLON)" in found.reason


def test_a_hole_in_data_that_is_sampled_is_still_a_hole() -> None:
    days = np.busday_offset("2024-01-01", np.arange(0, 160, 8)).astype(str)
    sessions = [int(str(day).replace("-", "")) for day in days]
    assert all(gap.reason for gap in gaps(sessions))
    wrong = [gap for gap in gaps(sessions[:8] + sessions[11:]) if not gap.reason]
    assert len(wrong) == 1 and wrong[0].missing == 31


def test_a_row_from_the_future_is_found() -> None:
    data = sample(200)
    late = {c.id: c for c in audit(data, now_ns=int(data.ts_ns[100]))}["data_future_rows"]
    assert late.verdict is Verdict.FAIL and late.value == 99.0 and "row 102" in late.reason


@pytest.mark.parametrize("unit", ["time", "ns"])
def test_a_row_that_was_known_later_than_it_says_is_found(unit: str) -> None:
    data = sample(200)
    known = data.ts_ns.copy()
    known[50] += 5_000_000_000
    column = pl.Series("available_at", known)
    if unit == "time":
        column = column.cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    later = data.with_frame(data.frame.with_columns(column))
    found = checks(later)["data_future_rows"]
    assert found.verdict is Verdict.FAIL and "row 51" in found.reason
    known[50] -= 9_000_000_000
    column = pl.Series("available_at", known)
    fine = data.with_frame(data.frame.with_columns(column))
    assert checks(fine)["data_future_rows"].verdict is Verdict.PASS


def test_missing_values_count_after_the_warm_up_only() -> None:
    data = sample(1000)
    flow = data.field("ofi").copy()
    flow[:200] = np.nan
    warm = data.with_frame(data.frame.with_columns(pl.Series("ofi", flow)))
    assert checks(warm, manifest=manifest("ofi"))["data_coverage"].value == 1.0
    flow[300:320] = np.nan
    holes = data.with_frame(data.frame.with_columns(pl.Series("ofi", flow)))
    found = checks(holes, manifest=manifest("ofi"))["data_coverage"]
    assert found.verdict is Verdict.FAIL and found.value == pytest.approx(1 - 20 / 800)
    assert "ofi is missing" in found.reason and not found.blocking, "judged by what it says"
    flow[:] = np.nan
    empty = data.with_frame(data.frame.with_columns(pl.Series("ofi", flow)))
    none = checks(empty, manifest=manifest("ofi"))["data_coverage"]
    assert none.verdict is not Verdict.PASS and none.blocking, "a field that is never there"
    assert checks(holes, manifest=manifest("trade_vol"))["data_coverage"].value == 1.0


def test_rows_of_one_time_are_shown_and_bars_that_stand_twice_are_a_fault() -> None:
    data = sample(300)
    twice = data.frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 41)
        .then(pl.col("ts").shift(1))
        .otherwise("ts")
        .alias("ts")
    )
    found = checks(data.with_frame(twice))["data_repeated"]
    assert found.verdict is Verdict.FAIL and not found.blocking and "row 42" in found.reason
    again = pl.concat([data.frame, data.frame.head(30)]).sort("ts", maintain_order=True)
    found = checks(data.with_frame(again))["data_repeated"]
    assert found.blocking and "30 of them a whole row" in found.reason
    random = np.random.Generator(np.random.Philox(2))
    ts = data.ts_ns[0] + np.sort(random.integers(0, 3600, 300)) * 1_000_003
    events = data.frame.with_columns(
        pl.Series("ts", ts).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    )
    assert checks(data.with_frame(events))["data_repeated"].blocking is False


def test_data_that_is_not_what_it_was_is_refused() -> None:
    data = sample(100)
    assert checks(data, pinned=data.fingerprint)["data_pinned"].verdict is Verdict.PASS
    assert checks(data, pinned="0" * 64)["data_pinned"].verdict is Verdict.FAIL


def test_the_manifest_is_checked_against_every_file() -> None:
    data = sample(100)
    found = {c.id: c for c in manifest_checks(manifest("ofi", complexity=" o( n ) "), data)}
    assert {check.verdict for check in found.values()} == {Verdict.PASS}
    wrong = manifest("ofi", "nowhere", complexity="O(N^2)", hypothesis=" ")
    found = {c.id: c for c in manifest_checks(wrong, data)}
    assert found["complexity"].verdict is Verdict.FAIL
    assert "nowhere" in found["data_fields"].reason
    assert "hypothesis is empty" in found["manifest_complete"].reason


def test_a_raw_price_is_only_advised_against() -> None:
    data = sample(100)
    priced = data.with_frame(data.frame.with_columns(pl.col("mid").alias("price")))
    found = {c.id: c for c in manifest_checks(manifest("price"), priced)}["raw_price"]
    assert found.blocking is False and "raw price" in found.reason


def test_the_cure_of_a_gap_refusal_is_the_line_that_cures_it(tmp_path: Path) -> None:
    """What the refusal says to write, and where, is written: the gaps are explained then."""
    rows = sample(rows=6000, minutes=20)
    lost = np.isin(rows.session, np.concatenate([rows.sessions[20:40], rows.sessions[60:80]]))
    for name, part in (("a", rows.ts_ns < rows.ts_ns[3000]), ("b", rows.ts_ns >= rows.ts_ns[3000])):
        rows.frame.filter(pl.Series(part & ~lost)).write_parquet(tmp_path / f"{name}.parquet")
    for _ in range(2):
        found = checks(load(tmp_path))["data_gaps"]
        assert found.verdict is Verdict.FAIL
        told = re.search(r'(write|add) (\{.*\}) to (?:"gaps" in )?(\S+)$', found.reason)
        assert told is not None, found.reason
        path = Path(told[3])
        assert path.parent == tmp_path
        if told[1] == "write":
            path.write_text(told[2])
        else:
            kept = json.loads(path.read_text())
            path.write_text(json.dumps({"gaps": [*kept["gaps"], json.loads(told[2])]}))
    found = checks(load(tmp_path))["data_gaps"]
    assert found.verdict is Verdict.PASS and "2 gaps explained" in found.reason
    assert structure.governance(load(tmp_path), ()) == []


def test_a_price_at_or_below_0_is_advice_that_names_the_first(tmp_path: Path) -> None:
    assert checks(sample(300))["data_prices"].verdict is Verdict.PASS
    frame = sample(300).frame.with_row_index("n")
    mid = pl.when(pl.col("n") == 40).then(-3.0).when(pl.col("n") == 50).then(0.0).otherwise("mid")
    frame.with_columns(mid=mid).drop("n").write_parquet(tmp_path / "rows.parquet")
    found = checks(load(tmp_path))["data_prices"]
    assert found.verdict is Verdict.FAIL and not found.blocking and found.value == 2.0
    assert "2 prices at or below 0" in found.reason and "the first, -3, at " in found.reason
