"""After a close everything is brought, tried a few times, and given up aloud."""

import itertools
from pathlib import Path

import pytest

from hft.api import recorder as api
from hft.cli.app import run
from hft.core.errors import ConfigError, Unavailable
from tests.recorder.loading_world import COUNTS, record

pytestmark = pytest.mark.nojit
NS = 1_000_000_000
CLOSE = 1_767_632_400  # 2026-01-05T17:00Z


class Clock:
    """Passes while one sleeps."""

    def __init__(self) -> None:
        self.s = float(CLOSE - 100)
        self.looks: list[float] = []

    def now_ns(self) -> int:
        return int(self.s * NS)

    def sleep(self, seconds: float) -> None:
        self.looks.append(seconds)
        self.s += seconds


def test_everything_is_there_a_while_after_the_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record(tmp_path / ".wal")
    clock, said = Clock(), list[str]()
    place = api.place_of()
    closes = ["2026-01-05T17:00Z"]
    left = api.flush_after(place, closes, tell=said.append, now_ns=clock.now_ns, sleep=clock.sleep)
    assert left == [] and said == [f"{3 * sum(COUNTS.values())} rows brought"]
    assert 300 <= clock.s - CLOSE < 300 + 60 and set(clock.looks) == {60}
    assert api.status(place)["files"] == 0


def test_a_database_that_is_away_is_tried_again_and_given_up_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record(tmp_path / ".wal", segments=1)
    clock, said, tries = Clock(), list[str](), list[float]()

    def away(*given: object, **named: object) -> None:
        tries.append(clock.s - CLOSE)
        raise Unavailable("does not answer")

    monkeypatch.setattr(api, "load", away)
    left = api.flush_after(
        api.place_of(),
        ["2026-01-05T17:00Z"],
        tell=said.append,
        now_ns=clock.now_ns,
        sleep=clock.sleep,
    )
    assert left == [CLOSE * NS] and said == ["does not answer"] * 3
    assert [round(b - a) for a, b in itertools.pairwise(tries)] == [4, 16]
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="--after-close"):
        api.flush_after(api.place_of(tmp_path), ["17:00"], tell=said.append)
    assert run(["recorder", "drain", "--after-close", "17:00"]) == 78
