"""What an alpha's signal knows of its outcome, steps that come later, sums that come back."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import worlds

from hft.research.alphas.manifest import AlphaManifest
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.leakage import check_alpha
from hft.research.leakage.balanced import balanced
from hft.research.leakage.delayed import delayed
from hft.research.leakage.fields import knows_later
from hft.research.leakage.insight import bound, insight

DAYS, BARS, MINUTE_NS = 120, 26, 60_000_000_000
ROWS, BAR = DAYS * BARS, 0.0012
HOUR_NS = 60 * MINUTE_NS


def rows_of(moves: np.ndarray, minutes: int = 15, **columns: np.ndarray) -> ResearchData:
    """Quarters of an hour of New York's days, with columns beside the price."""
    days = pl.date_range(pl.date(2022, 1, 3), pl.date(2022, 12, 30), "1d", eager=True)
    days = days.filter(days.dt.weekday() < 6)[:DAYS]
    opened = days.cast(pl.Datetime("ns", "UTC")).to_numpy().astype(np.int64) + 14 * HOUR_NS
    ts = np.repeat(opened, BARS) + np.tile(np.arange(BARS), DAYS) * minutes * MINUTE_NS
    frame = pl.DataFrame(
        {
            "ts": pl.Series(ts).cast(pl.Datetime("ns", "UTC")),
            "session": np.repeat(days.dt.strftime("%Y%m%d").cast(pl.Int64).to_numpy(), BARS),
            "mid": 100.0 * np.exp(np.cumsum(moves)),
            **columns,
        }
    )
    return load(frame, fields=tuple(columns), horizon_ns=HOUR_NS)


def draws(seed: int) -> Callable[[], np.ndarray]:
    random = np.random.default_rng(seed)
    return lambda: random.standard_normal(ROWS)


def later(moves: np.ndarray, rows: int) -> np.ndarray:
    """The sum of so many moves to come."""
    path = np.concatenate([[0.0], np.cumsum(moves), np.zeros(rows)])
    at = np.arange(len(moves)) + 1
    return np.asarray(path[np.minimum(at + rows, len(moves))] - path[at])


class Costs:
    """Follows what the desk's orders cost, with their side: neither says anything by itself."""

    manifest = AlphaManifest(
        "costs", hypothesis="h", formula="f", data_fields=("side", "cost"), horizon_ns=HOUR_NS,
        owner="o", family="f",
    )  # fmt: skip

    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        held = frame["side"] * frame["cost"]
        return (
            pl.select(pl.when(frame["side"] != 0).then(held).forward_fill()).to_series().to_numpy()
        )


def orders(known: float) -> ResearchData:
    draw = draws(4)
    moves, side = BAR * draw(), np.sign(draw()) * (draw() > 0.8)
    cost = side * (known * later(moves, 4) / (2.0 * BAR) + 0.6 * draw())
    return rows_of(moves, side=side, cost=cost * np.abs(side))


def test_a_side_and_its_cost_that_say_together_what_comes_are_stopped_by_the_signal() -> None:
    found = check_alpha(Costs(), orders(1.0), seed=3).first
    assert found is not None and found.kind == "label" and found.row >= 0
    assert "the signal knows what comes" in found.sentence or "together" in found.sentence


def test_the_same_orders_pass_where_their_costs_know_nothing() -> None:
    assert check_alpha(Costs(), orders(0.0), seed=3).clean


def test_what_knows_the_hour_in_a_fifth_of_its_history_is_told_with_row_figure_and_limit() -> None:
    draw = draws(5)
    moves = BAR * draw()
    noise = draw()
    some = np.arange(ROWS) < 0.25 * ROWS
    signal = np.where(some, later(moves, 4) / (2.0 * BAR) + noise, 1.4 * noise)
    proof = insight(signal, rows_of(moves, flow=noise), HOUR_NS)
    assert proof is not None and "in the fifth 1 of 5" in proof.how
    assert proof.size > proof.limit == 0.3 and 0 <= proof.row < 0.25 * ROWS


@pytest.mark.parametrize("share", [0.1, 0.25, 0.4])
def test_an_honest_edge_of_the_next_bar_passes_however_large(share: float) -> None:
    draw = draws(6)
    lean = draw()
    moves = BAR * (share * np.append(0.0, lean[:-1]) + np.sqrt(1 - share**2) * draw())
    data = rows_of(moves, lean=lean)
    assert insight(lean, data, HOUR_NS) is None and insight(lean, data, HOUR_NS // 4) is None


def test_columns_of_honest_worlds_pass_as_signals_at_every_horizon() -> None:
    for seed in range(3):
        data = worlds.World(seed).data()
        names = [name for name in data.columns if data.frame.schema[name].is_numeric()]
        for horizon_s in (300, 3600):
            found = [insight(data.field(name), data, horizon_s * 10**9) for name in names]
            assert found == [None] * len(names), (seed, horizon_s)


def test_the_bound_is_a_sharpe_ratio_of_ten_and_three_tenths_where_moves_are_many() -> None:
    assert bound(1.0) == pytest.approx(10.0 / np.sqrt(252.0))
    assert bound(0.25) == pytest.approx(2.0 * bound(1.0))
    assert bound(26.0) == 0.3


def released(by_date: bool) -> ResearchData:
    """A figure at row 18 of every fourth day, which moves the price: from then on, or all day."""
    draw = draws(7)
    size = np.repeat(np.round(draw()[:DAYS], 2) * (np.arange(DAYS) % 4 == 1), BARS)
    slot = np.tile(np.arange(BARS), DAYS)
    moves = BAR * draw() + 5.0 * BAR * size * (slot == 18)
    return rows_of(moves, surprise=size if by_date else size * (slot >= 18))


def test_a_figure_that_stands_on_its_day_before_its_release_is_stopped_by_one_step() -> None:
    data = released(by_date=True)
    proof = delayed(data, "surprise")
    assert proof is not None and proof.steps == 18 and proof.size > 0.9
    assert knows_later(data, "surprise", 4 * HOUR_NS) is not None


def test_a_figure_from_its_release_on_passes() -> None:
    assert knows_later(released(by_date=False), "surprise", 4 * HOUR_NS) is None


def residual(sessions: int | None) -> ResearchData:
    """How rich a stock is: against the mean of so many sessions, or against what was so far."""
    draw = draws(8)
    moves = BAR * draw()
    rich = pl.DataFrame({"v": 1e4 * np.cumsum(moves), "day": np.repeat(np.arange(DAYS), BARS)})
    mean = pl.col("v").rolling_mean(130, min_samples=1)
    if sessions:
        mean = pl.col("v").mean().over(pl.col("day") // sessions)
    return rows_of(moves, rich=rich.select((pl.col("v") - mean).round(2)).to_series().to_numpy())


def test_what_adds_up_to_nothing_over_blocks_of_sessions_is_stopped_by_its_sum() -> None:
    data = residual(3)
    proof = balanced(data.field("rich"), data)
    assert proof is not None and "at the ends of 40 blocks of sessions" in proof.how
    assert knows_later(data, "rich", HOUR_NS) is not None


def test_the_same_residual_of_what_was_so_far_passes() -> None:
    assert knows_later(residual(None), "rich", HOUR_NS) is None


def like(share: float, steps: int) -> tuple[np.ndarray, ResearchData]:
    """A signal so like the moves of so many half hours to come, and its market."""
    draw = draws(9)
    moves = BAR * draw()
    known = later(moves, steps) / (BAR * np.sqrt(steps))
    return share * known + np.sqrt(1.0 - share**2) * draw(), rows_of(moves, 30, flow=draw())


@pytest.mark.parametrize(
    ("share", "steps", "limit"),
    [(0.5, 1, 0.42), (0.38, 1, None), (0.42, 2, 0.3), (0.25, 2, None)],
    ids=["half an hour, above", "half an hour, below", "an hour, above", "an hour, below"],
)
def test_a_signal_of_all_rows_has_a_limit_from_a_quarter_of_an_hour_and_a_lower_from_an_hour(
    share: float, steps: int, limit: float | None
) -> None:
    signal, data = like(share, steps)
    proof = insight(signal, data, steps * HOUR_NS // 2)
    assert (proof and proof.limit) == limit
    assert proof is None or proof.how == "likeness of its level with the move"
