"""Recordings are ingested once a session; each golden run is made once and looked at by many."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from market_days import SOURCES, Case

import hft
from hft.runs.result import Run
from hft.tape.dataset import Tapes


@pytest.fixture(scope="session")
def dataset(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tapes]:
    """Ingested tapes by name; a recording that is not there skips the test."""
    folder = tmp_path_factory.mktemp("golden_tapes")

    @cache
    def ingested(name: str) -> Tapes:
        files, options = SOURCES[name]
        paths = [shared_data / file for file in files]
        missing = [path for path in paths if not path.exists()]
        if missing:
            pytest.skip(f"no recording {missing[0]}")
        return hft.ingest(paths, folder / name, **options)

    return ingested


@pytest.fixture(scope="session")
def golden_run(
    dataset: Callable[[str], Tapes], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Case], Run]:
    """The run of a case, made once."""
    out = tmp_path_factory.mktemp("golden_runs")
    made: dict[str, Run] = {}

    def run(case: Case) -> Run:
        if case.name not in made:
            tapes = hft.tapes([dataset(name) for name in case.datasets], symbols=case.symbols)
            made[case.name] = hft.replay(
                tapes,
                case.declared(),
                venue=case.venue_model(),
                limits=case.limits_file,
                start=case.start,
                end=case.end,
                record="full",
                out=out / case.name,
            )
        return made[case.name]

    return run
