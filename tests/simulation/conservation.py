"""What must hold in every run, read from its frames alone: nothing is lost, made or known early.

It knows the documents and no engine. Money is compared in whole units of the run's currency.
Each check answers with sentences; no sentence is no fault. What frames cannot say (an order-by-
order book at each taker's fill) is left to the twins.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import polars as pl
from naive.positions import NaiveInstrument, NaivePosition

from hft.runs.folder.names import RunNames
from hft.runs.result import Run
from hft.tape.dataset import Tapes

BY = ("strategy", "symbol")
ENDS = ("CANCELLED", "EXPIRED", "REJECTED")
TOLD = 3  # rows named in one sentence

Complaints = Iterator[str]


@dataclass(frozen=True)
class Frames:
    """The frames of one run; `tape` are the recorded rows, None where they are not at hand."""

    names: RunNames
    fills: pl.DataFrame
    orders: pl.DataFrame
    decisions: pl.DataFrame
    events: pl.DataFrame
    equity: pl.DataFrame
    capped: bool
    tape: pl.LazyFrame | None = None

    @classmethod
    def of(cls, run: Run, tapes: Tapes | None = None) -> "Frames":
        """The frames of a run that was recorded in full."""
        return cls(
            run.names,
            run.fills.with_row_index("row"),
            run.orders,
            run.decisions,
            run.events,
            run.equity,
            "whole" not in run.config["venue"]["fills"],
            None if tapes is None else tapes.events(),
        )

    @property
    def unit(self) -> int:
        """Money units of one of the currency."""
        return 10**self.names.digits

    def money(self, value: float) -> int:
        """Whole units of an amount."""
        return round(value * self.unit)

    def instrument(self, symbol: str) -> NaiveInstrument:
        """A symbol's contract in exact numbers."""
        one = self.names.instruments[self.names.symbols.index(symbol)]
        return NaiveInstrument(
            Fraction(one.tick),
            Fraction(one.lot),
            Fraction(one.multiplier),
            self.names.digits,
            one.kind == "inverse",
        )


Check = Callable[[Frames], Complaints]


def told(what: str, bad: pl.DataFrame) -> Complaints:
    """One sentence for the rows that break a rule; none where there are none."""
    if bad.height:
        rows = "; ".join(str(row) for row in bad.head(TOLD).to_dicts())
        yield f"{what} ({bad.height} rows): {rows}"


def fills_are_of_orders(frames: Frames) -> Complaints:
    """Each fill is one fill of one approved order, on its side, in its market, for its strategy."""
    fills = frames.fills
    yield from told("a fill is told twice", fills.filter(pl.col("fill_id").is_duplicated()))
    asked = frames.orders.select(
        "order_id", *(pl.col(n).alias(f"{n}_asked") for n in (*BY, "side"))
    )
    joined = fills.join(asked, on="order_id", how="left")
    other = pl.any_horizontal(
        pl.col(name).cast(pl.String).ne_missing(pl.col(f"{name}_asked").cast(pl.String))
        for name in (*BY, "side")
    )
    columns = ("fill_id", "order_id", *BY, "side", "lots")
    yield from told("a fill is of no order", joined.filter(other).select(columns))
    yield from told("a fill of no lots", fills.filter(pl.col("lots") <= 0).select(columns))
    early = fills.filter(pl.col("exch_ts") > pl.col("ts"))
    yield from told("a fill is known before it is made", early.select(columns))


def lots_are_conserved(frames: Frames) -> Complaints:
    """What the venue filled is what we were told, is what the order says, is no more than asked."""
    lots = pl.col("lots")
    event = pl.col("event").cast(pl.String)
    booked = frames.fills.group_by("order_id").agg(booked=lots.sum())
    at_venue = frames.events.filter(event == "VENUE_FILL").group_by("order_id")
    orders = (
        frames.orders.select("order_id", "filled_lots", "avg_price", "lots", "amends")
        .join(booked, on="order_id", how="left")
        .join(at_venue.agg(made=lots.sum()), on="order_id", how="left")
        .with_columns(pl.col("booked", "made").fill_null(0))
    )
    wrong = orders.filter(pl.col("filled_lots") != pl.col("booked"))
    yield from told("an order's filled lots are not its fills", wrong)
    # A fill at the venue may still be on its way when the tape ends; never the other way round.
    yield from told(
        "more was told than was filled", orders.filter(pl.col("booked") > pl.col("made"))
    )
    plain = (pl.col("amends") == 0) & (pl.col("made") > lots)
    yield from told("more was filled than asked", orders.filter(plain))


def orders_end_once(frames: Frames) -> Complaints:
    """One end at most, nothing after it, and the status says which."""
    event = pl.col("event").cast(pl.String)
    events = frames.events.with_columns(event)
    ends = events.filter(event.is_in(ENDS))
    twice = ends.group_by("order_id").agg(ends=pl.len()).filter(pl.col("ends") > 1)
    yield from told("an order ends twice", twice)
    last = ends.group_by("order_id").agg(end=pl.col("event").first(), end_seq=pl.col("seq").min())
    after = events.join(last, on="order_id").filter(
        (pl.col("seq") > pl.col("end_seq")) & event.is_in(("FILL", "ACK", "AMENDED"))
    )
    late = after.filter(pl.col("lots") > 0).select("order_id", "event", "seq", "end_seq")
    yield from told("an order goes on after its end", late)
    orders = frames.orders.join(last, on="order_id", how="left").with_columns(
        pl.col("status").cast(pl.String)
    )
    claimed = pl.col("status").replace({"FAILED": "REJECTED"})
    ended = claimed.is_in(ENDS)
    columns = ("order_id", "status", "end", "lots", "filled_lots")
    wrong = orders.filter(ended & (claimed != pl.col("end").fill_null("none")))
    yield from told("a status without its end", wrong.select(columns))
    open_ = ("SUBMITTED", "PENDING_SUBMIT", "PARTIALLY_FILLED")
    dead = orders.filter(pl.col("status").is_in(open_) & pl.col("end").is_not_null())
    yield from told("an order is open after its end", dead.select(columns))
    short = orders.filter((pl.col("status") == "FILLED") & (pl.col("filled_lots") < pl.col("lots")))
    yield from told("a filled order is not full", short.select(columns))
    sent = frames.decisions.filter(
        (pl.col("reason_code") == 0) & pl.col("intent").cast(pl.String).is_in(("NEW", "FORCE_FLAT"))
    )
    lost = sent.join(frames.orders, left_on="intent_id", right_on="order_id", how="anti")
    yield from told("an approved order is lost", lost.select("intent_id", *BY, "ts"))


def money_is_conserved(frames: Frames) -> Complaints:
    """Position and profit of every fill, in exact numbers, from the fills before it."""
    books: dict[tuple[str, str], NaivePosition] = {}
    columns = (*BY, "side", "price_tick", "lots", "fee", "realized", "position_lots", "fill_id")
    for strategy, symbol, side, tick, lots, fee, realized, held, fill in frames.fills.select(
        columns
    ).iter_rows():
        book = books.get((strategy, symbol))
        if book is None:
            book = books[strategy, symbol] = NaivePosition(frames.instrument(symbol))
        profit = book.fill(0 if side == "BUY" else 1, tick, lots, frames.money(fee))
        if (book.qty, profit) != (held, frames.money(realized)):
            yield (
                f"fill {fill} of {strategy} in {symbol}: position {held} and profit "
                f"{frames.money(realized)}, the fills make {book.qty} and {profit}"
            )
            return


def equity_is_of_the_fills(frames: Frames) -> Complaints:
    """Each equity row is the sum of the fills known by then, and net is the sum of its parts."""
    for key, rows in frames.equity.group_by(BY, maintain_order=True):
        strategy, symbol = key
        mine = (pl.col("strategy") == strategy) & (pl.col("symbol") == symbol)
        known = _running(frames, frames.fills.filter(mine))
        rows = _in_units(frames, rows).sort("ts")
        columns = ("ts", "position_lots", "realized", "fees", "unrealized", "net")
        parts = pl.col("realized") + pl.col("unrealized") - pl.col("fees")
        bad = rows.filter(pl.col("net") != parts).select(columns)
        yield from told(f"{key}: net is not the sum of its parts", bad)
        flat = rows.filter((pl.col("position_lots") == 0) & (pl.col("unrealized") != 0))
        yield from told(f"{key}: unrealised profit without a position", flat.select(columns))
        # A fill at the very time of a sample may come before or after it.
        alike = pl.lit(False)
        for name, strict in (("at", False), ("before", True)):
            shifted = known.rename({c: f"{c}_{name}" for c in ("lots", "gain", "cost")})
            rows = rows.join_asof(shifted, on="ts", allow_exact_matches=not strict)
            rows = rows.with_columns(pl.col(f"^.*_{name}$").fill_null(0))
            alike = alike | (
                (pl.col("position_lots") == pl.col(f"lots_{name}"))
                & (pl.col("realized") == pl.col(f"gain_{name}"))
                & (pl.col("fees") == pl.col(f"cost_{name}"))
            )
        wrong = rows.filter(~alike).select(*columns[:4], "^.*_at$")
        yield from told(f"{key}: an equity row is not its fills", wrong)


def _running(frames: Frames, fills: pl.DataFrame) -> pl.DataFrame:
    """Position, realised profit and fees after each moment with fills, in units."""
    sign = pl.when(pl.col("side").cast(pl.String) == "BUY").then(1).otherwise(-1)
    return (
        fills.sort("ts", maintain_order=True)
        .select(
            "ts",
            lots=(sign * pl.col("lots")).cum_sum(),
            gain=(pl.col("realized") * frames.unit).round().cast(pl.Int64).cum_sum(),
            cost=(pl.col("fee") * frames.unit).round().cast(pl.Int64).cum_sum(),
        )
        .group_by("ts", maintain_order=True)
        .last()
        .sort("ts")
    )


def _in_units(frames: Frames, rows: pl.DataFrame) -> pl.DataFrame:
    money = pl.col("realized", "unrealized", "fees", "net")
    return rows.with_columns((money * frames.unit).round().cast(pl.Int64))


def last_rows_are_the_last_fills(frames: Frames) -> Complaints:
    """When all is over, the last equity row has every fill in it."""
    sign = pl.when(pl.col("side").cast(pl.String) == "BUY").then(1).otherwise(-1)
    held = frames.fills.group_by(BY).agg(lots=(sign * pl.col("lots")).sum())
    last = frames.equity.sort("ts").group_by(BY, maintain_order=True).last()
    text = [pl.col(name).cast(pl.String) for name in BY]
    joined = held.with_columns(text).join(last.with_columns(text), on=BY, how="left")
    bad = joined.filter(pl.col("lots").ne_missing(pl.col("position_lots")))
    yield from told("the last equity row is not the last position", bad.select(*BY, "lots", "ts"))


def marks_are_of_their_moment(frames: Frames) -> Complaints:
    """Unrealised profit is the position's at the mid of its own row, not of an earlier or later."""
    merged = frames.fills.select("ts", *BY, "side", "price_tick", "lots", "fee").iter_rows()
    fills = list(merged)
    books: dict[tuple[Any, Any], NaivePosition] = {}
    at = 0
    columns = ("ts", *BY, "position_lots", "unrealized", "bid_tick", "ask_tick")
    for ts, strategy, symbol, held, unrealized, bid, ask in (
        frames.equity.sort("ts", maintain_order=True).select(columns).iter_rows()
    ):
        while at < len(fills) and fills[at][0] <= ts:
            _, whose, where, side, tick, lots, fee = fills[at]
            key = (whose, where)
            if key not in books:
                books[key] = NaivePosition(frames.instrument(where))
            books[key].fill(0 if side == "BUY" else 1, tick, lots, frames.money(fee))
            at += 1
        book = books.get((strategy, symbol))
        if book is None or bid is None or book.qty != held or held == 0:
            continue  # no book to mark by, or a fill of the same moment that came after the row
        worth = book.mark(bid + ask)
        if worth != frames.money(unrealized):
            yield (
                f"{strategy} in {symbol} at {ts}: {held} lots at {bid} and {ask} earn {worth}, "
                f"the row says {frames.money(unrealized)}"
            )
            return


CHECKS: tuple[Check, ...] = (
    fills_are_of_orders,
    lots_are_conserved,
    orders_end_once,
    money_is_conserved,
    equity_is_of_the_fills,
    last_rows_are_the_last_fills,
    marks_are_of_their_moment,
)


def complaints(frames: Frames, checks: Sequence[Check] = CHECKS) -> list[str]:
    """Everything that does not hold, check by check."""
    return [f"{check.__name__}: {said}" for check in checks for said in check(frames)]
