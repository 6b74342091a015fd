"""Which column of a user's table is which field: by the names given, else by the usual ones.

A name that the user gave is final, and a field named with nothing (`kind=`) is not there at all.
Columns are matched by their letters and digits alone, so `bidSize`, `Bid Size` and `bid_size` are
one. A column that only sounds like a kind of event (`type`, `action`, `event`) is one when its
cells say so: exports of trades write limit or market there, or buy and sell.
"""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

import polars as pl

from hft.core.codes import EventKind
from hft.core.errors import DataError
from hft.feeds.times import SMALLEST

ALIASES: dict[str, tuple[str, ...]] = {
    "ts": (
        *("ts", "exch_ts", "timestamp", "datetime", "time", "date", "ts_event", "transact_time"),
        *("transaction_time", "trade_time", "event_time", "gmt_time", "time_exchange"),
    ),
    "local_ts": ("local_ts", "local_timestamp", "receive_ts", "ts_recv", "time_coinapi"),
    "symbol": ("symbol", "ticker", "instrument"),
    "kind": ("kind", "event", "type", "action"),
    "side": ("side", "taker_side", "aggressor_side"),
    "buyer_maker": ("buyer_maker", "is_buyer_maker"),
    "price": ("price", "px"),
    "qty": ("qty", "quantity", "size", "amount", "base_amount", "volume"),
    "bid": ("bid", "bid_price", "bid_px", "bid_px_00", "best_bid_price", "bids[0].price"),
    "ask": ("ask", "ask_price", "ask_px", "ask_px_00", "best_ask_price", "asks[0].price"),
    "bid_qty": (
        *("bid_qty", "bid_size", "bid_sz", "bid_sz_00", "best_bid_qty", "bid_amount"),
        *("bid_volume", "bids[0].amount"),
    ),
    "ask_qty": (
        *("ask_qty", "ask_size", "ask_sz", "ask_sz_00", "best_ask_qty", "ask_amount"),
        *("ask_volume", "asks[0].amount"),
    ),
    "order_id": ("order_id",),
    "is_snapshot": ("is_snapshot",),
    "trade_id": ("trade_id", "agg_trade_id", "trd_match_id", "tid", "id"),
}
BOOK_WORDS = ("bid", "ask")
SIDES = {"buy": 0, "b": 0, "bid": 0, "1": 0, "sell": 1, "s": 1, "ask": 1, "a": 1, "-1": 1}
NO_SIDE = ("", "n", "none", "unknown", "null")
KINDS = {kind.name.lower(): kind.value for kind in EventKind}
LAYOUTS = (
    {"ts", "price", "qty"},
    {"ts", "bid", "ask"},
    {"ts", "kind"},
    {"ts", "is_snapshot", "side", "price", "qty"},
)
ACTIONS = {*"ACMRTFN"}  # of Databento's records; T is a trade
SHOWN_COLUMNS = 8  # of a table that is no layout
INDEXES = ("", "Unnamed: 0", "__index_level_0__")
DATED = r"^\s*\d{4}-?\d{2}-?\d{2}[ T]\d"
CLOCK = r"^\s*\d{1,2}:\d{2}"
FIRST_YEAR, LAST_YEAR = 946_684_800, 4_102_444_800  # 2000 and 2100, s since the epoch
PER_SECOND = (1, 10**3, 10**6, 10**9)
BARS = {"open", "high", "low", "close"}


def fields_of(
    frame: pl.DataFrame, given: Mapping[str, str | None] | None, origin: str
) -> dict[str, str]:
    """Field -> column name of the frame. Raises: DataError listing what there is and is needed."""
    fields = _guessed(frame, given, origin)
    if not _is_layout(fields):
        raise DataError(f"{origin}: {_no_layout(frame)}")
    if "kind" not in fields and {"price", "qty"} <= set(fields):
        _refuse_updates(frame, origin)
    return fields


def _refuse_updates(frame: pl.DataFrame, origin: str) -> None:
    """Databento's books and orders as CSV have the columns of trades: `action` tells them apart.

    Raises: DataError naming an action that is none of a trade.
    """
    column = _by_letters(frame).get("action")
    if column is None or frame[column].dtype != pl.String:
        return
    actions = set(frame[column].drop_nulls().str.strip_chars().str.to_uppercase().unique())
    others = sorted(actions - {"T"})
    if others and actions <= ACTIONS:
        raise DataError(
            f"{origin}, column {column!r}: {', '.join(others)} are no trades but updates of a book "
            f"(Databento); ingest the DBN file itself, or keep the rows whose {column} is T; where "
            "there are bids and asks, --columns price= --columns qty= reads the quotes alone"
        )


def is_layout(frame: pl.DataFrame, given: Mapping[str, str | None] | None, origin: str) -> bool:
    """Whether the columns as they are make a layout."""
    return _is_layout(_guessed(frame, given, origin))


def layout_of(fields: Collection[str]) -> str:
    """What the rows are read as."""
    if "kind" in fields or "is_snapshot" in fields:
        return "events" if "kind" in fields else "levels"
    quoted, traded = {"bid", "ask"} <= set(fields), {"price", "qty"} <= set(fields)
    return "quotes and trades" if quoted and traded else "quotes" if quoted else "trades"


def _is_layout(fields: Collection[str]) -> bool:
    return any(layout <= set(fields) for layout in LAYOUTS)


def _guessed(
    frame: pl.DataFrame, given: Mapping[str, str | None] | None, origin: str
) -> dict[str, str]:
    fields = _named(frame, given or {}, origin)
    closed = {*fields, *(field for field, column in (given or {}).items() if not column)}
    if _is_layout(fields):
        closed |= {"kind", "is_snapshot"}  # the named columns are a layout; no other is guessed
    have = _by_letters(frame)
    for field, names in ALIASES.items():
        if field in closed:
            continue
        for name in names:
            column = have.get(bare(name))
            if column is None or column in fields.values():
                continue
            if field != "kind" or name == "kind" or _tells(frame[column], KINDS):
                fields[field] = column
                break
    sided = {"side", "buyer_maker", "kind"} & {*fields, *closed}
    if not sided and "type" in have and _tells(frame[have["type"]], SIDES):
        fields["side"] = have["type"]
    if "ts" not in fields and "local_ts" in fields:
        fields["ts"] = fields["local_ts"]
    return fields


def with_index(frame: pl.DataFrame, given: Mapping[str, str | None] | None) -> pl.DataFrame:
    """The frame whose `ts` is the index without a name that pandas wrote, where nothing else is."""
    named = given or {}
    taken = {bare(name) for field in ("ts", "local_ts") for name in ALIASES[field]}
    if "ts" in named or taken & set(_by_letters(frame)):
        return frame
    for name in INDEXES:
        if name in frame.columns and name not in named.values() and _is_moments(frame[name]):
            return frame.rename({name: "ts"})
    return frame


def _is_moments(series: pl.Series) -> bool:
    """Whether cells are times, and no numbers of rows."""
    cells = series.drop_nulls()
    if series.dtype == pl.String:
        return len(cells) > 0 and bool(cells.str.contains(DATED).all())
    if series.dtype.is_numeric():
        return len(cells) > 0 and bool((cells >= SMALLEST).all())
    return isinstance(series.dtype, pl.Datetime)


def moments_of(frame: pl.DataFrame, taken: Collection[str]) -> list[str]:
    """The columns with a time in every row that are not read yet, as a command line names them."""
    return [
        f"'{series.name}'" if " " in series.name else series.name
        for series in frame
        if series.name not in taken and not series.null_count() and _is_time(series)
    ]


def _is_time(series: pl.Series) -> bool:
    """Whether cells are times; numbers are where they are of our years, in one unit."""
    if not series.dtype.is_numeric():
        return _is_moments(series)
    low, high = float(series.min() or 0), float(series.max() or 0)  # type: ignore[arg-type]
    return any(unit * FIRST_YEAR <= low <= high < unit * LAST_YEAR for unit in PER_SECOND)


def with_moments(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `datetime` made of a column of dates and one of times of the day."""
    have = _by_letters(frame)
    if not {"date", "time"} <= set(have) or set(have) & {"ts", "timestamp", "datetime"}:
        return frame
    date, time = (frame[have[name]].cast(pl.String) for name in ("date", "time"))
    if not frame.height or not time.str.contains(CLOCK).fill_null(False).all():
        return frame
    return frame.with_columns((date.str.slice(0, 10) + " " + time).alias("datetime"))


def _named(frame: pl.DataFrame, given: Mapping[str, str | None], origin: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for field, column in given.items():
        if field not in ALIASES:
            raise DataError(f"{origin}: columns: {_unknown('field', field, list(ALIASES))}")
        if not column:
            continue
        if column not in frame.columns:
            raise DataError(f"{origin}: columns: {_unknown('column', column, frame.columns)}")
        fields[field] = column
    return fields


def named_here(
    given: Mapping[str, str | None] | None, columns: Sequence[str], there: Collection[str]
) -> dict[str, str | None]:
    """The user's names that are about this source of several, which have the columns `there`.

    A name has to be in one of them, not in all; one that none has stays, to be refused.
    """
    return {
        field: column
        for field, column in (given or {}).items()
        if not column or column in columns or column not in there
    }


def _by_letters(frame: pl.DataFrame) -> dict[str, str]:
    """Each column by its letters and digits; of two alike the first."""
    return {bare(name): name for name in reversed(frame.columns)}


def bare(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def _tells(series: pl.Series, words: Mapping[str, int]) -> bool:
    """Whether the cells of a text column hold one of the words."""
    if series.dtype not in (pl.String, pl.Categorical) and not isinstance(series.dtype, pl.Enum):
        return False
    texts = series.cast(pl.String).drop_nulls().unique().str.strip_chars().str.to_lowercase()
    return bool(texts.is_in(list(words)).any())


def _no_layout(frame: pl.DataFrame) -> str:
    more = len(frame.columns) - SHOWN_COLUMNS
    listed = f"columns {_listed(frame.columns[:SHOWN_COLUMNS])}"
    listed += f" and {more} more" if more > 0 else ""
    have = set(_by_letters(frame))
    if have >= BARS:
        kind, named = "bars", ""
        if "opentime" in have:
            kind, named = "klines (bars)", ", with a first line of names that calls close_time ts"
        return (
            f"{listed} are {kind}, which have no book to replay: ingest quotes, trades or events; "
            f"bars are for research (`hft data report`, `hft data features`, `hft alpha try`)"
            f"{named}"
        )
    if all(_is_number(name) for name in frame.columns):
        return (
            f"the first line {_listed(frame.columns)} names no columns: put names above it, or "
            "name a vendor's format (`hft data formats`) with --format"
        )
    return (
        f"{listed} are no layout: needed are ts price qty (trades), ts bid ask (quotes), ts "
        "is_snapshot side price qty (a book, one row a level), ts bids asks (lists of levels) or "
        f"ts kind (events); name yours with --columns field=column (fields: {', '.join(ALIASES)})"
    )


def _is_number(text: str) -> bool:
    try:
        float(text.replace("_duplicated_", ""))
    except ValueError:
        return text.strip().lower() in ("true", "false", "")
    return True


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, 1, 0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no {what} {name!r}{hint} (there are {_listed(known)})"


def _listed(names: Sequence[str]) -> str:
    """Names in a line, even where a damaged header made a name of a page."""
    return ", ".join(n if n.isprintable() and len(n) <= 60 else repr(n[:60]) for n in names)
