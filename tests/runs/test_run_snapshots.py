"""Snapshots are kept as often as was asked for, and never for more than a hundredth of the time."""

import pytest

from hft.runs import snapshots
from hft.runs.snapshots import SnapshotClock

pytestmark = pytest.mark.nojit


class Wall:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    made = Wall()
    monkeypatch.setattr(snapshots, "time", made)
    return made


@pytest.mark.parametrize(("takes_s", "next_s"), [(0.01, 60), (0.6, 60), (2.0, 200)])
def test_the_next_snapshot_waits_longer_where_one_takes_long(
    wall: Wall, takes_s: float, next_s: float
) -> None:
    clock = SnapshotClock(60)
    wall.now_s += 59
    assert not clock.is_due()
    wall.now_s += 1
    assert clock.is_due()

    def keep() -> None:
        wall.now_s += takes_s

    clock.time(keep)
    wall.now_s += next_s - 0.001
    assert not clock.is_due()
    wall.now_s += 0.002
    assert clock.is_due()


def test_none_are_kept_where_none_are_asked_for(wall: Wall) -> None:
    clock = SnapshotClock(0)
    wall.now_s += 1e9
    assert not clock.is_due()
