"""What the third list says of itself, checked without any leak test of hft.

    python -m tests.research.leakage.third.check [NAME ...]

A world with a twist has other draws from a row on. Where a column or an answer before that row
differs, it knew what came: so it has to be for leaks, at some twist, and for innocents at none.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..entry import Entry, Frames, write_alpha
from ..unseen.market import World, ahead

PRICES = ("mid", "mid_price", "px", "price", "close")
FEE = 0.2e-4
ENOUGH = 3.0  # Sharpe ratio of a leak that somebody would fall for


def loaded(folder: Path, name: str) -> Any:
    """The alpha's class in a module that saw nothing yet."""
    spec = importlib.util.spec_from_file_location(f"third_{name}", folder / "impl.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module.ALPHA_CLASS


def shown(frame: pl.DataFrame, fields: tuple[str, ...]) -> pl.DataFrame:
    """The frame as an alpha gets it: time, session and its fields, missing values as NaN."""
    columns = [pl.col("ts").cast(pl.Datetime("ns", "UTC")), pl.col("session").cast(pl.Int64)]
    for field in fields:
        if field == "ts_ns":
            columns.append(pl.col("ts").cast(pl.Datetime("ns", "UTC")).dt.epoch("ns").alias(field))
        elif field != "session":
            columns.append(pl.col(field).cast(pl.Float64).fill_null(float("nan")))
    return frame.select(columns)


def answers(made: Any, rows: pl.DataFrame, fields: tuple[str, ...], batch: bool) -> np.ndarray:
    """The answers of a copy, all rows at once or one by one."""
    if batch:
        return np.asarray(made.signals(rows), dtype=float)
    made.reset()
    columns = [rows[field].to_list() for field in fields]
    said = [
        made.update(**dict(zip(fields, row, strict=True))) for row in zip(*columns, strict=True)
    ]
    return np.asarray(said, dtype=float)


def signal_of(alpha: Any, frame: pl.DataFrame, fields: tuple[str, ...]) -> np.ndarray:
    """A number a row, from a fresh copy."""
    made = alpha()
    return answers(made, shown(frame, fields), fields, hasattr(made, "signals"))


def signals_in(entry: Entry, frames: Frames) -> list[np.ndarray]:
    """The answers of the folder as its author would have left it beside these rows."""
    with tempfile.TemporaryDirectory(prefix="third-") as folder:
        write_alpha(entry, frames, Path(folder))
        alpha = loaded(Path(folder), entry.name)
        return [signal_of(alpha, frame, entry.fields) for frame in frames.values()]


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
        there = np.isfinite(price_of(frame))
        mid, session = price_of(frame)[there], frame["session"].to_numpy()[there]
        held = followed(np.nan_to_num(signal[there]))
        gained = held * ahead(mid) - FEE * np.abs(np.diff(held, prepend=0.0))
        for day, gain in zip(session.tolist(), gained.tolist(), strict=True):
            total[day] = total.get(day, 0.0) + gain
        for rows in (1, 4, 20):
            told = np.isfinite(signal[there])
            told[-rows:] = False
            said, after = signal[there][told], ahead(mid, rows)[told]
            alike = float(np.corrcoef(said, after)[0, 1]) if said.std() > 0.0 else 0.0
            likeness[f"next_{rows}"].append(alike)
    daily = np.array([total[day] for day in sorted(total)])
    sharpe = float(daily.mean() / daily.std() * np.sqrt(252.0)) if daily.std() > 0.0 else 0.0
    figures = {name: round(float(np.mean(values)), 3) for name, values in likeness.items()}
    return {"sharpe": round(sharpe, 2), **figures}


def same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which rows are alike."""
    if one.dtype.kind == "f":
        return np.isclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True)
    return np.asarray(one == other)


def plain(series: pl.Series) -> np.ndarray:
    if series.dtype.is_temporal():
        return series.cast(pl.Int64).fill_null(-1).to_numpy()
    return series.to_numpy()


def twists(world: World) -> list[int]:
    """Rows from which on a world is another one: at random, at session ends, amid sessions."""
    chosen = np.random.default_rng(7).integers(world.rows // 8, world.rows - 40, 8)
    turns = np.flatnonzero(world.opens)[20 :: max(len(world.days) // 5, 1)]
    found = {*chosen.tolist(), *turns.tolist(), *(turns - 1).tolist(), world.rows - 30}
    return sorted(int(k) for k in found)


def before(frame: pl.DataFrame, world: World, twist: int) -> np.ndarray:
    """Which rows of a frame were there before the twist."""
    return frame["ts"].dt.replace_time_zone(None).to_numpy() < world.times[twist]


def at_twist(entry: Entry, frames: Frames, said: list[np.ndarray], twist: int) -> dict[str, int]:
    """How many rows before the twist differ, by column; the answers are under `signal`."""
    world = entry.world(twist)
    others = entry.frames(world)
    found: dict[str, int] = {}
    answered = signals_in(entry, others)
    for (name, frame), mine, theirs in zip(frames.items(), said, answered, strict=True):
        first, second = (before(one, world, twist) for one in (frame, others[name]))
        if first.sum() != second.sum():
            found["rows"] = found.get("rows", 0) + 1
            continue
        pairs = {column: (frame[column], others[name][column]) for column in frame.columns}
        for column, (one, other) in pairs.items():
            wrong = int((~same(plain(one)[first], plain(other)[second])).sum())
            found[column] = found.get(column, 0) + wrong
        found["signal"] = found.get("signal", 0) + int((~same(mine[first], theirs[second])).sum())
    return {column: wrong for column, wrong in found.items() if wrong}


def cut_short(entry: Entry, frames: Frames, rows: list[int]) -> int:
    """At how many cuts the code answers otherwise for rows before, the rows being as they are."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="third-") as folder:
        write_alpha(entry, frames, Path(folder))
        alpha = loaded(Path(folder), entry.name)
        for frame in list(frames.values())[:3]:
            whole = signal_of(alpha, frame, entry.fields)
            for cut in rows:
                cut = min(cut, frame.height - 1)
                part = signal_of(alpha, frame[:cut], entry.fields)
                wrong += not same(whole[:cut], part).all()
    return wrong


def both_entries_differ(entry: Entry, frames: Frames) -> bool:
    """Whether an alpha with `update` and `signals` says two things."""
    with tempfile.TemporaryDirectory(prefix="third-") as folder:
        write_alpha(entry, frames, Path(folder))
        made = loaded(Path(folder), entry.name)
        if not (hasattr(made, "update") and hasattr(made, "signals")):
            return False
        rows = shown(next(iter(frames.values())), entry.fields)
        one, other = (answers(made(), rows, entry.fields, batch) for batch in (True, False))
        return not np.allclose(one, other, rtol=0.0, atol=1e-9, equal_nan=True)


def manifest_problems(entry: Entry, frames: Frames) -> list[str]:
    """What the alpha's own test of its manifest would find."""
    with tempfile.TemporaryDirectory(prefix="third-") as folder:
        write_alpha(entry, frames, Path(folder))
        return list(loaded(Path(folder), entry.name)().manifest.problems())


def judged_by_twin(entry: Entry) -> dict[str, Any]:
    """Whether the entry is what it says it is; `problems` is empty where it is."""
    world = entry.world()
    frames = entry.frames(world)
    said = signals_in(entry, frames)
    rows = twists(world)
    knew: dict[str, int] = {}
    times = 0
    for twist in rows:
        found = at_twist(entry, frames, said, twist)
        times += "signal" in found
        for column, wrong in found.items():
            knew[column] = knew.get(column, 0) + wrong
    cuts = cut_short(entry, frames, rows[::3] if entry.kind == "innocent" else rows)
    told = earned(said, frames)
    problems = [f"rows of {name}: {len(one)}" for name, one in zip(frames, said, strict=True)
                if len(one) != frames[name].height]  # fmt: skip
    if not all(np.isfinite(signal).mean() > 0.9 for signal in said):
        problems.append("answers are missing")
    if both_entries_differ(entry, frames):
        problems.append("update and signals differ")
    problems += manifest_problems(entry, frames)
    problems += _kind_problems(entry, knew, cuts, told["sharpe"])
    return {
        "rows": sum(frame.height for frame in frames.values()), "names": len(frames),
        "twists": len(rows), "signal_changed_at": times, "rows_that_knew": knew, "cuts": cuts,
        **told, "problems": problems,
    }  # fmt: skip


def _kind_problems(entry: Entry, knew: dict[str, int], cuts: int, sharpe: float) -> list[str]:
    columns = sorted(set(knew) - {"signal"})
    if entry.kind == "innocent":
        return [f"an innocent that knows: {knew}, cuts {cuts}"] if knew or cuts else []
    problems = []
    if "signal" not in knew:
        problems.append("a leak whose answers know nothing")
    if sharpe < ENOUGH:
        problems.append(f"a leak that earns little: {sharpe}")
    if entry.place == "data" and (cuts or not set(columns) & set(entry.fields)):
        problems.append(f"a leak of data: columns {columns}, cuts {cuts}")
    if entry.place == "code" and columns:
        problems.append(f"a leak of code whose rows know: {columns}")
    if entry.place == "code" and bool(cuts) == entry.by_heart:
        problems.append(f"a leak of code: cuts {cuts}")
    if entry.by_heart:
        problems += _elsewhere(entry)
    return problems


def _elsewhere(entry: Entry) -> list[str]:
    """Answers that were learnt by heart earn nothing on rows of another seed."""
    fresh = entry.frames(entry.world(shift=5000))
    with tempfile.TemporaryDirectory(prefix="third-") as folder:
        write_alpha(entry, entry.frames(entry.world()), Path(folder))
        alpha = loaded(Path(folder), entry.name)
        said = [signal_of(alpha, frame, entry.fields) for frame in fresh.values()]
    sharpe = earned(said, fresh)["sharpe"]
    return [f"by heart, and earns {sharpe} elsewhere too"] if abs(sharpe) > ENOUGH else []


def checked(entry: Entry) -> dict[str, Any]:
    about = {"name": entry.name, "kind": entry.kind, "place": entry.place}
    try:
        return {**about, **judged_by_twin(entry)}
    except Exception:
        return {**about, "problems": [traceback.format_exc()[-900:]]}


def line_of(answer: dict[str, Any]) -> str:
    """One entry in a line."""
    if "sharpe" not in answer:
        return f"{answer['name']}: BROKEN {answer['problems'][0]}"
    figures = " ".join(f"{key} {answer[key]:+.2f}" for key in ("next_1", "next_4", "next_20"))
    return (
        f"{answer['name']:24} {answer['kind']:8} {answer['place']:4} rows {answer['rows']:6} "
        f"signal before the twist changed at {answer['signal_changed_at']:2} of "
        f"{answer['twists']}, cuts {answer['cuts']:2}, knew {answer['rows_that_knew']}, "
        f"Sharpe {answer['sharpe']:+.1f}, {figures}: {answer['problems'] or 'ok'}"
    )


def main() -> int:
    from .catalogue import ENTRIES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    wanted = [entry.name for entry in ENTRIES if not args.names or entry.name in args.names]
    answers_ = []
    with ProcessPoolExecutor(max_workers=args.jobs) as pool:
        for answer in pool.map(by_name, wanted):
            answers_.append(answer)
            print(line_of(answer), flush=True)
    for kind in ("leak", "innocent"):
        for place in ("code", "data"):
            these = [a for a in answers_ if (a["kind"], a["place"]) == (kind, place)]
            print(f"{kind}s in {place}: {sum(not a['problems'] for a in these)} of {len(these)}")
    wrong = [answer["name"] for answer in answers_ if answer["problems"]]
    print(f"{len(wanted) - len(wrong)} of {len(wanted)} as they say", *wrong)
    return 1 if wrong else 0


def by_name(name: str) -> dict[str, Any]:
    from .catalogue import ENTRIES

    return checked(next(entry for entry in ENTRIES if entry.name == name))


if __name__ == "__main__":
    raise SystemExit(main())
