"""What a repository of somebody else names is never run by who looks at it or signs in it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hft.audit.anchors import from_tags, make_tag
from hft.audit.keys import Keys
from hft.audit.sign import generate
from hft.governance.promotion.people import last_author, uncommitted
from hft.storage.chain import Head

ALPHA = Path("research", "alphas", "mine")


def git(root: Path, *words: str) -> str:
    settings = ["-c", "user.name=ann", "-c", "user.email=ann@x"]
    command = ["git", "-C", str(root), *settings, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed workspace, and a program beside it that leaves a mark when it is run."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "person"))
    (tmp_path / "person").write_text("[user]\n\tname = bob\n\temail = bob@x\n")
    desk = tmp_path / "desk"
    (desk / ALPHA).mkdir(parents=True)
    (desk / ALPHA / "impl.py").write_text("x = 1\n")
    git(desk, "init", "-q")
    git(desk, "add", "-A")
    git(desk, "commit", "-qm", "mine")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    return desk


def filtered(root: Path, program: Path) -> None:
    git(root, "config", "filter.own.clean", str(program))
    git(root, "config", "filter.own.required", "true")
    (root / ".git" / "info").mkdir(exist_ok=True)
    (root / ".git" / "info" / "attributes").write_text("*.py filter=own\n")
    (root / ALPHA / "impl.py").touch()


def long_running(root: Path, program: Path) -> None:
    filtered(root, program)
    git(root, "config", "--unset", "filter.own.clean")
    git(root, "config", "filter.own.process", str(program))


def hooked(root: Path, program: Path) -> None:
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        (root / ".git" / "hooks").mkdir(exist_ok=True)
        shutil.copy(program, root / ".git" / "hooks" / name)
    (root / ALPHA / "impl.py").touch()


def hooked_elsewhere(root: Path, program: Path) -> None:
    hooked(root, program)
    (root / ".git" / "hooks").rename(root / "hooks")
    git(root, "config", "core.hooksPath", str(root / "hooks"))


def watched(root: Path, program: Path) -> None:
    git(root, "config", "core.fsmonitor", str(program))


def signing(root: Path, program: Path) -> None:
    git(root, "config", "gpg.ssh.program", str(program))
    git(root, "config", "gpg.program", str(program))
    git(root, "config", "gpg.ssh.defaultKeyCommand", str(program))


def shown_signature(root: Path, program: Path) -> None:
    signing(root, program)
    git(root, "config", "log.showSignature", "true")
    tip = git(root, "cat-file", "commit", "HEAD").partition("\n\n")
    armour = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    text = f"{tip[0]}\n{armour}\n\n{tip[2]}"
    given = ["git", "-C", str(root), "hash-object", "-t", "commit", "-w", "--stdin"]
    made = subprocess.run(given, input=text, capture_output=True, text=True, check=True).stdout
    git(root, "update-ref", "HEAD", made.strip())


WAYS = [filtered, long_running, hooked, hooked_elsewhere, watched, signing, shown_signature]


@pytest.mark.parametrize("prepared", WAYS)
def test_no_program_that_the_repository_names_is_run(
    prepared: Callable[[Path, Path], None], root: Path, tmp_path: Path
) -> None:
    prepared(root, tmp_path / "program")
    (tmp_path / "ran").unlink(missing_ok=True)
    public = generate(tmp_path / "bob", "bob")
    assert uncommitted(root, root / ALPHA) == ""
    assert last_author(root, root / ALPHA).names == ("ann",)
    assert make_tag(root, Head(3, "a" * 64), "j", tmp_path / "bob") == ""
    (tag,) = from_tags(root, Keys(()))
    assert tag.doubt == "is signed by an unknown key" and public
    assert not (tmp_path / "ran").exists()


def test_the_programs_would_run_by_git_alone(root: Path, tmp_path: Path) -> None:
    """Else the test above shows nothing."""
    filtered(root, tmp_path / "program")
    git(root, "status")
    assert (tmp_path / "ran").exists()


def test_a_filter_of_the_persons_own_counts(root: Path, tmp_path: Path) -> None:
    """As of large files: what is committed is what the filter makes of it."""
    (tmp_path / "upper").write_text("#!/bin/sh\ntr a-z A-Z\n")
    (tmp_path / "upper").chmod(0o755)
    (tmp_path / "person").write_text(f'[filter "own"]\n\tclean = {tmp_path / "upper"}\n')
    (root / ".gitattributes").write_text("*.py filter=own\n")
    (root / ALPHA / "impl.py").write_text("y = 2\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "upper")
    (root / ALPHA / "impl.py").touch()
    assert git(root, "show", f"HEAD:{ALPHA}/impl.py") == "Y = 2\n"
    assert uncommitted(root, root / ALPHA) == ""


def test_a_submodule_is_code_that_nobody_committed_here(root: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "impl.py").write_text("x = 2\n")
    git(inner, "init", "-q")
    git(inner, "add", "-A")
    git(inner, "commit", "-qm", "inner")
    shutil.copytree(inner, root / ALPHA / "more")
    git(root, "add", str(ALPHA))
    git(root, "commit", "-qm", "a submodule")
    assert "is a repository of its own" in uncommitted(root, root / ALPHA)


@pytest.mark.parametrize("way", ["replace", "graft"])
def test_another_commit_in_its_place_changes_no_author(way: str, root: Path) -> None:
    first = git(root, "rev-parse", "HEAD").strip()
    (root / ALPHA / "impl.py").write_text("x = 2\n")
    git(root, "-c", "user.name=bob", "-c", "user.email=bob@x", "commit", "-qam", "by bob")
    tip = git(root, "rev-parse", "HEAD").strip()
    forged = git(root, "commit-tree", f"{tip}^{{tree}}", "-p", first, "-m", "by ann").strip()
    if way == "replace":
        git(root, "replace", "-f", tip, forged)
    else:
        (root / ".git" / "info").mkdir(exist_ok=True)
        (root / ".git" / "info" / "grafts").write_text(f"{tip} {first}\n")
    assert last_author(root, root / ALPHA).names == ("bob",)


@pytest.mark.parametrize("key", ["core.worktree", "core.bare"])
def test_a_repository_that_leads_elsewhere_is_no_word_on_the_code(
    key: str, root: Path, tmp_path: Path
) -> None:
    shutil.copytree(root / "research", tmp_path / "other" / "research")
    (root / ALPHA / "impl.py").write_text("x = 3\n")
    git(root, "config", key, str(tmp_path / "other") if key == "core.worktree" else "true")
    assert "git cannot say what was committed" in uncommitted(root, root / ALPHA)
