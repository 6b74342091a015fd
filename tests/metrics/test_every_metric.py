"""Every metric of the catalogue moves when what it measures happens, and only what is there is."""

from pathlib import Path
from typing import Any

import pytest
from moves import CONSTANT, MOVES, House, Move, recorded
from prometheus_client.parser import text_string_to_metric_families

from hft.core.errors import InvariantError
from hft.metrics.catalogue import CATALOGUE, PAPER, RECORDER, RUN, SERVICE
from hft.metrics.histogram import Histogram, cumulative
from hft.metrics.readings import Readings
from tests.services.service_world import S

EACH = [(name, move) for name, moves in MOVES.items() for move in moves]


def test_each_metric_has_something_that_moves_it() -> None:
    assert {*MOVES, *CONSTANT} == set(CATALOGUE), (
        "a metric without a move: write into moves.py what happens when it changes"
    )


@pytest.mark.parametrize(
    ("name", "move"), EACH, ids=[".".join((name, *move.labels)) for name, move in EACH]
)
def test_a_metric_moves(
    name: str, move: Move, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path, dict(move.given))
    if move.before is not None:
        move.before(house)
    before = amount(house.read(), name, move.labels)
    move.act(house)
    after = amount(house.read(), name, move.labels)
    assert after < before if move.less else after > before, (before, after)


def test_what_moves_a_metric_is_what_was_done_and_not_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second goes by and nobody does anything; of each label that a move names, too."""
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    recorded(house)
    house.fill("a", 1)
    before = house.read()
    house.world.pass_ns(S)
    after = house.read()
    grown = {
        (name, *move.labels)
        for name, move in EACH
        if amount(before, name, move.labels) != amount(after, name, move.labels)
    }
    assert grown == {("wal_replay_lag_seconds",)}, "the age of what waits, and only where it does"


def amount(found: Readings, name: str, labels: tuple[str, ...]) -> float:
    """A figure; of a histogram how many were counted."""
    value = found.get(name, *labels)
    if isinstance(value, list):
        return cumulative(value)[-1]
    return float(value or 0)


def test_a_service_and_a_recorder_show_all_that_the_catalogue_says_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    house.fill("a", 1)
    found = house.read()
    theirs = {name for name, one in CATALOGUE.items() if {SERVICE, RECORDER} & {*one.of}}
    assert found.names() == theirs
    assert {name: found.get(name) for name in CONSTANT} == CONSTANT
    assert all(set(one.of) <= {SERVICE, PAPER, RUN, RECORDER} for one in CATALOGUE.values())


def test_the_text_is_read_by_a_strict_reader_and_says_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    house.fill("a", 2)
    found = house.read()
    families = {one.name: one for one in text_string_to_metric_families(found.text())}
    known = {name.removesuffix("_total") for name in found.names()}
    assert set(families) == known
    for name in found.names():
        one, metric = families[name.removesuffix("_total")], CATALOGUE[name]
        assert (one.type, metric.meaning in one.documentation) == (metric.kind, True)
        read = {(s.name, *s.labels.values()): s.value for s in one.samples}
        if metric.kind != "histogram":
            assert all(set(s.labels) == set(metric.labels) for s in one.samples)
            assert all(found.get(name, *key[1:]) == value for key, value in read.items())
            continue
        counts = [value for key, value in read.items() if key[0].endswith("_bucket")]
        assert counts == cumulative(found.get(name)) and counts[-1] == read[(f"{name}_count",)]


def test_what_the_catalogue_does_not_have_cannot_be_shown() -> None:
    for name, labels in (
        ("gateway_speed", ()),
        ("gateway_fence", ("x",)),
        ("wal_data_loss_total", ()),
    ):
        with pytest.raises(InvariantError, match="catalogue"):
            Readings().put(name, 1, *labels)
    with pytest.raises(InvariantError, match="buckets"):
        Readings().put_histogram("gateway_dispatch_latency_ns", [1, 2])


@pytest.mark.nojit
def test_a_value_is_in_the_first_bucket_whose_bound_it_does_not_pass() -> None:
    one, many = (Histogram("gateway_dispatch_latency_ns") for _ in range(2))
    import numpy as np

    values = [-5, 0, 1000, 1001, 5_000_000, 5_000_001]
    for value in values:
        one.observe(value)
    many.observe_all(np.array(values))
    expected: list[Any] = [3, 1, 0, 0, 0, 0, 0, 1, 1, 10_002_002 + 0]
    expected[-1] = sum(value for value in values if value > 0)
    assert one.cells.tolist() == many.cells.tolist() == expected


def test_a_measure_that_fails_changes_no_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: Any) -> None:
        raise OverflowError

    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    for one in ("risk_check", "dispatch", "orderbook"):
        monkeypatch.setattr(getattr(house.service.stages, one), "observe", fails)
        monkeypatch.setattr(getattr(house.service.stages, one), "observe_all", fails)
    monkeypatch.setattr(house.service.stages.orders, "sent", fails)
    house.touch()
    house.fill("a", 1)
    assert house.service.is_ready and house.service.desk.trading.positions["qty"][0] == 1
    assert house.service.stages.failures >= 4
