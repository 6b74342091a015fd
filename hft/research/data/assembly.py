"""Tables as one dataset: which rows there are, in which order, and what their content hashes to.

A row without a price is dropped and counted, since nothing can be marked at it; the same row twice
is one row; infinities become NaN.
"""

from collections.abc import Mapping

import polars as pl

from hft.core.errors import DataError
from hft.research.data import aliases, clocks
from hft.research.data.dataset import ResearchData, content_sha256


def assemble(
    frames: Mapping[str, pl.DataFrame], symbols: Mapping[str, str], source: str
) -> ResearchData:
    """Tables by file name, and the symbols of a panel's files, as one dataset."""
    parts, notes, files = [], [], {}
    for name, frame in frames.items():
        if not frame.height:
            continue
        aliases.text_price(frame, name)
        found = clocks.clocked(frame, name)
        table = found.frame
        if found.day is not None:
            table = table.with_columns(found.day.cast(pl.String).alias("session"))
        if symbols:
            table = table.with_columns(pl.lit(symbols[name]).alias("symbol"))
        notes += [found.note] if found.note else []
        files[name] = tuple(frame.columns)
        parts.append(_numbers(table))
    if not parts:
        raise DataError(f"{source}: there are no rows")
    try:
        whole = pl.concat(parts, how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{source}: columns differ in type between files: {error}") from None
    return _canonical(whole, tuple(dict.fromkeys(notes)), files, source)


def _numbers(table: pl.DataFrame) -> pl.DataFrame:
    """Numbers and truth values as Float64, infinities as NaN, null as NaN; text as it is."""
    names = [
        name
        for name, kind in table.schema.items()
        if name not in ("ts", "session", "symbol") and (kind.is_numeric() or kind == pl.Boolean)
    ]
    real = [pl.col(name).cast(pl.Float64).alias(name) for name in names]
    return table.with_columns(real)


def _canonical(
    whole: pl.DataFrame, notes: tuple[str, ...], files: dict[str, tuple[str, ...]], source: str
) -> ResearchData:
    counts = {"read": whole.height}
    if "symbol" in whole.columns and whole["symbol"].n_unique() == 1:
        whole = whole.drop("symbol")
    whole = whole.drop(
        [n for n in whole.columns if n not in ("ts", "session", "symbol") and _odd(whole[n])]
    )
    floats = [name for name, kind in whole.schema.items() if kind == pl.Float64]
    infinite = sum(int(whole[name].is_infinite().sum() or 0) for name in floats)
    counts["infinite"] = infinite
    whole = whole.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).otherwise(float("nan")).alias(name)
        for name in floats
    )
    before = whole.height
    whole = whole.unique(maintain_order=True)
    counts["repeated"] = before - whole.height
    price = aliases.price_of(
        [name for name in whole.columns if name in floats], lambda n: whole[n].to_numpy(), source
    )
    priced = pl.Series(price).is_finite()
    counts["no_price"] = int((~priced).sum())
    whole = whole.filter(priced)
    keys = ["ts", *(["symbol"] if "symbol" in whole.columns else [])]
    rest = sorted(name for name in whole.columns if name not in keys)
    counts["disordered"] = int((whole["ts"].diff().dt.total_nanoseconds() < 0).sum() or 0)
    whole = whole.sort([*keys, *rest], nulls_last=True)
    day = whole["session"] if "session" in whole.columns else None
    named = clocks.sessions(whole["ts"].dt.epoch("ns").to_numpy(), day)
    whole = whole.with_columns(pl.Series("session", named))
    first = [*keys[:1], "session", *keys[1:]]
    whole = whole.select(*first, *sorted(name for name in whole.columns if name not in first))
    content = content_sha256(whole)
    return ResearchData(whole, content, source, files, notes=notes, counts=counts)


def _odd(column: pl.Series) -> bool:
    """Columns that are neither numbers, text nor times cannot be hashed or read by an alpha."""
    kind = column.dtype
    return not (kind == pl.Float64 or kind == pl.String or isinstance(kind, pl.Datetime))
