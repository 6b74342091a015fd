"""A few real kills of a real gateway; `make kill-drill` does two hundred."""

from pathlib import Path

from tests.services.kill_drill import drill

KILLS = 5


def test_a_gateway_that_is_killed_sends_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    result = drill(tmp_path, KILLS)
    assert result.complaints() == []
    assert len(result.ready_s) == KILLS and len(result.told) > 50
    assert result.facts["commands"] > 50
