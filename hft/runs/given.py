"""Frames that a user holds in memory, as feeds: any library's, one or a list of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError, DataError
from hft.feeds.base import DecodeOptions
from hft.feeds.merge import merge_feeds
from hft.tape.schema import Feed

TIME_INDEXES = ("DatetimeIndex", "MultiIndex")


def as_frame(src: Any) -> Any:
    """A polars frame of any frame that speaks Arrow (polars, pandas 2.2+, pyarrow, duckdb).

    None for paths. An index of times, or one with a name, is a column. Raises: DataError for one
    that is no table: names twice, a column of numbers and text.
    """
    if isinstance(src, (str, Path, list, tuple)):
        return None
    import polars as pl

    if isinstance(src, pl.LazyFrame):
        return src.collect()
    if isinstance(src, pl.DataFrame):
        return src
    if hasattr(src, "__arrow_c_stream__"):
        try:
            return pl.DataFrame(_with_index(src))
        except (ValueError, TypeError, pl.exceptions.PolarsError) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"frame{_mixed(src) or ': ' + reason}") from None
    made = "; polars.DataFrame(...) makes one of it" if isinstance(src, dict) else ""
    raise ConfigError(f"source: {type(src).__name__} is neither a path nor a frame{made}")


def _mixed(src: Any) -> str:
    """Which names of a pandas frame are there twice, or the first cell of text among numbers."""
    names = [str(name) for name in getattr(src, "columns", ())]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            return f": column {name!r} stands {names.count(name)} times; rename or remove others"
    for name in names:
        cells = list(src[name]) if str(src[name].dtype) == "object" else []
        if any(isinstance(cell, int | float) and cell == cell for cell in cells):
            for row, cell in enumerate(cells, start=1):
                if isinstance(cell, str):
                    return f", column {name!r}, row {row}: {cell!r} is text among numbers"
    return ""


def _with_index(src: Any) -> Any:
    """A pandas frame whose index is a column, where the index says something."""
    index = getattr(src, "index", None)
    if index is None or not hasattr(src, "reset_index"):
        return src
    names = list(getattr(index, "names", [None]))
    if type(index).__name__ not in TIME_INDEXES and names == [None]:
        return src
    free = "ts" if "ts" not in src.columns else "index"
    return src.reset_index(names=[name if name is not None else free for name in names])


def frame_feeds(frames: Sequence[Any], options: DecodeOptions) -> list[Feed]:
    """The feeds of frames; several are merged by instrument, in the order given.

    A column that the user named has to be in one of them, not in all.
    Raises: DataError naming frame, row and field; ConfigError for what is no frame.
    """
    from hft.feeds.frame import Known, decode_frame
    from hft.feeds.layout import named_here
    from hft.feeds.names import OneName
    from hft.feeds.trade_ids import TradeIds

    if any(isinstance(one, (str, Path)) for one in frames):
        raise ConfigError("source: give frames or files, not both in one list")
    tables = [as_frame(one) for one in frames]
    if any(table is None for table in tables):
        raise ConfigError("source: a list within a list is neither a path nor a frame")
    if len(tables) == 1:
        return decode_frame(tables[0], options)
    there = {name for table in tables for name in table.columns}
    feeds: list[Feed] = []
    known = Known("", OneName(options.symbol), TradeIds())
    for number, table in enumerate(tables, start=1):
        chosen = replace(options, columns=named_here(options.columns, table.columns, there))
        feeds.extend(decode_frame(table, chosen, f"frame {number}", 1, known))
    return merge_feeds(feeds)
