"""Ledgers of several clones: plain `git merge` joins them, and killed writers lose nothing."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.ledger_soak import soak
from hft.governance.ledger.ledger import Ledger
from tests.governance.ledger.ledgers import NOW_NS, YEAR, trial

LEDGER = Path("research") / "ledger"


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=Ann", "-c", "user.email=a@b.c", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def record(folder: Path, *numbers: int) -> Ledger:
    ledger = Ledger.open(folder / LEDGER)
    ledger.append([trial(number) for number in numbers], NOW_NS)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "trials")
    return ledger


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, Path]:
    """Two clones that share three trials; each then tries more, one of them the same."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    git(one, "init", "-q", "-b", "main")
    record(one, 0, 1, 2)
    git(tmp_path, "clone", "-q", str(one), str(two))
    record(one, 10, 11, 99)
    record(two, 20, 99)
    record(two, 21)
    return one, two


def test_two_clones_merge_to_one_count_without_a_conflict(clones: tuple[Path, Path]) -> None:
    one, two = clones
    assert not (one / ".gitattributes").exists()
    heads = [Ledger.open(folder / LEDGER).heads() for folder in clones]
    git(two, "pull", "-q", "--no-rebase", "--no-edit", str(one), "main")
    git(one, "pull", "-q", "--no-rebase", "--no-edit", str(two), "main")
    seen = []
    for folder in clones:
        ledger = Ledger.open(folder / LEDGER)
        assert ledger.verify(heads) == []
        assert len(ledger.heads()) == 2
        view = ledger.family(label_family="fwd_5s", interval=YEAR)
        seen.append((view.n, view.repeats, view.effective, view.variance))
        assert set(view.vectors) == {trial(n).id for n in (0, 1, 2, 10, 11, 20, 21, 99)}
    assert seen[0] == seen[1] and seen[0][:2] == (8, 1)


def test_an_old_checkout_is_rolled_back_against_a_newer_anchor(clones: tuple[Path, Path]) -> None:
    one, _ = clones
    heads = Ledger.open(one / LEDGER).heads()
    git(one, "checkout", "-q", "HEAD~1")
    (problem,) = Ledger.open(one / LEDGER).verify(heads)
    assert problem.code == "LEDGER_ROLLED_BACK"
    Ledger.open(one / LEDGER).append([trial(50 + n) for n in range(9)], NOW_NS)
    (problem,) = Ledger.open(one / LEDGER).verify(heads)
    assert problem.code == "LEDGER_ROLLED_BACK"


def test_a_clone_that_writes_on_under_a_copied_id_is_a_fork(clones: tuple[Path, Path]) -> None:
    one, two = clones
    writer = Ledger.open(one / LEDGER).writer
    Ledger.open(two / LEDGER, writer=writer).append([trial(60)], NOW_NS)
    Ledger.open(one / LEDGER).append([trial(61)], NOW_NS)
    git(two, "add", "-A")
    git(two, "commit", "-qm", "a copied id")
    git(one, "add", "-A")
    git(one, "commit", "-qm", "trials")
    attributes = one / ".gitattributes"
    attributes.write_text("*.jsonl merge=union\n")  # the way to keep both sides of a conflict
    git(one, "add", "-A")
    git(one, "commit", "-qm", "union")
    git(one, "pull", "-q", "--no-rebase", "--no-edit", str(two), "main")
    problems = Ledger.open(one / LEDGER).verify()
    assert [(p.code, p.writer) for p in problems] == [("LEDGER_FORKED", writer)]


def test_killed_writers_lose_no_acknowledged_trial(tmp_path: Path) -> None:
    found = soak(tmp_path / "soak", 400, kill_s=0.8, seed=3)
    assert found.appends >= 400 and found.kills > 4
    assert found.good, found
    assert found.recorded >= found.acknowledged >= found.appends
