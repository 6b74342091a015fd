"""What must move a run's digest, and which changes of a market must move its fills just so."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from determined import VENUE, digest_of, job_of, slow, with_rows

import hft
from hft.core.codes import EventKind
from hft.gateway.limits import Limits
from hft.replay.run import drive
from hft.runs.faults import FaultPlan
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.runs.venues import Venue
from hft.strategies.base import strategy
from hft.tape.schema import Columns


def test_one_lot_more_in_one_row_is_another_run(market, monkeypatch):
    before = digest_of(job_of(market("l2")))

    def one_lot(part: Columns) -> None:
        levels = np.flatnonzero((part.kind == EventKind.LEVEL) & (part.qty > 0))
        part.qty[levels[len(levels) // 2]] += 1

    with_rows(monkeypatch, one_lot)
    assert digest_of(job_of(market("l2"))) != before


CHANGES: dict[str, dict[str, Any]] = {
    "seed": {"seed": 6},
    "queue": {"venue": replace(VENUE, queue="risk_averse")},
    "latency": {"venue": replace(VENUE, latency="2ms")},
    "faults": {"faults": FaultPlan()},
    "limits": {"limits": hft.Limits.load("research").replace(max_position_size=2)},
    "end": {"end_ns": 0},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_any_input_is_another_run(market, name):
    tapes, change = market("l2"), dict(CHANGES[name])
    if name == "end":
        change["end_ns"] = sum(tapes.span) // 2
    assert digest_of(job_of(tapes, **change)) != digest_of(job_of(tapes))


def test_a_parameter_moves_the_digest_and_diff_names_the_first_step(market, tmp_path):
    runs = [
        hft.replay(market("l2"), slow(half_ticks=half), venue=VENUE, out=tmp_path, record="full")
        for half in (1.0, 2.0)
    ]
    assert runs[0].digest != runs[1].digest
    found = runs[0].diff(runs[1])
    steps = [np.concatenate(list(run.steps())) for run in runs]
    names = [name for name in steps[0].dtype.names if not name.startswith("mix")]
    n = min(len(one) for one in steps)
    unequal = np.array([steps[0][name][:n] != steps[1][name][:n] for name in names]).any(axis=0)
    assert found.step == int(steps[0]["seq"][np.argmax(unequal)]) > 1
    assert not found and str(found.step) in found.sentence
    assert runs[0].diff(runs[0])


def fills_of(job: Job) -> list[tuple[int, ...]]:
    """(time, side, price, lots, position after) of every fill."""
    session = prepare(job, "summary")[0]
    taken: list[np.ndarray] = []

    class Sink:
        def take(self, steps: Any, fills: Any, equity: Any, series: Any) -> None:
            taken.append(fills.copy())

    drive(session, Sink())
    rows = np.concatenate(taken)
    names = ["exch_ts_ns", "side", "price", "qty", "position_qty"]
    return [tuple(int(row[name]) for name in names) for row in rows]


def test_all_clocks_an_hour_later_are_the_same_fills_an_hour_later(market, monkeypatch):
    hour = 3_600_000_000_000
    before = fills_of(job_of(market("l2")))

    def later(part: Columns) -> None:
        part.exch_ts[:] += hour
        part.local_ts[:] += hour

    with_rows(monkeypatch, later)
    after = fills_of(job_of(market("l2")))
    assert len(before) > 10
    assert after == [(ts + hour, *rest) for ts, *rest in before]


@strategy(every="2s")
def mirrored_quoter(view, order, p, s):  # type: ignore[no-untyped-def]
    """One lot at each touch, whichever side is which."""
    if view.book_valid:
        order.quote(0, view.bid_tick, 1)
        order.quote(1, view.ask_tick, 1)


def test_a_mirrored_market_gives_the_mirrored_fills(market, monkeypatch):
    """Bids for asks around a price: what was bought is sold, at the mirrored price."""
    quiet = {"venue": Venue("2ms"), "faults": FaultPlan(), "limits": Limits.off()}
    job = job_of(market("l2"), mirrored_quoter, **quiet)
    before = fills_of(job)
    summary = market("l2").tapes[0].summary
    axis = int(summary["bid_price_range"][0] + summary["ask_price_range"][1])

    def mirror(part: Columns) -> None:
        sided = part.side < 2
        part.side[sided] = 1 - part.side[sided]
        priced = part.price != 0
        part.price[priced] = axis - part.price[priced]

    with_rows(monkeypatch, mirror)
    after = fills_of(job)
    assert len(before) > 10
    expected = [(ts, 1 - side, axis - px, qty, -held) for ts, side, px, qty, held in before]
    assert sorted(after) == sorted(expected)
