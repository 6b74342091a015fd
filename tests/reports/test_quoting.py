from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_runs import SECOND, START_NS, records, write_run

from hft.reports.quoting import quoted, resting
from hft.reports.track import GAP

SIDES = {"BUY": max, "SELL": min}


def frame(rows: list[tuple[int, int | None, int]], side: str) -> pl.DataFrame:
    schema = {"start": pl.Int64, "end": pl.Int64, "price_tick": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        symbol=pl.lit("X"), side=pl.lit(side)
    )


@pytest.mark.parametrize("side", list(SIDES))
@pytest.mark.parametrize("seed", range(12))
def test_the_best_of_what_rests_is_what_a_look_at_each_moment_finds(side: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    alone = seed % 3 == 0  # one quote at a time, as most strategies have
    start = np.sort(rng.integers(0, 300, 40)) * 1000
    end = np.append(start[1:], 400_000) if alone else start + rng.integers(0, 40, 40) * 1000
    price = rng.integers(95, 106, 40)
    rows = list(zip(start.tolist(), end.tolist(), price.tolist(), strict=True))
    rows[-1] = (rows[-1][0], None, rows[-1][2])
    found = quoted(frame(rows, side), side, 0.5, 400_000)
    assert found is not None
    for moment in range(0, 400_000, 1000):
        live = [p for a, b, p in rows if a <= moment < (400_000 if b is None else b)]
        k = int(np.searchsorted(found.at, moment // found.step_ns, side="right")) - 1
        seen = GAP if k < 0 else int(found.last[k])
        assert seen == (SIDES[side](live) if live else GAP), f"seed {seed} at {moment}"


def test_nothing_rests_on_the_other_side() -> None:
    assert quoted(frame([(0, 5, 100)], "BUY"), "SELL", 0.5, 10) is None


def test_an_order_rests_from_its_arrival_to_its_fill_or_the_arrival_of_its_cancel(
    tmp_path: Path,
) -> None:
    run = write_run(tmp_path, records(wakes=40, refused=0.2))
    rested = resting(run._frame("decisions"), run._frame("events"), run.orders)
    sent = run.decisions.filter((pl.col("reason_code") == 0) & (pl.col("intent") == "NEW"))
    assert rested.height == sent.height > 30
    first = rested.sort("start").row(0, named=True)
    assert first["start"] == START_NS + SECOND + 2_000_000
    # A cancel arrives 62 ms after the order did; a fill is the venue's 50 ms after it.
    lengths = set((rested["end"] - rested["start"]).to_list())
    assert lengths == {62_000_000, 50_000_000}
    filled = rested.filter(pl.col("end") - pl.col("start") == 50_000_000)
    assert filled.height == run.fills.height > 0
