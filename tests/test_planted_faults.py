"""The faults that `make quick-faults` plants still fit the files they are planted in."""

from pathlib import Path

import pytest
import quick
from quick_faults import FAULTS, ROOT, judges, plant

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_can_be_planted_and_has_quick_tests_near_it(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    path = tmp_path / fault.path
    path.parent.mkdir(parents=True)
    path.write_text((ROOT / fault.path).read_text(encoding="utf-8"), encoding="utf-8")
    plant(tmp_path, fault)
    compile(path.read_text(encoding="utf-8"), fault.path, "exec")
    assert any(test.startswith(f"tests/{fault.near}") for test in quick.paths())


def test_the_test_above_finds_no_fault_of_the_product() -> None:
    """It fails wherever one is planted."""
    here = Path(__file__).relative_to(ROOT).as_posix()
    assert here in quick.paths()
    assert all(here not in judges(fault) for fault in (*FAULTS.values(), None))
