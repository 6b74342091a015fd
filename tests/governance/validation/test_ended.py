"""An alpha that ends the process it runs in ends its validation with a verdict, and with a row."""

import errno
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from validation_world import made_desk

from hft.api.validation import validate
from hft.audit.journal import read
from hft.core.errors import (
    Busy,
    ConfigError,
    HftError,
    JournalError,
    StrategyError,
    ValidationError,
)
from hft.governance import interruptions
from hft.governance.ledger.ledger import Ledger
from hft.research.alphas.containment import own_code
from hft.research.data.planted import write
from hft.storage.interrupts import interrupt

pytestmark = pytest.mark.usefixtures("shared_judgements")
# Every way into the alpha is replaced by `ends`.
EVERYWHERE = """
import os, sys
def ends(*args, **kwargs):
    {how}
for one in [one for one in vars().values() if isinstance(one, type)]:
    if one.__module__ == __name__:
        one.update = ends
        if hasattr(one, "signals"):
            one.signals = ends
"""
SECOND = "7920"  # the hash seed of the second fresh process


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = made_desk(tmp_path_factory.mktemp("ended") / "desk")
    write(root / "data" / "planted", 0.05, days=20, seed=1)
    return root


@pytest.fixture
def root(desk: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(desk, tmp_path / "copy", symlinks=True))


def spoil(root: Path, text: str) -> None:
    path = root / "research" / "alphas" / "mine" / "impl.py"
    path.write_text(path.read_text() + text)


def judge(root: Path, **given: Any) -> Any:
    chosen = {"profile": "base", "skip_gate_b_tests": True, "set": {"gate_b.runs_min": 1.0}} | given
    return validate("mine", str(root / "data" / "planted"), root=root, **chosen)


def rows(root: Path) -> list[dict[str, Any]]:
    return [
        row["row"] for row in read(root / ".state" / "audit") if row["table"] == "alpha_gate_log"
    ]


def notes(root: Path) -> list[Path]:
    return list((root / ".state" / interruptions.FOLDER).glob("*"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nraise SystemExit(0)\n", "cannot be imported: SystemExit: 0"),
        ("\nraise KeyboardInterrupt\n", "cannot be imported: KeyboardInterrupt"),
        (EVERYWHERE.format(how="sys.exit(0)"), "raised SystemExit: 0"),
        (EVERYWHERE.format(how="raise KeyboardInterrupt"), "raised KeyboardInterrupt"),
        (EVERYWHERE.format(how="raise GeneratorExit"), "raised GeneratorExit"),
        (EVERYWHERE.format(how="os._exit(0)"), r"raised ProcessEnded: os._exit\(0\)"),
        ("\nimport os\nos._exit(0)\n", r"cannot be imported: ProcessEnded: os._exit\(0\)"),
    ],
)
def test_an_exit_of_the_alpha_is_its_failure_and_a_row(root: Path, text: str, said: str) -> None:
    spoil(root, text)
    with pytest.raises(ValidationError, match=said):
        judge(root)
    (row,) = rows(root)
    assert (row["gate"], row["verdict"]) == ("A", "FAIL") and re.search(said, row["details"])
    assert notes(root) == []


def test_a_fresh_process_that_ends_at_once_fails_gate_b_though_the_others_agree(
    root: Path,
) -> None:
    when = f"if os.environ.get('PYTHONHASHSEED') == '{SECOND}':"
    spoil(root, f"\nimport os\n{when}\n    os.abort()\n")
    done = judge(root, set={"gate_b.runs_min": 3.0})
    (check,) = [c for c in done.gate("B").checks if c.id == "deterministic"]
    assert check.verdict.value == "FAIL" and "its process was ended by SIGABRT" in check.reason
    row = next(row for row in rows(root) if row["gate"] == "B")
    assert row["verdict"] == "FAIL" and "its process was ended by SIGABRT" in row["details"]


def test_tests_of_the_alpha_that_end_pytest_with_code_0_have_not_passed(root: Path) -> None:
    test = next((root / "research" / "alphas" / "mine" / "tests").glob("test_*.py"))
    test.write_text("import os\n\ndef test_nothing():\n    os._exit(0)\n")
    done = judge(root, skip_gate_b_tests=False)
    (check,) = [c for c in done.gate("B").checks if c.id == "unit_tests"]
    assert check.verdict.value == "FAIL" and "its process ended with exit code 0" in check.reason


def test_what_an_alpha_and_its_tests_say_need_be_no_text(root: Path) -> None:
    spoil(root, "\nimport os\nfor stream in (1, 2):\n    os.write(stream, b'\\xff\\n')\n")
    test = next((root / "research" / "alphas" / "mine" / "tests").glob("test_*.py"))
    says = "    assert os.write(2, b'\\xff\\n') == 2\n    assert False\n"
    test.write_text(f"import os\n\ndef test_of_mine():\n{says}")
    checks = {c.id: c for c in judge(root).gate("B").checks}
    assert checks["deterministic"].verdict.value == "PASS"
    done = judge(root, skip_gate_b_tests=False)
    (check,) = done.gate("B").checks
    assert check.verdict.value == "FAIL" and "test_of_mine" in check.reason


def test_the_alphas_own_tests_run_before_a_trial_is_counted(root: Path) -> None:
    test = next((root / "research" / "alphas" / "mine" / "tests").glob("test_*.py"))
    right = test.read_text()
    test.write_text("def test_of_mine():\n    assert False\n")
    done = judge(root, skip_gate_b_tests=False)
    assert "no trial was counted" in done.gate("B").reason and done.gate("C") is None
    assert "not run: Gate B has to pass first" in done.document.gates[2]["reason"]
    assert (
        not (root / "research" / "ledger").is_dir()
        or Ledger.open(root / "research" / "ledger").trials().is_empty()
    )
    test.write_text(right)
    assert judge(root, skip_gate_b_tests=False).trial_id


def command(root: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "hft.cli.app", "alpha", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def workers_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def test_a_process_that_somebody_ended_is_in_the_audit_after_the_next_command(root: Path) -> None:
    spoil(root, EVERYWHERE.format(how="__import__('time').sleep(600)"))
    words = ("validate", "mine", "--data", "data/planted", "--profile", "base", "--yes")
    begun, deadline = command(root, *words), time.monotonic() + 300
    while not notes(root):
        assert begun.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    while not (workers := workers_of(begun.pid)):
        assert begun.poll() is None and time.monotonic() < deadline
    begun.kill()
    assert begun.communicate()[0] == ""
    while any(Path(f"/proc/{one}").exists() for one in workers):
        assert time.monotonic() < deadline, "the alpha's process outlived its judge"
    assert rows(root) == [] and len(notes(root)) == 1
    after = command(root, "canary", "nobody", "--apply")
    after.communicate(timeout=300)
    assert after.returncode == 65
    (row,) = rows(root)
    assert (row["alpha_id"], row["gate"], row["verdict"]) == ("mine", "A", "FAIL")
    assert "ABORTED" in row["details"] and notes(root) == []


def test_an_alpha_that_ends_its_own_process_ends_no_other(root: Path) -> None:
    spoil(root, EVERYWHERE.format(how="os.abort()"))
    with pytest.raises(ValidationError, match="its process was ended by SIGABRT"):
        judge(root)
    (row,) = rows(root)
    assert row["verdict"] == "FAIL" and "SIGABRT" in row["details"] and notes(root) == []


def test_a_validation_at_work_is_not_unfinished(tmp_path: Path) -> None:
    told: list[Any] = []
    row = {"details": {"error": "it ended"}}

    def record(*given: Any, **more: Any) -> None:
        told.append(given)

    with interruptions.begun(tmp_path, row):
        child = (
            "import sys; from pathlib import Path; from hft.governance import interruptions; "
            "sys.exit(len(interruptions.close(Path(sys.argv[1]), print, 1)))"
        )
        done = subprocess.run([sys.executable, "-c", child, str(tmp_path)], check=False)
        assert done.returncode == 0 and len(list(tmp_path.rglob("*.json"))) == 1
    assert interruptions.close(tmp_path, record, 1) == [] and told == []
    left = tmp_path / interruptions.FOLDER / f"x{interruptions.SUFFIX}"
    left.write_text('{"details":{"error":"it en')  # torn: never begun in earnest
    assert interruptions.close(tmp_path, record, 1) == [] and not left.exists()
    left.write_text('{"details":{"error":"it ended"}}')
    assert interruptions.close(tmp_path, record, 1) == ["it ended"] and len(told) == 1


def test_one_that_is_interrupted_is_in_the_audit_and_one_that_was_refused_is_there_already(
    tmp_path: Path,
) -> None:
    told: list[Any] = []

    def record(*given: Any, **more: Any) -> None:
        told.append(given)

    row = {"details": {"error": "it ended"}}
    with pytest.raises(KeyboardInterrupt), interruptions.begun(tmp_path, row, (ValidationError,)):
        raise KeyboardInterrupt
    assert interruptions.close(tmp_path, record, 1) == ["it ended"] and len(told) == 1
    with pytest.raises(ValidationError), interruptions.begun(tmp_path, row, (ValidationError,)):
        raise ValidationError("refused, and recorded")
    assert interruptions.close(tmp_path, record, 1) == [] and len(told) == 1


@pytest.mark.parametrize("kind", [ConfigError, Busy, StrategyError])
def test_what_stops_a_validation_on_the_way_is_its_row_and_no_ended_process(
    root: Path, kind: type[HftError]
) -> None:
    def stopped(price: Any) -> bool:
        raise kind("it stopped here")

    with pytest.raises(kind, match="it stopped here"):
        judge(root, agree=stopped)
    assert notes(root) == []
    (row,) = rows(root)
    assert json.loads(row["details"])["error"] == "it stopped here"


@pytest.mark.parametrize("handler", [signal.default_int_handler, interrupt])
def test_ctrl_c_of_the_person_goes_through_and_the_handler_is_put_back(handler: Any) -> None:
    def refused(error: BaseException) -> ValidationError:
        return ValidationError(type(error).__name__)

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(ValidationError, match="KeyboardInterrupt"), own_code(refused):
            raise KeyboardInterrupt
        with pytest.raises(KeyboardInterrupt), own_code(refused):
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_where_no_ctrl_c_can_come_the_interrupt_is_the_alphas_own() -> None:
    """A job in the background, whose shell ignores SIGINT for it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        own = own_code(lambda error: ValidationError("its own"))
        with pytest.raises(ValidationError, match="its own"), own:
            raise KeyboardInterrupt
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_note_that_is_still_being_written_is_not_taken_for_one_of_a_killed_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    seen: list[int] = []
    locks = fcntl.flock

    def found() -> list[str]:
        return interruptions.close(tmp_path, lambda *row, **_: said.append(row), 1)

    def meanwhile(file: int, how: int) -> None:
        """Another command looks for ended validations before the note is held."""
        if not seen:
            seen.append(file)
            assert found() == []
        locks(file, how)

    monkeypatch.setattr(fcntl, "flock", meanwhile)
    row = {"details": {"error": "it was ended"}}
    with pytest.raises(KeyboardInterrupt), interruptions.begun(tmp_path, row, (ValidationError,)):
        raise KeyboardInterrupt
    assert found() == ["it was ended"]
    assert len(said) == 1 and not list(tmp_path.rglob("*.json"))


def test_a_note_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError, match="No space left"), interruptions.begun(tmp_path, {}):
        pass
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
