"""Feature datasets: rows with labels and splits, in a folder with a manifest that pins them.

Made once. Splits are by whole sessions, purged by the largest horizon; moving them means making
another dataset with another hash. A label column begins with `label_` and is no input of an alpha.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ConfigError, DataError, ValidationError
from hft.core.json_text import page
from hft.microstructure.columns import NEEDS, frame_of, names_of, trades_of
from hft.research.data import splits as splits_module
from hft.research.data.assembly import assemble
from hft.research.data.bars import with_analytics
from hft.research.data.dataset import OWN, ResearchData
from hft.research.data.labels import of_one
from hft.research.data.load import FEATURES, MANIFEST, load
from hft.research.data.origin import paths_of
from hft.research.data.splits import Splits
from hft.research.durations import duration_ns, duration_text
from hft.storage.atomic import staged
from hft.tape.dataset import Tapes

ROWS = "features.parquet"
LABEL = "label_"


@dataclass(frozen=True)
class FeatureSet:
    """What was written."""

    folder: Path
    manifest: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"folder": str(self.folder)} | self.manifest

    def text(self) -> str:
        """What was made, in words."""
        told = self.manifest
        lines = [f"{self.folder}: {told['rows']:,} rows of {told['sessions']} sessions"]
        parts = (told["splits"] or {}).get("parts", {})
        lines += [f"  {name:<9}{one['first']} to {one['last']}" for name, one in parts.items()]
        if not parts:
            lines.append("  no splits: too few sessions; all of it counts as validate")
        lines.append(f"labels {', '.join(told['labels'])}; content {told['content_sha256'][:16]}")
        return "\n".join(lines)


def horizons_ns(given: Any) -> tuple[int, ...]:
    """Horizons as ns, ascending, each once: "1s,5s" or a list. Raises: ConfigError."""
    texts = given.split(",") if isinstance(given, str) else list(given)
    try:
        found = {duration_ns(text, "--horizons") for text in texts if str(text).strip()}
    except ValidationError as error:
        raise ConfigError(str(error)) from None
    if any(ns <= 0 for ns in found):
        raise ConfigError("--horizons: a horizon is longer than 0; write 1s,5s,30s")
    return tuple(sorted(found))


def with_labels(
    frame: pl.DataFrame, horizons: Sequence[int], shares: Any = splits_module.DEFAULT
) -> tuple[pl.DataFrame, Splits | None]:
    """Rows with `t_start`, forward returns, their ends, and `split` (null: purged).

    `frame` has ts, session and a mid or price. Fewer sessions than splits: no split is made.
    """
    data = assemble({"features": frame}, {}, "features")
    ts = frame["ts"].dt.epoch("ns").to_numpy()
    session = frame["session"].to_numpy()
    symbol = frame["symbol"].to_numpy() if "symbol" in frame.columns else None
    price = _price(frame, data)
    columns: list[pl.Series] = []
    for horizon in horizons:
        value, t_end = np.full(len(ts), np.nan), ts.copy()
        for rows in _groups(symbol, len(ts)):
            fine = rows[np.isfinite(price[rows])]
            value[fine], t_end[fine], _ = of_one(ts[fine], session[fine], price[fine], horizon)
        name = duration_text(horizon)
        columns.append(pl.Series(f"{LABEL}{name}", value, nan_to_null=True))
        ends = pl.Series(f"t_end_{name}", t_end).cast(pl.Datetime("ns"))
        columns.append(ends.dt.replace_time_zone("UTC"))
    made = splits_module.make(
        ts, session, max(horizons, default=0), splits_module.shares_of(shares)
    )
    ready = frame.with_columns(pl.col("ts").alias("t_start"), *columns)
    if made is None:
        return ready.with_columns(pl.lit(None, pl.String).alias("split")), None
    part = np.full(len(ts), "", dtype=object)
    for name in made.parts:
        part[made.mask(name, ts, session)] = name
    words = pl.Series("split", [text or None for text in part.tolist()], pl.String)
    return ready.with_columns(words), made


def _price(frame: pl.DataFrame, data: ResearchData) -> np.ndarray:
    from hft.research.data.aliases import price_of

    names = [name for name, kind in frame.schema.items() if kind.is_numeric() and name not in OWN]
    return price_of(names, lambda name: _floats(frame[name]), data.source)


def _floats(column: pl.Series) -> np.ndarray:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _groups(symbol: np.ndarray | None, rows: int) -> list[np.ndarray]:
    if symbol is None:
        return [np.arange(rows)]
    return [np.flatnonzero(symbol == name) for name in sorted(set(symbol.tolist()))]


def write(
    source: Any,
    out: Path,
    *,
    clock: str = "1s",
    horizons: Any = "1s,5s,30s",
    split: Any = splits_module.DEFAULT,
    columns: Any = "all",
) -> FeatureSet:
    """Make a feature dataset of tapes (at a clock) or of bars and own frames (a row a row).

    Raises: DataError for a folder that holds something else, ConfigError for options.
    """
    steps, shares = horizons_ns(horizons), splits_module.shares_of(split)
    if (out / MANIFEST).exists() and _kind(out / MANIFEST) != FEATURES:
        raise DataError(f"{out}: holds another dataset; name a folder of its own with --out")
    if isinstance(source, Tapes):
        names = tuple(dict.fromkeys((*names_of(columns), "mid")))
        frame = frame_of(source, names, clock, session=True).collect()
        told = {
            "clock": clock,
            "tapes": dict(sorted(source.sha256.items())),
            "tape_paths": paths_of(source, out),
            "tape_order": list(source.order),
            "trade_sides": _rules(source),
        }
    else:
        frame, told = _bars(load(source), columns)
    ready, splits = with_labels(_ordered(frame), steps, shares)
    return _write(out, ready, splits, steps, shares, told)


def _kind(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8")).get("kind", "tapes"))
    except (OSError, ValueError, AttributeError):
        return "unreadable"


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    keys = ["ts", *(["symbol"] if "symbol" in frame.columns else [])]
    return frame.sort(keys, maintain_order=True)


def _rules(tapes: Tapes) -> dict[str, int]:
    """How many trade sides each rule decided, over all tapes."""
    total: dict[str, int] = {}
    for chain in tapes.chains():
        for name, count in trades_of(chain, tapes.key(chain[0])).rules.items():
            total[name] = total.get(name, 0) + count
    return total


def _bars(data: ResearchData, columns: Any) -> tuple[pl.DataFrame, dict[str, Any]]:
    frame = with_analytics(data)
    if columns not in ("all", None):
        asked = columns.split(",") if isinstance(columns, str) else list(columns)
        keep = [name for name in frame.columns if name in OWN or name in asked]
        absent = sorted(set(asked) - set(frame.columns))
        if absent:
            raise ConfigError(
                f"--columns: {data.source} has no {absent[0]!r}; it has {', '.join(frame.columns)}"
            )
        frame = frame.select(keep).with_columns(pl.Series("mid", data.price))
    undefined = {name: NEEDS[name] for name in frame.columns if name in NEEDS}
    rows = "20 of the last 50 rows with a price, and flow that varies"
    undefined |= {name: rows for name in frame.columns if name.startswith("kyle_lambda")}
    return frame, {
        "clock": "rows",
        "source_sha256": data.content,
        "notes": list(data.notes),
        "undefined": undefined,
    }


def _write(
    out: Path,
    frame: pl.DataFrame,
    splits: Splits | None,
    horizons: Sequence[int],
    shares: Sequence[float],
    told: dict[str, Any],
) -> FeatureSet:
    """Rows and manifest appear together; the hash is of the rows as `load` will see them."""
    known = assemble({"features": frame}, {}, str(out))
    manifest = {
        "schema": 1,
        "kind": FEATURES,
        "content_sha256": known.content,
        "rows": frame.height,
        "columns": [name for name in frame.columns if name not in OWN],
        "labels": [f"{LABEL}{duration_text(ns)}" for ns in horizons],
        "horizons_ns": list(horizons),
        "split_shares": list(shares),
        "splits": None if splits is None else splits.to_dict(),
        "sessions": len(known.sessions),
        "undefined": {name: NEEDS[name] for name in frame.columns if name in NEEDS},
        **told,
    }
    with staged(out) as stage:
        frame.write_parquet(stage.aside(ROWS), compression="zstd", statistics=True)
        stage.aside(MANIFEST).write_text(page(manifest), encoding="utf-8")
    return FeatureSet(out, manifest)
