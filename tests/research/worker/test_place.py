"""What a worker may take of the machine, what is left behind, and who imports an alpha at all."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from test_worker_process import HEAD, STREAM, folder_of

from hft.core.errors import ValidationError
from hft.research.data.sample import sample
from hft.research.worker import place, walls
from hft.research.worker.client import WorkerAlpha
from hft.research.worker.place import Place
from hft.research.worker.roster import roster
from hft.research.workspace import Workspace

TAKES = {
    "threads": (
        "import threading\n"
        "for _ in range(80): "
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "time.sleep(60)"
    ),
    "files": "for k in range(10_100): open(f'f{k}', 'w').close()",
    "disk": "for k in range(11): open(f'f{k}', 'wb').write(bytes(50 << 20))",
}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("threads", "started more than 64 threads"),
        ("files", "made more than 10000 files"),
        ("disk", "wrote more than 512 MB into its folder"),
    ],
)
def test_a_worker_that_takes_too_much_of_the_machine_is_ended(
    tmp_path: Path, kind: str, sentence: str
) -> None:
    text = HEAD + TAKES[kind] + STREAM.removeprefix(HEAD).format(update="pass")
    with pytest.raises(ValidationError, match=sentence):
        WorkerAlpha(folder_of(tmp_path, text))


def test_the_time_of_all_answers_together_is_bounded(tmp_path: Path) -> None:
    """Each answer may be slow; a thousand slow ones would keep the judge for a week."""
    folder = folder_of(tmp_path, STREAM.format(update="time.sleep(0.1)"))
    with WorkerAlpha(folder, wait_s=60, life_s=8) as alpha:
        rows = sample(60)
        with pytest.raises(ValidationError, match="for all its answers together"):
            for _ in range(3):
                alpha.evaluate(rows)


def test_what_a_killed_judge_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = Place()
    left = tmp_path / "hft-worker-left"
    (left / "scratch").mkdir(parents=True)
    (left / "held").write_text("")
    foreign = tmp_path / "hft-worker-of-something-else"
    foreign.mkdir()
    other = Place()
    assert not left.exists() and mine.folder.exists() and foreign.exists()
    mine.cleanup(), other.cleanup()
    assert not mine.folder.exists()


def test_a_list_of_alphas_imports_none_of_them_where_it_is_made(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / "research/alphas" / name
        folder.mkdir(parents=True)
        (folder / "impl.py").write_text(
            STREAM.format(update="pass").replace('"one"', repr(name))
            + "\nos.environ['SEEN'] = 'here'\nsys.modules['seen_by_alpha'] = sys"
        )
    found = roster(Workspace(tmp_path))
    assert list(found.alphas) == ["one", "two"] and found.errors == ()
    assert "SEEN" not in os.environ and "seen_by_alpha" not in sys.modules


def test_only_a_worker_and_the_alphas_own_tests_import_an_alpha() -> None:
    package = Path(walls.__file__).parents[2]
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "load_folder" in path.read_text()
    }
    assert callers == {
        "research/alphas/loader.py",
        "research/worker/room.py",
        "research/leakage/alpha.py",  # for `assert_no_leaks` of an alpha's own tests
    }


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_another_name_of_a_foreign_file_is_no_file_of_an_alpha(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, STREAM.format(update="pass"))
    key = tmp_path / "key"
    key.write_text("secret")
    os.chown(key, 65534, -1)
    os.link(key, folder / "weights.txt")
    with pytest.raises(ValidationError, match="another name of a file that somebody else owns"):
        WorkerAlpha(folder)


def test_a_place_is_held_before_another_judge_can_find_it(monkeypatch) -> None:
    """Else two judges that begin at once sweep each other's folders away."""
    real = place.lock

    def sweeping(held: int, path: Path, **given: float) -> None:
        monkeypatch.setattr(place, "lock", real)
        place.sweep()
        real(held, path, **given)

    monkeypatch.setattr(place, "lock", sweeping)
    made = place.Place()
    assert made.scratch.is_dir()
    made.cleanup()
    assert not made.folder.exists()
