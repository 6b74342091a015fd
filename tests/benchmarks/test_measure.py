"""What may be said of measured figures."""

import pytest

from benchmarks.measure import (
    Goal,
    Row,
    Series,
    alternate,
    constant,
    parity,
    rates,
    ratios,
)


@pytest.mark.parametrize(
    ("values", "goal", "verdict"),
    [
        ((3.0, 2.4, 2.6), Goal(2.5), "met"),
        ((2.5, 2.5, 2.5), Goal(2.5), "met"),
        ((1.0, 1.1, 1.2), Goal(2.5), "missed"),
        ((2.3, 2.4, 2.6), Goal(2.5), "not decided"),
        ((60.0, 70.0, 90.0), Goal(80.0, at_least=False), "met"),
        ((99.0, 100.0, 101.0), Goal(80.0, at_least=False), "missed"),
        ((75.0, 82.0, 90.0), Goal(80.0, at_least=False), "not decided"),
    ],
)
def test_a_miss_counts_only_when_the_spread_is_smaller_than_the_margin(values, goal, verdict):
    assert goal.verdict(Series(values)) == verdict


def test_a_row_without_a_figure_is_not_measured_and_one_without_a_goal_is_reported():
    row = Row("name", "title", "s", goal=Goal(2.0))
    assert row.verdict == "not measured"
    row.ours = Series((9.0,))
    assert row.verdict == "not measured", "the goal of this row reads the ratio"
    row.judged = "ours"
    assert row.verdict == "met"
    row.goal = None
    assert row.verdict == "reported"


def test_sides_take_turns():
    order = []
    mine, theirs = alternate(
        lambda: order.append("ours") or {"seconds": 1.0},
        lambda: order.append("peer") or {"seconds": 2.0},
        3,
    )
    assert order == ["ours", "peer"] * 3
    assert len(mine) == len(theirs) == 3


def test_ratios_are_taken_pair_by_pair():
    ours = rates([{"events": 100, "seconds": 1.0}, {"events": 100, "seconds": 4.0}])
    peer = rates([{"events": 100, "seconds": 2.0}, {"events": 100, "seconds": 2.0}])
    assert ours.values == (100.0, 25.0)
    assert ratios(ours, peer).values == (2.0, 0.5)


def test_parity_names_each_figure_that_differs():
    ours, peer = {"orders": 3, "fills": 2}, {"orders": 3, "fills": 1}
    assert parity(ours, ours, ("orders", "fills")) == "equal"
    assert parity(ours, peer, ("orders", "fills")) == "fills 2 / 1"


def test_a_digest_that_changes_between_runs_is_shouted():
    assert constant([{"digest": "a"}, {"digest": "a"}], "digest") == "a"
    assert constant([{"digest": "a"}, {"digest": "b"}], "digest") == "DIFFERS: a, b"
