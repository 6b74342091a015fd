"""Vault days are known by what happened on them: every door asks one guard, copies do not pass."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hft.api import research
from hft.api.pool import look
from hft.api.shadow import shadow
from hft.api.vault_seen import told
from hft.core.errors import GovernanceError, ValidationError
from hft.governance.vault import Budget, Look, table
from hft.research.data import usage, vault_days
from hft.research.data.footprint import Footprint
from hft.research.data.load import load
from hft.research.data.planted import planted
from hft.research.data.planted_tapes import write_tapes
from hft.research.data.usage import Use
from hft.research.experiments import write_run
from hft.research.workspace import Workspace
from hft.tape.dataset import Tapes

DAYS = 40
PRICES = ("mid", "bid_px", "ask_px")


def shifted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns([pl.col(name) + 0.37 for name in PRICES])


def later(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("ts").dt.offset_by("10y"), pl.col("session") + 100_000)


COPIES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "prices + 0.37": shifted,
    "prices times 1.7": lambda frame: frame.with_columns([pl.col(name) * 1.7 for name in PRICES]),
    "dates + 10 years": later,
    "every second row, shifted, later": lambda frame: later(shifted(frame)).gather_every(2),
    "1/p, later": lambda frame: later(
        frame.with_columns([(1e4 / pl.col(name)).alias(name) for name in PRICES])
    ),
    "a constant - p, every second row": lambda frame: frame.with_columns(
        [(300.0 - pl.col(name)).alias(name) for name in PRICES]
    ).gather_every(2),
    "half of the rows": lambda frame: frame.sample(fraction=0.5, seed=1).sort("ts"),
    "one day, shifted, later": lambda frame: later(shifted(frame)).filter(
        pl.col("session") == pl.col("session").max()
    ),
}


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return planted(0.05, days=DAYS, seed=1)


@pytest.fixture
def desk(bars: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that judged an alpha on the first sessions and keeps the last eight."""
    root = tmp_path / "desk"
    research.init(root)
    monkeypatch.chdir(root)
    bars.write_parquet("bars.parquet")
    research.make_features(["bars.parquet"], "data", horizons="1min", split="40,40,20")
    data = load("data")
    use = Use.of("validate", "mine", data, data.select("validate"))
    usage.record(Workspace(root), use, 1)
    return root


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_vault_days_is_known_again(name: str, desk: Path, bars: pl.DataFrame) -> None:
    place, whole = Workspace(desk), load("data")
    assert whole.splits is not None
    copy = load(COPIES[name](bars.filter(pl.col("session") >= whole.splits.part("vault").first)))
    held = vault_days.held(place, copy)
    assert held == list(copy.sessions), "each day of it"
    assert "kept back as vault" in usage.kept_back(usage.uses(place, copy), copy, copy)[0]


COARSE: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "one row in 20, later": lambda frame: later(frame.gather_every(20, 3)),
    "one row in 20 by chance, times 1.7, later": lambda frame: later(
        frame.sample(fraction=0.05, seed=1)
        .sort("ts")
        .with_columns([pl.col(name) * 1.7 for name in PRICES])
    ),
    "one row in 20, mirrored, later": lambda frame: later(
        frame.gather_every(20).with_columns([(1e4 / pl.col(name)).alias(name) for name in PRICES])
    ),
}


@pytest.mark.parametrize("name", COARSE)
def test_a_coarse_copy_of_fifteen_sessions_is_known_again(name: str, bars: pl.DataFrame) -> None:
    days = sorted(set(bars["session"]))[10:30]
    part = COARSE[name](bars.filter(pl.col("session").is_in(days)))
    own, whole = Footprint.of(load(part)), Footprint.of(load(bars))
    assert own.twins(whole) == {day + 100_000: day for day in days}
    kept = Footprint.read(whole.to_dict())
    assert kept is not None and own.same_market(kept), "as it was kept"


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_market_is_not_taken_for_it(seed: int, desk: Path) -> None:
    stranger = load(planted(0.05, days=4 * DAYS, seed=seed))
    assert vault_days.held(Workspace(desk), stranger) == []


def test_two_index_funds_of_one_market_are_two(shared_data: Path) -> None:
    spy, iwm = (
        Footprint.of(load(sorted((shared_data / "us_etf_bars_1m" / name).glob("2004-*.parquet"))))
        for name in ("SPY", "IWM")
    )
    assert len(set(spy.days) & set(iwm.days)) > 100 and not spy.twins(iwm)
    assert spy.paths is not None and iwm.paths is not None and spy.paths.means


def test_a_whole_copy_under_later_dates_does_not_make_the_vault_older(
    desk: Path, bars: pl.DataFrame
) -> None:
    """Its own vault lies ten years behind the other by its dates, and on the same days."""
    later(shifted(bars)).write_parquet("copy.parquet")
    with pytest.raises(ValidationError, match="kept back as vault"):
        research.make_features(["copy.parquet"], "again", horizons="1min", split="50,40,10")
    research.make_features(["copy.parquet"], "same", horizons="1min", split="40,40,20")


def test_the_pool_leaves_out_who_has_signals_of_vault_days(desk: Path, bars: pl.DataFrame) -> None:
    vault = shifted(later(bars)).tail(390 * 6)
    times = vault["ts"].dt.epoch("ns").to_numpy()
    for name, part, ts in (
        ("honest", bars.head(2000), bars.head(2000)["ts"].dt.epoch("ns").to_numpy()),
        ("peeker", vault, times),
    ):
        write_run(
            Workspace(desk).experiments,
            alpha_id=name,
            now_ns=1_800_000_000_000_000_000,
            config_hash="c",
            data_hash=name,
            signals=np.ones(part.height),
            market=part["mid"].to_numpy(),
            ts_ns=ts,
        )
    found = look(Workspace(desk).experiments, "matrix").result
    assert found["alpha_ids"] == ["honest"]
    assert "vault of this workspace keeps back" in found["left_out"]["peeker"]


def test_shadow_over_vault_days_is_refused_until_a_look_is_paid(desk: Path, tmp_path: Path) -> None:
    tapes = write_tapes(tmp_path / "tapes", 0.05, days=4, seed=5)
    research.make_features([str(tmp_path / "tapes")], "of", clock="60s", split="50,25,25")
    data = load("of", horizon_ns=60_000_000_000)
    usage.record(Workspace(desk), Use.of("validate", "mine", data, data.select("validate")), 2)
    research.scaffold("mine", source="order_flow_imbalance", horizon="1min", root=desk)
    last: Tapes = tapes[tapes.days[-1]]
    with pytest.raises(GovernanceError, match=r"pay a look first .`hft alpha vault mine"):
        shadow("mine", last, clock="60s", root=desk)
    assert not Path("shadow", "runs").exists(), "nothing was followed"
    place = Workspace(desk)
    seen = vault_days.held(place, load([str(tmp_path / "tapes")]), "mine")
    assert len(seen) == 1
    usage.record(place, Use.of("vault", "mine", data, data.select("vault")), 3)
    assert vault_days.held(place, load([str(tmp_path / "tapes")]), "mine") == []
    assert vault_days.held(place, load([str(tmp_path / "tapes")]), "other") == seen


def test_a_replay_of_vault_days_says_so_and_they_are_no_vault_any_more(
    desk: Path, tmp_path: Path
) -> None:
    tapes = write_tapes(tmp_path / "tapes", 0.05, days=4, seed=5)
    assert told(tapes) == [], "other days"
    research.make_features([str(tmp_path / "tapes")], "of", clock="60s", split="50,25,25")
    data = load("of", horizon_ns=60_000_000_000)
    place = Workspace(desk)
    usage.record(place, Use.of("validate", "mine", data, data.select("validate")), 2)
    assert usage.not_fresh(usage.uses(place, data), data.select("vault")) == []
    (note,) = told(tapes[tapes.days[-1]])
    assert "kept back as vault" in note and "prove nothing" in note
    assert "looked at" in usage.not_fresh(usage.uses(place, data), data.select("vault"))[0]


def test_looks_beyond_the_budget_are_counted_as_what_they_are() -> None:
    taken = Look(1, 2, "mine", "f", "d", "why", "ann", "key")
    for budget in (10, 3):
        found = Budget("d", budget, (taken,) * 4)
        assert found.beyond == 1 and found.overrides is (budget == 10)
        assert "4 looks taken, 1 beyond hft's 3 by an override" in table([found], budget)
    words = Budget("d", 10, (taken,) * 4).sentence
    assert "look 5 of 10, beyond hft's 3: an override, on record" in words
    within = Budget("d", 10, (taken,) * 2)
    assert not within.overrides and "2 of 10 looks taken, 8 left" in table([within], 10)
