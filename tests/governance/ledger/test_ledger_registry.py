"""A folder that a desk shares: trials follow the data into a fresh workspace."""

import shutil
from pathlib import Path

import pytest

from hft.api.desk import open_desk
from hft.core.errors import ConfigError, JournalError, Unavailable
from hft.governance.ledger.ledger import Ledger
from tests.governance.ledger.ledgers import trial

NOW = 1_790_000_000_000_000_000


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    made = tmp_path / "desk"
    made.mkdir()
    return made


def ledger(tmp_path: Path, name: str, registry: Path) -> Ledger:
    return Ledger.open(tmp_path / name / "ledger", writer=name * 8, registry=registry)


def test_a_fresh_workspace_counts_what_others_tried(tmp_path: Path, registry: Path) -> None:
    one = ledger(tmp_path, "a", registry)
    one.append([trial(n) for n in range(5)], NOW)
    alone = Ledger.open(tmp_path / "b" / "alone", writer="b" * 8)
    assert alone.trials().height == 0, "this is how N was reset"
    two = ledger(tmp_path, "b", registry)
    assert two.trials().height == 5
    seen = two.family(label_family=trial(0).label_family)
    assert len(seen.vectors) == 5, "vectors follow, so that effective N and variance are the same"
    (again,) = two.append([trial(0)], NOW)
    assert again.repeat
    two.append([trial(9)], NOW)
    assert one.trials().height == 6


def test_a_workspace_made_anew_in_its_place_goes_on_where_it_was(
    tmp_path: Path, registry: Path
) -> None:
    ledger(tmp_path, "a", registry).append([trial(1), trial(2)], NOW)
    shutil.rmtree(tmp_path / "a")
    again = ledger(tmp_path, "a", registry)
    (found,) = again.append([trial(3)], NOW)
    assert found.seq == 3 and again.trials().height == 3 and again.verify() == []


def test_what_was_taken_from_the_registry_comes_back(tmp_path: Path, registry: Path) -> None:
    one = ledger(tmp_path, "a", registry)
    one.append([trial(1)], NOW)
    shutil.rmtree(registry)
    registry.mkdir()
    assert one.trials().height == 1
    assert ledger(tmp_path, "b", registry).trials().height == 1


def test_without_the_registry_nothing_is_counted_and_a_head_is_still_told(
    tmp_path: Path, registry: Path
) -> None:
    one = ledger(tmp_path, "a", registry)
    one.append([trial(1)], NOW)
    shutil.rmtree(registry)
    with pytest.raises(Unavailable, match="a count of trials without it is no count"):
        one.trials()
    with pytest.raises(Unavailable):
        one.append([trial(2)], NOW)
    assert one.heads()["a" * 8]["seq"] == 1, "a rollback records heads and must not wait"


def test_another_chain_of_the_same_writer_is_refused(tmp_path: Path, registry: Path) -> None:
    one = ledger(tmp_path, "a", registry)
    one.append([trial(1)], NOW)
    (chain,) = one.folder.glob("*.jsonl")
    chain.unlink()
    Ledger.open(one.folder, writer="a" * 8).append([trial(2)], NOW)
    with pytest.raises(JournalError, match="the registry has another chain of writer aaaaaaaa"):
        ledger(tmp_path, "a", registry).trials()


def test_a_registry_inside_of_the_workspace_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "research" / "alphas").mkdir(parents=True)
    monkeypatch.setenv("HFT_ALPHA_REGISTRY", str(tmp_path / "mine"))
    with pytest.raises(ConfigError, match="lies in the workspace"):
        _ = open_desk(tmp_path).ledger
