"""A session on paper is measured while it runs, from its board and its journal, each step once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hft.api.metrics import Watch
from hft.metrics.catalogue import CATALOGUE, PAPER, RECORDER
from hft.metrics.histogram import cumulative
from hft.metrics.readings import Readings
from hft.runs.ingest import synthetic
from hft.tape.dataset import Tapes
from tests.killed_life import bury
from tests.services.paper_world import SECOND, WALL, Killed, Machine, go_on, trade

NOBODY = (
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
)
pytestmark = list(NOBODY)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    made = synthetic(seed=1, out=tmp_path_factory.mktemp("market"), events=1_000_000)
    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "home"
    bury()


def fills(found: Readings) -> int:
    return cumulative(found.get("gateway_order_fill_latency_us") or [0, 0])[-1]


def test_a_session_shows_all_that_the_catalogue_says_and_grows_as_it_goes(
    home: Path, tape: Tapes
) -> None:
    machine, seen = Machine(), list[Readings]()
    watch: list[Watch] = []

    def look() -> None:
        watch[:] = watch or [Watch(home)]
        seen.append(watch[0].read())

    for second in (3, 9, 20):
        machine.at[WALL + second * SECOND] = look
    done = trade(machine, home, tape)
    first, _, last = seen
    theirs = {name for name, one in CATALOGUE.items() if {PAPER, RECORDER} & {*one.of}}
    assert last.names() == theirs
    assert 0 < fills(first) < fills(last)
    for name in ("gateway_dispatch_latency_ns", "gateway_orderbook_latency_us"):
        early, late = (cumulative(one.get(name))[-1] for one in (first, last))
        assert 0 < early < late, name
    assert first.get("gateway_orders_submitted_total") < last.get("gateway_orders_submitted_total")
    assert last.get("gateway_component_up", "gateway") == 1

    over = watch[0].read()
    assert over.get("gateway_component_up", "gateway") == 0, "it has ended"
    assert over.get("gateway_orders_filled_total") == done.run.fills["order_id"].n_unique()
    again = Watch(home).read()
    assert again.get("gateway_order_fill_latency_us") == over.get("gateway_order_fill_latency_us")


def test_a_session_that_was_killed_and_made_its_run_again_is_counted_once(
    home: Path, tape: Tapes
) -> None:
    machine = Machine(dies_ns=WALL + 12 * SECOND)
    with pytest.raises(Killed):
        trade(machine, home, tape)
    watch = Watch(home)
    before = watch.read()
    machine.dies_ns = 1 << 62
    machine.now_ns += 2 * SECOND
    done = go_on(machine, home)
    after = watch.read()
    assert 0 < fills(before) < fills(after)
    assert after.get("gateway_orders_filled_total") == done.run.fills["order_id"].n_unique()


def test_a_session_without_a_journal_of_steps_does_not_say_zero(home: Path, tape: Tapes) -> None:
    machine = Machine()
    done = trade(machine, home, tape, record="summary")
    found = Watch(home).read()
    assert len(done.run.fills) and found.get("gateway_active_positions") is not None
    assert found.get("gateway_orders_filled_total") is None
    assert found.get("gateway_order_fill_latency_us") is None
