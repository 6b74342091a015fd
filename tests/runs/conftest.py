"""Synthetic markets, made once a session."""

from collections.abc import Callable

import pytest

from hft.runs.ingest import synthetic
from hft.tape.dataset import Tapes

EVENTS = {"l2": 60_000, "l3": 50_000}


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tapes]:
    """A synthetic market by kind, made once."""
    folder = tmp_path_factory.mktemp("markets")
    made: dict[str, Tapes] = {}

    def get(kind: str = "l2") -> Tapes:
        if kind not in made:
            made[kind] = synthetic(seed=11, out=folder / kind, events=EVENTS[kind], kind=kind)
        return made[kind]

    return get
