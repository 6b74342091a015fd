"""What is legal to write and makes no sense ends in a sentence, or in a refusal that says so."""

from pathlib import Path

import numpy as np
import pytest
from made_runs import NAMES, records

import hft
from hft.core.codes import EventKind, IntentType, StepKind
from hft.core.errors import ConfigError, StrategyError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions
from hft.runs.folder.tables import decisions_table
from hft.runs.ingest import write_feeds
from hft.tape.dataset import Tapes
from hft.tape.schema import Columns, Feed

SECOND = 1_000_000_000
START = 1_704_153_600 * SECOND


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    """Twenty seconds of one standing quote."""
    rows = Columns.empty(40)
    k = np.arange(40)
    rows.exch_ts[:] = START + k // 2 * SECOND
    rows.local_ts[:] = rows.exch_ts
    rows.kind[:], rows.qty[:], rows.side[:] = EventKind.BBO, 5, k % 2
    rows.price[:] = 1_000 + k % 2
    feed = Feed(Instrument("X", "0.01", "1"), rows, [], {"format": "made"})
    return write_feeds([feed], tmp_path_factory.mktemp("odd") / "x", DecodeOptions())


@hft.strategy(every="1s")
class Broken:
    def __init__(self) -> None:
        raise KeyError("no model")

    def on_wake(self, view, order):  # type: ignore[no-untyped-def]
        """Never called."""


@hft.strategy(every="1s")
class Idle:
    def on_wake(self, view, order):  # type: ignore[no-untyped-def]
        """Says nothing."""


@hft.strategy(loop=True)
def standing(sim, p, s):  # type: ignore[no-untyped-def]
    while sim.next(0):
        pass


def test_a_class_whose_init_raises_is_named_as_a_strategy(tapes: Tapes, tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="'Broken': its __init__ raised KeyError: 'no model'"):
        hft.replay(tapes, Broken, out=tmp_path)


def test_lots_that_are_no_number_are_shown_as_none() -> None:
    steps = records(wakes=30).steps
    rows = np.flatnonzero(
        (steps["kind"] == StepKind.DECISION) & (steps["intent_type"] == IntentType.NEW)
    )
    before = decisions_table(steps, NAMES)["lots"].null_count
    steps["qty"][rows[0]] = -(1 << 63)
    assert decisions_table(steps, NAMES)["lots"].null_count == before + 1


def test_a_loop_that_asks_for_no_time_is_refused(tapes: Tapes, tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="next=0 is shorter than 1 ns"):
        hft.replay(tapes, standing, out=tmp_path)


def test_an_end_before_the_start_is_refused(tapes: Tapes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="end: it is before start"):
        hft.replay(tapes, Idle, out=tmp_path, start=START + 5 * SECOND, end=START + SECOND)
    assert not list(tmp_path.iterdir())
