"""Recordings are ingested once a session; each golden run is made once and looked at by many."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from market_days import FILE, SOURCES, Case

import hft
from hft.api.regression import check
from hft.runs.regression.outcome import Outcome
from hft.runs.result import Run
from hft.tape.dataset import Tapes


@pytest.fixture(scope="session")
def tapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the paths of tapes in `replays.yaml` start at."""
    return tmp_path_factory.mktemp("golden_tapes")


@pytest.fixture(scope="session")
def dataset(shared_data: Path, tapes_root: Path) -> Callable[[str], Tapes]:
    """Ingested tapes by name; a recording that is not there skips the test."""

    @cache
    def ingested(name: str) -> Tapes:
        files, options = SOURCES[name]
        paths = [shared_data / file for file in files]
        missing = [path for path in paths if not path.exists()]
        if missing:
            pytest.skip(f"no recording {missing[0]}")
        return hft.ingest(paths, tapes_root / name, **options)

    return ingested


@pytest.fixture(scope="session")
def checked(
    tapes_root: Path, tmp_path_factory: pytest.TempPathFactory, bless: bool
) -> Callable[[Case], Outcome]:
    """The outcome of a case, run once; blessed under `--bless`. Its tapes have to be there."""
    out = tmp_path_factory.mktemp("golden_runs")

    @cache
    def outcome(name: str) -> Outcome:
        return check(FILE, name, bless=bless, tapes=tapes_root, out=out, ci=True)[name]

    return lambda case: outcome(case.name)


@pytest.fixture(scope="session")
def golden_run(
    dataset: Callable[[str], Tapes], checked: Callable[[Case], Outcome]
) -> Callable[[Case], Run]:
    """The run of a recorded case, made once."""

    def run(case: Case) -> Run:
        for name in case.datasets:
            dataset(name)
        return Run.open(checked(case).run)

    return run
