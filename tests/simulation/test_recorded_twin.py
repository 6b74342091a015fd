"""Engine and twin agree on the start of recordings; `make fuzz-engine-recorded` does the rest."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.naive.engine.aggressors import AGGRESSORS
from tests.simulation import recorded_twin
from tests.simulation.recorded_twin import RECORDINGS, Part, compared, parts, queues_of

SECONDS_3 = 3_000_000_000
SAMPLE = ("aapl", "es quotes", "usdm 2023")
PartOf = Callable[[str], Part]


@pytest.fixture(scope="module")
def part_of(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> PartOf:
    """The first seconds of a recording by name; one that is not there skips the test."""
    out = tmp_path_factory.mktemp("recorded_twin")

    @cache
    def made(name: str) -> Part:
        recording = next(one for one in RECORDINGS if one.name == name)
        missing = [file for file in recording.files if not (shared_data / file).exists()]
        if missing:
            pytest.skip(f"no recording {missing[0]}")
        return next(parts(recording, out / name, SECONDS_3))

    return made


@pytest.mark.parametrize("strategy", AGGRESSORS)
@pytest.mark.parametrize("name", SAMPLE)
def test_engine_and_twin_agree_on_a_recording(name: str, strategy: str, part_of: PartOf) -> None:
    part = part_of(name)
    for queue in queues_of(part)[-1:]:
        found, steps, _ = compared(part, strategy, queue)
        assert found is None, f"{name}, {strategy}, {queue}: {found}"
        assert steps > 0 or strategy == "chasing"


def test_the_recordings_of_the_sample_trade(part_of: PartOf) -> None:
    fills = [compared(part_of(name), "taking", "risk_averse")[2] for name in SAMPLE]
    assert all(count > 0 for count in fills), fills


def test_without_recordings_there_is_a_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("HFT_TEST_DATA", str(tmp_path / "none"))
    assert recorded_twin.main([]) == 2
    assert "set HFT_TEST_DATA" in capsys.readouterr().out
