"""Files appear whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from hft.storage.atomic import aside_path, staged, write_atomic, write_folder


def test_all_staged_files_appear_together(tmp_path: Path):
    with staged(tmp_path / "new") as stage:
        stage.aside("a").write_text("1")
        assert not (tmp_path / "new" / "a").exists()
        stage.aside("b").write_text("2")
    assert (tmp_path / "new" / "a").read_text() == "1"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path):
    write_atomic(tmp_path / "a", "old")
    with pytest.raises(RuntimeError), staged(tmp_path) as stage:
        stage.aside("a").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_that_was_made_for_nothing_is_removed(tmp_path: Path):
    with pytest.raises(RuntimeError), staged(tmp_path / "x" / "y"):
        raise RuntimeError
    assert not (tmp_path / "x").exists()


def test_the_left_over_of_a_killed_writer_is_replaced(tmp_path: Path):
    aside_path(tmp_path / "a").write_text("left over")
    write_atomic(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_folder_appears_with_all_its_files_or_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a": b"1", "b": b"2"}
    assert write_folder(tmp_path / "runs" / "one", files)
    found = {path.name: path.read_bytes() for path in (tmp_path / "runs" / "one").iterdir()}
    assert found == files
    assert not write_folder(tmp_path / "runs" / "one", {"c": b"3"}), "the name is taken"
    real, calls = Path.write_bytes, []

    def interrupted(self: Path, content: bytes) -> int:
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, content)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "runs" / "two", files)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["one"]


def test_writers_of_one_file_at_once_do_not_take_each_others_half(tmp_path: Path) -> None:
    contents = [bytes([k]) * 200_000 for k in range(8)]
    write = partial(write_atomic, tmp_path / "a", contended=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, contents * 5))
    assert (tmp_path / "a").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_fills_names_the_file_and_leaves_the_old_content(tmp_path: Path) -> None:
    import resource
    import subprocess
    import sys

    path = tmp_path / "kept.json"
    path.write_text("before")
    code = (
        "import sys\nfrom pathlib import Path\nfrom hft.storage.atomic import write_atomic\n"
        "try:\n    write_atomic(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except OSError as error:\n    print(error.filename)\n"
    )
    full = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # noqa: E731
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], preexec_fn=full, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(path), done.stderr
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
