"""Random strategies on random markets: nothing is lost, made or known early; and lies are found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from simulation import conservation, volume
from simulation.conservation import Frames, complaints

import hft
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.gateway.limits import Limits
from hft.runs.ingest import write_feeds
from hft.runs.result import Run
from hft.tape.dataset import Tapes

pytestmark = pytest.mark.nojit

SECOND = 1_000_000_000
OF_THEIR_MOMENT = (conservation.marks_are_of_their_moment,)
CHECKS = (*conservation.CHECKS, *volume.CHECKS)


@hft.strategy(every="500ms", params={"seed": 1}, state={"x": 0})
def chaos(view, order, p, s):  # type: ignore[no-untyped-def]
    """Anything at all: quotes, crossings, amends, cancels, targets."""
    if not view.book_valid:
        return
    s["x"] = ((s["x"] + p["seed"]) * 1_103_515_245 + 12_345) % 2_147_483_648
    roll = (s["x"] >> 8) % 64
    side = roll & 1
    if roll < 20:
        behind = roll % 3
        tick = view.bid_tick - behind if side == 0 else view.ask_tick + behind
        order.new(side, tick, 1 + roll % 5)
    elif roll < 28:
        order.new(side, view.ask_tick + 1 if side == 0 else view.bid_tick - 1, 1 + roll % 7, 1)
    elif roll < 52:
        order.quote(side, view.bid_tick if side == 0 else view.ask_tick, roll % 4)
    elif roll < 58:
        order.cancel_all()
    else:
        order.target(roll % 9 - 4)


def market(folder: Path, seed: int, kind: str) -> Tapes:
    feed = synthesize(seed, events=1_200, span_ns=200 * SECOND, kind=kind)
    return write_feeds([feed], folder / "market", DecodeOptions(format="synthetic"))


def replayed(tapes: Tapes, folder: Path, seed: int, limits: Limits | str, who: str = "ab") -> Run:
    """A run in which each of `who` does as its own seed says."""
    venue = hft.Venue("3ms", fees={"maker_bps": "-0.5", "taker_bps": "2"})
    strategies = {name: chaos.with_params({"seed": seed + k}) for k, name in enumerate(who, 1)}
    out = folder / "runs"
    return hft.replay(tapes, strategies, venue=venue, limits=limits, record="full", out=out)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """One run that the lies are told of."""
    folder = tmp_path_factory.mktemp("conserved")
    tapes = market(folder, 3, "l2")
    return Frames.of(replayed(tapes, folder, 3, Limits.off(), "a"), tapes)


@pytest.mark.parametrize("limits", ["off", "research"])
@pytest.mark.parametrize("kind", ["l2", "l3"])
def test_nothing_is_lost_made_or_known_early(kind, limits, sim_seed, tmp_path):
    tapes = market(tmp_path, sim_seed, kind)
    given = Limits.off() if limits == "off" else limits
    found = Frames.of(replayed(tapes, tmp_path, sim_seed, given), tapes)
    assert complaints(found, [one for one in CHECKS if one not in OF_THEIR_MOMENT]) == []


def test_every_strategy_is_marked_at_the_moment_of_its_row(tmp_path):
    tapes = market(tmp_path, 3, "l2")
    found = Frames.of(replayed(tapes, tmp_path, 3, Limits.off()), tapes)
    assert complaints(found, OF_THEIR_MOMENT) == []


def test_the_run_of_the_lies_has_every_kind_of_fill_and_end(frames):
    assert {"MAKER", "TAKER"} == set(frames.fills["liquidity"].cast(pl.String))
    assert {"FILLED", "CANCELLED", "EXPIRED"} <= set(frames.orders["status"].cast(pl.String))
    assert frames.orders["amends"].sum() > 0 and frames.equity.height > 100


def at(row: int, column: str, change: Callable[[pl.Expr], pl.Expr]) -> list[pl.Expr]:
    """One cell of a frame, told otherwise; a negative row counts from the end."""
    place = pl.len() + row if row < 0 else pl.lit(row)
    here = pl.int_range(pl.len()) == place
    return [pl.when(here).then(change(pl.col(column))).otherwise(pl.col(column)).alias(column)]


def more(by: float) -> Callable[[pl.Expr], pl.Expr]:
    return lambda value: value + by


def is_first(event: str) -> pl.Expr:
    here = pl.col("event").cast(pl.String) == event
    return here & (here.cast(pl.Int64).cum_sum() == 1)


def with_second_end(frames: Frames) -> Frames:
    again = frames.events.filter(is_first("CANCELLED"))
    return replace(frames, events=pl.concat([frames.events, again]))


def with_end_before_fill(frames: Frames) -> Frames:
    """An order that was filled is said to have been cancelled first."""
    fill = frames.events.filter((pl.col("event").cast(pl.String) == "FILL") & (pl.col("lots") > 0))
    cancel = frames.events.filter(is_first("CANCELLED"))
    order = pl.lit(fill["order_id"][0], pl.Int64).alias("order_id")
    early = cancel.with_columns(order, seq=pl.lit(fill["seq"][0] - 1, pl.Int64))
    return replace(frames, events=pl.concat([frames.events, early]))


def without_a_row_of_the_tape(frames: Frames) -> Frames:
    """The rows of the moment at which a resting order was filled are gone."""
    assert frames.tape is not None
    maker = frames.fills.filter(pl.col("liquidity").cast(pl.String) == "MAKER")
    return replace(frames, tape=frames.tape.filter(pl.col("exch_ts") != maker["exch_ts"][0]))


def with_smaller_levels(frames: Frames) -> Frames:
    assert frames.tape is not None
    return replace(frames, tape=frames.tape.with_columns(lots=pl.col("lots").clip(0, 1)))


def told_of(name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[..., Frames]:
    return lambda frames: replace(frames, **{name: change(getattr(frames, name))})


LIES: dict[str, tuple[str, Callable[[Frames], Frames]]] = {
    "a fill twice": (
        "fills_are_of_orders",
        told_of("fills", lambda f: pl.concat([f, f.head(1)])),
    ),
    "a fill of an unknown order": (
        "fills_are_of_orders",
        told_of("fills", lambda f: f.with_columns(at(0, "order_id", more(1_000_000)))),
    ),
    "a fill known before it was made": (
        "fills_are_of_orders",
        told_of(
            "fills",
            lambda f: f.with_columns(exch_ts=pl.col("ts") + pl.duration(seconds=1, time_unit="ns")),
        ),
    ),
    "a fill less": ("lots_are_conserved", told_of("fills", lambda f: f.slice(1))),
    "a lot more": (
        "lots_are_conserved",
        told_of("fills", lambda f: f.with_columns(at(5, "lots", more(1)))),
    ),
    "two ends": ("orders_end_once", with_second_end),
    "a fill after the end": ("orders_end_once", with_end_before_fill),
    "an order less": ("orders_end_once", told_of("orders", lambda f: f.slice(1))),
    "a profit of nothing": (
        "money_is_conserved",
        told_of("fills", lambda f: f.with_columns(at(9, "realized", more(0.000_001)))),
    ),
    "a position off by one": (
        "money_is_conserved",
        told_of("fills", lambda f: f.with_columns(at(9, "position_lots", more(1)))),
    ),
    "a fee that is not in equity": (
        "equity_is_of_the_fills",
        told_of("equity", lambda f: f.with_columns(at(50, "fees", more(0.000_001)))),
    ),
    "a net that is no sum": (
        "equity_is_of_the_fills",
        told_of("equity", lambda f: f.with_columns(at(50, "net", more(0.000_001)))),
    ),
    "a row that knows the fills of five seconds later": (
        "equity_is_of_the_fills",
        told_of(
            "equity",
            lambda f: f.with_columns(ts=pl.col("ts") - pl.duration(seconds=5, time_unit="ns")),
        ),
    ),
    "an end without the last rows": (
        "last_rows_are_the_last_fills",
        told_of("equity", lambda f: f.head(f.height // 2)),
    ),
    "a mark of another moment": (
        "marks_are_of_their_moment",
        told_of("equity", lambda f: f.with_columns(pl.col("bid_tick", "ask_tick").shift(-2))),
    ),
    "a resting fill out of nothing": (
        "passive_fills_have_their_volume",
        without_a_row_of_the_tape,
    ),
    "more taken than stood": ("takers_leave_what_stood", with_smaller_levels),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found_by_its_check(lie, frames):
    name, tell = LIES[lie]
    check = next(one for one in CHECKS if one.__name__ == name)
    assert list(check(frames)) == []
    assert list(check(tell(frames))) != [], f"{name} does not see {lie}"


def test_every_check_finds_a_lie():
    assert {name for name, _ in LIES.values()} == {check.__name__ for check in CHECKS}
