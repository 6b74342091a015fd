"""No fill without the volume: what a run filled beside what its tape shows at that price and time.

An upper bound from frames alone. A resting order fills only at the time of a row that trades or
quotes through its price, and no more than those rows have; a crossing one takes no more than the
level stood at when it was last stated. Not told here: who stood before us, and takers on
order-by-order tapes, whose levels no row states.
"""

import polars as pl
from simulation.conservation import Check, Complaints, Frames, told

PRINTS = ("trade", "execute")
QUOTES = ("level", "snapshot", "bbo", "add", "modify")
LEVELS = ("level", "snapshot", "bbo")
VIEW_ONLY = 2
KEY = ("symbol", "exch_ts", "side")


def passive_fills_have_their_volume(frames: Frames) -> Complaints:
    """Each resting fill has rows of its very time at or through its price, with enough lots."""
    liquidity = pl.col("liquidity").cast(pl.String)
    maker = _text(frames.fills).filter(liquidity == "MAKER")
    # At one moment all fills of a side draw on the same rows: those of its best price bound them.
    sign = pl.when(pl.col("side") == "BUY").then(1).otherwise(-1)
    wanted = maker.group_by(KEY).agg(
        filled=pl.col("lots").sum(), best=(sign * pl.col("price_tick")).max()
    )
    rows = _venue_rows(frames, wanted.select("symbol", "exch_ts").unique())
    rows = rows.join(wanted.rename({"side": "ours"}), on=["symbol", "exch_ts"])
    buy = pl.col("ours") == "BUY"
    through = pl.when(buy).then(pl.col("price_tick")).otherwise(-pl.col("price_tick"))
    against = pl.when(buy).then(pl.lit("sell")).otherwise(pl.lit("buy"))
    is_print = pl.col("kind").is_in(PRINTS)
    quoted = pl.col("kind").is_in(QUOTES) & (pl.col("side") == against)
    shown = (
        rows.filter((through <= pl.col("best")) & (is_print | quoted))
        .group_by("symbol", "exch_ts", "ours")
        .agg(shown=pl.col("lots").sum())
        .rename({"ours": "side"})
    )
    joined = wanted.join(shown, on=KEY, how="left").with_columns(pl.col("shown").fill_null(0))
    least = pl.col("filled") if frames.capped else pl.lit(1)
    yield from told("resting orders filled without volume", joined.filter(pl.col("shown") < least))


def takers_leave_what_stood(frames: Frames) -> Complaints:
    """Lots taken of a level since it was stated are no more than the lots it was stated with."""
    other = pl.when(pl.col("side") == "BUY").then(pl.lit("sell")).otherwise(pl.lit("buy"))
    liquidity = pl.col("liquidity").cast(pl.String)
    taker = _text(frames.fills).filter(liquidity == "TAKER").with_columns(side=other)
    rows = _venue_rows(frames, taker.select("symbol", "price_tick").unique())
    if rows["kind"].is_in(("add", "modify")).any():
        return  # order by order: no row states a level
    by = ["symbol", "side", "price_tick"]
    levels = rows.filter(pl.col("kind").is_in(LEVELS)).with_row_index("stated")
    met = taker.sort("exch_ts").join_asof(
        levels.select(*by, "exch_ts", "stated", stood="lots"),
        on="exch_ts",
        by=by,
        check_sortedness=False,
    )
    columns = (*by, "exch_ts", "lots")
    yield from told("a taker met no level", met.filter(pl.col("stated").is_null()).select(columns))
    if frames.capped:
        taken = met.group_by("stated", *by).agg(
            taken=pl.col("lots").sum(), stood=pl.col("stood").first(), ts=pl.col("exch_ts").last()
        )
        more = taken.filter(pl.col("taken") > pl.col("stood"))
        yield from told("more was taken of a level than stood there", more)


CHECKS: tuple[Check, ...] = (
    passive_fills_have_their_volume,
    takers_leave_what_stood,
)


def _venue_rows(frames: Frames, wanted: pl.DataFrame) -> pl.DataFrame:
    """Rows of the tape as the venue sees them, in its order, that agree with `wanted`."""
    assert frames.tape is not None
    columns = ("symbol", "exch_ts", "kind", "side", "price_tick", "lots")
    seen = frames.tape.filter(pl.col("flags") & VIEW_ONLY == 0).select(columns)
    found = seen.with_columns(pl.col("symbol").cast(pl.String)).join(
        wanted.lazy(), on=wanted.columns, how="semi"
    )
    text = [pl.col(name).cast(pl.String) for name in ("kind", "side")]
    return found.with_columns(text).sort("exch_ts", maintain_order=True).collect()


def _text(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("symbol", "side").cast(pl.String))
