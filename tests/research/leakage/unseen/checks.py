"""What the list says of itself, checked without any leak test of hft.

A world with a twist has other draws from a row on. Where a column, or the answer of the code,
differs before that row, it knew what came. And a leak has to earn, or nobody would fall for it.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..entry import Entry, Frames
from .market import World, ahead

PRICES = ("mid", "px", "price", "close")
FEE = 0.2e-4


def loaded(folder: Path, name: str) -> Any:
    """The alpha's class, imported from its folder."""
    module_name = f"unseen_{name}_{abs(hash(folder))}"
    spec = importlib.util.spec_from_file_location(module_name, folder / "impl.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module.ALPHA_CLASS


def shown(frame: pl.DataFrame, fields: tuple[str, ...]) -> pl.DataFrame:
    """The frame as an alpha gets it: time, session and its fields, missing values as NaN."""
    columns = [pl.col("ts").cast(pl.Datetime("ns", "UTC")), pl.col("session").cast(pl.Int64)]
    for field in fields:
        if field == "ts_ns":
            columns.append(pl.col("ts").dt.epoch("ns").alias("ts_ns"))
        elif field != "session":
            columns.append(pl.col(field).cast(pl.Float64).fill_null(float("nan")))
    return frame.select(columns)


def signal_of(alpha: Any, frame: pl.DataFrame, fields: tuple[str, ...]) -> np.ndarray:
    """The answers of a fresh copy, a number a row."""
    made, rows = alpha(), shown(frame, fields)
    if hasattr(made, "signals"):
        return np.asarray(made.signals(rows), dtype=float)
    made.reset()
    columns = [rows[field].to_list() for field in fields]
    said = [
        made.update(**dict(zip(fields, row, strict=True))) for row in zip(*columns, strict=True)
    ]
    return np.asarray(said, dtype=float)


def price_of(frame: pl.DataFrame) -> np.ndarray:
    return frame[next(name for name in PRICES if name in frame.columns)].to_numpy()


def followed(signal: np.ndarray) -> np.ndarray:
    """One unit long above 0.3, short below -0.3, else as before."""
    side = np.where(signal > 0.3, 1.0, np.where(signal < -0.3, -1.0, np.nan))
    return pl.Series(side).fill_nan(None).forward_fill().fill_null(0.0).to_numpy()


def earned(signals: list[np.ndarray], frames: Frames) -> dict[str, float]:
    """Sharpe ratio of a year net of fees, and likeness to the next 1, 4 and 20 rows."""
    total: dict[int, float] = {}
    likeness: dict[str, list[float]] = {"next_1": [], "next_4": [], "next_20": []}
    for signal, frame in zip(signals, frames.values(), strict=True):
        mid, session = price_of(frame), frame["session"].to_numpy()
        held = followed(np.nan_to_num(signal))
        gained = held * ahead(mid) - FEE * np.abs(np.diff(held, prepend=0.0))
        for day, gain in zip(session.tolist(), gained.tolist(), strict=True):
            total[day] = total.get(day, 0.0) + gain
        for rows in (1, 4, 20):
            told = np.isfinite(signal)
            told[-rows:] = False
            said, after = signal[told], ahead(mid, rows)[told]
            alike = float(np.corrcoef(said, after)[0, 1]) if said.std() > 0.0 else 0.0
            likeness[f"next_{rows}"].append(alike)
    daily = np.array([total[day] for day in sorted(total)])
    sharpe = float(daily.mean() / daily.std() * np.sqrt(252.0)) if daily.std() > 0.0 else 0.0
    figures = {name: round(float(np.mean(values)), 3) for name, values in likeness.items()}
    return {"sharpe": round(sharpe, 2), **figures}


def same(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))
    return bool(np.array_equal(one, other))


def twists(world: World) -> list[int]:
    """Rows from which on a world is another one: at random, at session ends, amid sessions."""
    chosen = np.random.default_rng(7).integers(world.rows // 10, world.rows - 60, 40)
    turns = np.flatnonzero(world.opens)[20::25]
    return sorted({int(k) for k in (*chosen, *turns, *(turns - 1))})


def rows_know(entry: Entry, frames: Frames, rows: list[int]) -> list[str]:
    """Columns that differ before the row at which the world becomes another one."""
    found: set[str] = set()
    for twist in rows:
        world = entry.world(twist)
        stamp = world.times[twist]
        whole = all(frame.height == world.rows for frame in frames.values())
        for name, frame in entry.frames(world).items():
            if whole:
                first, second = frames[name][:twist], frame[:twist]
            else:
                first, second = _before(frames[name], stamp), _before(frame, stamp)
            if first.height != second.height:
                found.add("rows")
                continue
            for column in first.columns:
                if not same(_plain(first[column]), _plain(second[column])):
                    found.add(column)
    return sorted(found)


def _before(frame: pl.DataFrame, stamp: np.datetime64) -> pl.DataFrame:
    return frame.filter(frame["ts"].dt.replace_time_zone(None).to_numpy() < stamp)


def _plain(series: pl.Series) -> np.ndarray:
    if series.dtype.is_temporal():
        return series.cast(pl.Int64).fill_null(-1).to_numpy()
    return series.to_numpy()


def code_knows(entry: Entry, alpha: Any, frames: Frames, rows: list[int]) -> int:
    """At how many of these cuts the code answers otherwise for the rows before it."""
    wrong = 0
    for frame in frames.values():
        whole = signal_of(alpha, frame, entry.fields)
        for cut in rows:
            cut = min(cut, frame.height - 1)
            part = signal_of(alpha, frame[:cut], entry.fields)
            wrong += not same(whole[:cut], part)
    return wrong


def judged_by_twin(entry: Entry, folder: Path, frames: Frames) -> dict[str, Any]:
    """Whether the entry is what it says it is; `problems` is empty where it is."""
    alpha, world = loaded(folder, entry.name), entry.world()
    panel = len(frames) > 1
    rows = twists(world)
    knows = rows_know(entry, frames, rows[::4] if entry.kind == "innocent" else rows)
    if entry.kind == "leak" and entry.place == "data" and not knows:
        knows = rows_know(entry, frames, list(range(1000, world.rows - 60, 10)))  # sparse ones
    signals = [signal_of(alpha, frame, entry.fields) for frame in frames.values()]
    batch = hasattr(alpha, "signals")
    cuts = 0
    if batch or not panel:
        cuts = code_knows(entry, alpha, frames, rows[::12] if not batch else rows[::3])
    told = earned(signals, frames)
    problems = []
    if not all(np.isfinite(signal).mean() > 0.9 for signal in signals):
        problems.append("answers are missing")
    if entry.kind == "innocent" and (knows or cuts):
        problems.append(f"an innocent that knows: {knows}, cuts {cuts}")
    if entry.kind == "leak":
        problems += _leak_problems(entry, alpha, knows, cuts, told)
    return {"knows": knows, "cuts": cuts, **told, "problems": problems}


def _leak_problems(
    entry: Entry, alpha: Any, knows: list[str], cuts: int, told: dict[str, float]
) -> list[str]:
    problems = []
    if told["sharpe"] < 3.0:
        problems.append(f"a leak that earns little: {told['sharpe']}")
    if entry.by_heart:
        fresh = entry.frames(entry.world(shift=5000))
        elsewhere = [signal_of(alpha, frame, entry.fields) for frame in fresh.values()]
        if abs(earned(elsewhere, fresh)["sharpe"]) > 3.0:
            problems.append("by heart, and earns elsewhere too")
        if cuts or knows:
            problems.append("by heart, and looks ahead besides")
    elif entry.place == "code" and (knows or not cuts):
        problems.append(f"a leak of code: rows know {knows}, cuts {cuts}")
    elif entry.place == "data" and (cuts or not knows):
        problems.append(f"a leak of data: rows know {knows}, cuts {cuts}")
    return problems
