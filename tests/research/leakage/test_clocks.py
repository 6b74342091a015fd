"""A column whose stamps change, and one that ranks names by how they will end."""

import numpy as np
import polars as pl
import pytest

from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.leakage import check_alpha
from hft.research.leakage.fields import end_violations, label_violations

HOUR_NS, DAY_NS = 3_600_000_000_000, 86_400_000_000_000
ROWS, BAR = 6000, 0.004
TIME = pl.Datetime("ns", "UTC")


def hours(moves: np.ndarray, **columns: np.ndarray) -> ResearchData:
    ts = 19_358 * DAY_NS + np.arange(len(moves)) * HOUR_NS
    price = 100.0 * np.exp(np.cumsum(moves))
    frame = pl.DataFrame({"ts": pl.Series(ts).cast(TIME), "mid": price, **columns})
    return load(frame, fields=tuple(columns), horizon_ns=HOUR_NS)


def said(data: ResearchData, *fields: str, horizon_ns: int = HOUR_NS) -> list[str]:
    manifest = AlphaManifest(
        "one", hypothesis="h", formula="f", data_fields=fields, horizon_ns=horizon_ns, owner="o",
        family="f",
    )  # fmt: skip
    found = label_violations(manifest, data) or end_violations(manifest, data)
    return [one.sentence for one in found]


def flow(seed: int, share: float = 0.4, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Moves, and what a column says of each at its own row: no more than an edge may."""
    random = np.random.default_rng(seed)
    moves = BAR * random.standard_normal(rows)
    return moves, share * moves / BAR + random.standard_normal(rows)


@pytest.mark.parametrize("since", [0.2, 0.7])
def test_a_vendor_that_stamps_an_hour_early_since_some_day_is_found(since: float) -> None:
    moves, told = flow(1)
    early = np.where(np.arange(ROWS) >= since * ROWS, np.roll(told, -1), told)
    (sentence,) = said(hours(moves, liquidated=early), "liquidated")
    assert "of its rows, and" in sentence and "of its own row elsewhere" in sentence
    late = np.where(np.arange(ROWS) >= since * ROWS, np.roll(told, 1), told)
    assert said(hours(moves, liquidated=late), "liquidated") == []
    assert said(hours(moves, liquidated=told), "liquidated") == []


def test_stamps_that_are_an_hour_early_in_summer_are_found() -> None:
    moves, told = flow(2, rows=8700)
    month = (19_358 * 24 + np.arange(8700)).astype("datetime64[h]").astype("datetime64[M]")
    summer = np.isin(month.astype(int) % 12 + 1, range(4, 11))
    (sentence,) = said(hours(moves, flow=np.where(summer, np.roll(told, -1), told)), "flow")
    assert "in summer" in sentence


def test_what_lacks_is_filled_in_from_behind_and_found_not_so_from_before() -> None:
    moves, told = flow(3, 0.6)
    lost = np.random.default_rng(4).random(ROWS) < 0.25
    lost[[0, -1]] = False
    holes = pl.Series(np.where(lost, np.nan, told)).fill_nan(None)
    behind = holes.backward_fill().to_numpy()
    (sentence,) = said(hours(moves, book=behind), "book")
    assert "first of several equal ones" in sentence
    assert said(hours(moves, book=holes.forward_fill().to_numpy()), "book") == []


def test_an_edge_that_ends_or_begins_is_no_clock() -> None:
    moves, _ = flow(5)
    random = np.random.default_rng(6)
    ahead = 0.25 * np.roll(moves, -1) / BAR + random.standard_normal(ROWS)
    noise = random.standard_normal(ROWS)
    for later in (True, False):
        part = (np.arange(ROWS) >= 0.6 * ROWS) == later
        assert said(hours(moves, edge=np.where(part, ahead, noise)), "edge") == []


def test_a_figure_in_two_currencies_tells_of_the_rate_it_was_converted_at() -> None:
    moves, _ = flow(7)
    rate = 1.1 * np.exp(np.cumsum(moves * 0.3))
    local = np.round(
        800.0 * np.exp(np.cumsum(0.004 * np.random.default_rng(8).normal(size=ROWS))), 3
    )
    week = np.arange(ROWS) // 120 * 120

    def data(at: np.ndarray) -> ResearchData:
        rows = {"mid": rate, "local": local, "usd": np.round(local * rate[at], 3)}
        ts = 19_358 * DAY_NS + np.arange(ROWS) * HOUR_NS
        frame = pl.DataFrame({"ts": pl.Series(ts).cast(TIME), **rows})
        return load(frame, fields=("local", "usd"), horizon_ns=24 * HOUR_NS)

    last = np.minimum(week + 119, ROWS - 1)
    (sentence,) = said(data(last), "local", "usd", horizon_ns=24 * HOUR_NS)
    assert "local / usd" in sentence
    assert said(data(week), "local", "usd", horizon_ns=24 * HOUR_NS) == []


def names(seed: int, count: int = 24, days: int = 380, sectors: int = 5) -> tuple[np.ndarray, ...]:
    """Moves of names that share a market and sectors, and each name's sector."""
    random = np.random.default_rng(seed)
    sector = random.integers(0, sectors, count)
    market, own = random.standard_normal((days, 1)), random.standard_normal((days, count))
    shared = random.standard_normal((days, sectors))[:, sector]
    return 0.01 * (market + shared + own) + 0.0004 * (sector == 2), sector


def panel(moves: np.ndarray, **columns: np.ndarray) -> ResearchData:
    days, count = moves.shape
    ts = np.repeat((19_358 + np.arange(days)) * DAY_NS, count)
    wide = {key: np.broadcast_to(one, moves.shape).ravel() for key, one in columns.items()}
    frame = pl.DataFrame(
        {
            "ts": pl.Series(ts).cast(TIME),
            "symbol": [f"N{k:02}" for k in range(count)] * days,
            "close": 50.0 * np.exp(np.cumsum(moves, axis=0)).ravel(),
            **wide,
        }
    )
    return load(frame, fields=tuple(columns), horizon_ns=20 * DAY_NS)


@pytest.mark.parametrize("seed", range(3))
def test_names_numbered_by_their_size_of_today_are_found_and_sectors_pass(seed: int) -> None:
    moves, sector = names(seed)
    today = np.argsort(np.argsort(-moves.sum(axis=0))) + 1.0
    (sentence,) = said(panel(moves, number=today), "number", horizon_ns=20 * DAY_NS)
    assert "among the names with their moves to the end of the rows" in sentence
    loading = 1.0 + np.random.default_rng(seed).random(24)
    assert said(panel(moves * loading, beta=loading), "beta", horizon_ns=20 * DAY_NS) == []
    assert said(panel(moves, sector=sector + 0.0), "sector", horizon_ns=20 * DAY_NS) == []


class Numbered:
    """Follows the number of each name."""

    manifest = AlphaManifest(
        "numbered", hypothesis="h", formula="f", data_fields=("number",), horizon_ns=20 * DAY_NS,
        owner="o", family="f",
    )  # fmt: skip

    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        return frame["number"].to_numpy() / 24.0


def test_the_leak_tests_ask_all_names_how_they_end_and_not_the_few_that_are_shown() -> None:
    moves, sector = names(1)
    today = np.argsort(np.argsort(-moves.sum(axis=0))) + 1.0
    found = check_alpha(Numbered(), panel(moves, number=today), seed=3).violations
    assert any("moves to the end of the rows" in one.sentence for one in found)
    assert check_alpha(Numbered(), panel(moves, number=sector + 0.0), seed=3).clean


def test_a_months_last_weight_on_all_of_its_days_is_found_by_its_steps() -> None:
    moves, _ = names(4, count=12)
    size = np.exp(np.cumsum(moves, axis=0))
    share = size / size.sum(axis=1, keepdims=True)
    days = np.arange(len(moves))
    last = np.minimum(days // 21 * 21 + 20, len(days) - 1)
    weight = np.round(100.0 * share, 1)
    (sentence,) = said(panel(moves, weight=weight[last]), "weight", horizon_ns=20 * DAY_NS)
    assert "among the names at a time" in sentence
    before = np.maximum(days // 21 * 21 - 1, 0)
    assert said(panel(moves, weight=weight[before]), "weight", horizon_ns=20 * DAY_NS) == []
