"""Times later than their row are found by what they are; a bought-in field says when it was
known."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from hft.governance.gates.inputs import audit
from hft.governance.gates.timestamps import known_at
from hft.governance.profile import Profile
from hft.governance.verdict import Check, Verdict
from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.dataset import ResearchData
from hft.research.data.sample import sample
from hft.settings.governance import packaged_profile

NOW = 1_900_000_000_000_000_000
DAY_NS = 86_400_000_000_000


@pytest.fixture
def standard() -> Profile:
    return Profile.from_dict(packaged_profile("standard"), "standard")


def manifest(*fields: str, **more: Any) -> AlphaManifest:
    return AlphaManifest("a", "h", "f", data_fields=fields, horizon_ns=1, **more)


def future(data: ResearchData, told: AlphaManifest | None = None) -> Check:
    return {one.id: one for one in audit(data, told, now_ns=NOW)}["data_future_rows"]


def stamped(name: str, values: pl.Series) -> ResearchData:
    data = sample(200)
    return data.with_frame(data.frame.with_columns(values.alias(name)))


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("name", ["updated_at", "x", "revision"])
def test_a_column_of_epoch_times_three_days_late_is_found_under_any_name(
    name: str, unit: int
) -> None:
    late = (sample(200).ts_ns + 3 * DAY_NS) // unit
    found = future(stamped(name, pl.Series(late, dtype=pl.Float64)))
    assert found.verdict is Verdict.FAIL and f"by {name}" in found.reason
    early = (sample(200).ts_ns - 3 * DAY_NS) // unit
    fine = future(stamped(name, pl.Series(early, dtype=pl.Float64)))
    assert fine.verdict is Verdict.PASS


def test_a_column_of_datetimes_that_is_late_in_one_row_is_found() -> None:
    values = sample(200).ts_ns.copy()
    values[70] += 1
    found = future(stamped("vendor_time", pl.Series(values).cast(pl.Datetime("ns", "UTC"))))
    assert found.verdict is Verdict.FAIL and found.value == 1 and "row 71" in found.reason


@pytest.mark.parametrize("kind", [pl.Float64, pl.Int64])
def test_days_as_numbers_are_times_and_tomorrow_is_late(kind: Any) -> None:
    days = pl.Series(sample(200).ts_ns).cast(pl.Datetime("ns")).dt.date()
    late = days.dt.offset_by("1d").dt.strftime("%Y%m%d").cast(kind)
    found = future(stamped("rev", late))
    assert found.verdict is Verdict.FAIL and "by rev" in found.reason
    early = days.dt.strftime("%Y%m%d").cast(kind)
    assert future(stamped("rev", early)).verdict is Verdict.PASS


def test_numbers_that_are_no_times_are_not_taken_for_some() -> None:
    random = np.random.Generator(np.random.Philox(1))
    for values in (random.uniform(1e9, 3e9, 200), random.uniform(0, 1e18, 200), np.arange(200.0)):
        assert future(stamped("turnover", pl.Series(values))).verdict is Verdict.PASS


def test_an_expiry_lies_ahead_and_may_when_somebody_says_that_it_was_known() -> None:
    data = stamped("expiry", pl.Series(sample(200).ts_ns + 30 * DAY_NS).cast(pl.Datetime("ns")))
    found = future(data)
    assert found.verdict is Verdict.FAIL and "expiry: row" in found.reason
    assert future(data, manifest("ofi", known_at=("expiry: row",))).verdict is Verdict.PASS


def test_a_bought_in_field_says_when_it_was_known(standard: Profile) -> None:
    data = sample(200, fields=("score",))
    silent = known_at(manifest("score", "ofi"), data, standard)
    assert silent.verdict is Verdict.INSUFFICIENT and "score: row" in silent.reason
    by_manifest = known_at(manifest("score", known_at=("score: row",)), data, standard)
    beside = replace(data, metadata={"file": {"known_at": {"score": "row"}}})
    by_sidecar = known_at(manifest("score"), beside, standard)
    assert by_manifest.verdict is by_sidecar.verdict is Verdict.PASS
    market = known_at(manifest("ofi", "mid", "microprice", "session", "qi"), data, standard)
    assert market.verdict is Verdict.PASS
    lenient = known_at(manifest("score"), data, Profile.from_dict(packaged_profile("base"), "base"))
    assert not lenient.applicable and "nobody says" in lenient.reason


def test_a_field_that_was_known_later_than_its_row_by_its_own_column_fails(
    standard: Profile,
) -> None:
    data = stamped("score", pl.Series(np.arange(200.0)))
    when = pl.Series("sent", data.ts_ns + DAY_NS).cast(pl.Datetime("ns"))
    late = data.with_frame(data.frame.with_columns(when))
    told = manifest("score", known_at=("score: sent",))
    found = known_at(told, late, standard)
    assert found.verdict is Verdict.FAIL and "score at row 1" in found.reason
    absent = known_at(told, data, standard)
    assert absent.verdict is Verdict.FAIL and "no column 'sent'" in absent.reason
