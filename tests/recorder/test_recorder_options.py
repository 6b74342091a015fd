"""A file of options is refused with its key and a cure, before anything is opened."""

from pathlib import Path

import pytest

from hft.core.errors import ConfigError
from hft.recorder.options import NUMBERS, options
from hft.recorder.schedule import NS, FlushSchedule
from hft.storage.strict_yaml import load_yaml

pytestmark = pytest.mark.nojit
SHIPPED = Path(__file__).resolve().parents[2] / "config" / "recorder.yaml"


def test_the_shipped_file_names_every_key_with_its_default() -> None:
    given = load_yaml(SHIPPED.read_text(), str(SHIPPED))
    assert {*given} == {*NUMBERS, "policies", "database", "cluster", "replicated"}
    assert options(given, "f") == options({}, "f")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"policies": {"market_dat": "drop"}}, "no table of the recorder; did you mean 'market_d"),
        ({"policies": {"market_data": "keep"}}, "market_data: 'keep' is none of write, drop, halt"),
        ({"policies": {"orders": "drop"}}, "orders: is never dropped, so it has no policy; remove"),
        ({"policies": ["drop"]}, "is no mapping"),
        ({"budget": 3}, "'budget' is no key of the recorder; did you mean 'budget_mb'"),
        ({"batch_rows": 0}, "batch_rows: 0 is no whole number from 1 to"),
        ({"batch_ms": True}, "batch_ms: True is no whole number"),
        ({"warn_pct": 90}, "warn_pct 90 is not below critical_pct 80"),
        ({"database": "a-b"}, "database: 'a-b' is no name of a database; use letters"),
        ({"replicated": "often"}, "replicated: 'often' is neither true nor false"),
        ({"warn_mb": 9, "halt_mb": 8}, "warn_mb 9 is not below halt_mb 8"),
    ],
)
def test_what_cannot_be_used_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=r"recorder\.yaml: ") as found:
        options(values, "recorder.yaml")
    assert said in str(found.value)


def test_a_flush_is_due_a_while_after_each_close_and_tried_a_few_times() -> None:
    schedule = FlushSchedule([1000 * NS, 2000 * NS], after_s=300, retries=3)
    assert schedule.due(1299 * NS) is None
    assert schedule.due(1300 * NS) == 1000 * NS
    schedule.failed(1300 * NS)
    assert schedule.due(1303 * NS) is None
    assert schedule.due(1304 * NS) == 1000 * NS
    schedule.failed(1304 * NS)
    assert schedule.due(1319 * NS) is None and schedule.due(1320 * NS) == 1000 * NS
    schedule.failed(1320 * NS)
    assert schedule.given_up == [1000 * NS]
    assert schedule.due(1400 * NS) is None
    assert schedule.due(2300 * NS) == 2000 * NS
    schedule.done()
    assert schedule.due(9999 * NS) is None
